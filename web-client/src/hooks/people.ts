import { useStore } from 'zustand';
import type { Presence } from '../client/people';
import type { UserId } from '../protocol/generated/UserId';
import { useChat } from './client';

const UNKNOWN: Presence = { online: false, last_seen: null };

export function usePresence(userId: UserId | undefined): Presence {
  return useStore(
    useChat().people.state,
    (state) => (userId === undefined ? undefined : state.presence.get(userId)) ?? UNKNOWN,
  );
}

/** The best name known of a user. */
export function useUserName(userId: UserId): string {
  return useStore(useChat().people.state, (state) => state.names.get(userId) ?? String(userId));
}
