// The rooms that are on screen or were lately.

import type { RoomId } from '../protocol/generated/RoomId';
import type { UserId } from '../protocol/generated/UserId';
import type { Connection } from './connection';
import type { Conversations } from './conversations';
import type { Outbox } from './outbox';
import type { People } from './people';
import { createRoom, type RoomHandle, type RoomSession } from './room';

export interface RoomsOptions {
  readonly me: UserId;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly conversations: Conversations;
  readonly people: People;
  readonly random: () => number;
}

export interface Rooms {
  get(roomId: RoomId): RoomHandle;
  find(roomId: RoomId): RoomSession | undefined;
  connected(): void;
  disconnected(): void;
  held(until: number | null): void;
  /** Whether nobody looks at the page. */
  setAway(isAway: boolean): void;
  presence(userId: UserId, online: boolean, lastSeen: string | null): void;
  dispose(): void;
}

/** Rooms that are kept after they were left, for a quick return. */
const MAX_KEPT = 20;

export function createRooms({ me, connection, outbox, conversations, people, random }: RoomsOptions): Rooms {
  const rooms = new Map<RoomId, RoomSession>(); // the one that was used last at the end
  let heldUntil: number | null = null;
  let isAway = false;

  function make(roomId: RoomId): RoomSession {
    const room = createRoom({
      roomId,
      me,
      connection,
      outbox,
      random,
      opened: () => conversations.show(roomId),
      isAway: () => isAway,
      closed: (wasRead) => {
        conversations.hide(roomId, wasRead);
        forgetOldest();
      },
      entered: (entered) => conversations.entered(entered, false),
      learn: people.learn,
      unread: () => conversations.unreadOf(roomId),
    });
    for (const item of outbox.outgoingOf(roomId)) room.dispatch({ type: 'outgoing', item });
    room.dispatch({ type: 'rate_limited', until: heldUntil });
    return room;
  }

  function forgetOldest() {
    for (const [id, room] of rooms) {
      if (rooms.size <= MAX_KEPT) return;
      if (room.isOpen()) continue;
      room.dispose();
      rooms.delete(id);
    }
  }

  return {
    get: (roomId) => {
      const room = rooms.get(roomId) ?? make(roomId);
      rooms.delete(roomId);
      rooms.set(roomId, room);
      return room;
    },
    find: (roomId) => rooms.get(roomId),
    connected: () => {
      for (const room of rooms.values()) room.connected();
    },
    disconnected: () => {
      for (const room of rooms.values()) room.disconnected();
    },
    held: (until) => {
      heldUntil = until;
      for (const room of rooms.values()) room.dispatch({ type: 'rate_limited', until });
    },
    setAway: (value) => {
      if (value === isAway) return;
      isAway = value;
      for (const room of rooms.values()) value ? room.away() : room.back();
    },
    presence: (user_id, online, last_seen) => {
      for (const room of rooms.values()) room.dispatch({ type: 'presence', user_id, online, last_seen });
    },
    dispose: () => {
      for (const room of rooms.values()) room.dispose();
      rooms.clear();
    },
  };
}
