// The list of my conversations: asked for with each connection, and kept right by what is heard in between.

import { createStore } from 'zustand/vanilla';
import type { Conversation } from '../protocol/generated/Conversation';
import type { Message } from '../protocol/generated/Message';
import type { Notification } from '../protocol/generated/Notification';
import type { Participant } from '../protocol/generated/Participant';
import type { Room } from '../protocol/generated/Room';
import type { RoomId } from '../protocol/generated/RoomId';
import { backoff } from './backoff';
import type { Request } from './connection';
import type { Readable } from './readable';
import { ok, type Result } from './result';

export interface ConversationsState {
  readonly phase: 'loading' | 'ready' | 'failed';
  /** Newest activity first; `unread_count` is 0 for the room on screen. */
  readonly conversations: readonly Conversation[];
}

export interface ConversationsOptions {
  readonly request: Request;
  readonly random: () => number;
  /** Who is in them, and whether they are online. */
  readonly learn: (people: readonly Participant[]) => void;
}

export interface Conversations {
  readonly state: Readable<ConversationsState>;
  /** Asks for the list at once. */
  load(timeoutMs?: number): Promise<Result<true>>;
  reload(): void;
  /** A room on screen is being read. */
  show(roomId: RoomId): void;
  hide(roomId: RoomId, wasRead: boolean): void;
  /** How many messages were unread when the room came on screen. */
  unreadOf(roomId: RoomId): number;
  message(message: Message): void;
  notification(notification: Notification): void;
  /** A room that I made or entered. */
  entered(room: Room, isNew: boolean): void;
  /** I am a participant of a room. */
  added(roomId: RoomId): void;
  /** I am a participant no more. */
  removed(roomId: RoomId): void;
  /** A room has another name, or is archived. */
  updated(room: Room): void;
  dispose(): void;
}

const RELOAD_DELAY_MS = 300;
const PREVIEW_DELAY_MS = 300;

