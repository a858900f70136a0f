// The list of support rooms, out of what staff hear. Pure: no sockets, no clock.
//
// Whole rooms come with each connection (`room_status`), by pages and in answers; events change parts of them. An answer
// that was asked for before a room was last heard of is older than what is known: `tick` counts what was heard, and
// `touched` says when of which room.

import type { CustomerRoom } from '../../protocol/generated/CustomerRoom';
import type { CustomerRooms } from '../../protocol/generated/CustomerRooms';
import type { Message } from '../../protocol/generated/Message';
import type { RoomActivity } from '../../protocol/generated/RoomActivity';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { RoomStatus } from '../../protocol/generated/RoomStatus';
import type { RoomStatusUpdate } from '../../protocol/generated/RoomStatusUpdate';
import type { SupportStatus } from '../../protocol/generated/SupportStatus';
import type { UserId } from '../../protocol/generated/UserId';
import type { Viewer } from '../../protocol/generated/Viewer';

/** Somebody who types in a room. */
export type Typist = Viewer & { readonly is_staff: boolean };

/** How far the rooms of one status are loaded. */
export interface Loaded {
  readonly phase: 'idle' | 'loading' | 'failed';
  /** Where the next page begins; null: at the beginning. */
  readonly cursor: string | null;
  readonly has_more: boolean;
}

export interface DeskState {
  /** forbidden: whoever is signed in is not of the staff */
  readonly phase: 'loading' | 'ready' | 'forbidden';
  readonly rooms: ReadonlyMap<RoomId, CustomerRoom>;
  readonly loaded: Readonly<Record<SupportStatus, Loaded>>;
  /** Colleagues who look at a room. */
  readonly viewers: readonly Viewer[];
  /** All who type but me. */
  readonly typists: readonly Typist[];
  /** The room on screen. */
  readonly shown: RoomId | null;
  /** Whether somebody looks at the page: then what is on screen is being read. */
  readonly is_seen: boolean;
  /** Rooms where what I wrote came too late: it is a draft again. */
  readonly stale: ReadonlySet<RoomId>;
}

/** What the state keeps for itself. */
export interface DeskModel extends DeskState {
  readonly me: UserId;
  readonly tick: number;
  readonly touched: ReadonlyMap<RoomId, number>;
}

export type DeskEvent =
  | { readonly type: 'room_status'; readonly status: RoomStatus }
  | { readonly type: 'message'; readonly message: Message; readonly unread_count?: number }
  | { readonly type: 'activity'; readonly activity: RoomActivity }
  | { readonly type: 'status'; readonly update: RoomStatusUpdate }
  /** An answer: the room as it was after `asked`. */
  | { readonly type: 'room'; readonly room: CustomerRoom; readonly asked: number }
  | { readonly type: 'viewers'; readonly room_id: RoomId; readonly viewers: readonly Viewer[] }
  | { readonly type: 'read'; readonly room_id: RoomId; readonly unread_count: number }
  | { readonly type: 'more_asked'; readonly status: SupportStatus }
  | { readonly type: 'more'; readonly status: SupportStatus; readonly page: CustomerRooms; readonly asked: number }
  | { readonly type: 'more_failed'; readonly status: SupportStatus }
  | { readonly type: 'some'; readonly page: CustomerRooms; readonly asked: number }
  | { readonly type: 'shown'; readonly room_id: RoomId | null }
  | { readonly type: 'seen'; readonly is_seen: boolean }
  | { readonly type: 'stale'; readonly room_id: RoomId; readonly is_stale: boolean }
  /** It does not exist any more, or not for me. */
  | { readonly type: 'gone'; readonly room_id: RoomId }
  | { readonly type: 'cut' }
  | { readonly type: 'forbidden' };

const NOTHING: Loaded = { phase: 'idle', cursor: null, has_more: true };
const ALL: Loaded = { phase: 'idle', cursor: null, has_more: false };

export function emptyDesk(me: UserId): DeskModel {
  return {
    phase: 'loading',
    rooms: new Map(),
    loaded: { waiting: NOTHING, active: NOTHING, closed: NOTHING },
    viewers: [],
    typists: [],
    shown: null,
    is_seen: true,
    stale: new Set(),
    me,
    tick: 0,
    touched: new Map(),
  };
}

