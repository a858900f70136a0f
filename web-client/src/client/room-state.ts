// The state of one room, out of what was heard of it. Pure: no sockets, no clock.
//
// The server counts every change of a room: rev 1, 2, 3 … without holes. So the state knows by itself what it has: all
// changes up to `rev` are in it, what comes behind a hole waits in `early`, and `heard_rev` above `rev` means that
// something is missing and has to be asked for.

import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { Membership } from '../protocol/generated/Membership';
import type { Message } from '../protocol/generated/Message';
import type { MessagePage } from '../protocol/generated/MessagePage';
import type { Participant } from '../protocol/generated/Participant';
import type { Rev } from '../protocol/generated/Rev';
import type { Room } from '../protocol/generated/Room';
import type { RoomId } from '../protocol/generated/RoomId';
import type { RoomJoined } from '../protocol/generated/RoomJoined';
import type { RoomUpdated } from '../protocol/generated/RoomUpdated';
import type { SenderType } from '../protocol/generated/SenderType';
import type { Timestamp } from '../protocol/generated/Timestamp';
import type { UserId } from '../protocol/generated/UserId';
import { insertByRev, mergeMessages, replaceMessages, splitAtHole } from './messages';

/** A message of mine that the server has not acknowledged. */
export interface Outgoing {
  readonly client_id: string;
  readonly text: string;
  readonly created_at: Timestamp;
  /** waiting: rate limited, goes out by itself at `retry_at` of its room */
  readonly state: 'sending' | 'waiting' | 'failed';
  /** Why it failed. */
  readonly error?: ErrorBody;
}

export interface RoomState {
  readonly room_id: RoomId;
  /** removed: I am no participant any more. failed: it could not be loaded, `reload()` tries again */
  readonly phase: 'loading' | 'ready' | 'denied' | 'missing' | 'removed' | 'failed';
  readonly room: Room | null;
  /** Gapless, oldest first. */
  readonly messages: readonly Message[];
  readonly has_older: boolean;
  readonly loading_older: boolean;
  /** In the order of sending; shown below the messages. */
  readonly outgoing: readonly Outgoing[];
  /** null: not loaded yet */
  readonly participants: readonly Participant[] | null;
  /** Others who type, never myself. */
  readonly typing: readonly UserId[];
  /** The `seq` up to which all was read when the room was opened; 0: all, or unknown. */
  readonly read_up_to: Rev;
  /** In ms since the epoch: rate limited until then. */
  readonly retry_at: number | null;
}

/** What the state keeps for itself. */
export interface RoomModel extends RoomState {
  readonly me: UserId;
  /** In support rooms: whose messages count as unread. Elsewhere those of everybody else do. */
  readonly counted: SenderType | null;
  /** `messages` holds all changes up to this one; null: nothing was loaded. */
  readonly rev: Rev | null;
  /** The newest change that anything told of. */
  readonly heard_rev: Rev;
  /** Too much was missed (or nothing is there): only the newest page helps. */
  readonly needs_page: boolean;
  /** Changes behind a hole, in their order. */
  readonly early: readonly Message[];
  /** Where the first unread message lies is not known until as many messages of others are loaded. */
  readonly unread: { readonly count: number; readonly up_to: Rev } | null;
}

export type RoomEvent =
  | { readonly type: 'opened' }
  | { readonly type: 'joined'; readonly ack: RoomJoined }
  | { readonly type: 'page'; readonly page: MessagePage }
  /** The newest page as well, over a new connection: what is there already stays. */
  | { readonly type: 'refreshed'; readonly page: MessagePage }
  | { readonly type: 'older_asked' }
  | { readonly type: 'older'; readonly before: Rev; readonly page: MessagePage }
  | { readonly type: 'older_failed' }
  /** How many messages of others were unread when the room was opened; said once it is loaded. */
  | { readonly type: 'unread'; readonly count: number }
  | { readonly type: 'refused'; readonly phase: 'denied' | 'missing' | 'removed' | 'failed' }
  | { readonly type: 'reloading' }
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'outgoing'; readonly item: Outgoing }
  | { readonly type: 'sent'; readonly client_id: string; readonly message: Message }
  | { readonly type: 'discarded'; readonly client_id: string }
  | { readonly type: 'rate_limited'; readonly until: number | null }
  | { readonly type: 'typing'; readonly users: readonly UserId[] }
  | { readonly type: 'participants'; readonly participants: readonly Participant[] }
  | { readonly type: 'entered'; readonly membership: Membership }
  /** Somebody is a participant no more. */
  | { readonly type: 'parted'; readonly user_id: UserId }
  | { readonly type: 'updated'; readonly update: RoomUpdated }
  | {
      readonly type: 'presence';
      readonly user_id: UserId;
      readonly online: boolean;
      readonly last_seen: Timestamp | null;
    }
  /** The live stream ended: left, or the connection was lost. */
  | { readonly type: 'cut' };

/** Changes that may wait behind a hole; what is more is asked for again anyway. */
const MAX_EARLY = 200;