export function createConversations({ request, random, learn }: ConversationsOptions): Conversations {
  const state = createStore<ConversationsState>(() => ({ phase: 'loading', conversations: [] }));
  const shown = new Set<RoomId>();
  const previews = new Map<RoomId, ReturnType<typeof setTimeout>>();
  let list: readonly Conversation[] = []; // as the server counts what is unread
  let quiet = new Map<RoomId, string>(); // where rooms without a message have their place
  let isReady = false;
  let unreadSince: Map<RoomId, number> | null = null; // told while the list is on its way, and newer than it
  let failures = 0;
  let run = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isDisposed = false;

  const activityOf = (conversation: Conversation) =>
    conversation.last_message_at ?? quiet.get(conversation.room_id) ?? '';
  const known = (roomId: RoomId) => list.find((conversation) => conversation.room_id === roomId);

  function publish(next: readonly Conversation[], phase?: ConversationsState['phase']) {
    list = next;
    const visible = list.map((conversation) =>
      shown.has(conversation.room_id) && conversation.unread_count > 0
        ? { ...conversation, unread_count: 0 }
        : conversation,
    );
    visible.sort((a, b) => (activityOf(a) < activityOf(b) ? 1 : activityOf(a) > activityOf(b) ? -1 : 0));
    state.setState({ phase: phase ?? state.getState().phase, conversations: visible });
  }

  function change(roomId: RoomId, patch: Partial<Conversation>) {
    publish(list.map((old) => (old.room_id === roomId ? { ...old, ...patch } : old)));
  }

  async function load(timeoutMs?: number): Promise<Result<true>> {
    const mine = ++run;
    clearTimeout(timer);
    unreadSince = new Map();
    const result = await request('get_user_conversations', {}, timeoutMs);
    if (mine !== run || isDisposed) return ok(true); // a later one is on its way
    const told = unreadSince;
    unreadSince = null;
    if (!result.ok) {
      // Without a connection the next one asks again.
      if (result.error.code === 'disconnected') return result;
      failures += 1;
      if (!isReady && failures >= 3) publish(list, 'failed');
      timer = setTimeout(load, backoff(failures + 1, random()));
      return result;
    }
    failures = 0;
    isReady = true;
    const { conversations } = result.value;
    quiet = placesOfQuiet(conversations);
    learn(conversations.flatMap(({ participants }) => participants));
    publish(
      conversations.map((fresh) => newest(fresh, known(fresh.room_id), told.get(fresh.room_id))),
      'ready',
    );
    return ok(true);
  }

  /** Soon, and once for all that ask for it meanwhile. */
  function loadSoon() {
    if (isDisposed) return;
    clearTimeout(timer);
    timer = setTimeout(load, RELOAD_DELAY_MS);
  }

  function message(message: Message) {
    const conversation = known(message.room_id);
    if (!conversation) return loadSoon();
    const last = conversation.last_message;
    if (last && (last.seq > message.seq || (last.seq === message.seq && last.rev >= message.rev))) return;
    change(message.room_id, { last_message: message, last_message_at: message.timestamp });
  }

  /** A notification says less than the list shows (who wrote it, when), so the message itself is fetched. */
  function preview(roomId: RoomId) {
    if (previews.has(roomId)) return;
    const fetch = async () => {
      previews.delete(roomId);
      const result = await request('get_messages', { room_id: roomId, limit: 1 });
      const newestMessage = result.ok ? result.value.messages.at(-1) : undefined;
      if (newestMessage && !isDisposed) message(newestMessage);
    };
    previews.set(roomId, setTimeout(fetch, PREVIEW_DELAY_MS));
  }

  function notification({ room_id, message_id, unread_count }: Notification) {
    unreadSince?.set(room_id, unread_count);
    const conversation = known(room_id);
    if (!conversation) return loadSoon();
    change(room_id, { unread_count });
    if (conversation.last_message?.id !== message_id) preview(room_id);
  }

  return {
    state,
    load,
    reload: () => {
      failures = 0;
      if (!isReady) publish(list, 'loading');
      load();
    },
    show: (roomId) => {
      shown.add(roomId);
      publish(list);
    },
    hide: (roomId, wasRead) => {
      shown.delete(roomId);
      if (wasRead) change(roomId, { unread_count: 0 });
      else publish(list);
    },
    unreadOf: (roomId) => known(roomId)?.unread_count ?? 0,
    message,
    notification,
    entered: (room, isNew) => {
      if (known(room.id)) return;
      if (isNew) {
        const { id, name, kind, created_at } = room;
        quiet.set(id, created_at);
        const empty = { participants: [], last_message: null, unread_count: 0, last_message_at: null };
        publish([{ room_id: id, name, kind, ...empty }, ...list]);
      }
      loadSoon();
    },
    added: (roomId) => {
      if (!known(roomId)) loadSoon();
    },
    removed: (roomId) => {
      // A list that is on its way may be older.
      run += 1;
      publish(list.filter(({ room_id }) => room_id !== roomId));
      loadSoon();
    },
    updated: ({ id, name, archived = false }) => change(id, { name, archived }),
    dispose: () => {
      isDisposed = true;
      clearTimeout(timer);
      for (const preview of previews.values()) clearTimeout(preview);
    },
  };
}

/** The list as it was read, with what was told later. */
function newest(fresh: Conversation, old: Conversation | undefined, unread: number | undefined): Conversation {
  const conversation = unread === undefined ? fresh : { ...fresh, unread_count: unread };
  const last = old?.last_message;
  if (!last || last.seq <= (fresh.last_message?.seq ?? 0)) return conversation;
  return { ...conversation, last_message: last, last_message_at: last.timestamp };
}

/** The server sorts rooms without a message by when they were made, which it does not tell: they stay before the next. */
function placesOfQuiet(conversations: readonly Conversation[]): Map<RoomId, string> {
  const places = new Map<RoomId, string>();
  let next = '';
  for (const { room_id, last_message_at } of conversations.toReversed()) {
    next = last_message_at ?? next;
    places.set(room_id, next);
  }
  return places;
}
