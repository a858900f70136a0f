import { useEffect, useState } from 'react';

/** Shorter than this is not worth a word. */
const PATIENCE_MS = 500;

/** Whether `isOn` has been true for a while. */
export function useLate(isOn: boolean, patienceMs = PATIENCE_MS): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!isOn) return;
    const timer = setTimeout(() => setLate(true), patienceMs);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [isOn, patienceMs]);
  return isOn && isLate;
}
