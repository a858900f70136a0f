import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from 'react';
import type { VirtualizerHandle } from 'virtua';
import type { Row } from './rows';

/** This near to the end counts as being there. */
const NEAR_END_PX = 48;
/** Older messages are asked for before the start is reached. */
const NEAR_START_PX = 800;

interface StickOptions {
  list: RefObject<VirtualizerHandle | null>;
  rows: readonly Row[];
  outgoingCount: number;
  onNearStart: () => void;
}

/**
 * Where the list stands: at its end it stays there whatever comes or grows, until one scrolls up; anywhere else it
 * stays where it is. Opened with unread messages it begins at the first of them.
 */
export function useStick({ list, rows, outgoingCount, onNearStart }: StickOptions) {
  const sticks = useRef(true);
  const lastOffset = useRef(0);
  const [isAtEnd, setAtEnd] = useState(true);

  const toEnd = useCallback(() => {
    sticks.current = true;
    setAtEnd(true);
    list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
  }, [list, rows.length]);

  const onScroll = useCallback(
    (offset: number) => {
      const handle = list.current;
      if (!handle) return;
      const isNearEnd = handle.scrollSize - handle.viewportSize - offset < NEAR_END_PX;
      const hasGoneUp = offset < lastOffset.current - 1;
      lastOffset.current = offset;
      // Further away without having gone up: something has grown, and the list is about to follow.
      if (isNearEnd) sticks.current = true;
      else if (hasGoneUp) sticks.current = false;
      setAtEnd(sticks.current);
      if (offset < NEAR_START_PX && (isNearEnd || !sticks.current)) onNearStart();
    },
    [list, onNearStart],
  );

  const onResize = useCallback(() => {
    if (sticks.current) list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
  }, [list, rows.length]);

  // What one sends oneself is always shown.
  const lastCount = useRef(outgoingCount);
  useLayoutEffect(() => {
    if (outgoingCount > lastCount.current) sticks.current = true;
    lastCount.current = outgoingCount;
    if (sticks.current) list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
  }, [list, rows, outgoingCount]);

  const firstNew = rows.findIndex((row) => row.isFirstNew);
  const hasBegun = useRef(false);
  useLayoutEffect(() => {
    const handle = list.current;
    if (hasBegun.current || firstNew < 0 || !handle) return;
    hasBegun.current = true;
    if (!sticks.current) return;
    // A screenful or less of new messages: the end shows them all.
    if (rows.length - firstNew < 8) return;
    sticks.current = false;
    handle.scrollToIndex(firstNew, { align: 'start' });
  }, [list, firstNew, rows.length]);

  return { isAtEnd, toEnd, onScroll, onResize };
}
