// The staff's desk: all support rooms of the tenant, over a connection of its own. It belongs to the identity that opened it,
// and ends with it.

import { createStore } from 'zustand/vanilla';
import { ADMIN_EVENTS, type AdminToServer, type ServerToAdmin } from '../../protocol/admin';
import type { CustomerRoom } from '../../protocol/generated/CustomerRoom';
import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { Message } from '../../protocol/generated/Message';
import type { RoomActivity } from '../../protocol/generated/RoomActivity';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { SupportStatus } from '../../protocol/generated/SupportStatus';
import type { User } from '../../protocol/generated/User';
import type { UserId } from '../../protocol/generated/UserId';
import type { Companion, CompanionOptions } from '../chat';
import { type Connection, createConnection } from '../connection';
import type { Drafts } from '../drafts';
import { createOutbox } from '../outbox';
import type { Readable } from '../readable';
import type { Result } from '../result';
import { unsentOf } from '../unsent';
import { createDeskRoom, type DeskRoom, type DeskSession } from './desk-room';
import { type DeskEvent, type DeskModel, type DeskState, emptyDesk, reduceDesk } from './desk-state';

export type { DeskRoom } from './desk-room';
export type { DeskState } from './desk-state';

export interface Desk extends Companion {
  readonly me: User;
  readonly state: Readable<DeskState>;
  readonly connection: Pick<Connection, 'state' | 'reconnectNow'>;
  readonly drafts: Pick<Drafts, 'state' | 'set'>;
  room(roomId: RoomId): DeskRoom;
  /** The next page of the rooms of a status. */
  loadMore(status: SupportStatus): void;
  /** null: nobody looks after it. */
  assign(roomId: RoomId, userId: UserId | null): Promise<Result<CustomerRoom>>;
  close(roomId: RoomId): Promise<Result<CustomerRoom>>;
  /** Leaves what came too late a draft. */
  setAside(roomId: RoomId): void;
}

const ROOMS = 50;
/** Rooms that are kept after they were left, for a quick return. */
const MAX_KEPT = 20;
/** Colleagues are not told that I look at a room on a page that was hidden for so long. */
const AWAY_MS = 60_000;
/** How long a connection that may have died while the page slept is given to answer. */
const PROBE_MS = 5000;
const RELOAD_DELAY_MS = 300;

