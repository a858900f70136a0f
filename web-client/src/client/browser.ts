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
    openSocket: (auth, namespace = '/') =>
      io(namespace, {
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
      memory.get(key) ??
      attempt(
        (kept) => kept.getItem(key),
        () => null,
      ),
    set: (key, value) =>
      attempt(
        (kept) => {
          kept.setItem(key, value);
          memory.delete(key);
        },
        () => {
          memory.set(key, value);
          // What is stored is older, and after a reload it would be believed.
          attempt(
            (kept) => kept.removeItem(key),
            () => {},
          );
        },
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
    onChange: (listener) => {
      if (typeof window === 'undefined') return () => {};
      const changed = (event: StorageEvent) => {
        const isOurs = attempt(
          (kept) => event.storageArea === kept,
          () => false,
        );
        if (isOurs) listener(event.key);
      };
      window.addEventListener('storage', changed);
      return () => window.removeEventListener('storage', changed);
    },
  };
}

function openChannel(): Channel {
  let channel: BroadcastChannel;
  try {
    channel = new BroadcastChannel('confab');
  } catch {
    // There is none, or it may not be used (in a frame of another site).
    return { post: () => {}, onMessage: () => {}, close: () => {} };
  }
  return {
    post: (message) => channel.postMessage(message),
    onMessage: (listener) => channel.addEventListener('message', (event) => listener(event.data)),
    close: () => channel.close(),
  };
}

function browserSignals(): Signals {
  return {
    isOnline: () => typeof navigator === 'undefined' || navigator.onLine !== false,
    isVisible: () => typeof document === 'undefined' || document.visibilityState === 'visible',
    subscribe: (listener) => {
      if (typeof window === 'undefined') return () => {};
      const signal = (name: Signal) => () => listener(name);
      const online = signal('online');
      const offline = signal('offline');
      const visible = () => listener(document.visibilityState === 'visible' ? 'visible' : 'hidden');
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

const LOCK_MS = 20_000;

/** Over all tabs where the browser can (over HTTPS), else in this one. */
function oneAtATime(): Environment['exclusively'] {
  let last: Promise<unknown> = Promise.resolve();
  const inThisTab: Environment['exclusively'] = (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
  if (typeof navigator === 'undefined' || !navigator.locks) return inThisTab;
  return async (work) => {
    let hasBegun = false;
    const begin = () => {
      hasBegun = true;
      return work();
    };
    try {
      return await navigator.locks.request('confab.auth', { signal: AbortSignal.timeout(LOCK_MS) }, begin);
    } catch (error) {
      if (hasBegun) throw error;
      // Storage is blocked, and locks with it, or a tab that sleeps has the lock.
      return inThisTab(work);
    }
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