export function emptyRoom(roomId: RoomId, me: UserId): RoomModel {
  return {
    room_id: roomId,
    phase: 'loading',
    room: null,
    messages: [],
    has_older: false,
    loading_older: false,
    outgoing: [],
    participants: null,
    typing: [],
    read_up_to: 0,
    retry_at: null,
    me,
    counted: null,
    rev: null,
    heard_rev: 0,
    needs_page: true,
    early: [],
    unread: null,
  };
}

/** Whether changes are missing, and asking for those since `rev` brings them. */
export const isBehind = (state: RoomModel): boolean =>
  state.rev !== null && !state.needs_page && state.heard_rev > state.rev;

export function reduceRoom(state: RoomModel, event: RoomEvent): RoomModel {
  switch (event.type) {
    case 'opened':
      return { ...state, read_up_to: 0, unread: null };
    case 'joined':
      return joined(state, event.ack);
    case 'page':
      return page(state, event.page);
    case 'refreshed':
      return refreshed(state, event.page);
    case 'older_asked':
      return { ...state, loading_older: true };
    case 'older':
      return older(state, event.before, event.page);
    case 'older_failed':
      return { ...state, loading_older: false };
    case 'unread':
      return divide({ ...state, unread: event.count > 0 ? { count: event.count, up_to: state.rev ?? 0 } : null });
    case 'refused':
      return refused(state, event.phase);
    case 'reloading':
      return { ...state, phase: state.rev === null ? 'loading' : state.phase, needs_page: true };
    case 'message':
      return received(state, event.message);
    case 'outgoing':
      return outgoing(state, event.item);
    case 'sent':
      return sent(state, event.client_id, event.message);
    case 'discarded':
      return withoutOutgoing(state, (item) => item.client_id === event.client_id);
    case 'rate_limited':
      return state.retry_at === event.until ? state : { ...state, retry_at: event.until };
    case 'typing':
      return withTyping(state, event.users);
    case 'participants':
      return { ...state, participants: event.participants };
    case 'entered':
      return entered(state, event.membership);
    case 'parted':
      return parted(state, event.user_id);
    case 'updated':
      return updated(state, event.update);
    case 'presence':
      return presence(state, event.user_id, event.online, event.last_seen);
    case 'cut':
      return { ...withTyping(state, []), loading_older: false };
  }
}

function joined(state: RoomModel, ack: RoomJoined): RoomModel {
  const next = { ...state, room: ack.room };
  if (state.rev !== null && ack.rev < state.rev) {
    // The server has gone back (a backup was restored): what is known here is no part of its history.
    return { ...next, rev: null, heard_rev: ack.rev, early: [], needs_page: true };
  }
  next.heard_rev = Math.max(state.heard_rev, ack.rev);
  if (ack.changes && state.rev !== null && !state.needs_page) {
    return { ...take(next, ack.changes, ack.rev), phase: 'ready' };
  }
  const isDone = state.rev === ack.rev && !ack.reset && !state.needs_page;
  return { ...next, phase: state.rev === null ? 'loading' : 'ready', needs_page: !isDone };
}

function page(state: RoomModel, { messages, has_more, rev }: MessagePage): RoomModel {
  // Asked for before something newer arrived, which fits on to what was there.
  if (state.rev !== null && !state.needs_page && rev < state.rev) return state;
  const next: RoomModel = {
    ...state,
    phase: 'ready',
    messages: replaceMessages(state.messages, messages),
    has_older: has_more,
    loading_older: false,
    needs_page: false,
    rev,
    heard_rev: Math.max(state.heard_rev, rev),
  };
  return drain(settle(next, messages));
}

function refreshed(state: RoomModel, fresh: MessagePage): RoomModel {
  const { rev, needs_page } = state;
  const first = fresh.messages[0]?.seq ?? 0;
  const hasHole = fresh.has_more && first > (rev ?? 0) + 1;
  // Or the server has gone back: what is known here is no part of its history.
  if (rev === null || needs_page || hasHole || fresh.rev < rev) {
    const early = fresh.rev < (rev ?? 0) ? [] : state.early;
    return page({ ...state, early, heard_rev: fresh.rev, needs_page: true }, fresh);
  }
  const heard_rev = Math.max(state.heard_rev, fresh.rev);
  return { ...take({ ...state, heard_rev }, fresh.messages, fresh.rev), phase: 'ready' };
}

function older(state: RoomModel, before: Rev, { messages, has_more }: MessagePage): RoomModel {
  const next = { ...state, loading_older: false };
  // The list was replaced meanwhile: these do not end where it begins.
  if (state.messages[0]?.seq !== before) return next;
  const merged = mergeMessages(state.messages, messages);
  return divide(settle({ ...next, messages: merged, has_older: has_more }, messages));
}

function refused(state: RoomModel, phase: 'denied' | 'missing' | 'removed' | 'failed'): RoomModel {
  // A room that is shown goes on being shown; what is missing is asked for again with the next connection.
  if (phase === 'failed') return state.rev === null ? { ...state, phase } : state;
  const { me, counted, room_id, outgoing, retry_at } = state;
  return { ...emptyRoom(room_id, me), counted, phase, outgoing, retry_at };
}

