// A log-out that the server has to hear of, whenever it can be reached.

import { type Api, isPassing } from './api';
import type { Environment } from './environment';
import type { Patience } from './patience';
import type { Profile } from './profile';

export interface LogoutOptions {
  readonly env: Pick<Environment, 'exclusively'>;
  readonly api: Pick<Api, 'logout'>;
  readonly profile: Pick<Profile, 'owesLogout' | 'oweLogout'>;
  readonly patience: Patience;
}

export interface ServerLogout {
  owe(): void;
  /** Goes on with what is owed since before a reload. */
  resume(): void;
  dispose(): void;
}

export function createLogout({ env, api, profile, patience }: LogoutOptions): ServerLogout {
  let isDisposed = false;

  async function attempt() {
    // Somebody may have signed in meanwhile: the cookie is theirs.
    if (!profile.owesLogout()) return;
    const result = await api.logout();
    if (result.ok || !isPassing(result.error)) profile.oweLogout(false);
  }

  async function pay() {
    for (let failures = 1; profile.owesLogout() && !isDisposed; failures += 1) {
      await env.exclusively(attempt).catch(() => {});
      if (profile.owesLogout()) await patience.pause(failures);
    }
  }

  return {
    owe: () => {
      profile.oweLogout(true);
      void pay();
    },
    resume: () => void pay(),
    dispose: () => {
      isDisposed = true;
    },
  };
}
