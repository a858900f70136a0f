// The messages of one support room, as its customer or as staff see them. Pure. A room's own state keeps them (gapless, each
// once, in order, what is on its way below); here is what only support rooms have: two sides, and how far each has read.

import type { Message } from '../../protocol/generated/Message';
import type { Rev } from '../../protocol/generated/Rev';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { UserId } from '../../protocol/generated/UserId';
import { emptyRoom, type RoomEvent, type RoomModel, reduceRoom } from '../room-state';

export type Side = 'customer' | 'staff';

export interface Talk extends RoomModel {
  readonly side: Side;
  /** Up to where each side has read what the other wrote. Only ever moves forward. */
  readonly read_by: Readonly<Record<Side, Rev>>;
}

export type TalkEvent = RoomEvent | { readonly type: 'read'; readonly by: Side; readonly seq: Rev };

export const otherSide = (side: Side): Side => (side === 'customer' ? 'staff' : 'customer');

/** `side`: mine. */
export function emptyTalk(roomId: RoomId, me: UserId, side: Side): Talk {
  const room = { ...emptyRoom(roomId, me), counted: otherSide(side) };
  return { ...room, side, read_by: { customer: 0, staff: 0 } };
}

export function reduceTalk(talk: Talk, event: TalkEvent): Talk {
  switch (event.type) {
    case 'read':
      return readBy(talk, event.by, event.seq);
    case 'refused':
      return event.phase === 'failed' ? inRoom(talk, event) : { ...emptyOf(talk), ...reduceRoom(talk, event) };
    case 'page':
    case 'refreshed':
    case 'older':
      return learn(inRoom(talk, event), event.page.messages);
    default:
      return inRoom(talk, event);
  }
}

/** Whether the other side has read a message; what happened to the conversation is nobody's to read. */
export function isRead({ read_by }: Pick<Talk, 'read_by'>, { seq, sender_type, is_read }: Message): boolean {
  if (sender_type !== 'customer' && sender_type !== 'staff') return false;
  return is_read === true || seq <= read_by[otherSide(sender_type)];
}

/** The newest message of the other side, 0 if there is none: up to there my side can read. */
export function readable({ messages, side }: Pick<Talk, 'messages' | 'side'>): Rev {
  return messages.findLast(({ sender_type }) => sender_type === otherSide(side))?.seq ?? 0;
}

function inRoom(talk: Talk, event: RoomEvent): Talk {
  const room = reduceRoom(talk, event);
  return room === talk ? talk : { ...room, side: talk.side, read_by: talk.read_by };
}

const emptyOf = ({ room_id, me, side }: Talk): Talk => emptyTalk(room_id, me, side);

/** A message that was there before comes again without being changed when it is read: only the mark moves. */
function learn(talk: Talk, messages: readonly Message[]): Talk {
  const lastRead = (writer: Side) =>
    messages.findLast((message) => message.sender_type === writer && message.is_read)?.seq;
  const byStaff = readBy(talk, 'staff', lastRead('customer') ?? 0);
  return readBy(byStaff, 'customer', lastRead('staff') ?? 0);
}

function readBy(talk: Talk, by: Side, seq: Rev): Talk {
  if (seq <= talk.read_by[by]) return talk;
  return { ...talk, read_by: { ...talk.read_by, [by]: seq } };
}
