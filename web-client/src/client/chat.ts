// All that one identity has and sees, over one connection. It ends whole with the identity.

import { EVENTS, type EventName, type ServerToClient } from '../protocol/events';
import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { Message } from '../protocol/generated/Message';
import type { PresenceUpdate } from '../protocol/generated/PresenceUpdate';
import type { Room } from '../protocol/generated/Room';
import type { RoomFound } from '../protocol/generated/RoomFound';
import type { RoomId } from '../protocol/generated/RoomId';
import type { Session } from '../protocol/generated/Session';
import type { User } from '../protocol/generated/User';
import type { UserFound } from '../protocol/generated/UserFound';
import type { UserId } from '../protocol/generated/UserId';
import { type Connection, createConnection } from './connection';
import { type Conversations, createConversations } from './conversations';
import { createDirectory } from './directory';
import { createDrafts, type Drafts } from './drafts';
import type { Environment, SocketAuth } from './environment';
import { membershipHandlers } from './membership';
import { createOutbox } from './outbox';
import { createPeople, type People } from './people';
import type { Result } from './result';
import type { RoomHandle } from './room';
import { createRooms } from './rooms';
import { unsentOf } from './unsent';

export interface ChatOptions {
  readonly me: User;
  readonly env: Pick<Environment, 'openSocket' | 'signals' | 'local' | 'tab' | 'newId' | 'random'>;
  readonly auth: () => Promise<Result<SocketAuth>>;
  readonly unauthorized: (error: ErrorBody, again: boolean) => Promise<boolean>;
  /** The server told of an error that answers no request, or of a guest session. */
  readonly told: (error: ErrorBody) => void;
  readonly guest: (session: Session) => void;
}

/** What else an identity has, over a connection of its own. */
export interface Companion {
  hasUnsent(): boolean;
  authenticate(token: string): Promise<unknown>;
  dispose(): void;
}

export type CompanionOptions = Omit<ChatOptions, 'guest'> & Pick<Chat, 'drafts'>;

export interface Chat {
  readonly me: User;
  readonly connection: Pick<Connection, 'state' | 'reconnectNow'>;
  readonly conversations: Pick<Conversations, 'state' | 'reload'>;
  readonly people: Pick<People, 'state'>;
  readonly drafts: Pick<Drafts, 'state' | 'set'>;
  room(roomId: RoomId): RoomHandle;
  createRoom(input: { name: string; private: boolean; participants?: UserId[] }): Promise<Result<Room>>;
  messageUser(userId: UserId, text: string): Promise<Result<RoomId>>;
  searchUsers(query: string): Promise<Result<readonly UserFound[]>>;
  searchRooms(query: string): Promise<Result<readonly RoomFound[]>>;
  /** Made when it is first asked for, and ended with the identity. */
  companion<T extends Companion>(create: (options: CompanionOptions) => T): T;
  /** Messages that would be lost with the identity, also those that failed. */
  hasUnsent(): boolean;
  /** Extends the connection with a fresh token; whether that worked. */
  authenticate(token: string): Promise<boolean>;
  dispose(): void;
}

/** After a reconnect, until lists have told who is online. */
const DOUBT_MS = 3000;
/** Nobody reads a page that was hidden for so long. */
const AWAY_MS = 60_000;
/** How long a connection that may have died while the page slept is given to answer. */
const PROBE_MS = 5000;

