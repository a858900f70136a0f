// A customer's conversation, out of what was heard of it. Pure: no sockets, no clock.
//
// As in room-state.ts the server's counting of changes says what is missing. What differs: which room it is, is the
// server's to say. A customer has one that is open at most; when that was closed their next message opens another, and
// the messages of the one before stay in sight above it. And a customer may become another user while they write: whoever
// signs in goes on in the same conversation. So a message is mine because a customer wrote it, whatever their id was then.

import type { Message } from '../../protocol/generated/Message';
import type { MessagePage } from '../../protocol/generated/MessagePage';
import type { Rev } from '../../protocol/generated/Rev';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { SupportRoom } from '../../protocol/generated/SupportRoom';
import type { SupportStatus } from '../../protocol/generated/SupportStatus';
import type { UserId } from '../../protocol/generated/UserId';
import { insertByRev, mergeMessages, replaceMessages, splitAtHole } from '../messages';
import type { Outgoing } from '../room-state';

export interface Conversation {
  readonly me: UserId | null;
  /** null: there is none, as far as is known. */
  readonly room_id: RoomId | null;
  /** null: not known yet */
  readonly status: SupportStatus | null;
  /** Whether the server has said what there is. */
  readonly is_loaded: boolean;
  /** Of conversations that ended while they were shown; oldest first, as all lists here. */
  readonly past: readonly Message[];
  /** Gapless. */
  readonly messages: readonly Message[];
  readonly has_older: boolean;
  readonly loading_older: boolean;
  /** In the order of sending; shown below the messages. */
  readonly outgoing: readonly Outgoing[];
  /** Of those, what the server has and what has no place yet: in a room that is not loaded, or behind a hole. */
  readonly stored: readonly Message[];
  /** Staff who type. */
  readonly typing: readonly UserId[];
  /** My messages up to this one were seen. */
  readonly seen_seq: Rev;
  /** I have read up to this one. */
  readonly read_seq: Rev;
  /** In ms since the epoch: rate limited until then. */
  readonly retry_at: number | null;
  /** `messages` holds all changes up to this one. */
  readonly rev: Rev;
  /** The newest change that anything told of. */
  readonly heard_rev: Rev;
  /** Only the newest page tells how things are. */
  readonly needs_page: boolean;
  /** Changes behind a hole, in their order. */
  readonly early: readonly Message[];
}

export type ConversationEvent =
  /** `isFirst`: of a new connection, and nothing has come by it before; what the page does not know is not so. */
  | { readonly type: 'page'; readonly page: MessagePage; readonly isFirst: boolean }
  | { readonly type: 'room'; readonly room: SupportRoom | null }
  | { readonly type: 'older_asked' }
  | { readonly type: 'older'; readonly before: Rev; readonly page: MessagePage }
  | { readonly type: 'older_failed' }
  | { readonly type: 'message'; readonly message: Message }
  /** All changes of a room up to `rev`. */
  | { readonly type: 'changes'; readonly room_id: RoomId; readonly messages: readonly Message[]; readonly rev: Rev }
  | { readonly type: 'outgoing'; readonly item: Outgoing }
  | { readonly type: 'sent'; readonly client_id: string; readonly message: Message }
  | { readonly type: 'discarded'; readonly client_id: string }
  | { readonly type: 'rate_limited'; readonly until: number | null }
  | { readonly type: 'typing'; readonly room_id: RoomId; readonly users: readonly UserId[] }
  /** Who the customer is now. */
  | { readonly type: 'me'; readonly id: UserId | null }
  | { readonly type: 'receipt'; readonly room_id: RoomId; readonly by: UserId; readonly seq: Rev }
  | { readonly type: 'read'; readonly room_id: RoomId; readonly seq: Rev }
  | { readonly type: 'status'; readonly room_id: RoomId; readonly status: SupportStatus }
  /** Too much was missed. */
  | { readonly type: 'reset' }
  /** The connection was lost. */
  | { readonly type: 'cut' };

