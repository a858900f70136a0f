import type { KeyboardEvent } from 'react';

/** The arrow keys go from message to message once the list has the focus; Tab goes on to what one can do with it. */
export function moveAmongMessages(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const messages = [...event.currentTarget.querySelectorAll<HTMLElement>('article')];
  const focused = document.activeElement?.closest('article');
  const at = messages.findIndex((message) => message === focused);
  const next = at < 0 ? messages[messages.length - 1] : messages[at + (event.key === 'ArrowDown' ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
}
