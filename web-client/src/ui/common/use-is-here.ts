import { useEffect, useRef } from 'react';

/** Tells, later, whether the component is still on screen (and `isOn`): an answer that comes after must not lead away. */
export function useIsHere(isOn = true): () => boolean {
  const isHere = useRef(false);
  useEffect(() => {
    isHere.current = isOn;
    return () => {
      isHere.current = false;
    };
  }, [isOn]);
  return () => isHere.current;
}