/** Changes that may wait behind a hole; what is more is asked for again anyway. */
const MAX_EARLY = 200;
const MAX_PAST = 500;

const NO_ROOM = {
  room_id: null,
  status: null,
  messages: [],
  has_older: false,
  loading_older: false,
  typing: [],
  seen_seq: 0,
  read_seq: 0,
  rev: 0,
  heard_rev: 0,
  early: [],
} as const;

export const EMPTY: Conversation = {
  ...NO_ROOM,
  me: null,
  is_loaded: false,
  past: [],
  outgoing: [],
  stored: [],
  retry_at: null,
  needs_page: true,
};

const isMine = ({ sender_type }: Message) => sender_type === 'customer';

/** How many messages of staff were not read. */
export function unreadOf({ messages, read_seq }: Conversation): number {
  return messages.filter(({ sender_type, seq }) => sender_type === 'staff' && seq > read_seq).length;
}

/** Up to where there is something of others to read. */
export const readableSeq = ({ messages }: Conversation): Rev => messages.findLast((one) => !isMine(one))?.seq ?? 0;

/** Whether something is missing, and a page brings it. */
export const isBehind = ({ needs_page, heard_rev, rev }: Conversation): boolean => needs_page || heard_rev > rev;

export function reduceConversation(state: Conversation, event: ConversationEvent): Conversation {
  switch (event.type) {
    case 'page':
      return page(state, event.page, event.isFirst);
    case 'room':
      return room(state, event.room);
    case 'older_asked':
      return { ...state, loading_older: true };
    case 'older':
      return older(state, event.before, event.page);
    case 'older_failed':
      return { ...state, loading_older: false };
    case 'message':
      return received(state, event.message);
    case 'changes':
      return changed(state, event.room_id, event.messages, event.rev);
    case 'outgoing':
      return outgoing(state, event.item);
    case 'sent':
      return sent(state, event.client_id, event.message);
    case 'discarded':
      return withoutOutgoing(state, (item) => item.client_id === event.client_id);
    case 'rate_limited':
      return state.retry_at === event.until ? state : { ...state, retry_at: event.until };
    case 'typing':
      return event.room_id === state.room_id ? withTyping(state, event.users) : state;
    case 'me':
      return state.me === event.id ? state : { ...state, me: event.id };
    case 'receipt':
      return receipt(state, event.room_id, event.by, event.seq);
    case 'read':
      return event.room_id === state.room_id ? withRead(state, event.seq) : state;
    case 'status':
      return status(state, event.room_id, event.status);
    case 'reset':
      return { ...state, needs_page: true };
    case 'cut':
      return { ...withTyping(state, []), loading_older: false, needs_page: true };
  }
}

function page(state: Conversation, { messages, has_more, rev }: MessagePage, isFirst: boolean): Conversation {
  const roomId = messages[0]?.room_id ?? null;
  // Opened and without a message so far, or nothing at all: there is nothing to show either way.
  if (roomId === null) return isFirst || !state.is_loaded ? withoutRoom(state) : { ...state, needs_page: false };
  const own = state.room_id === roomId ? state : leftBehind(state, roomId);
  // Asked for before something newer arrived, which fits on to what was there.
  if (!isFirst && !own.needs_page && rev < own.rev) return own;
  const newer = isFirst ? [] : own.messages.filter((message) => message.rev > rev);
  const known = isFirst ? own.early.filter((message) => message.rev > rev) : own.early;
  const first = messages[0]?.seq ?? 0;
  // Pages that were loaded before stay, if there is no hole between them and this one.
  const isJoined = own.rev > 0 && own.rev >= first - 1 && rev >= own.rev;
  const before = isJoined ? own.messages.filter(({ seq }) => seq < first) : [];
  const next: Conversation = {
    ...own,
    is_loaded: true,
    messages: [...before, ...replaceMessages(own.messages, messages)],
    has_older: before.length > 0 ? own.has_older : has_more,
    loading_older: false,
    needs_page: false,
    rev,
    heard_rev: isFirst ? rev : Math.max(own.heard_rev, rev),
    early: newer.reduce(insertByRev, known),
  };
  return place(drain(marks(settle(next, messages), messages)));
}

