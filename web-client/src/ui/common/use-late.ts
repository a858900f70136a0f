import { useEffect, useState } from 'react';

/** Shorter than this is not worth a word. */
const PATIENCE_MS = 500;

/** Whether `isOn` has been true for a while. */
export function useLate(isOn: boolean): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!isOn) return;
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [isOn]);
  return isOn && isLate;
}
