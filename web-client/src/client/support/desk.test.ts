import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AdminMessage } from '../../protocol/generated/AdminMessage';
import type { CustomerRoom } from '../../protocol/generated/CustomerRoom';
import type { Message } from '../../protocol/generated/Message';
import type { RoomActivity } from '../../protocol/generated/RoomActivity';
import type { SupportStatus } from '../../protocol/generated/SupportStatus';
import { createDrafts } from '../drafts';
import { ok } from '../result';
import { FakeSignals, FakeSockets, fakeKept } from '../testing/fakes';
import { createDesk, type Desk } from './desk';
import { roomsOf, unreadTotal } from './desk-state';

const me = { id: 1, tenant: 'default', username: 'Sam', is_guest: false, is_staff: true };
const KIM = 2;

let sockets: FakeSockets;
let signals: FakeSignals;
let tab: ReturnType<typeof fakeKept>;
let local: ReturnType<typeof fakeKept>;
let desk: Desk;
let rooms: Map<string, CustomerRoom>;
let histories: Map<string, Message[]>;
let written = 0;

const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const time = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const state = () => desk.state.getState();
const talk = (id: string) => desk.room(id).state.getState();
const texts = (id: string) => talk(id).messages.map(({ message }) => message);
const listed = (status: SupportStatus) => roomsOf(state(), status).map(({ id }) => id);
const tell = (event: string, payload: unknown) => sockets.last.receive(event, payload);
const history = (id: string) => histories.get(id) ?? [];

function room(id: string, more: Partial<CustomerRoom> = {}): CustomerRoom {
  const made = { created_at: time(0), last_message_at: null, last_message: null, unread_count: 0, rev: 0 };
  const nobody = { assigned_to: null, assigned_name: null, is_online: true, is_guest: true };
  const customer = { customer_name: id, customer_email: null, customer_id: `c-${id}` };
  return { id, status: 'waiting', ...customer, ...made, ...nobody, ...more };
}

function stored(id: string, user_id: number | string, sender_type: 'customer' | 'staff', text: string): Message {
  const seq = history(id).length + 1;
  written += 1;
  const place = { id: `${id}-${seq}`, room_id: id, seq, rev: seq, timestamp: time(100 + written) };
  const said = { message: text, content: text, username: String(user_id), sender_name: String(user_id) };
  const message: Message = { ...place, ...said, user_id, sender_type, is_read: false };
  histories.set(id, [...history(id), message]);
  const unread = sender_type === 'customer' ? (rooms.get(id)?.unread_count ?? 0) + 1 : 0;
  change(id, { last_message: message, last_message_at: message.timestamp, unread_count: unread, rev: seq });
  return message;
}

const change = (id: string, patch: Partial<CustomerRoom>) =>
  rooms.set(id, { ...(rooms.get(id) ?? room(id)), ...patch });

/** The customer writes. */
function say(id: string, text: string) {
  const message = stored(id, `c-${id}`, 'customer', text);
  tell('new_customer_message', { room_id: id, message, unread_count: rooms.get(id)?.unread_count });
}

function answered(id: string, text: string, by = KIM) {
  tell('admin_message_sent', { room_id: id, message: stored(id, by, 'staff', text) });
}

function act(id: string, action: RoomActivity['action'], more: Partial<RoomActivity> = {}) {
  const kim = { user_id: KIM, username: 'Kim', is_staff: true };
  tell('room_activity', { room_id: id, action, ...kim, ...more } satisfies RoomActivity);
}

const status = () => {
  const open = [...rooms.values()].filter((one) => one.status !== 'closed');
  return { rooms: open.slice(0, 200), active_customers: open.length, viewers: [] };
};

