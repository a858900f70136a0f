import { type RefObject, useEffect } from 'react';
import type { RoomId } from '../../protocol/generated/RoomId';
import { leaveRoom } from '../routes';

const ROW = 'a[data-room]';

/** Of the row's link. */
export const rowKey = (id: RoomId): string => JSON.stringify(id);

/** Where letters are written, or something else has the keys. */
const WRITING = 'input:not([type=radio]), textarea, [contenteditable], [role=dialog]';

const STEPS: Readonly<Record<string, 1 | -1>> = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 };

/** J and K go through the list from anywhere but a field or a dialog; the arrows once the focus is in it. */
export function useListKeys(list: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const step = STEPS[event.key];
      const element = list.current;
      if (!step || !element || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target instanceof HTMLElement ? event.target : null;
      const isArrow = event.key.length > 1;
      if (isArrow ? !target?.matches(ROW) : target?.closest(WRITING)) return;
      const rows = [...element.querySelectorAll<HTMLElement>(ROW)];
      const focused = rows.findIndex((row) => row.contains(target));
      const open = rows.findIndex((row) => row.hasAttribute('aria-current'));
      // From elsewhere one begins at the open conversation, or at the first.
      const next = focused < 0 ? (rows[open] ?? rows[0]) : rows[focused + step];
      if (!next) return;
      event.preventDefault();
      show(next);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [list]);
}

/** Esc leads back to the list, from wherever one is; what is open above the conversation has it first. */
export function useEscape(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return;
      event.preventDefault();
      // So that the list can have the focus.
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      leaveRoom('/staff');
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

/** The row of a room, or (it may have another status by now) the status whose list is shown. */
export function focusRow(id: RoomId): void {
  // The list may only appear with the way back to it.
  requestAnimationFrame(() => {
    // What has the focus by now was meant to have it.
    if (document.activeElement && document.activeElement !== document.body) return;
    const rows = [...document.querySelectorAll<HTMLElement>(ROW)];
    const row = rows.find((one) => one.dataset['room'] === rowKey(id));
    if (row) show(row);
    else document.querySelector<HTMLElement>('input[name=status]:checked')?.focus();
  });
}

function show(row: HTMLElement): void {
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
}
