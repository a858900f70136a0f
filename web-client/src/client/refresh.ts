import type { Api } from './api';
import type { Environment } from './environment';
import { fail, localError, ok, type Result } from './result';
import { type Account, accountOf } from './session';

export interface Refresh {
  /** A fresh access token by the cookie: one tab after the other, and once for all that ask meanwhile. */
  ask(): Promise<Result<Account>>;
  /** What is on its way is not for those who ask from now on. */
  forget(): void;
}

export function createRefresh(env: Pick<Environment, 'exclusively'>, api: Pick<Api, 'refresh'>): Refresh {
  let asking: Promise<Result<Account>> | null = null;

  async function refresh(): Promise<Result<Account>> {
    const result = await env.exclusively(api.refresh).catch(() => fail(localError('unreachable')));
    return result.ok ? ok(accountOf(result.value)) : result;
  }

  return {
    ask: () => {
      if (asking) return asking;
      const mine = refresh().finally(() => {
        if (asking === mine) asking = null;
      });
      asking = mine;
      return mine;
    },
    forget: () => {
      asking = null;
    },
  };
}
