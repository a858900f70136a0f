import { expect, test } from 'vitest';
import type { Message } from '../../protocol/generated/Message';
import { createRows } from './rows';

const buildRows = createRows('me');
const START = new Date(2026, 10, 21, 12, 0).getTime();

function message(seq: number, minute: number, user: string, more: Partial<Message> = {}): Message {
  const timestamp = new Date(START + minute * 60_000).toISOString();
  return {
    id: `m${seq}`,
    room_id: 'r',
    user_id: user,
    username: user,
    message: 'x',
    timestamp,
    seq,
    rev: seq,
    ...more,
  };
}

const shape = (messages: readonly Message[], readUpTo = 0) =>
  buildRows(messages, [], readUpTo).map((row) => (row.isHead ? 'head' : 'rest') + (row.isFirstNew ? '+new' : ''));

test('groups what one sender says within five minutes', () => {
  const messages = [message(1, 0, 'a'), message(2, 4, 'a'), message(3, 6, 'a'), message(4, 6, 'b')];
  expect(shape(messages)).toEqual(['head', 'rest', 'head', 'head']);
});

test('a day begins with its first message, and with a group', () => {
  const rows = buildRows([message(1, 0, 'a'), message(2, 1, 'a'), message(3, 720, 'a')], [], 0);
  expect(rows.map((row) => row.day !== null)).toEqual([true, false, true]);
});

test('the divider stands above the first message that was not read, once', () => {
  const messages = [message(1, 0, 'a'), message(2, 1, 'a'), message(3, 2, 'a')];
  expect(shape(messages, 1)).toEqual(['head', 'head+new', 'rest']);
  expect(shape(messages, 0)).toEqual(['head', 'rest', 'rest']);
});

test('my message keeps its key when it is acknowledged', () => {
  const created_at = new Date(START).toISOString();
  const before = buildRows([], [{ client_id: 'c1', text: 'x', created_at, state: 'sending' }], 0);
  const after = buildRows([message(1, 0, 'me', { client_id: 'c1' })], [], 0);
  expect(after[0]?.key).toBe(before[0]?.key);
});

test('the same client id of somebody else is another message', () => {
  const rows = buildRows([message(1, 0, 'a', { client_id: 'c1' }), message(2, 0, 'b', { client_id: 'c1' })], [], 0);
  expect(new Set(rows.map((row) => row.key)).size).toBe(2);
});

test('a row stays as it is when older messages come in above it', () => {
  const messages = [message(1, 0, 'a'), message(2, 1, 'a'), message(3, 2, 'b'), message(4, 3, 'b')];
  for (const loaded of [3, 2]) {
    const before = buildRows(messages.slice(-loaded), [], 0, true);
    expect(buildRows(messages, [], 0, true).slice(-before.length)).toEqual(before);
    expect(before).toHaveLength(loaded - 1);
  }
  expect(buildRows(messages, [], 0, false)).toHaveLength(4);
});

test('a message in its old place keeps its row', () => {
  const messages = [message(1, 0, 'a'), message(2, 1, 'a')];
  const before = buildRows(messages, [], 0);
  const after = buildRows([...messages, message(3, 2, 'a')], [], 0);
  expect(after[0]).toBe(before[0]);
  expect(after[1]).toBe(before[1]);
  // One comes in above: the first is no longer the first of its day.
  expect(buildRows([message(0, -1, 'a'), ...messages], [], 0)[1]).not.toBe(before[0]);
});

test('what I write stands below what I have read, whatever the clock here says', () => {
  const created_at = new Date(START - 48 * 3600_000).toISOString();
  const rows = buildRows([message(1, 0, 'a')], [{ client_id: 'c1', text: 'x', created_at, state: 'sending' }], 0);
  expect(rows[1]).toMatchObject({ day: null, at: START });
});
