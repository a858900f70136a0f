// Finding people and rooms, making rooms, and beginning a conversation with somebody.

import type { Room } from '../protocol/generated/Room';
import type { RoomFound } from '../protocol/generated/RoomFound';
import type { RoomId } from '../protocol/generated/RoomId';
import type { UserFound } from '../protocol/generated/UserFound';
import type { UserId } from '../protocol/generated/UserId';
import type { Request } from './connection';
import type { Conversations } from './conversations';
import type { People } from './people';
import { ok, type Result } from './result';

export interface DirectoryOptions {
  readonly request: Request;
  readonly newId: () => string;
  readonly conversations: Conversations;
  readonly people: People;
}

export interface Directory {
  createRoom(input: { name: string; private: boolean; participants?: UserId[] }): Promise<Result<Room>>;
  messageUser(userId: UserId, text: string): Promise<Result<RoomId>>;
  searchUsers(query: string): Promise<Result<readonly UserFound[]>>;
  searchRooms(query: string): Promise<Result<readonly RoomFound[]>>;
}

/** Outcomes that leave open whether the message was stored. */
const UNDECIDED = new Set(['disconnected', 'timeout', 'restarting', 'storage_unavailable']);

export function createDirectory({ request, newId, conversations, people }: DirectoryOptions): Directory {
  // A message whose fate is unknown keeps its client_id: sent again, it is stored once.
  const undecided = new Map<UserId, { readonly text: string; readonly client_id: string }>();

  return {
    createRoom: async (input) => {
      const result = await request('create_room', input);
      if (!result.ok) return result;
      conversations.entered(result.value.room, true);
      return ok(result.value.room);
    },
    messageUser: async (userId, text) => {
      const message = text.trim();
      const before = undecided.get(userId);
      const client_id = before?.text === message ? before.client_id : newId();
      const result = await request('private_message', { recipient_id: userId, message, client_id });
      if (!result.ok) {
        if (UNDECIDED.has(result.error.code)) undecided.set(userId, { text: message, client_id });
        return result;
      }
      undecided.delete(userId);
      conversations.message(result.value.message);
      return ok(result.value.room_id);
    },
    searchUsers: async (query) => {
      const result = await request('search_users', { query });
      if (!result.ok) return result;
      people.learn(result.value.users);
      return ok(result.value.users);
    },
    searchRooms: async (query) => {
      const result = await request('search_rooms', { query });
      return result.ok ? ok(result.value.rooms) : result;
    },
  };
}