function received(state: RoomModel, message: Message): RoomModel {
  const { rev } = state;
  const next = withTyping(
    { ...state, heard_rev: Math.max(state.heard_rev, message.rev) },
    state.typing.filter((user) => user !== message.user_id),
  );
  if (rev !== null && message.rev <= rev + 1) return take(next, [message], message.rev);
  const early = insertByRev(state.early, message);
  return { ...next, early: early.length > MAX_EARLY ? early.filter((other) => other.user_id === state.me) : early };
}

/** Takes in changes after which everything up to `rev` is there. */
function take(state: RoomModel, changes: readonly Message[], rev: Rev): RoomModel {
  const first = state.has_older ? (state.messages[0]?.seq ?? 0) : 0;
  const shown = changes.filter((change) => change.seq >= first);
  const messages = mergeMessages(state.messages, shown);
  return drain(settle({ ...state, messages, rev: Math.max(state.rev ?? 0, rev) }, changes));
}

/** Takes in what has waited, as far as there is no hole any more. */
function drain(state: RoomModel): RoomModel {
  const { rev, early } = state;
  if (rev === null || early.length === 0) return state;
  const { next, later } = splitAtHole(early, rev);
  if (next.length === 0) return state;
  const end = Math.max(rev, next[next.length - 1]?.rev ?? 0);
  return take({ ...state, early: later }, next, end);
}

/** My messages that are in the history are on their way no more. */
function settle(state: RoomModel, changes: readonly Message[]): RoomModel {
  if (state.outgoing.length === 0) return state;
  const mine = changes.filter((change) => change.user_id === state.me);
  const stored = new Set(mine.map((change) => change.client_id));
  return withoutOutgoing(state, (item) => stored.has(item.client_id));
}

function sent(state: RoomModel, clientId: string, message: Message): RoomModel {
  const next = received(state, message);
  // Behind a hole it stays among the outgoing ones until it has its place: it is never out of sight.
  const hasPlace = next.rev !== null && message.rev <= next.rev;
  return hasPlace ? withoutOutgoing(next, (item) => item.client_id === clientId) : next;
}

function outgoing(state: RoomModel, item: Outgoing): RoomModel {
  const { me, messages } = state;
  if (messages.some((message) => message.client_id === item.client_id && message.user_id === me)) return state;
  const isKnown = state.outgoing.some((other) => other.client_id === item.client_id);
  if (!isKnown) return { ...state, outgoing: [...state.outgoing, item] };
  return { ...state, outgoing: state.outgoing.map((other) => (other.client_id === item.client_id ? item : other)) };
}

function withoutOutgoing(state: RoomModel, isGone: (item: Outgoing) => boolean): RoomModel {
  const left = state.outgoing.filter((item) => !isGone(item));
  return left.length === state.outgoing.length ? state : { ...state, outgoing: left };
}

function withTyping(state: RoomModel, users: readonly UserId[]): RoomModel {
  const typing = users.filter((user) => user !== state.me);
  const isSame = typing.length === state.typing.length && typing.every((user, index) => user === state.typing[index]);
  return isSame ? state : { ...state, typing };
}

function entered(state: RoomModel, { user_id, username }: Membership): RoomModel {
  if (!state.participants || state.participants.some((participant) => participant.id === user_id)) return state;
  const participant: Participant = { id: user_id, username, online: true, role: 'member', last_seen: null };
  return { ...state, participants: [...state.participants, participant] };
}

function parted(state: RoomModel, user: UserId): RoomModel {
  const participants = state.participants?.filter((participant) => participant.id !== user) ?? null;
  return { ...state, participants };
}

function updated(state: RoomModel, { room, user_id, role }: RoomUpdated): RoomModel {
  const participants =
    state.participants?.map((other) => (role && other.id === user_id ? { ...other, role } : other)) ?? null;
  // What was not entered has no room yet, and gets it on entering.
  return { ...state, room: state.room && room, participants };
}

function presence(state: RoomModel, user: UserId, online: boolean, lastSeen: Timestamp | null): RoomModel {
  const known = state.participants?.find((participant) => participant.id === user);
  if (!state.participants || !known || (known.online === online && known.last_seen === lastSeen)) return state;
  const changed = { ...known, online, last_seen: lastSeen };
  return { ...state, participants: state.participants.map((other) => (other === known ? changed : other)) };
}

/** Finds the first of the messages that were unread, going back from where the history ended then. */
function divide(state: RoomModel): RoomModel {
  const { unread, messages, me, counted } = state;
  if (!unread) return state;
  const isCounted = ({ user_id, sender_type }: Message) => (counted ? sender_type === counted : user_id !== me);
  const others = messages.filter((message) => isCounted(message) && message.seq <= unread.up_to);
  const first = others[others.length - unread.count];
  if (first) return { ...state, unread: null, read_up_to: first.seq - 1 };
  return state.has_older ? state : { ...state, unread: null };
}