export function reduceDesk(desk: DeskModel, event: DeskEvent): DeskModel {
  switch (event.type) {
    case 'room_status':
      return begin(desk, event.status);
    case 'message':
      return message(desk, event.message, event.unread_count);
    case 'activity':
      return activity(desk, event.activity);
    case 'status':
      return status(desk, event.update);
    case 'room':
      return learn(desk, [event.room], event.asked);
    case 'viewers': {
      const others = desk.viewers.filter(({ room_id }) => room_id !== event.room_id);
      return { ...desk, viewers: [...others, ...withoutMe(desk, event.viewers)] };
    }
    case 'read':
      return change(desk, event.room_id, { unread_count: event.unread_count });
    case 'more_asked':
      return load(desk, event.status, { phase: 'loading' });
    case 'more':
      return more(desk, event.status, event.page, event.asked);
    case 'more_failed':
      return load(desk, event.status, { phase: 'failed' });
    case 'some':
      return learn(desk, event.page.rooms, event.asked);
    case 'shown':
      return desk.shown === event.room_id ? desk : { ...desk, shown: event.room_id };
    case 'seen':
      return desk.is_seen === event.is_seen ? desk : { ...desk, is_seen: event.is_seen };
    case 'stale':
      return stale(desk, event.room_id, event.is_stale);
    case 'gone':
      return gone(desk, event.room_id);
    case 'cut':
      return { ...desk, viewers: [], typists: [] };
    case 'forbidden':
      return { ...emptyDesk(desk.me), phase: 'forbidden' };
  }
}

/** The rooms of a status, and one that is kept among them, newest activity first. */
export function roomsOf(
  { rooms }: Pick<DeskState, 'rooms'>,
  wanted: SupportStatus,
  kept: RoomId | null = null,
): readonly CustomerRoom[] {
  const found = [...rooms.values()].filter(({ id, status }) => status === wanted || id === kept);
  return found.sort((a, b) => (activeAt(a) < activeAt(b) ? 1 : activeAt(a) > activeAt(b) ? -1 : 0));
}

const activeAt = ({ last_message_at, created_at }: CustomerRoom): string => last_message_at ?? created_at;

type Attention = Pick<DeskState, 'rooms' | 'shown' | 'is_seen'>;

/** Messages of a customer that nobody of the staff has read. */
export function unreadOf(desk: Omit<Attention, 'rooms'>, { id, unread_count }: CustomerRoom): number {
  return desk.is_seen && id === desk.shown ? 0 : unread_count;
}

export function unreadTotal(desk: Attention): number {
  let total = 0;
  for (const room of desk.rooms.values()) if (room.status !== 'closed') total += unreadOf(desk, room);
  return total;
}

/** What a new connection begins with. What is not listed has been closed, or is not for me any more. */
function begin(desk: DeskModel, { rooms, active_customers, viewers }: RoomStatus): DeskModel {
  const isWhole = rooms.length >= active_customers;
  const kept = [...desk.rooms.values()].filter(({ id, status }) => id === desk.shown || status === 'closed');
  const open = isWhole ? ALL : NOTHING;
  return {
    ...desk,
    phase: 'ready',
    rooms: new Map([...kept, ...rooms].map((room) => [room.id, room])),
    // The closed ones are asked for again by whoever looks at them.
    loaded: { waiting: open, active: open, closed: NOTHING },
    viewers: withoutMe(desk, viewers),
    typists: [],
    touched: new Map(),
  };
}

function message(desk: DeskModel, heard: Message, unread: number | undefined): DeskModel {
  const { room_id, user_id, seq, rev } = heard;
  const next = withoutTypist(desk, room_id, user_id);
  const room = next.rooms.get(room_id);
  // The answer to what I sent comes after the event that tells of it.
  if (!room || (room.last_message && room.last_message.seq >= seq)) return next;
  const counted = unread === undefined ? {} : { unread_count: unread };
  const patch = { last_message: heard, last_message_at: heard.timestamp, rev: Math.max(room.rev, rev), ...counted };
  return change(next, room_id, patch);
}

