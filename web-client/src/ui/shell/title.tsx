import { useEffect } from 'react';
import { useUnreadTotal } from '../../hooks';
import { useStrings } from '../../strings';

/** Names the window after where one is and how much is unread. */
export function useTitle(place: string | null): void {
  const strings = useStrings();
  const unread = useUnreadTotal();
  useEffect(() => {
    document.title = strings.title(place, unread);
  }, [strings, place, unread]);
}

export function StartTitle() {
  useTitle(null);
  return null;
}
