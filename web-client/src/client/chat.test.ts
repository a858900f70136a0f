import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Conversation } from '../protocol/generated/Conversation';
import type { Message } from '../protocol/generated/Message';
import type { Room } from '../protocol/generated/Room';
import { type Chat, createChat } from './chat';
import { ok } from './result';
import { FakeSignals, FakeSockets, fakeKept } from './testing/fakes';

const me = { id: 7, username: 'me', is_guest: false };
let sockets: FakeSockets;
let signals: FakeSignals;
let chat: Chat;
let histories: Map<string, Message[]>;
let listed: Conversation[];

const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const time = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

function message(room_id: string, seq: number, more: Partial<Message> = {}): Message {
  const id = `${room_id}-${seq}`;
  const text = `text ${seq}`;
  return { id, room_id, user_id: 8, username: 'bob', message: text, timestamp: time(seq), seq, rev: seq, ...more };
}

function room(id: string): Room {
  return { id, name: id, kind: 'public', private: false, created_by: 8, created_at: time(0), rev: 0 };
}

function conversation(room_id: string, last: Message | null, unread_count = 0): Conversation {
  const at = last?.timestamp ?? null;
  const name = room_id;
  return { room_id, name, kind: 'public', participants: [], last_message: last, unread_count, last_message_at: at };
}

const history = (id: string) => histories.get(id) ?? [];
const bob = { id: 8, username: 'bob', online: true, role: 'member', last_seen: null };

