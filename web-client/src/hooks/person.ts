import { useStore } from 'zustand';
import type { Presence } from '../client/people';
import type { UserId } from '../protocol/generated/UserId';
import { useChat } from './client';

/** What is known of a user, which may be nothing: an address can name anybody. */
export function usePerson(userId: UserId): { readonly name: string | null; readonly presence: Presence | null } {
  const { people } = useChat();
  const name = useStore(people.state, ({ names }) => names.get(userId) ?? null);
  const presence = useStore(people.state, (state) => state.presence.get(userId) ?? null);
  return { name, presence };
}
