import { useMemo } from 'react';
import { useStore } from 'zustand';
import type { ConnectionState } from '../client/connection';
import type { SessionState } from '../client/session';
import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { User } from '../protocol/generated/User';
import { useChat, useClient } from './client';

export interface SessionActions {
  /** null: it worked */
  login(username: string, password: string): Promise<ErrorBody | null>;
  register(username: string, password: string): Promise<ErrorBody | null>;
  continueAsGuest(): Promise<ErrorBody | null>;
  logout(): Promise<void>;
  /** The answers to a token that was handed over. */
  acceptHandover(): void;
  declineHandover(): void;
}

export function useSession(): SessionState {
  return useStore(useClient().state, (state) => state.session);
}

/** Why a token that was handed over was no good; for whoever is signed in, and stays it. */
export function useHandoverProblem(): ErrorBody | null {
  return useStore(useClient().state, (state) => state.handoverProblem);
}

export function useSessionActions(): SessionActions {
  return useClient();
}

/** Asks whether messages would be lost by signing out; inside signed_in only. */
export function useHasUnsent(): () => boolean {
  return useChat().hasUnsent;
}

/** Inside signed_in only. */
export function useMe(): User {
  return useChat().me;
}

export function useConnection(): ConnectionState & { reconnectNow(): void } {
  const { connection } = useChat();
  const state = useStore(connection.state);
  return useMemo(() => ({ ...state, reconnectNow: () => connection.reconnectNow() }), [state, connection]);
}