/** A server with some rooms, which answers at once. */
function serve() {
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

function store(one: Message) {
  histories.set(one.room_id as string, [...history(one.room_id as string), one]);
}

/** Stored, and told to this connection. */
function say(one: Message) {
  store(one);
  sockets.last.receive('new_message', one);
}

const notify = (one: Message, unread_count: number) =>
  sockets.last.receive('notification', {
    kind: 'message',
    room_id: one.room_id,
    message_id: one.id,
    title: 'title',
    body: one.message,
    unread_count,
  });

const seqs = (id: string) =>
  chat
    .room(id)
    .state.getState()
    .messages.map(({ seq }) => seq);
const phase = (id: string) => chat.room(id).state.getState().phase;
const names = () => sockets.last.sent.map(({ name }) => name);
const conversations = () => chat.conversations.state.getState().conversations;
const unread = () => conversations().map(({ room_id, unread_count }) => [room_id, unread_count]);

async function cut() {
  sockets.last.receive('disconnect', 'transport close');
  await pass();
}

async function comeBack() {
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
  serve();
  for (const id of ['a', 'b']) for (const seq of [1, 2, 3]) store(message(id, seq));
  chat = createChat({
    me,
    env: { openSocket: sockets.open, signals, local: fakeKept(), newId: () => crypto.randomUUID(), random: () => 0.5 },
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

describe('a room on screen', () => {
  it('is joined, loaded and followed, and left a moment after it was closed', async () => {
    const close = chat.room('a').open();
    await pass();
    expect(phase('a')).toBe('ready');
    say(message('a', 4));
    expect(seqs('a')).toEqual([1, 2, 3, 4]);
    expect(chat.room('a').state.getState().participants).toEqual([bob]);
    close();
    await pass(199);
    expect(names()).not.toContain('leave_room');
    await pass(1);
    expect(names()).toContain('leave_room');
  });

  it('is joined once though it is mounted, unmounted and mounted', async () => {
    await pass();
    const close = chat.room('a').open();
    close();
    close();
    chat.room('a').open();
    const other = chat.room('a').open();
    await pass(1000);
    other();
    await pass(1000);
    expect(sockets.last.asked('join_room')).toHaveLength(1);
    expect(names()).not.toContain('leave_room');
  });

  it('is exactly right after a lost connection', async () => {
    chat.room('a').open();
    await pass();
    await cut();
    for (const seq of [4, 5, 6]) store(message('a', seq));
    await comeBack();
    expect(sockets.last.asked('join_room')).toEqual([{ room_id: 'a', since: 3 }]);
    expect(seqs('a')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('is loaded anew when too much was missed', async () => {
    chat.room('a').open();
    await pass();
    await cut();
    for (let seq = 4; seq <= 100; seq += 1) store(message('a', seq));
    sockets.answers.set('join_room', () => ({ success: true, room_id: 'a', room: room('a'), rev: 100, reset: true }));
    await comeBack();
    expect(seqs('a')).toEqual(Array.from({ length: 50 }, (_, index) => 51 + index));
    chat.room('a').loadOlder();
    await pass();
    expect(seqs('a')).toHaveLength(100);
  });

  it('catches up by itself when the stream has a hole', async () => {
    chat.room('a').open();
    await pass();
    store(message('a', 4)); // never told
    say(message('a', 5));
    expect(seqs('a')).toEqual([1, 2, 3]);
    await pass(1000);
    expect(seqs('a')).toEqual([1, 2, 3, 4, 5]);
  });

  it('that was left keeps its messages, and takes no later one beyond a hole', async () => {
    const close = chat.room('a').open();
    await pass();
    close();
    await pass(1000);
    store(message('a', 4));
    say(message('a', 5)); // as in a private conversation
    await pass(5000);
    expect(seqs('a')).toEqual([1, 2, 3]);
    chat.room('a').open();
    await pass();
    expect(seqs('a')).toEqual([1, 2, 3, 4, 5]);
    expect(sockets.last.asked('get_messages')).toHaveLength(1);
  });

  it('that was left before the answer came is not entered', async () => {
    await pass();
    sockets.answers.delete('join_room');
    chat.room('a').open()();
    await pass(200);
    sockets.last.answer('join_room', { success: true, room_id: 'a', room: room('a'), rev: 3 });
    await pass();
    chat.room('a').setTyping(true);
    expect(phase('a')).toBe('loading');
    expect(sockets.last.asked('typing')).toEqual([]);
  });

  it('says that it may not be entered', async () => {
    chat.room('closed').open();
    await pass();
    expect(phase('closed')).toBe('denied');
  });

  it('tries again where a failure passes, then says so, and loads when asked to', async () => {
    sockets.answers.set('join_room', () => ({ success: false, code: 'storage_unavailable', message: '' }));
    chat.room('a').open();
    await pass();
    expect(phase('a')).toBe('loading');
    await pass(60_000);
    expect(phase('a')).toBe('failed');
    expect(sockets.last.asked('join_room')).toHaveLength(5);
    serve();
    chat.room('a').reload();
    await pass();
    expect(phase('a')).toBe('ready');
  });

  it('keeps 20 rooms that were left', async () => {
    await pass();
    const first = chat.room('room 0');
    for (let i = 0; i <= 25; i += 1) {
      const close = chat.room(`room ${i}`).open();
      await pass();
      close();
      await pass(1000);
    }
    expect(chat.room('room 25').state.getState().phase).toBe('ready');
    expect(chat.room('room 0')).not.toBe(first);
    expect(chat.room('room 0').state.getState().phase).toBe('loading');
  });
});

describe('after a reconnect', () => {
  it('first comes the list, then the rooms, then what was not acknowledged', async () => {
    chat.room('a').open();
    await pass();
    chat.room('a').send('hello');
    await cut();
    await comeBack();
    const order = names().filter((name) => name !== 'get_room_participants');
    expect(order).toEqual(['get_user_conversations', 'join_room', 'chat_message']);
  });

  it('a message that was stored unheard appears once', async () => {
    chat.room('a').open();
    await pass();
    chat.room('a').send('hello');
    const { client_id } = sockets.last.asked('chat_message')[0] as { client_id: string };
    await cut();
    store(message('a', 4, { user_id: 7, message: 'hello', client_id }));
    sockets.answers.set('chat_message', () => ({ success: true, message: history('a').at(-1) }));
    await comeBack();
    expect(seqs('a')).toEqual([1, 2, 3, 4]);
    expect(chat.room('a').state.getState().outgoing).toEqual([]);
    expect(chat.hasUnsent()).toBe(false);
  });

  it('whoever is not told of is not online any more', async () => {
    await pass();
    const online = (id: number) => chat.people.state.getState().presence.get(id)?.online ?? false;
    sockets.last.receive('user_online', { user_id: 9, username: 'eve' });
    sockets.last.receive('user_online', { user_id: 8, username: 'bob' });
    chat.room('a').open();
    await cut();
    await comeBack();
    expect([online(8), online(9)]).toEqual([true, true]);
    await pass(3000);
    expect([online(8), online(9)]).toEqual([true, false]);
  });

  it('a connection that only looked alive is given up', async () => {
    await pass();
    sockets.answers.delete('get_user_conversations');
    signals.send('visible');
    await pass(5000);
    serve();
    await pass(1);
    expect(sockets.all).toHaveLength(2);
    expect(chat.connection.state.getState().phase).toBe('live');
  });
});

describe('the conversations', () => {
  beforeEach(async () => {
    listed = [conversation('b', message('b', 3), 2), conversation('quiet', null), conversation('a', message('a', 2))];
    chat.conversations.reload();
    await pass();
  });

  it('are listed as the server sorts them: newest first, one without a message where it was made', () => {
    expect(unread()).toEqual([
      ['b', 2],
      ['quiet', 0],
      ['a', 0],
    ]);
  });

  it('show at once what a notification counts, and soon what it is about', async () => {
    const one = message('a', 4, { username: 'eve' });
    store(one);
    notify(one, 1);
    expect(unread()).toContainEqual(['a', 1]);
    await pass(300);
    expect(unread()[0]).toEqual(['a', 1]);
    expect(conversations()[0]?.last_message).toEqual(one);
  });

  it('are read while on screen, and stay so when left', async () => {
    const close = chat.room('b').open();
    expect(unread()).toContainEqual(['b', 0]);
    await pass();
    expect(chat.room('b').state.getState().read_up_to).toBe(1);
    say(message('b', 4));
    close();
    await pass(1000);
    say(message('a', 3)); // the list is made anew
    expect(unread()[0]).toEqual(['b', 0]);
    notify(message('b', 5), 1);
    expect(unread()[0]).toEqual(['b', 1]);
  });

  it('know where the unread ones begin though the list comes with the room', async () => {
    await cut();
    const close = chat.room('b').open();
    await comeBack();
    expect(chat.room('b').state.getState().read_up_to).toBe(1);
    expect(unread()).toContainEqual(['b', 0]);
    close();
  });

  it('move up with my own messages too', async () => {
    sockets.answers.set('chat_message', () => {
      store(message('a', 4, { user_id: 7 }));
      return { success: true, message: history('a').at(-1) };
    });
    chat.room('a').send('hello');
    await pass();
    expect(unread()[0]).toEqual(['a', 0]);
    expect(conversations()[0]?.last_message?.seq).toBe(4);
  });

  it('are asked for once when something comes of an unknown room', async () => {
    const asked = sockets.last.asked('get_user_conversations').length;
    listed = [conversation('new', message('new', 9), 2), ...listed];
    notify(message('new', 8), 1);
    sockets.last.receive('new_message', message('new', 9));
    await pass(300);
    expect(sockets.last.asked('get_user_conversations')).toHaveLength(asked + 1);
    expect(unread()[0]).toEqual(['new', 2]);
  });

  it('do not go back when the list is older than what was told meanwhile', async () => {
    sockets.answers.delete('get_user_conversations');
    const old = listed;
    chat.conversations.reload();
    say(message('a', 4));
    notify(message('a', 4), 1);
    sockets.last.answer('get_user_conversations', { success: true, conversations: old });
    await pass();
    expect(unread()[0]).toEqual(['a', 1]);
    expect(conversations()[0]?.last_message?.seq).toBe(4);
  });

  it('have a room that I made, before its first message', async () => {
    sockets.answers.set('create_room', () => ({ success: true, room_id: 'mine', room: room('mine') }));
    await chat.createRoom({ name: 'mine', private: true });
    expect(conversations().map(({ room_id }) => room_id)).toContain('mine');
  });
});

describe('typing', () => {
  it('is told at most every 4 s, and ends after 5 s of silence, with the message, and on leaving', async () => {
    const close = chat.room('a').open();
    await pass();
    const told = () => sockets.last.asked('typing').map((payload) => (payload as { is_typing: boolean }).is_typing);
    for (let second = 0; second < 8; second += 1) {
      chat.room('a').setTyping(true);
      await pass(1000);
    }
    expect(told()).toEqual([true, true]);
    await pass(4000);
    expect(told()).toEqual([true, true, false]);
    chat.room('a').setTyping(true);
    chat.room('a').send('hello');
    expect(names().slice(-2)).toEqual(['chat_message', 'typing']);
    chat.room('a').setTyping(false);
    expect(told()).toEqual([true, true, false, true, false]);
    chat.room('a').setTyping(true);
    close();
    await pass(200);
    expect(names().slice(-2)).toEqual(['typing', 'leave_room']);
  });
});

describe('a private message', () => {
  it('whose fate is unknown is sent again with the same id', async () => {
    await pass();
    const first = chat.messageUser(8, 'hello');
    await cut();
    expect(await first).toMatchObject({ ok: false, error: { code: 'disconnected' } });
    const [before] = sockets.last.asked('private_message');
    await comeBack();
    sockets.answers.set('private_message', () => ({ success: true, room_id: 'direct', message: message('direct', 1) }));
    expect(await chat.messageUser(8, ' hello ')).toEqual({ ok: true, value: 'direct' });
    await chat.messageUser(8, 'hello');
    const [again, next] = sockets.last.asked('private_message');
    expect(again).toEqual(before);
    expect(next).not.toEqual(before);
  });
});
