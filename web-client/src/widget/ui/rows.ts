// What stands in the list, row by row, out of a conversation. Pure.

import type { Conversation } from '../../client/support/customer-state';
import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { Message } from '../../protocol/generated/Message';
import type { UserId } from '../../protocol/generated/UserId';
import { dayOf } from '../../strings/format';

export interface MessageRow {
  readonly kind: 'message';
  readonly key: string;
  readonly text: string;
  readonly time: number;
  readonly isMine: boolean;
  /** Of staff. */
  readonly name: string | null;
  readonly user_id: UserId | null;
  /** Of those that one has written in a row. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly state: 'sent' | 'sending' | 'waiting' | 'failed';
  readonly client_id: string | null;
  readonly error: ErrorBody | null;
  /** It is my newest one, and was read. */
  readonly isSeen: boolean;
}

export type Row =
  | MessageRow
  | { readonly kind: 'day'; readonly key: string; readonly time: number }
  /** What happened to the conversation. */
  | { readonly kind: 'note'; readonly key: string; readonly text: string; readonly time: number }
  | { readonly kind: 'new'; readonly key: string };

/** Whoever writes on after so long begins again. */
const PAUSE_MS = 5 * 60_000;

type Draft = Exclude<Row, { kind: 'day' }> & { readonly time?: number };

export function rowsOf(conversation: Conversation): readonly Row[] {
  const { past, messages, outgoing, seen_seq } = conversation;
  const newestMine = messages.findLast(({ sender_type }) => sender_type === 'customer');
  const isSeen = outgoing.length === 0 && newestMine !== undefined && newestMine.seq <= seen_seq;
  const rows: Draft[] = past.map((message) => ofMessage(message, false));
  if (past.length > 0 && messages.length > 0) rows.push({ kind: 'new', key: `new ${messages[0]?.id}` });
  rows.push(...messages.map((message) => ofMessage(message, isSeen && message === newestMine)));
  for (const item of outgoing) {
    rows.push({
      kind: 'message',
      key: `c${item.client_id}`,
      text: item.text,
      time: Date.parse(item.created_at),
      isMine: true,
      name: null,
      user_id: null,
      isFirst: true,
      isLast: true,
      state: item.state,
      client_id: item.client_id,
      error: item.error ?? null,
      isSeen: false,
    });
  }
  return grouped(withDays(rows));
}

function ofMessage(message: Message, isSeen: boolean): Draft {
  const time = Date.parse(message.timestamp);
  const text = message.content ?? message.message;
  if (message.sender_type === 'system') return { kind: 'note', key: String(message.id), text, time };
  const isMine = message.sender_type === 'customer';
  return {
    kind: 'message',
    // As while it was on its way, so that it stays the same element.
    key: isMine && message.client_id !== undefined ? `c${message.client_id}` : String(message.id),
    text,
    time,
    isMine,
    name: isMine ? null : (message.sender_name ?? message.username),
    user_id: message.user_id,
    isFirst: true,
    isLast: true,
    state: 'sent',
    client_id: null,
    error: null,
    isSeen,
  };
}

function withDays(rows: readonly Draft[]): Row[] {
  const all: Row[] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    if (row.time !== undefined && row.time >= end) {
      const day = dayOf(row.time);
      end = day.end;
      all.push({ kind: 'day', key: `day ${day.start}`, time: row.time });
    }
    all.push(row);
  }
  return all;
}

function grouped(rows: readonly Row[]): Row[] {
  return rows.map((row, at) => {
    if (row.kind !== 'message') return row;
    const [before, after] = [rows[at - 1], rows[at + 1]];
    return { ...row, isFirst: !belongs(before, row), isLast: !belongs(row, after) };
  });
}

function belongs(first: Row | undefined, second: Row | undefined): boolean {
  if (first?.kind !== 'message' || second?.kind !== 'message') return false;
  const isSameWriter = first.isMine ? second.isMine : !second.isMine && first.user_id === second.user_id;
  return isSameWriter && first.state !== 'failed' && second.time - first.time < PAUSE_MS;
}
