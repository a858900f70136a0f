// The page that shows this one in a frame. Who it is, is what the browser says of the one that answers; from then on
// nobody else is listened to, and nobody else is told anything. Which sites may, is the server's setting frame_ancestors.

import { type ToFrame, type ToHost, unwrap, wrap } from './wire';

export interface Host {
  tell(message: ToHost): void;
}

/** Says hello, and passes on what the page says. On its own, without a page around it, it is simply open. */
export function findHost(heard: (message: ToFrame) => void): Host {
  const page = window.parent;
  let origin: string | null = null;

  if (page === window) {
    const look = { accent: null, theme: null, label: null };
    const nobody = { name: '', email: '', token: null, hasTokenSource: false };
    queueMicrotask(() => heard({ type: 'init', look, ...nobody, isOpen: true }));
    return { tell: () => {} };
  }

  window.addEventListener('message', (event: MessageEvent) => {
    if (event.source !== page || (origin !== null && event.origin !== origin)) return;
    const message = unwrap<ToFrame>(event.data);
    if (!message || (origin === null) !== (message.type === 'init')) return;
    // A page without an origin (a file, a sandbox) cannot be told from any other.
    if (event.origin === 'null') return;
    origin = event.origin;
    heard(message);
  });
  page.postMessage(wrap({ type: 'hello' }), '*');

  return {
    tell: (message) => {
      if (origin !== null) page.postMessage(wrap(message), origin);
    },
  };
}