export function createDesk({ me, env, auth, unauthorized, told, drafts }: CompanionOptions): Desk {
  const state = createStore<DeskModel>(() => emptyDesk(me.id));
  const sessions = new Map<RoomId, DeskSession>(); // the one that was used last at the end
  let heldUntil: number | null = null;
  let isClosedListUsed = false;
  let away: ReturnType<typeof setTimeout> | undefined;
  let reload: ReturnType<typeof setTimeout> | undefined;

  const connection = createConnection<AdminToServer, ServerToAdmin>({
    openSocket: (own) => env.openSocket(own, '/admin'),
    signals: env.signals,
    random: env.random,
    auth,
    unauthorized,
    forbidden,
    names: ADMIN_EVENTS,
    events: { live, down, event: (name, payload) => handlers[name](payload) },
  });
  const { request, isLive } = connection;
  const outbox = createOutbox({
    deliver: async ({ room_id, text, client_id, seen_rev }) => {
      const seen = seen_rev === undefined ? {} : { if_rev: seen_rev };
      const result = await request('admin_message', { room_id, content: text, client_id, ...seen });
      if (!result.ok && isGone(result.error)) lost(room_id);
      return result;
    },
    isLive,
    newId: env.newId,
    kept: unsentOf(env.tab, { tenant: me.tenant, user_id: me.id }, '/admin'),
    random: env.random,
    report: (roomId, event) => sessions.get(roomId)?.dispatch(event),
    sent: (message) => dispatch({ type: 'message', message }),
    held: (until) => {
      heldUntil = until;
      for (const session of sessions.values()) session.dispatch({ type: 'rate_limited', until });
    },
    recalled: (roomId, texts) => {
      const written = drafts.state.getState().get(roomId) ?? '';
      drafts.set(roomId, [...texts, written].filter((text) => text !== '').join('\n'));
      dispatch({ type: 'stale', room_id: roomId, is_stale: true });
      // What is newer is most likely there already.
      sessions.get(roomId)?.enter();
    },
  });

  function dispatch(event: DeskEvent) {
    state.setState(reduceDesk(state.getState(), event), true);
  }

  /** It does not exist any more, or not for me: it disappears, from the screen too. */
  function lost(roomId: RoomId) {
    dispatch({ type: 'gone', room_id: roomId });
    sessions.get(roomId)?.dispatch({ type: 'refused', phase: 'missing' });
  }

  // What the server tells

  function live() {
    for (const session of sessions.values()) if (session.isOpen()) session.enter();
    outbox.resume();
  }

  function down() {
    clearTimeout(reload);
    reload = undefined;
    dispatch({ type: 'cut' });
    for (const session of sessions.values()) session.cut();
  }

  function forbidden() {
    dispatch({ type: 'forbidden' });
    connection.dispose();
  }

  function heard(message: Message, unread?: number) {
    const { room_id } = message;
    dispatch({ type: 'message', message, ...(unread === undefined ? {} : { unread_count: unread }) });
    sessions.get(room_id)?.dispatch({ type: 'message', message });
    if (message.user_id === me.id) outbox.stored(message);
    knows(room_id);
  }

  function active(activity: RoomActivity) {
    dispatch({ type: 'activity', activity });
    const { action, room_id, is_staff, seq } = activity;
    if (action !== 'read' || seq === undefined) return;
    sessions.get(room_id)?.dispatch({ type: 'read', by: is_staff ? 'staff' : 'customer', seq });
  }

  const handlers: { [Name in keyof ServerToAdmin]: (payload: ServerToAdmin[Name]) => void } = {
    room_status: (status) => {
      dispatch({ type: 'room_status', status });
      if (isClosedListUsed) loadMore('closed');
    },
    new_customer_message: ({ message, unread_count }) => heard(message, unread_count),
    admin_message_sent: ({ message }) => heard(message),
    room_activity: active,
    room_status_update: (update) => {
      dispatch({ type: 'status', update });
      if (update.status !== 'closed') knows(update.room_id);
    },
    error: told,
  };

  /** A room that is heard of without being listed is beyond the pages that were loaded; now it is on the first. */
  function knows(roomId: RoomId) {
    if (state.getState().rooms.has(roomId) || reload !== undefined) return;
    reload = setTimeout(async () => {
      reload = undefined;
      const asked = state.getState().tick;
      const result = await request('get_rooms', { limit: ROOMS });
      if (result.ok) dispatch({ type: 'some', page: result.value, asked });
    }, RELOAD_DELAY_MS);
  }

  // What is asked for

  async function loadMore(status: SupportStatus) {
    const { phase, cursor, has_more } = state.getState().loaded[status];
    if (status === 'closed') isClosedListUsed = true;
    if (phase === 'loading' || !has_more || !isLive()) return;
    const asked = state.getState().tick;
    dispatch({ type: 'more_asked', status });
    const result = await request('get_rooms', { status, limit: ROOMS, ...(cursor === null ? {} : { cursor }) });
    if (result.ok) dispatch({ type: 'more', status, page: result.value, asked });
    else dispatch({ type: 'more_failed', status });
  }

  async function changed(
    name: 'assign_room' | 'close_room',
    payload: AdminToServer[typeof name]['payload'],
  ): Promise<Result<CustomerRoom>> {
    const asked = state.getState().tick;
    const result = await request(name, payload);
    if (result.ok) {
      dispatch({ type: 'room', room: result.value.room, asked });
      return { ok: true, value: result.value.room };
    }
    if (isGone(result.error)) lost(payload.room_id);
    return result;
  }

  // Rooms on screen

  function make(roomId: RoomId): DeskSession {
    const session = createDeskRoom({
      roomId,
      me: me.id,
      connection,
      outbox,
      random: env.random,
      opened: () => dispatch({ type: 'shown', room_id: roomId }),
      closed: () => {
        // Another one that has been opened meanwhile has taken its place.
        if (state.getState().shown === roomId) hide();
        forgetOldest();
      },
      isSeen: () => env.signals.isVisible(),
      unread: () => state.getState().rooms.get(roomId)?.unread_count ?? 0,
      viewed: (viewers, room, asked) => {
        if (room) dispatch({ type: 'room', room, asked });
        dispatch({ type: 'viewers', room_id: roomId, viewers });
      },
      tick: () => state.getState().tick,
      read: (unread_count) => dispatch({ type: 'read', room_id: roomId, unread_count }),
      gone: () => dispatch({ type: 'gone', room_id: roomId }),
    });
    for (const item of outbox.outgoingOf(roomId)) session.dispatch({ type: 'outgoing', item });
    session.dispatch({ type: 'rate_limited', until: heldUntil });
    return session;
  }

  function hide() {
    dispatch({ type: 'shown', room_id: null });
    connection.tell('view_room', { room_id: null });
  }

  function forgetOldest() {
    for (const [id, session] of sessions) {
      if (sessions.size <= MAX_KEPT) return;
      if (session.isOpen()) continue;
      session.dispose();
      sessions.delete(id);
    }
  }

  // A page that slept, or a network that changed, can leave a connection that only looks alive.
  dispatch({ type: 'seen', is_seen: env.signals.isVisible() });
  const unsubscribe = env.signals.subscribe(async (signal) => {
    dispatch({ type: 'seen', is_seen: env.signals.isVisible() });
    if (signal === 'hidden' || signal === 'visible') clearTimeout(away);
    if (signal === 'hidden') {
      away = setTimeout(() => connection.tell('view_room', { room_id: null }), AWAY_MS);
      return;
    }
    if (!isLive()) return;
    for (const session of sessions.values()) if (session.isOpen()) session.enter();
    const asked = state.getState().tick;
    const result = await request('get_rooms', { limit: ROOMS }, PROBE_MS);
    if (result.ok) dispatch({ type: 'some', page: result.value, asked });
    else if (result.error.code === 'timeout') connection.restart();
  });

  return {
    me,
    state,
    connection,
    drafts,
    room: (roomId) => {
      const session = sessions.get(roomId) ?? make(roomId);
      sessions.delete(roomId);
      sessions.set(roomId, session);
      return session;
    },
    loadMore: (status) => void loadMore(status),
    assign: (room_id, user_id) => changed('assign_room', { room_id, user_id }),
    close: (room_id) => changed('close_room', { room_id }),
    setAside: (room_id) => dispatch({ type: 'stale', room_id, is_stale: false }),
    hasUnsent: outbox.hasUnsent,
    authenticate: async (token) => {
      const result = await request('authenticate', { token });
      // Not extended: the next connection is made with the new token anyway.
      if (!result.ok) told(result.error);
    },
    dispose: () => {
      clearTimeout(away);
      clearTimeout(reload);
      unsubscribe();
      connection.dispose();
      outbox.dispose();
      for (const session of sessions.values()) session.dispose();
      sessions.clear();
      state.setState(emptyDesk(me.id), true);
    },
  };
}

const isGone = ({ code }: ErrorBody): boolean => code === 'access_denied' || code === 'not_found';