function serve() {
  const { answers } = sockets;
  answers.set('view_room', (payload) => {
    const { room_id } = payload as { room_id: string | null };
    if (room_id !== null && !rooms.has(room_id)) return { success: false, code: 'not_found', message: 'no' };
    return { success: true, viewers: [], room: room_id === null ? null : rooms.get(room_id) };
  });
  answers.set('get_messages', (payload) => {
    const { room_id, before = 1e9, limit = 50 } = payload as { room_id: string; before?: number; limit?: number };
    const all = history(room_id).filter(({ seq }) => seq < before);
    return { success: true, messages: all.slice(-limit), has_more: all.length > limit, rev: history(room_id).length };
  });
  answers.set('mark_read', (payload) => {
    const { room_id, seq } = payload as { room_id: string; seq: number };
    change(room_id, { unread_count: 0 });
    return { success: true, seq, unread_count: 0 };
  });
  answers.set('get_rooms', (payload) => {
    const { status, cursor, limit } = payload as { status?: SupportStatus; cursor?: string; limit: number };
    const all = roomsOf({ rooms }, status ?? 'waiting');
    const from = Number(cursor ?? 0);
    const next_cursor = from + limit < all.length ? String(from + limit) : null;
    return { success: true, rooms: all.slice(from, from + limit), next_cursor };
  });
  answers.set('admin_message', (payload) => {
    const { room_id, content, client_id, if_rev } = payload as AdminMessage;
    const id = String(room_id);
    if (if_rev !== undefined && if_rev < history(id).length) {
      return { success: false, code: 'stale_reply', message: 'there is a newer message' };
    }
    const message = { ...stored(id, me.id, 'staff', content), ...(client_id === undefined ? {} : { client_id }) };
    histories.set(id, [...history(id).slice(0, -1), message]);
    tell('admin_message_sent', { room_id, message });
    return { success: true, message };
  });
}

function open() {
  desk = createDesk({
    me,
    env: { openSocket: sockets.open, signals, local, tab, newId: () => crypto.randomUUID(), random: () => 0.5 },
    auth: async () => ok({ token: 'token' }),
    unauthorized: async () => false,
    told: () => {},
    drafts: createDrafts(local, { tenant: 'default', user_id: me.id }),
  });
}

async function connect() {
  await pass();
  tell('connect', undefined);
  tell('room_status', status());
  await pass();
}

async function cut() {
  tell('disconnect', 'transport close');
  await pass();
}

async function comeBack() {
  desk.connection.reconnectNow();
  await connect();
}

async function show(id: string) {
  const close = desk.room(id).open();
  await pass();
  return close;
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.setSystemTime(time(1000));
  sockets = new FakeSockets();
  signals = new FakeSignals();
  tab = fakeKept();
  local = fakeKept();
  histories = new Map();
  rooms = new Map();
  serve();
  for (const id of ['a', 'b']) for (const text of ['one', 'two']) stored(id, `c-${id}`, 'customer', `${id} ${text}`);
  open();
  await connect();
});
afterEach(() => {
  desk.dispose();
  vi.useRealTimers();
});

describe('the list', () => {
  it('is on the staff’s door, and says what is unread', () => {
    expect(sockets.last.namespace).toBe('/admin');
    expect(sockets.last.auth).toEqual({ token: 'token' });
    expect(state().phase).toBe('ready');
    expect(unreadTotal(state())).toBe(4);
  });

  it('puts the newest activity first, whoever wrote', () => {
    say('a', 'newest');
    expect(listed('waiting')).toEqual(['a', 'b']);
    stored('b', KIM, 'staff', 'spacer');
    answered('b', 'newer still');
    expect(listed('waiting')).toEqual(['b', 'a']);
    expect(state().rooms.get('b')?.last_message?.message).toBe('newer still');
  });

  it('follows status and who looks after it', () => {
    tell('room_status_update', { room_id: 'a', status: 'active', assigned_to: KIM, assigned_name: 'Kim' });
    expect(listed('active')).toEqual(['a']);
    expect(state().rooms.get('a')).toMatchObject({ assigned_to: KIM, assigned_name: 'Kim' });
    tell('room_status_update', { room_id: 'a', status: 'active', assigned_to: null, assigned_name: null });
    expect(state().rooms.get('a')).toMatchObject({ assigned_to: null, assigned_name: null });
  });

  it('shows who types and who looks at a room, but not me in another window', () => {
    act('a', 'typing', { is_typing: true, user_id: 'c-a', username: 'Ada', is_staff: false });
    act('a', 'typing', { is_typing: true, user_id: me.id, username: 'Sam' });
    act('a', 'viewing');
    act('a', 'viewing', { user_id: me.id, username: 'Sam' });
    expect(state().typists.map(({ username }) => username)).toEqual(['Ada']);
    expect(state().viewers.map(({ username }) => username)).toEqual(['Kim']);
    say('a', 'done');
    act('a', 'left');
    expect(state().typists).toEqual([]);
    expect(state().viewers).toEqual([]);
  });

  it('takes in a room that was opened, and its customer’s going', () => {
    change('c', {});
    act('c', 'opened', { user_id: 'c-c', is_staff: false, room: room('c', { created_at: time(500) }) });
    expect(listed('waiting')).toEqual(['c', 'b', 'a']);
    act('c', 'offline', { user_id: 'c-c', is_staff: false });
    expect(state().rooms.get('c')?.is_online).toBe(false);
  });

  it('asks for a room that it hears of without knowing it', async () => {
    change('z', {});
    say('z', 'from beyond the page');
    await pass(1000);
    expect(listed('waiting')[0]).toBe('z');
  });

  it('loads closed rooms by pages', async () => {
    for (let number = 0; number < 120; number += 1) {
      change(`old${number}`, { status: 'closed', created_at: time(number) });
    }
    for (const count of [50, 100, 120]) {
      desk.loadMore('closed');
      await pass();
      expect(listed('closed')).toHaveLength(count);
    }
    expect(state().loaded.closed.has_more).toBe(false);
    desk.loadMore('closed');
    expect(sockets.last.asked('get_rooms')).toHaveLength(3);
  });

  it('an answer that is older than what was heard changes nothing', async () => {
    sockets.answers.delete('get_rooms');
    desk.loadMore('closed');
    tell('room_status_update', { room_id: 'a', status: 'closed', assigned_to: null, assigned_name: null });
    sockets.last.answer('get_rooms', { success: true, rooms: [room('a', { status: 'waiting' })], next_cursor: null });
    await pass();
    expect(listed('closed')).toEqual(['a']);
  });
});

