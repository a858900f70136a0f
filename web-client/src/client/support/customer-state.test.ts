import { expect, test } from 'vitest';
import type { Message } from '../../protocol/generated/Message';
import type { SenderType } from '../../protocol/generated/SenderType';
import {
  type Conversation,
  type ConversationEvent,
  EMPTY,
  isBehind,
  reduceConversation,
  unreadOf,
} from './customer-state';

const ME = 'guest_1';

function message(seq: number, sender_type: SenderType, more: Partial<Message> = {}): Message {
  const user_id = sender_type === 'customer' ? ME : 'sam';
  const timestamp = new Date(seq * 1000).toISOString();
  const base = { id: `m${seq}`, room_id: 'r', user_id, username: 'x', message: `${seq}`, timestamp };
  return { ...base, seq, rev: seq, sender_type, ...more };
}

const page = (messages: Message[], more: { isFirst?: boolean; rev?: number } = {}): ConversationEvent => ({
  type: 'page',
  page: { messages, has_more: false, rev: more.rev ?? messages.at(-1)?.rev ?? 0 },
  isFirst: more.isFirst ?? true,
});
const after = (...events: ConversationEvent[]): Conversation => events.reduce(reduceConversation, EMPTY);
const seqs = ({ messages }: Conversation) => messages.map(({ seq }) => seq);

test('what lies behind a hole waits, and a page fills it', () => {
  const behind = after(page([message(1, 'customer')]), { type: 'message', message: message(3, 'staff') });
  expect(seqs(behind)).toEqual([1]);
  expect(isBehind(behind)).toBe(true);
  const filled = reduceConversation(behind, page([message(1, 'customer'), message(2, 'staff')], { isFirst: false }));
  expect(seqs(filled)).toEqual([1, 2, 3]);
  expect(isBehind(filled)).toBe(false);
});

test('what the server has lost, after a backup was restored, is gone here too', () => {
  const state = after(
    page([1, 2, 3].map((seq) => message(seq, 'staff'))),
    { type: 'cut' },
    page([message(1, 'staff')]),
  );
  expect(seqs(state)).toEqual([1]);
  expect(isBehind(state)).toBe(false);
});

test('a page that was asked for before something newer came does not take it away', () => {
  const state = after(
    page([message(1, 'customer')]),
    { type: 'reset' },
    { type: 'message', message: message(2, 'staff') },
    page([message(1, 'customer')], { isFirst: false }),
  );
  expect(seqs(state)).toEqual([1, 2]);
});

test('a message of another room says only that the newest page is wanted', () => {
  const state = after(page([message(1, 'customer')]), {
    type: 'message',
    message: message(1, 'customer', { room_id: 'new' }),
  });
  expect(state.room_id).toBe('r');
  expect(state.needs_page).toBe(true);
});

test('what was read by whom: messages say it, and receipts', () => {
  const state = after(
    page([message(1, 'customer', { is_read: true }), message(2, 'staff', { is_read: true }), message(3, 'staff')]),
    { type: 'me', id: 'user' },
  );
  expect(state).toMatchObject({ seen_seq: 1, read_seq: 2 });
  expect(unreadOf(state)).toBe(1);
  const inAnotherWindow = reduceConversation(state, { type: 'receipt', room_id: 'r', by: 'user', seq: 3 });
  expect(unreadOf(inAnotherWindow)).toBe(0);
  expect(inAnotherWindow.seen_seq).toBe(1);
  const bySam = reduceConversation(inAnotherWindow, { type: 'receipt', room_id: 'r', by: 'sam', seq: 3 });
  expect(bySam.seen_seq).toBe(3);
});

test('notes about the conversation are nothing that is unread', () => {
  expect(unreadOf(after(page([message(1, 'customer'), message(2, 'system')])))).toBe(0);
});

test('only staff are shown typing: not oneself in another window, under whichever id', () => {
  const typing = (users: string[]): ConversationEvent => ({ type: 'typing', room_id: 'r', users });
  const state = after(page([message(1, 'customer')]), { type: 'me', id: 'user' }, typing([ME, 'user', 'sam']));
  expect(state.typing).toEqual(['sam']);
  expect(reduceConversation(state, { type: 'message', message: message(2, 'staff') }).typing).toEqual([]);
  expect(reduceConversation(state, { type: 'cut' }).typing).toEqual([]);
});

test('a conversation that ended stays in sight when another begins', () => {
  const next = message(1, 'customer', { id: 'n1', room_id: 'next' });
  const state = after(
    page([message(1, 'customer'), message(2, 'system')]),
    { type: 'room', room: null },
    {
      type: 'outgoing',
      item: { client_id: 'c', text: 'again', created_at: '2026-01-01T00:00:00.000Z', state: 'sending' },
    },
    { type: 'sent', client_id: 'c', message: { ...next, client_id: 'c' } },
  );
  expect(state.status).toBe('closed');
  expect(state.outgoing).toHaveLength(1);
  const loaded = reduceConversation(state, page([{ ...next, client_id: 'c' }], { isFirst: false }));
  expect(loaded).toMatchObject({ room_id: 'next', status: 'waiting', outgoing: [] });
  expect(loaded.past.map(({ id }) => id)).toEqual(['m1', 'm2']);
});

test('a status that came is not overruled by what another room is like', () => {
  const state = after(page([message(1, 'customer')]), { type: 'status', room_id: 'r', status: 'active' });
  expect(reduceConversation(state, { type: 'status', room_id: 'old', status: 'closed' })).toBe(state);
});
