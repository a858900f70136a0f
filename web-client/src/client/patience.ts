import type { ErrorBody } from '../protocol/generated/ErrorBody';
import { isPassing } from './api';
import { backoff } from './backoff';
import type { Result } from './result';

export interface Patience {
  pause(failures: number): Promise<void>;
  /** Ends all pauses: it may be worth trying now. */
  wake(): void;
  /** Tries again until there is an answer that stays; null if it is not wanted any more. */
  insist<T>(
    isWanted: () => boolean,
    ask: () => Promise<Result<T>>,
    failed?: (error: ErrorBody) => void,
  ): Promise<Result<T> | null>;
}

export function createPatience(random: () => number): Patience {
  const sleepers = new Set<() => void>();

  const pause = (failures: number) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, backoff(failures, random()));
      sleepers.add(wake);
    });

  return {
    pause,
    wake: () => {
      for (const wake of [...sleepers]) wake();
    },
    insist: async (isWanted, ask, failed) => {
      for (let failures = 1; isWanted(); failures += 1) {
        const result = await ask();
        if (!isWanted()) return null;
        if (result.ok || !isPassing(result.error)) return result;
        failed?.(result.error);
        await pause(failures);
      }
      return null;
    },
  };
}
