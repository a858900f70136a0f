// The whole client: identity, and one chat per identity.

import { createApi } from './api';
import { browserEnvironment } from './browser';
import { createChat } from './chat';
import type { Environment } from './environment';
import { guestOf, newGuest } from './guest';
import { createIdentity } from './identity';
import { createProfile } from './profile';
import type { IdentityControl } from './session';

export type { ClientState } from './session';
export type Client = IdentityControl;

/** Without options: of the page that it is called in. */
export function createClient(options: Partial<Environment> = {}): Client {
  const env = { ...browserEnvironment(), ...options };
  const client = createIdentity({
    env,
    api: createApi(env.fetch),
    profile: createProfile(env.local, env.tab, env.channel),
    newGuest: () => newGuest(env.openSocket),
    openChat: (me, own) => createChat({ me, env, ...own, guest: (session) => own.becameGuest(guestOf(session)) }),
  });
  const stopGuard = env.guardLeaving(() => client.state.getState().chat?.hasUnsent() ?? false);
  return {
    ...client,
    dispose: () => {
      stopGuard();
      client.dispose();
    },
  };
}
