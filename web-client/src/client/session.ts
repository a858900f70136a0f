// What is said of who is signed in, and how it is changed.

import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { SignedIn } from '../protocol/generated/SignedIn';
import type { User } from '../protocol/generated/User';
import type { WaysIn } from '../protocol/generated/WaysIn';
import type { Api } from './api';
import type { Chat } from './chat';
import type { Environment, SocketAuth } from './environment';
import type { Profile } from './profile';
import type { Readable } from './readable';
import type { Result } from './result';
import { lifetimeOf } from './token';

/** By me here | by another tab or the server | a handed-over token ran out | another identity took over. */
export type SignOutReason = 'signed_out' | 'signed_out_elsewhere' | 'expired' | 'switched';

export type IdentityKind = 'account' | 'guest' | 'token';

export type SessionState =
  /** `problem`: why it takes so long; it is tried again and again. */
  | { readonly phase: 'starting'; readonly problem: ErrorBody | null }
  | {
      readonly phase: 'signed_out';
      /** null: the server could not be reached so far; it is tried again and again. */
      readonly ways: WaysIn | null;
      readonly reason: SignOutReason | null;
      readonly problem: ErrorBody | null;
    }
  | { readonly phase: 'signed_in'; readonly user: User; readonly kind: IdentityKind }
  /** A link wants to make somebody else of who is signed in; until that is answered, nothing of theirs ends. */
  | { readonly phase: 'handed_over'; readonly current: User; readonly next: User };

/** A person, and what proves it: an access token with its end, a guest session, a token that was handed over. */
export type Identity = Account | Holder;

export interface Account {
  readonly kind: 'account';
  readonly user: User;
  readonly token: string;
  /** In ms since the epoch, by this browser's clock. */
  readonly expires_at: number;
}

export interface Holder {
  readonly kind: 'guest' | 'token';
  readonly user: User;
  readonly secret: string;
}

export interface ClientState {
  readonly session: SessionState;
  /** Exactly while somebody is signed in, also while they are asked about a token that was handed over. */
  readonly chat: Chat | null;
  /** Counts the identities that have ended: what shows one of them is not to be shown with another number. */
  readonly ended: number;
  /** Why a token that was handed over to somebody who is signed in, and stays it, was no good. */
  readonly handoverProblem: ErrorBody | null;
}

export interface IdentityOptions {
  readonly env: Environment;
  readonly api: Api;
  readonly profile: Profile;
  /** A new guest of the server. */
  readonly newGuest: () => Promise<Result<Identity>>;
  readonly openChat: (user: User, own: ChatIdentity) => Chat;
}

/** What a chat asks of the identity that it belongs to. */
export interface ChatIdentity {
  auth(): Promise<Result<SocketAuth>>;
  unauthorized(error: ErrorBody, again: boolean): Promise<boolean>;
  told(error: ErrorBody): void;
  /** The server made us another guest than we said to be: it does not know that one any more. */
  becameGuest(identity: Identity): void;
}

export interface IdentityControl {
  readonly state: Readable<ClientState>;
  login(username: string, password: string): Promise<ErrorBody | null>;
  register(username: string, password: string): Promise<ErrorBody | null>;
  continueAsGuest(): Promise<ErrorBody | null>;
  logout(): Promise<void>;
  /** The answers to a token that was handed over. */
  acceptHandover(): void;
  declineHandover(): void;
  dispose(): void;
}

/** Just received: the clock of the browser may be wrong, so what counts is how long the token lives. */
export const accountOf = ({ user, access_token, expires_at }: SignedIn): Account => ({
  kind: 'account',
  user,
  token: access_token,
  expires_at: Date.now() + (lifetimeOf(access_token) ?? Date.parse(expires_at) - Date.now()),
});
