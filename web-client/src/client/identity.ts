import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { User } from '../protocol/generated/User';
import type { WaysIn } from '../protocol/generated/WaysIn';

/** By me here | by another tab or the server | a handed-over token ran out | another identity took over. */
export type SignOutReason = 'signed_out' | 'signed_out_elsewhere' | 'expired' | 'switched';

export type IdentityKind = 'account' | 'guest' | 'token';

export type SessionState =
  | { readonly phase: 'starting' }
  | {
      readonly phase: 'signed_out';
      /** null: the server could not be reached so far; it is tried again and again. */
      readonly ways: WaysIn | null;
      readonly reason: SignOutReason | null;
      readonly problem: ErrorBody | null;
    }
  | { readonly phase: 'signed_in'; readonly user: User; readonly kind: IdentityKind };