export function createChat({ me, env, auth, unauthorized, told, guest }: ChatOptions): Chat {
  const people = createPeople(me);
  const owner = { tenant: me.tenant, user_id: me.id };
  const drafts = createDrafts(env.local, owner);
  const companions = new Map<(options: CompanionOptions) => Companion, Companion>();
  let doubt: ReturnType<typeof setTimeout> | undefined;
  let away: ReturnType<typeof setTimeout> | undefined;

  const connection = createConnection({
    openSocket: env.openSocket,
    signals: env.signals,
    random: env.random,
    auth,
    unauthorized,
    names: EVENTS,
    events: { live, down: () => rooms.disconnected(), event },
  });
  const { request, isLive } = connection;
  const conversations = createConversations({ request, random: env.random, learn: people.learn });
  const outbox = createOutbox({
    deliver: ({ room_id, text, client_id }) => request('chat_message', { room_id, message: text, client_id }),
    isLive,
    newId: env.newId,
    kept: unsentOf(env.tab, owner),
    random: env.random,
    report: (roomId, event) => rooms.find(roomId)?.dispatch(event),
    sent: conversations.message,
    held: (until) => rooms.held(until),
  });
  const rooms = createRooms({ me: me.id, connection, outbox, conversations, people, random: env.random });
  const directory = createDirectory({ request, newId: env.newId, conversations, people });

  /** The order matters: what was unread, then the rooms, then what was not acknowledged in them. */
  function live() {
    people.doubt();
    conversations.load();
    rooms.connected();
    outbox.resume();
    clearTimeout(doubt);
    doubt = setTimeout(people.settle, DOUBT_MS);
  }

  function presence(update: PresenceUpdate, online: boolean) {
    people.update(update, online);
    rooms.presence(update.user_id, online, update.last_seen ?? null);
  }

  function message(message: Message) {
    people.called(message.user_id, message.username);
    rooms.find(message.room_id)?.dispatch({ type: 'message', message });
    conversations.message(message);
    if (message.user_id === me.id) outbox.stored(message);
  }

  const handlers: { [Name in EventName]: (payload: ServerToClient[Name]) => void } = {
    new_message: message,
    notification: conversations.notification,
    typing_update: ({ room_id, typing_users }) =>
      rooms.find(room_id)?.dispatch({ type: 'typing', users: typing_users }),
    user_joined: (membership) => {
      people.update(membership, true);
      rooms.find(membership.room_id)?.dispatch({ type: 'entered', membership });
      rooms.presence(membership.user_id, true, null);
    },
    // Whoever leaves a room is still its participant, and online.
    user_left: () => {},
    ...membershipHandlers({ me: me.id, rooms, conversations, people }),
    // Nothing shows yet how far others have read.
    read_receipt: () => {},
    user_online: (update) => presence(update, true),
    user_offline: (update) => presence(update, false),
    session: guest,
    error: told,
  };

  function event<Name extends EventName>(name: Name, payload: ServerToClient[Name]) {
    handlers[name](payload);
  }

  // A page that slept, or a network that changed, can leave a connection that only looks alive. The list is worth
  // asking for in any case: elsewhere something may have been read.
  const unsubscribe = env.signals.subscribe(async (signal) => {
    if (signal === 'hidden') {
      clearTimeout(away);
      away = setTimeout(() => rooms.setAway(true), AWAY_MS);
      return;
    }
    if (signal === 'visible') {
      clearTimeout(away);
      rooms.setAway(false);
    }
    if (!isLive()) return;
    const result = await conversations.load(PROBE_MS);
    if (!result.ok && result.error.code === 'timeout') connection.restart();
  });

  function companion<T extends Companion>(create: (options: CompanionOptions) => T): T {
    const known = companions.get(create);
    // The key is what has made it.
    if (known) return known as T;
    const made = create({ me, env, auth, unauthorized, told, drafts });
    companions.set(create, made);
    return made;
  }

  return {
    me,
    connection,
    conversations,
    people,
    drafts,
    room: rooms.get,
    ...directory,
    companion,
    hasUnsent: () => outbox.hasUnsent() || [...companions.values()].some((other) => other.hasUnsent()),
    authenticate: async (token) => {
      for (const other of companions.values()) void other.authenticate(token);
      const result = await request('authenticate', { token });
      // Not extended: the next connection is made with the new token anyway.
      if (!result.ok) told(result.error);
      return result.ok;
    },
    dispose: () => {
      clearTimeout(doubt);
      clearTimeout(away);
      unsubscribe();
      for (const other of companions.values()) other.dispose();
      companions.clear();
      connection.dispose();
      outbox.dispose();
      rooms.dispose();
      conversations.dispose();
      drafts.dispose();
    },
  };
}
