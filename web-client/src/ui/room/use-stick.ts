import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { VirtualizerHandle } from 'virtua';
import type { Row } from './rows';
import { NEAR_START_PX } from './use-older';

/** This near to the end counts as being there. */
const NEAR_END_PX = 48;
/** The virtualiser goes to a row by its number, in several steps: no older rows may come in above until it is there. */
const BEGINNING_MS = 400;
/** As many new messages fit on a screen: the end shows them all. */
const FEW_NEW = 8;

interface StickOptions {
  scroller: RefObject<HTMLElement | null>;
  list: RefObject<VirtualizerHandle | null>;
  rows: readonly Row[];
  outgoingCount: number;
  onNearStart: () => void;
}

/**
 * Where the list stands: at its end it stays there whatever comes or grows, until one scrolls up; anywhere else it
 * stays where it is. Opened with many unread messages it begins at the first of them.
 *
 * It looks at the element itself: the virtualiser tells of no scrolling that it has done, its numbers do not fit
 * together while rows come in above, and its way to the end goes on for a moment in which one may have scrolled away.
 */
export function useStick({ scroller, list, rows, outgoingCount, onNearStart }: StickOptions) {
  const sticks = useRef(true);
  const last = useRef({ offset: 0, height: 0 });
  const [isAtEnd, setAtEnd] = useState(true);
  const beginning = useRef<ReturnType<typeof setTimeout>>(undefined);

  const follow = useCallback(() => {
    const element = scroller.current;
    if (!element || !sticks.current) return;
    element.scrollTop = element.scrollHeight;
    // So that it is not taken for somebody's going down.
    last.current = { offset: element.scrollTop, height: element.scrollHeight };
  }, [scroller]);

  // Whoever turns upward means it, however near the end that still is and however much comes in meanwhile.
  const onTurn = useCallback(
    (isUp: boolean) => {
      const element = scroller.current;
      if (!element) return;
      const gap = element.scrollHeight - element.clientHeight - element.scrollTop;
      if (isUp && element.scrollTop > 0) sticks.current = false;
      else if (!isUp && gap < NEAR_END_PX) sticks.current = true;
      setAtEnd(sticks.current);
    },
    [scroller],
  );
  useTurns(scroller, onTurn);

  const toEnd = useCallback(() => {
    sticks.current = true;
    setAtEnd(true);
    follow();
  }, [follow]);

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const offset = element.scrollTop;
    const isNearEnd = element.scrollHeight - element.clientHeight - offset < NEAR_END_PX;
    const height = element.scrollHeight;
    const gap = height - element.clientHeight - offset;
    // Further away without having gone up, or up because rows turned out smaller than they were taken for: nobody has
    // scrolled, and the list is about to follow.
    const hasGoneUp = offset < last.current.offset - 1 && height === last.current.height;
    const hasGoneDown = offset > last.current.offset || height < last.current.height;
    last.current = { offset, height };
    if (isNearEnd && hasGoneDown) sticks.current = true;
    else if (hasGoneUp && gap > 1) sticks.current = false;
    setAtEnd(sticks.current);
    if (beginning.current === undefined && offset < NEAR_START_PX && (isNearEnd || !sticks.current)) onNearStart();
  }, [scroller, onNearStart]);

  // The window, the field below, or a row has changed its height.
  useEffect(() => {
    const element = scroller.current;
    const content = element?.lastElementChild;
    if (!element || !content) return;
    const observer = new ResizeObserver(follow);
    observer.observe(element);
    observer.observe(content);
    return () => observer.disconnect();
  }, [scroller, follow]);

  // What one sends oneself is always shown.
  const lastCount = useRef(outgoingCount);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of the rows is followed
  useLayoutEffect(() => {
    if (outgoingCount > lastCount.current) sticks.current = true;
    lastCount.current = outgoingCount;
    follow();
  }, [follow, rows, outgoingCount]);

  const firstNew = rows.findIndex((row) => row.isFirstNew);
  const hasBegun = useRef(false);
  useLayoutEffect(() => {
    const handle = list.current;
    if (hasBegun.current || firstNew < 0 || !handle) return;
    hasBegun.current = true;
    if (!sticks.current || rows.length - firstNew <= FEW_NEW) return;
    sticks.current = false;
    handle.scrollToIndex(firstNew, { align: 'start' });
    clearTimeout(beginning.current);
    beginning.current = setTimeout(() => {
      beginning.current = undefined;
      setBegun(true);
    }, BEGINNING_MS);
  }, [list, firstNew, rows.length]);
  useEffect(
    () => () => {
      clearTimeout(beginning.current);
      beginning.current = undefined;
    },
    [],
  );
  const [hasArrived, setBegun] = useState(false);
  useEffect(() => {
    if (hasArrived) onScroll();
  }, [hasArrived, onScroll]);

  return { isAtEnd, toEnd, onScroll };
}

const UP = new Set(['PageUp', 'Home']);
const DOWN = new Set(['PageDown', 'End']);

/** Tells which way wheel, finger and keys turn, before anything has moved. */
function useTurns(scroller: RefObject<HTMLElement | null>, onTurn: (isUp: boolean) => void): void {
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const ended = new AbortController();
    const options = { passive: true, signal: ended.signal };
    let touchedAt: number | null = null;
    const onWheel = ({ deltaY, ctrlKey }: WheelEvent) => {
      if (deltaY !== 0 && !ctrlKey) onTurn(deltaY < 0);
    };
    const onTouch = ({ touches }: TouchEvent) => {
      const y = touches.length === 1 ? (touches[0]?.clientY ?? null) : null;
      if (y !== null && touchedAt !== null && y !== touchedAt) onTurn(y > touchedAt);
      touchedAt = y;
    };
    const onKey = ({ key }: KeyboardEvent) => {
      if (UP.has(key) || DOWN.has(key)) onTurn(UP.has(key));
    };
    element.addEventListener('wheel', onWheel, options);
    element.addEventListener('touchstart', onTouch, options);
    element.addEventListener('touchmove', onTouch, options);
    element.addEventListener('touchend', onTouch, options);
    element.addEventListener('keydown', onKey, options);
    return () => ended.abort();
  }, [scroller, onTurn]);
}
