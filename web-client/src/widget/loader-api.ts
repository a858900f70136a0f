/** What `Confab.on` was given, by event. */
export type Listeners = Map<string, Set<(value: unknown) => void>>;

interface Acts {
  open(): void;
  close(): void;
  signIn(token: string): void;
  signOut(): void;
  onTokenNeeded(source: () => unknown): void;
}

/**
 * Puts `Confab` on the window. Pages that cannot wait for the script write
 * `(window.Confab ??= []).push((confab) => confab.signIn(token))`: what stands there is done now, and later at once.
 */
export function createApi(acts: Acts, listeners: Listeners, now: () => { unread: number; isReady: boolean }): void {
  const api = {
    ...acts,
    /** `unread` (with how many), `open`, `close`, `ready`. Resolves to what ends it. */
    on(name: string, listener: (value: unknown) => void) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      const { unread, isReady } = now();
      if (name === 'unread' && unread > 0) listener(unread);
      if (name === 'ready' && isReady) listener(undefined);
      return () => void set.delete(listener);
    },
    push: (work: (confab: unknown) => void) => work(api),
  };
  const page = window as { Confab?: unknown };
  const early = page.Confab;
  page.Confab = api;
  if (Array.isArray(early)) for (const work of early) work(api);
}
