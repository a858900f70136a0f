import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { Chat, Readable } from './chat';
import type { SessionState } from './identity';

export interface ClientState {
  readonly session: SessionState;
  /** Exactly while signed in. */
  readonly chat: Chat | null;
  /** Counts the identities that have ended: what shows one of them is not to be shown with another number. */
  readonly ended: number;
}

export interface Client {
  readonly state: Readable<ClientState>;
  login(username: string, password: string): Promise<ErrorBody | null>;
  register(username: string, password: string): Promise<ErrorBody | null>;
  continueAsGuest(): Promise<ErrorBody | null>;
  logout(): Promise<void>;
  dispose(): void;
}

export function createClient(): Client {
  throw new Error('not there yet');
}
