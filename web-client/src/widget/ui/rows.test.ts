import { expect, test } from 'vitest';
import { EMPTY } from '../../client/support/customer-state';
import type { Message } from '../../protocol/generated/Message';
import type { SenderType } from '../../protocol/generated/SenderType';
import { rowsOf } from './rows';

const START = Date.parse('2026-03-04T10:00:00.000Z');

function message(seq: number, minutes: number, sender_type: SenderType, more: Partial<Message> = {}): Message {
  const user_id = sender_type === 'customer' ? 7 : 'sam';
  const timestamp = new Date(START + minutes * 60_000).toISOString();
  const base = { id: `m${seq}`, room_id: 'r', user_id, username: 'Sam', message: `text ${seq}`, timestamp };
  return { ...base, seq, rev: seq, sender_type, ...more };
}

const outline = (...messages: Message[]) =>
  rowsOf({ ...EMPTY, messages }).map((row) =>
    row.kind === 'message' ? `${row.isFirst ? '[' : ''}${row.text}${row.isLast ? ']' : ''}` : row.kind,
  );

test('messages in a row belong together, until somebody else writes or time goes by', () => {
  const list = [
    message(1, 0, 'customer'),
    message(2, 1, 'customer'),
    message(3, 2, 'staff'),
    message(4, 3, 'staff', { user_id: 'kim' }),
    message(5, 4, 'customer'),
    message(6, 20, 'customer'),
  ];
  expect(outline(...list)).toEqual(['day', '[text 1', 'text 2]', '[text 3]', '[text 4]', '[text 5]', '[text 6]']);
});

test('each day is said once, and notes are no messages', () => {
  const list = [message(1, 0, 'customer'), message(2, 1, 'system'), message(3, 26 * 60, 'staff')];
  expect(outline(...list)).toEqual(['day', '[text 1]', 'note', 'day', '[text 3]']);
});

test('a conversation that ended is told from the one that follows', () => {
  const rows = rowsOf({
    ...EMPTY,
    past: [message(1, 0, 'customer')],
    messages: [message(2, 1, 'customer', { id: 'n' })],
  });
  expect(rows.map(({ kind }) => kind)).toEqual(['day', 'message', 'new', 'message']);
});

test('a message stays the same row when it was sent', () => {
  const outgoing = [
    { client_id: 'c', text: 'text', created_at: new Date(START).toISOString(), state: 'sending' as const },
  ];
  const before = rowsOf({ ...EMPTY, outgoing }).at(-1);
  const after = rowsOf({ ...EMPTY, messages: [message(1, 0, 'customer', { client_id: 'c' })] }).at(-1);
  expect(before?.key).toBe(after?.key);
});

test('only the newest of mine says that it was seen, and only when nothing is on its way', () => {
  const messages = [message(1, 0, 'customer'), message(2, 10, 'customer'), message(3, 11, 'staff')];
  const seen = (more: object) =>
    rowsOf({ ...EMPTY, messages, seen_seq: 3, ...more }).flatMap((row) =>
      row.kind === 'message' && row.isSeen ? row.text : [],
    );
  expect(seen({})).toEqual(['text 2']);
  expect(seen({ seen_seq: 1 })).toEqual([]);
  const outgoing = [{ client_id: 'c', text: 'x', created_at: new Date(START).toISOString(), state: 'sending' }];
  expect(seen({ outgoing })).toEqual([]);
});
