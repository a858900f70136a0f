// The surroundings that a browser gives. What it lacks (private windows, plain HTTP, no browser at all) is done without.

import { io } from 'socket.io-client';
import { browserSignals, keptIn, newId, oneAtATime, openChannel } from './browser-parts';
import type { Environment } from './environment';

export function browserEnvironment(): Environment {
  return {
    fetch: (path, init) => fetch(path, init),
    local: keptIn(() => window.localStorage),
    tab: keptIn(() => window.sessionStorage),
    channel: openChannel('confab'),
    // A socket of its own for each attempt: nothing of an earlier connection is left in it.
    openSocket: (auth, namespace = '/') =>
      io(namespace, {
        auth: (give) => give(auth),
        transports: ['websocket', 'polling'],
        tryAllTransports: true,
        reconnection: false,
        forceNew: true,
      }),
    signals: browserSignals(),
    exclusively: oneAtATime('confab.auth'),
    watchHandedToken,
    guardLeaving,
    newId,
    random: Math.random,
  };
}

function watchHandedToken(listener: (token: string) => void): () => void {
  if (typeof window === 'undefined') return () => {};
  const look = () => {
    const params = new URLSearchParams(window.location.hash.slice(1));
    const token = params.get('token');
    if (!token) return;
    params.delete('token');
    const rest = params.size > 0 ? `#${params}` : '';
    // At once, so that the token is in no history, bookmark or copied address.
    window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search + rest);
    listener(token);
  };
  look();
  window.addEventListener('hashchange', look);
  return () => window.removeEventListener('hashchange', look);
}

function guardLeaving(isUnsafe: () => boolean): () => void {
  if (typeof window === 'undefined') return () => {};
  const guard = (event: BeforeUnloadEvent) => {
    if (isUnsafe()) event.preventDefault();
  };
  window.addEventListener('beforeunload', guard);
  return () => window.removeEventListener('beforeunload', guard);
}