/** Nothing is known to be there. What was written and not sent stays, and so does what had ended. */
function withoutRoom(state: Conversation): Conversation {
  const isStored = (item: Outgoing) => state.stored.some(({ client_id }) => client_id === item.client_id);
  return { ...withoutOutgoing(state, isStored), ...NO_ROOM, stored: [], is_loaded: true, needs_page: false };
}

/** Another room is the newest one now. */
function leftBehind(state: Conversation, roomId: RoomId): Conversation {
  const past = [...state.past, ...state.messages].slice(-MAX_PAST);
  return { ...state, ...NO_ROOM, room_id: roomId, status: 'waiting', past, needs_page: true };
}

function room(state: Conversation, own: SupportRoom | null): Conversation {
  if (own === null) return state.room_id === null ? state : { ...state, status: 'closed' };
  if (own.id === state.room_id) return { ...state, status: own.status };
  // One that is open and has no message yet is as good as none.
  return own.rev === 0 ? state : { ...state, needs_page: true };
}

function older(state: Conversation, before: Rev, { messages, has_more }: MessagePage): Conversation {
  const next = { ...state, loading_older: false };
  // The list was replaced meanwhile: these do not end where it begins.
  if (state.messages[0]?.seq !== before || (messages[0] && messages[0].room_id !== state.room_id)) return next;
  const merged = mergeMessages(state.messages, messages);
  return marks(settle({ ...next, messages: merged, has_older: has_more }, messages), messages);
}

function received(state: Conversation, message: Message): Conversation {
  // The first message of a room that has just been opened, or one that was said elsewhere: the page tells.
  if (message.room_id !== state.room_id) return { ...state, needs_page: true };
  const next = withTyping(
    { ...state, heard_rev: Math.max(state.heard_rev, message.rev) },
    state.typing.filter((user) => user !== message.user_id),
  );
  if (message.rev <= state.rev + 1) return take(next, [message], message.rev);
  return { ...next, early: insertByRev(state.early, message).slice(-MAX_EARLY) };
}

function changed(state: Conversation, roomId: RoomId, messages: readonly Message[], rev: Rev): Conversation {
  if (roomId !== state.room_id) return { ...state, needs_page: true };
  const writers = new Set(messages.map(({ user_id }) => user_id));
  const next = withTyping(
    { ...state, heard_rev: Math.max(state.heard_rev, rev) },
    state.typing.filter((user) => !writers.has(user)),
  );
  return take(next, messages, rev);
}

/** Takes in changes after which everything up to `rev` is there. */
function take(state: Conversation, changes: readonly Message[], rev: Rev): Conversation {
  const first = state.has_older ? (state.messages[0]?.seq ?? 0) : 0;
  const shown = changes.filter((change) => change.seq >= first);
  const messages = mergeMessages(state.messages, shown);
  return place(drain(marks(settle({ ...state, messages, rev: Math.max(state.rev, rev) }, changes), shown)));
}

/** Takes in what has waited, as far as there is no hole any more. */
function drain(state: Conversation): Conversation {
  if (state.early.length === 0) return state;
  const { next, later } = splitAtHole(state.early, state.rev);
  const last = next.at(-1);
  return last ? take({ ...state, early: later }, next, Math.max(state.rev, last.rev)) : { ...state, early: later };
}

/** My messages that are in the history are on their way no more. */
function settle(state: Conversation, changes: readonly Message[]): Conversation {
  if (state.outgoing.length === 0) return state;
  const stored = new Set(changes.filter(isMine).map((change) => change.client_id));
  return withoutOutgoing(state, (item) => stored.has(item.client_id));
}

