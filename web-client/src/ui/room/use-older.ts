import { type RefObject, useCallback, useEffect, useRef } from 'react';
import type { RoomState } from '../../client/room-state';

/** Older messages are asked for before the start is reached. */
export const NEAR_START_PX = 800;
/** What was refused is asked for again after this; twice as long each time. */
const PATIENCE_MS = 3_000;
const MAX_PATIENCE_MS = 60_000;

type Pages = Pick<RoomState, 'messages' | 'has_older' | 'loading_older'>;

/**
 * Asks for older messages: when there is less than a screenful, and whenever the returned function is called. After a
 * refusal it waits, whoever calls.
 */
export function useOlder(scroller: RefObject<HTMLElement | null>, room: Pages, onLoadOlder: () => void): () => void {
  const { messages, has_older, loading_older } = room;
  const waitsUntil = useRef(0);
  const ask = useCallback(() => {
    if (has_older && !loading_older && Date.now() >= waitsUntil.current) onLoadOlder();
  }, [has_older, loading_older, onLoadOlder]);

  const isFilled = useCallback(() => {
    const element = scroller.current;
    return !element || element.clientHeight === 0 || element.scrollHeight > element.clientHeight;
  }, [scroller]);

  // Looked at with every change of the room: asking is in vain while the connection is away, and nobody says so.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (!isFilled()) ask();
    });
    return () => cancelAnimationFrame(frame);
  }, [room, isFilled, ask]);

  useEffect(() => {
    const element = scroller.current;
    const content = element?.lastElementChild;
    if (!element || !content) return;
    const observer = new ResizeObserver(() => {
      if (!isFilled()) ask();
    });
    observer.observe(element);
    observer.observe(content);
    return () => observer.disconnect();
  }, [scroller, isFilled, ask]);

  // Loading that ends with what was there before has failed.
  const first = messages[0]?.id;
  const loadingFor = useRef<{ first: string | undefined } | null>(null);
  const failures = useRef(0);
  useEffect(() => {
    if (loading_older) {
      loadingFor.current ??= { first };
      return;
    }
    const asked = loadingFor.current;
    loadingFor.current = null;
    if (!asked) return;
    if (asked.first !== first || !has_older) {
      failures.current = 0;
      return;
    }
    const patience = Math.min(PATIENCE_MS * 2 ** failures.current, MAX_PATIENCE_MS);
    failures.current += 1;
    waitsUntil.current = Date.now() + patience;
  }, [loading_older, first, has_older]);

  // Whoever still stands at the start then does not have to scroll to be given more.
  useEffect(() => {
    const patience = waitsUntil.current - Date.now();
    if (loading_older || patience <= 0) return;
    const timer = setTimeout(() => {
      if ((scroller.current?.scrollTop ?? Number.POSITIVE_INFINITY) < NEAR_START_PX) ask();
    }, patience);
    return () => clearTimeout(timer);
  }, [scroller, loading_older, ask]);

  return ask;
}