describe('a room on screen', () => {
  it('tells that I look at it, is read, and divides what was unread', async () => {
    answered('a', 'of Kim');
    say('a', 'three');
    await show('a');
    expect(texts('a')).toEqual(['a one', 'a two', 'of Kim', 'three']);
    expect(sockets.last.asked('view_room')).toEqual([{ room_id: 'a' }]);
    expect(sockets.last.asked('mark_read')).toEqual([{ room_id: 'a', seq: 4 }]);
    expect(talk('a').read_up_to).toBe(3);
    expect(unreadTotal(state())).toBe(2);
  });

  it('is read as it comes, while somebody looks at the page', async () => {
    await show('a');
    signals.send('hidden');
    say('a', 'unseen');
    await pass();
    expect(sockets.last.asked('mark_read')).toHaveLength(1);
    expect(unreadTotal(state())).toBe(3);
    signals.send('visible');
    await pass();
    expect(sockets.last.asked('mark_read').at(-1)).toEqual({ room_id: 'a', seq: 3 });
    expect(unreadTotal(state())).toBe(2);
  });

  it('is not looked at any more by whoever has been away for long', async () => {
    await show('a');
    signals.send('hidden');
    await pass(61_000);
    expect(sockets.last.asked('view_room').at(-1)).toEqual({ room_id: null });
    signals.send('visible');
    await pass();
    expect(sockets.last.asked('view_room').at(-1)).toEqual({ room_id: 'a' });
  });

  it('gives way to another one', async () => {
    const close = await show('a');
    close();
    await show('b');
    await pass(1000);
    expect(sockets.last.asked('view_room')).toEqual([{ room_id: 'a' }, { room_id: 'b' }]);
    expect(state().shown).toBe('b');
  });

  it('hears live what both sides read', async () => {
    await show('a');
    answered('a', 'of Kim');
    act('a', 'read', { seq: 3, user_id: 'c-a', is_staff: false });
    expect(talk('a').read_by).toEqual({ staff: 2, customer: 3 });
    act('b', 'read', { seq: 2, unread_count: 0 });
    expect(unreadTotal(state())).toBe(0);
  });

  it('that does not exist disappears', async () => {
    rooms.delete('a');
    await show('a');
    expect(talk('a').phase).toBe('missing');
    expect(listed('waiting')).toEqual(['b']);
  });

  it('that is gone when it is assigned disappears with what it showed', async () => {
    await show('a');
    sockets.answers.set('assign_room', () => ({ success: false, code: 'access_denied', message: 'no' }));
    await desk.assign('a', me.id);
    expect(listed('waiting')).toEqual(['b']);
    expect(talk('a')).toMatchObject({ phase: 'missing', messages: [] });
  });
});

