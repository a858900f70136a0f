import type { StoreApi } from 'zustand/vanilla';
import type { Conversation } from '../protocol/generated/Conversation';
import type { Room } from '../protocol/generated/Room';
import type { RoomFound } from '../protocol/generated/RoomFound';
import type { RoomId } from '../protocol/generated/RoomId';
import type { Timestamp } from '../protocol/generated/Timestamp';
import type { User } from '../protocol/generated/User';
import type { UserFound } from '../protocol/generated/UserFound';
import type { UserId } from '../protocol/generated/UserId';
import type { ConnectionState } from './connection';
import type { Result } from './result';
import type { RoomState } from './room-state';

export type Readable<T> = Pick<StoreApi<T>, 'getState' | 'getInitialState' | 'subscribe'>;

export interface Presence {
  readonly online: boolean;
  readonly last_seen: Timestamp | null;
}

export interface ConversationsState {
  readonly phase: 'loading' | 'ready' | 'failed';
  /** Newest activity first; `unread_count` is 0 for the room on screen. */
  readonly conversations: readonly Conversation[];
}

export interface PeopleState {
  readonly names: ReadonlyMap<UserId, string>;
  readonly presence: ReadonlyMap<UserId, Presence>;
}

export interface RoomHandle {
  readonly state: Readable<RoomState>;
  /** The room is on screen until what this returns is called. */
  open(): () => void;
  send(text: string): void;
  retry(clientId: string): void;
  discard(clientId: string): void;
  loadOlder(): void;
  reload(): void;
  setTyping(isTyping: boolean): void;
}

/** All that one identity has and sees. */
export interface Chat {
  readonly me: User;
  readonly connection: { readonly state: Readable<ConnectionState>; reconnectNow(): void };
  readonly conversations: { readonly state: Readable<ConversationsState>; reload(): void };
  readonly people: { readonly state: Readable<PeopleState> };
  readonly drafts: { readonly state: Readable<ReadonlyMap<RoomId, string>>; set(roomId: RoomId, text: string): void };
  room(roomId: RoomId): RoomHandle;
  createRoom(input: { name: string; private: boolean; participants?: UserId[] }): Promise<Result<Room>>;
  messageUser(userId: UserId, text: string): Promise<Result<RoomId>>;
  searchUsers(query: string): Promise<Result<readonly UserFound[]>>;
  searchRooms(query: string): Promise<Result<readonly RoomFound[]>>;
  hasUnsent(): boolean;
}
