// The pieces of a browser that both the client and the support widget are made with.

import type { Channel, Environment, Kept, Signal, Signals } from './environment';

/** Storage that may be switched off: then what is kept is kept for as long as the page. */
export function keptIn(storage: () => Storage): Kept {
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

export function openChannel(name: string): Channel {
  let channel: BroadcastChannel;
  try {
    channel = new BroadcastChannel(name);
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

export function browserSignals(): Signals {
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
export function oneAtATime(name: string): Environment['exclusively'] {
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
      return await navigator.locks.request(name, { signal: AbortSignal.timeout(LOCK_MS) }, begin);
    } catch (error) {
      if (hasBegun) throw error;
      // Storage is blocked, and locks with it, or a tab that sleeps has the lock.
      return inThisTab(work);
    }
  };
}

/** A random id; not by crypto.randomUUID, which browsers offer over HTTPS only. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