describe('answering', () => {
  it('sends one after the other, each with what its writer had seen', async () => {
    await show('a');
    desk.room('a').send('first');
    desk.room('a').send('second');
    await pass();
    expect(sockets.last.asked('admin_message')).toMatchObject([
      { content: 'first', if_rev: 2 },
      { content: 'second', if_rev: 3 },
    ]);
    expect(texts('a')).toEqual(['a one', 'a two', 'first', 'second']);
    expect(talk('a').outgoing).toEqual([]);
  });

  it('what came too late is a draft again, before what was written since', async () => {
    await show('a');
    stored('a', KIM, 'staff', 'of Kim'); // on its way
    desk.room('a').send('too late');
    desk.room('a').send('and more');
    desk.drafts.set('a', 'half a thought');
    await pass();
    expect(desk.drafts.state.getState().get('a')).toBe('too late\nand more\nhalf a thought');
    expect(state().stale.has('a')).toBe(true);
    expect(talk('a').outgoing).toEqual([]);
    expect(texts('a')).toEqual(['a one', 'a two', 'of Kim']);
    desk.setAside('a');
    desk.room('a').send('all the same');
    await pass();
    expect(texts('a').at(-1)).toBe('all the same');
    expect(state().stale.size).toBe(0);
  });

  it('waits for the connection, and is refused if somebody answered meanwhile', async () => {
    await show('a');
    await cut();
    desk.room('a').send('written offline');
    stored('a', KIM, 'staff', 'of Kim');
    await comeBack();
    expect(texts('a')).toEqual(['a one', 'a two', 'of Kim']);
    expect(desk.drafts.state.getState().get('a')).toBe('written offline');
  });

  it('outlives a reload', async () => {
    await show('a');
    await cut();
    desk.room('a').send('written offline');
    desk.dispose();
    open();
    await show('a');
    await connect();
    expect(texts('a').at(-1)).toBe('written offline');
    expect(desk.hasUnsent()).toBe(false);
  });

  it('what cannot be stored because the conversation was closed stays to be seen', async () => {
    await show('a');
    sockets.answers.set('admin_message', () => ({ success: false, code: 'room_closed', message: 'closed' }));
    desk.room('a').send('hello?');
    await pass();
    expect(talk('a').outgoing).toMatchObject([{ text: 'hello?', state: 'failed', error: { code: 'room_closed' } }]);
  });
});

describe('after a gap', () => {
  it('everything is as the server has it, once', async () => {
    await show('a');
    act('a', 'typing', { is_typing: true });
    act('a', 'viewing');
    await cut();
    expect(state().typists).toEqual([]);
    expect(state().viewers).toEqual([]);
    stored('a', 'c-a', 'customer', 'meanwhile');
    stored('a', KIM, 'staff', 'of Kim');
    change('b', { status: 'closed' });
    change('c', {});
    await comeBack();
    expect(texts('a')).toEqual(['a one', 'a two', 'meanwhile', 'of Kim']);
    expect(listed('waiting')).toEqual(['a', 'c']);
    say('a', 'live again');
    expect(texts('a').at(-1)).toBe('live again');
  });

  it('a room that was left is right when it comes on screen again', async () => {
    const close = await show('a');
    close();
    await pass(1000);
    await cut();
    stored('a', 'c-a', 'customer', 'meanwhile');
    await comeBack();
    say('a', 'later');
    await show('a');
    expect(texts('a')).toEqual(['a one', 'a two', 'meanwhile', 'later']);
  });

  it('a room on screen that was closed meanwhile says so', async () => {
    await show('a');
    await cut();
    change('a', { status: 'closed' });
    await comeBack();
    expect(state().rooms.get('a')?.status).toBe('closed');
  });

  it('closed rooms that were looked at are asked for again', async () => {
    change('old', { status: 'closed' });
    desk.loadMore('closed');
    await pass();
    await cut();
    rooms.delete('old');
    change('older', { status: 'closed' });
    await comeBack();
    expect(listed('closed')).toEqual(['older']);
  });

  it('a hole in the stream is filled', async () => {
    await show('a');
    stored('a', 'c-a', 'customer', 'lost');
    say('a', 'heard');
    expect(texts('a')).toEqual(['a one', 'a two']);
    await pass(1500);
    expect(texts('a')).toEqual(['a one', 'a two', 'lost', 'heard']);
  });
});

describe('who may not', () => {
  it('is told so, and nothing is tried again', async () => {
    desk.dispose();
    open();
    await pass();
    tell('connect_error', new Error('4403 forbidden: for staff only'));
    await pass(120_000);
    expect(state()).toMatchObject({ phase: 'forbidden' });
    expect(sockets.all).toHaveLength(2);
  });

  it('an identity that ends leaves nothing', async () => {
    await show('a');
    desk.dispose();
    expect(state().rooms.size).toBe(0);
  });
});
