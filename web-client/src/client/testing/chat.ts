// A chat with a server in memory, made anew for each test of the file that imports this.

import { afterEach, beforeEach, vi } from 'vitest';
import type { Conversation } from '../../protocol/generated/Conversation';
import type { Message } from '../../protocol/generated/Message';
import type { Room } from '../../protocol/generated/Room';
import { type Chat, createChat } from '../chat';
import { ok } from '../result';
import { FakeSignals, FakeSockets, fakeKept } from './fakes';

export const me = { id: 7, tenant: 'default', username: 'me', is_guest: false, is_staff: false };
export let sockets: FakeSockets;
export let signals: FakeSignals;
export let chat: Chat;
export let histories: Map<string, Message[]>;
let listed: Conversation[];

export const tabKept = fakeKept();
const surroundings = () => ({
  local: fakeKept(),
  tab: tabKept,
  newId: () => crypto.randomUUID(),
  random: () => 0.5,
});

export const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
export const time = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

export function message(room_id: string, seq: number, more: Partial<Message> = {}): Message {
  const id = `${room_id}-${seq}`;
  const text = `text ${seq}`;
  return { id, room_id, user_id: 8, username: 'bob', message: text, timestamp: time(seq), seq, rev: seq, ...more };
}

export function room(id: string): Room {
  return { id, name: id, kind: 'public', private: false, created_by: 8, created_at: time(0), rev: 0 };
}

export function conversation(room_id: string, last: Message | null, unread_count = 0): Conversation {
  const at = last?.timestamp ?? null;
  const name = room_id;
  return { room_id, name, kind: 'public', participants: [], last_message: last, unread_count, last_message_at: at };
}

export const history = (id: string) => histories.get(id) ?? [];
export const bob = { id: 8, username: 'bob', online: true, role: 'member', last_seen: null };

/** A server with some rooms, which answers at once. */
export function serve() {
  sockets.answers.set('get_user_conversations', () => ({ success: true, conversations: listed }));
  sockets.answers.set('join_room', (payload) => {
    const { room_id, since } = payload as { room_id: string; since?: number };
    if (room_id === 'closed') return { success: false, code: 'access_denied', message: 'no' };
    const rev = history(room_id).at(-1)?.rev ?? 0;
    const changes = since === undefined ? {} : { changes: history(room_id).filter((one) => one.rev > since) };
    return { success: true, room_id, room: room(room_id), rev, ...changes };
  });
  sockets.answers.set('get_messages', (payload) => {
    const { room_id, before = 1e9, limit = 50 } = payload as { room_id: string; before?: number; limit?: number };
    const all = history(room_id).filter(({ seq }) => seq < before);
    const rev = history(room_id).at(-1)?.rev ?? 0;
    return { success: true, messages: all.slice(-limit), has_more: all.length > limit, rev };
  });
  sockets.answers.set('get_room_participants', () => ({ success: true, participants: [bob] }));
}

export function store(one: Message) {
  histories.set(one.room_id as string, [...history(one.room_id as string), one]);
}

/** Stored, and told to this connection. */
export function say(one: Message) {
  store(one);
  sockets.last.receive('new_message', one);
}

export const notify = (one: Message, unread_count: number) =>
  sockets.last.receive('notification', {
    kind: 'message',
    room_id: one.room_id,
    message_id: one.id,
    title: 'title',
    body: one.message,
    unread_count,
  });

export const seqs = (id: string) =>
  chat
    .room(id)
    .state.getState()
    .messages.map(({ seq }) => seq);
export const phase = (id: string) => chat.room(id).state.getState().phase;
export const names = () => sockets.last.sent.map(({ name }) => name);
export const conversations = () => chat.conversations.state.getState().conversations;
export const unread = () => conversations().map(({ room_id, unread_count }) => [room_id, unread_count]);

/** What the server lists as conversations from now on. */
export function list(...conversations: Conversation[]) {
  listed = conversations;
}

export async function cut() {
  sockets.last.receive('disconnect', 'transport close');
  await pass();
}

export async function comeBack() {
  chat.connection.reconnectNow();
  await pass();
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.setSystemTime(time(1000));
  sockets = new FakeSockets();
  sockets.accepts = true;
  signals = new FakeSignals();
  histories = new Map();
  listed = [];
  tabKept.entries.clear();
  serve();
  for (const id of ['a', 'b']) for (const seq of [1, 2, 3]) store(message(id, seq));
  chat = createChat({
    me,
    env: { openSocket: sockets.open, signals, ...surroundings() },
    auth: async () => ok({}),
    unauthorized: async () => false,
    told: () => {},
    guest: () => {},
  });
});
afterEach(() => {
  chat.dispose();
  vi.useRealTimers();
});
