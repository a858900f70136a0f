import { useCallback, useSyncExternalStore } from 'react';

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const media = window.matchMedia(query);
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}

/** A finger, and probably a keyboard on the screen: Enter makes a new line there. */
export const TOUCH = '(hover: none) and (pointer: coarse)';
/** Wide enough for the people beside the messages. */
export const WIDE = '(min-width: 1024px)';
