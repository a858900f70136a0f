import type { Outgoing } from '../../client/room-state';
import type { Message } from '../../protocol/generated/Message';
import type { Rev } from '../../protocol/generated/Rev';
import type { UserId } from '../../protocol/generated/UserId';
import { dayOf } from '../../strings/format';

// One row a message, dividers included: so the list grows by exactly the messages that were loaded, and the virtualiser
// can keep its place when older ones come in above.

interface Frame {
  readonly key: string;
  /** In ms since the epoch; of the first message of a day, shown above it. */
  readonly day: number | null;
  /** Whether the "new messages" divider stands above it. */
  readonly isFirstNew: boolean;
  /** The first of a group: it shows who is talking. */
  readonly isHead: boolean;
  readonly at: number;
}

type MessageRow = Frame & { readonly kind: 'message'; readonly message: Message };
type OutgoingRow = Frame & { readonly kind: 'outgoing'; readonly item: Outgoing };
export type Row = MessageRow | OutgoingRow;

/** Messages of one sender within this time are one group. */
const GROUP_MS = 5 * 60_000;

interface Previous {
  /** null: nobody's, a note between. */
  readonly user: UserId | null;
  readonly at: number;
  /** The group's first one. */
  readonly since: number;
}

/** Where a row stands: what of it depends on the rows above. */
type Place = Pick<Frame, 'day' | 'isFirstNew' | 'isHead'>;

/**
 * The rows of a room, again and again: a message in its old place keeps its row, so that a new one among thousands
 * costs little.
 */
export function createRows(me: UserId) {
  const known = new WeakMap<Message, MessageRow>();
  // Messages mostly stand on the same day as the one before: no calendar is asked for those.
  let day = { start: 0, end: 0 };

  function isSameDay(a: number, b: number): boolean {
    if (b < day.start || b >= day.end) day = dayOf(b);
    return a >= day.start && a < day.end;
  }

  function rowOf(message: Message, at: number, place: Place): MessageRow {
    const before = known.get(message);
    if (before && before.day === place.day && before.isFirstNew === place.isFirstNew && before.isHead === place.isHead)
      return before;
    const row: MessageRow = { key: keyOf(message, me), at, ...place, kind: 'message', message };
    known.set(message, row);
    return row;
  }

  return (
    messages: readonly Message[],
    outgoing: readonly Outgoing[],
    readUpTo: Rev,
    hasOlder = false,
  ): readonly Row[] => {
    const rows: Row[] = [];
    let previous: Previous | null = null;
    let isDivided = readUpTo === 0;

    const place = (user: UserId | null, at: number, isFirstNew: boolean): Place => {
      const isNewDay = !previous || !isSameDay(previous.at, at);
      const isHead =
        isNewDay || isFirstNew || user === null || previous?.user !== user || at - previous.since > GROUP_MS;
      previous = { user, at, since: isHead || !previous ? at : previous.since };
      return { day: isNewDay ? at : null, isFirstNew, isHead };
    };

    let last = Number.NEGATIVE_INFINITY;
    for (const message of messages) {
      const isFirstNew = !isDivided && message.seq > readUpTo;
      if (isFirstNew) isDivided = true;
      last = known.get(message)?.at ?? Date.parse(message.timestamp);
      const shown = place(message.sender_type === 'system' ? null : message.user_id, last, isFirstNew);
      // What stands above the first one is not loaded. It would lose its day and its sender's name when that comes in,
      // and all below it would move.
      if (hasOlder && message === messages[0] && !isFirstNew) continue;
      rows.push(rowOf(message, last, shown));
    }
    for (const item of outgoing) {
      // The clock here may be slow: what I write comes after what I have read.
      const at = Math.max(Date.parse(item.created_at), last);
      rows.push({ key: outgoingKey(item.client_id), at, ...place(me, at, false), kind: 'outgoing', item });
    }
    return rows;
  };
}

/** My messages keep their key when they are acknowledged: the row stays, nothing flickers. */
function keyOf(message: Message, me: UserId): string {
  return message.user_id === me && typeof message.client_id === 'string' ? outgoingKey(message.client_id) : message.id;
}

const outgoingKey = (clientId: string): string => `mine:${clientId}`;
