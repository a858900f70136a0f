import type { Outgoing } from '../../client/room-state';
import type { Message } from '../../protocol/generated/Message';
import type { Rev } from '../../protocol/generated/Rev';
import type { UserId } from '../../protocol/generated/UserId';
import { sameDay } from '../../strings/format';

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

export type Row =
  | (Frame & { readonly kind: 'message'; readonly message: Message })
  | (Frame & { readonly kind: 'outgoing'; readonly item: Outgoing });

/** Messages of one sender within this time are one group. */
const GROUP_MS = 5 * 60_000;

interface Previous {
  readonly user: UserId;
  readonly at: number;
  /** The group's first one. */
  readonly since: number;
}

export function buildRows(
  messages: readonly Message[],
  outgoing: readonly Outgoing[],
  readUpTo: Rev,
  me: UserId,
  hasOlder = false,
): readonly Row[] {
  const rows: Row[] = [];
  let previous: Previous | null = null;
  let isDivided = readUpTo === 0;

  const frame = (key: string, user: UserId, at: number, isFirstNew: boolean): Frame => {
    const isNewDay = !previous || !sameDay(previous.at, at);
    const isHead = isNewDay || isFirstNew || previous?.user !== user || at - previous.since > GROUP_MS;
    previous = { user, at, since: isHead || !previous ? at : previous.since };
    return { key, day: isNewDay ? at : null, isFirstNew, isHead, at };
  };

  for (const message of messages) {
    const isFirstNew = !isDivided && message.seq > readUpTo;
    if (isFirstNew) isDivided = true;
    const shown = frame(keyOf(message, me), message.user_id, Date.parse(message.timestamp), isFirstNew);
    // What stands above the first one is not loaded. It would lose its day and its sender's name when that comes in, and
    // all below it would move.
    if (hasOlder && message === messages[0] && !isFirstNew) continue;
    rows.push({ ...shown, kind: 'message', message });
  }
  for (const item of outgoing) {
    rows.push({
      ...frame(outgoingKey(item.client_id), me, Date.parse(item.created_at), false),
      kind: 'outgoing',
      item,
    });
  }
  return rows;
}

/** My messages keep their key when they are acknowledged: the row stays, nothing flickers. */
function keyOf(message: Message, me: UserId): string {
  return message.user_id === me && typeof message.client_id === 'string' ? outgoingKey(message.client_id) : message.id;
}

const outgoingKey = (clientId: string): string => `mine:${clientId}`;
