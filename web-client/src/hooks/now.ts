import { useSyncExternalStore } from 'react';

interface Clock {
  readonly subscribe: (listener: () => void) => () => void;
  readonly now: () => number;
}

const clocks = new Map<number, Clock>();

/** One timer for all who look at a clock of that interval; none while nobody does. */
function clockOf(interval: number): Clock {
  const known = clocks.get(interval);
  if (known) return known;
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let time = Date.now();
  const tick = () => {
    time = Date.now();
    for (const listener of listeners) listener();
  };
  const clock: Clock = {
    now: () => {
      // With nobody listening it has stood still.
      if (listeners.size === 0 && Date.now() - time >= interval) time = Date.now();
      return time;
    },
    subscribe: (listener) => {
      if (listeners.size === 0) timer = setInterval(tick, interval);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) clearInterval(timer);
      };
    },
  };
  clocks.set(interval, clock);
  return clock;
}

/** The time in ms since the epoch; renders again with each tick of a clock that all components share. */
export function useNow(intervalMs = 1000): number {
  const clock = clockOf(intervalMs);
  return useSyncExternalStore(clock.subscribe, clock.now);
}
