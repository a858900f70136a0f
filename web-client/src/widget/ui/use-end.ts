import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

/** This near to the end counts as being there. */
const NEAR_END_PX = 48;
const NEAR_START_PX = 120;

interface EndOptions {
  readonly scroller: RefObject<HTMLElement | null>;
  /** What comes first and last in the list. */
  readonly firstKey: string | undefined;
  readonly lastKey: string | undefined;
  readonly outgoingCount: number;
  readonly onNearStart: () => void;
}

/** At its end the list stays there, whatever comes or grows; anywhere else it stays where it is, also when more comes in above. */
export function useEnd({ scroller, firstKey, lastKey, outgoingCount, onNearStart }: EndOptions) {
  const sticks = useRef(true);
  const [isAtEnd, setAtEnd] = useState(true);
  const before = useRef({ firstKey, height: 0, outgoingCount });

  const follow = useCallback(() => {
    const element = scroller.current;
    if (element && sticks.current) element.scrollTop = element.scrollHeight;
  }, [scroller]);

  const toEnd = useCallback(() => {
    sticks.current = true;
    setAtEnd(true);
    follow();
  }, [follow]);

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const gap = element.scrollHeight - element.clientHeight - element.scrollTop;
    sticks.current = gap < NEAR_END_PX;
    setAtEnd(sticks.current);
    if (element.scrollTop < NEAR_START_PX) onNearStart();
  }, [scroller, onNearStart]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes last is followed
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const last = before.current;
    const isPrepended = last.firstKey !== firstKey && last.firstKey !== undefined;
    if (outgoingCount > last.outgoingCount) sticks.current = true;
    if (isPrepended && !sticks.current) element.scrollTop += element.scrollHeight - last.height;
    before.current = { firstKey, height: element.scrollHeight, outgoingCount };
    follow();
  }, [scroller, follow, firstKey, lastKey, outgoingCount]);

  useEffect(() => {
    const element = scroller.current;
    const content = element?.firstElementChild;
    if (!element || !content) return;
    const observer = new ResizeObserver(() => {
      before.current.height = element.scrollHeight;
      follow();
    });
    observer.observe(element);
    observer.observe(content);
    return () => observer.disconnect();
  }, [scroller, follow]);

  return { isAtEnd, toEnd, onScroll };
}
