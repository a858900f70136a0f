// The surroundings that a browser gives. What it lacks (private windows, plain HTTP, no browser at all) is done without.

import { io } from 'socket.io-client';
import type { Channel, Environment, Kept, Signal, Signals } from './environment';

export function browserEnvironment(): Environment {
  return {
    fetch: (path, init) => fetch(path, init),
    local: keptIn(() => window.localStorage),
    tab: keptIn(() => window.sessionStorage),
    channel: openChannel(),
    // A socket of its own for each attempt: nothing of an earlier connection is left in it.
    openSocket: (auth) =>
      io({
        auth: (give) => give(auth),
        transports: ['websocket', 'polling'],
        tryAllTransports: true,
        reconnection: false,
        forceNew: true,
      }),
    signals: browserSignals(),
    exclusively: oneAtATime(),
    watchHandedToken,
    guardLeaving,
    newId,
    random: Math.random,
  };
}

/** Storage that may be switched off: then what is kept is kept for as long as the page. */
function keptIn(storage: () => Storage): Kept {
  const memory = new Map<string, string>();
  const attempt = <T>(work: (storage: Storage) => T, instead: () => T): T => {
    try {
      return work(storage());
    } catch {
      return instead();
    }
  };
  return {
    get: (key) =>
      attempt(
        (kept) => kept.getItem(key),
        () => null,
      ) ??
      memory.get(key) ??
      null,
    set: (key, value) =>
      attempt(
        (kept) => kept.setItem(key, value),
        () => void memory.set(key, value),
      ),
    remove: (key) => {
      memory.delete(key);
      attempt(
        (kept) => kept.removeItem(key),
        () => {},
      );
    },
    keys: () => [
      ...attempt(
        (kept) => Object.keys(kept),
        () => [],
      ),
      ...memory.keys(),
    ],
  };
}

function openChannel(): Channel {
  if (typeof BroadcastChannel === 'undefined') return { post: () => {}, onMessage: () => {}, close: () => {} };
  const channel = new BroadcastChannel('confab');
  return {
    post: (message) => channel.postMessage(message),
    onMessage: (listener) => channel.addEventListener('message', (event) => listener(event.data)),
    close: () => channel.close(),
  };
}

function browserSignals(): Signals {
  return {
    isOnline: () => typeof navigator === 'undefined' || navigator.onLine !== false,
    subscribe: (listener) => {
      if (typeof window === 'undefined') return () => {};
      const signal = (name: Signal) => () => listener(name);
      const online = signal('online');
      const offline = signal('offline');
      const visible = () => document.visibilityState === 'visible' && listener('visible');
      // A page that comes back out of the browser's cache has slept, visible or not.
      const shown = (event: PageTransitionEvent) => event.persisted && listener('visible');
      window.addEventListener('online', online);
      window.addEventListener('offline', offline);
      window.addEventListener('pageshow', shown);
      document.addEventListener('visibilitychange', visible);
      return () => {
        window.removeEventListener('online', online);
        window.removeEventListener('offline', offline);
        window.removeEventListener('pageshow', shown);
        document.removeEventListener('visibilitychange', visible);
      };
    },
  };
}

/** Over all tabs where the browser can (over HTTPS), else in this one. */
function oneAtATime(): Environment['exclusively'] {
  if (typeof navigator !== 'undefined' && navigator.locks) {
    return (work) => navigator.locks.request('confab.auth', work);
  }
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
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

/** A random id; not by crypto.randomUUID, which browsers offer over HTTPS only. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