function activity(desk: DeskModel, { room_id, user_id, username, is_staff, ...told }: RoomActivity): DeskModel {
  const person = { room_id, user_id, username };
  const isMe = is_staff && user_id === desk.me;
  switch (told.action) {
    case 'opened':
    case 'linked':
      return told.room ? touch(learn(desk, [told.room], desk.tick), room_id) : desk;
    case 'online':
    case 'offline':
      return is_staff ? desk : change(desk, room_id, { is_online: told.action === 'online' });
    case 'typing': {
      const next = withoutTypist(desk, room_id, user_id);
      return told.is_typing && !isMe ? { ...next, typists: [...next.typists, { ...person, is_staff }] } : next;
    }
    case 'viewing':
    case 'left': {
      const others = desk.viewers.filter((viewer) => viewer.room_id !== room_id || viewer.user_id !== user_id);
      return { ...desk, viewers: told.action === 'viewing' && !isMe ? [...others, person] : others };
    }
    case 'read':
      if (!is_staff || told.unread_count === undefined) return desk;
      return change(desk, room_id, { unread_count: told.unread_count });
  }
}

function status(desk: DeskModel, { room_id, status, assigned_to, assigned_name }: RoomStatusUpdate): DeskModel {
  const assigned = assigned_to === undefined ? {} : { assigned_to, assigned_name: assigned_name ?? null };
  const next = change(desk, room_id, { status, ...assigned });
  if (status !== 'closed') return next;
  return { ...next, typists: next.typists.filter((typist) => typist.room_id !== room_id) };
}

function more(desk: DeskModel, status: SupportStatus, page: CustomerRooms, asked: number): DeskModel {
  const isFirst = desk.loaded[status].cursor === null;
  const isNew = (id: RoomId) => id === desk.shown || (desk.touched.get(id) ?? -1) > asked;
  // A list that begins anew holds nothing of what was there before: it may have gone.
  const kept = [...desk.rooms].filter(([id, room]) => !(isFirst && room.status === status) || isNew(id));
  const next = learn({ ...desk, rooms: isFirst ? new Map(kept) : desk.rooms }, page.rooms, asked);
  return load(next, status, { phase: 'idle', cursor: page.next_cursor, has_more: page.next_cursor !== null });
}

function gone(desk: DeskModel, id: RoomId): DeskModel {
  const rooms = new Map(desk.rooms);
  rooms.delete(id);
  const isElsewhere = ({ room_id }: Viewer) => room_id !== id;
  const { viewers, typists } = desk;
  return { ...desk, rooms, viewers: viewers.filter(isElsewhere), typists: typists.filter(isElsewhere) };
}

function stale(desk: DeskModel, id: RoomId, isStale: boolean): DeskModel {
  if (desk.stale.has(id) === isStale) return desk;
  const rooms = new Set(desk.stale);
  if (isStale) rooms.add(id);
  else rooms.delete(id);
  return { ...desk, stale: rooms };
}

/** Takes in whole rooms, but those that were heard of since they were asked for. */
function learn(desk: DeskModel, fresh: readonly CustomerRoom[], asked: number): DeskModel {
  const rooms = new Map(desk.rooms);
  for (const room of fresh) {
    const isOld = rooms.has(room.id) && (desk.touched.get(room.id) ?? -1) > asked;
    if (!isOld) rooms.set(room.id, room);
  }
  return { ...desk, rooms };
}

function change(desk: DeskModel, id: RoomId, patch: Partial<CustomerRoom>): DeskModel {
  const room = desk.rooms.get(id);
  if (!room) return desk;
  return touch({ ...desk, rooms: new Map(desk.rooms).set(id, { ...room, ...patch }) }, id);
}

function touch(desk: DeskModel, id: RoomId): DeskModel {
  const tick = desk.tick + 1;
  return { ...desk, tick, touched: new Map(desk.touched).set(id, tick) };
}

function load(desk: DeskModel, status: SupportStatus, patch: Partial<Loaded>): DeskModel {
  return { ...desk, loaded: { ...desk.loaded, [status]: { ...desk.loaded[status], ...patch } } };
}

function withoutTypist(desk: DeskModel, room: RoomId, user: UserId): DeskModel {
  const typists = desk.typists.filter(({ room_id, user_id }) => room_id !== room || user_id !== user);
  return typists.length === desk.typists.length ? desk : { ...desk, typists };
}

const withoutMe = (desk: DeskModel, viewers: readonly Viewer[]): readonly Viewer[] =>
  viewers.filter(({ user_id }) => user_id !== desk.me);