/** Messages say whether the other side has read them, as it was when they were asked for. */
function marks(state: Conversation, messages: readonly Message[]): Conversation {
  const lastRead = (mine: boolean) =>
    messages.findLast((one) => one.is_read === true && isMine(one) === mine)?.seq ?? 0;
  return withRead(withSeen(state, lastRead(true)), lastRead(false));
}

function sent(state: Conversation, clientId: string, message: Message): Conversation {
  const next = received(state, message);
  const isPast = next.past.some(({ id }) => id === message.id);
  const hasPlace = message.room_id === next.room_id && message.rev <= next.rev;
  if (isPast || hasPlace) return withoutOutgoing(next, (item) => item.client_id === clientId);
  // Until it has its place it stays among the outgoing ones: it is never out of sight.
  return { ...next, stored: [...next.stored, message] };
}

/** Finds the place of what was stored, now that more is known. */
function place(state: Conversation): Conversation {
  if (state.stored.length === 0) return state;
  const begin = Date.parse(state.messages[0]?.timestamp ?? '');
  const isHere = (message: Message) => message.room_id === state.room_id && message.rev <= state.rev;
  // Its room ended before it was ever loaded.
  const isPast = (message: Message) => message.room_id !== state.room_id && Date.parse(message.timestamp) < begin;
  const past = state.stored.filter(isPast).filter(({ id }) => !state.past.some((other) => other.id === id));
  const placed = new Set(state.stored.filter((one) => isHere(one) || isPast(one)).map(({ client_id }) => client_id));
  if (placed.size === 0) return state;
  const next = withoutOutgoing(state, (item) => placed.has(item.client_id));
  const inTime = [...state.past, ...past].sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
  const stored = state.stored.filter(({ client_id }) => !placed.has(client_id));
  return { ...next, stored, past: past.length > 0 ? inTime : state.past };
}

function outgoing(state: Conversation, item: Outgoing): Conversation {
  const isStored = (message: Message) => message.client_id === item.client_id && isMine(message);
  if (state.messages.some(isStored) || state.past.some(isStored)) return state;
  const isKnown = state.outgoing.some((other) => other.client_id === item.client_id);
  if (!isKnown) return { ...state, outgoing: [...state.outgoing, item] };
  return { ...state, outgoing: state.outgoing.map((other) => (other.client_id === item.client_id ? item : other)) };
}

function withoutOutgoing(state: Conversation, isGone: (item: Outgoing) => boolean): Conversation {
  const left = state.outgoing.filter((item) => !isGone(item));
  return left.length === state.outgoing.length ? state : { ...state, outgoing: left };
}

/** In another window, or as the guest that they were. */
function isCustomer(state: Conversation, user: UserId): boolean {
  return user === state.me || state.messages.some((message) => isMine(message) && message.user_id === user);
}

function withTyping(state: Conversation, users: readonly UserId[]): Conversation {
  const typing = users.filter((user) => !isCustomer(state, user));
  const isSame = typing.length === state.typing.length && typing.every((user, index) => user === state.typing[index]);
  return isSame ? state : { ...state, typing };
}

function receipt(state: Conversation, roomId: RoomId, by: UserId, seq: Rev): Conversation {
  if (roomId !== state.room_id) return state;
  return isCustomer(state, by) ? withRead(state, seq) : withSeen(state, seq);
}

const withSeen = (state: Conversation, seq: Rev): Conversation =>
  seq > state.seen_seq ? { ...state, seen_seq: seq } : state;

const withRead = (state: Conversation, seq: Rev): Conversation =>
  seq > state.read_seq ? { ...state, read_seq: seq } : state;

function status(state: Conversation, roomId: RoomId, value: SupportStatus): Conversation {
  if (roomId === state.room_id) return state.status === value ? state : { ...state, status: value };
  // Of one that has just been opened, in another window or by the message that is on its way.
  return value === 'closed' ? state : { ...state, needs_page: true };
}
