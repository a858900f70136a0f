// A token from the address. Anybody can make such a link, so it never takes the place of somebody else unasked, and one
// that is no good changes nothing.

import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { User } from '../protocol/generated/User';
import type { Patience } from './patience';
import { fail, type Result } from './result';
import type { Holder } from './session';
import { isOfSession } from './token';

export interface HandoverOptions {
  readonly patience: Patience;
  readonly prove: (token: string) => Promise<Result<Holder>>;
  /** Who is signed in here, or nobody; 'unknown' while that is being found out. */
  readonly here: () => User | 'unknown' | null;
  readonly accept: (next: Holder) => void;
  readonly ask: (current: User, next: User) => void;
  readonly refused: (error: ErrorBody) => void;
  /** For now; it is tried again. */
  readonly failed: (error: ErrorBody) => void;
}

export interface Handover {
  offer(token: string): Promise<void>;
  /** It has become known who is here. */
  settle(): void;
  accept(): void;
  drop(): void;
}

const NO_GOOD: ErrorBody = { success: false, code: 'unauthorized', message: 'This link cannot sign anybody in.' };

export const isSameUser = (a: User, b: User): boolean => a.id === b.id && a.tenant === b.tenant;

export function createHandover(options: HandoverOptions): Handover {
  let offered: Holder | null = null;
  let run = 0;

  async function prove(token: string): Promise<Result<Holder> | null> {
    if (isOfSession(token)) return fail(NO_GOOD);
    const mine = run;
    return options.patience.insist(
      () => mine === run,
      () => options.prove(token),
      options.failed,
    );
  }

  function accept() {
    const next = offered;
    offered = null;
    if (next) options.accept(next);
  }

  function settle() {
    const here = options.here();
    if (!offered || here === 'unknown') return;
    if (here === null || isSameUser(here, offered.user)) accept();
    else options.ask(here, offered.user);
  }

  return {
    settle,
    accept,
    offer: async (token) => {
      run += 1;
      offered = null;
      const found = await prove(token);
      if (!found) return;
      if (!found.ok) return options.refused(found.error);
      offered = found.value;
      settle();
    },
    drop: () => {
      run += 1;
      offered = null;
    },
  };
}
