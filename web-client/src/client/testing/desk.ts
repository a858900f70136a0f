// The staff's desk with a server in memory, made anew for each test of the file that imports this.

import { afterEach, beforeEach, vi } from 'vitest';
import type { AdminMessage } from '../../protocol/generated/AdminMessage';
import type { CustomerRoom } from '../../protocol/generated/CustomerRoom';
import type { Message } from '../../protocol/generated/Message';
import type { RoomActivity } from '../../protocol/generated/RoomActivity';
import type { SupportStatus } from '../../protocol/generated/SupportStatus';
import { createDrafts } from '../drafts';
import { ok } from '../result';
import { createDesk, type Desk } from '../support/desk';
import { roomsOf, unreadTotal } from '../support/desk-state';
import { FakeSignals, FakeSockets, fakeKept } from './fakes';

export const me = { id: 1, tenant: 'default', username: 'Sam', is_guest: false, is_staff: true };
export const KIM = 2;

export let sockets: FakeSockets;
export let signals: FakeSignals;
let tab: ReturnType<typeof fakeKept>;
let local: ReturnType<typeof fakeKept>;
export let desk: Desk;
export let rooms: Map<string, CustomerRoom>;
export let histories: Map<string, Message[]>;
let written = 0;

export const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
export const time = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
export const state = () => desk.state.getState();
export const talk = (id: string) => desk.room(id).state.getState();
export const texts = (id: string) => talk(id).messages.map(({ message }) => message);
export const unread = () => unreadTotal(state());
export const listed = (status: SupportStatus) => roomsOf(state(), status).map(({ id }) => id);
export const tell = (event: string, payload: unknown) => sockets.last.receive(event, payload);
export const history = (id: string) => histories.get(id) ?? [];

export function room(id: string, more: Partial<CustomerRoom> = {}): CustomerRoom {
  const made = { created_at: time(0), last_message_at: null, last_message: null, unread_count: 0, rev: 0 };
  const nobody = { assigned_to: null, assigned_name: null, is_online: true, is_guest: true };
  const customer = { customer_name: id, customer_email: null, customer_id: `c-${id}` };
  return { id, status: 'waiting', ...customer, ...made, ...nobody, ...more };
}

export function stored(id: string, user_id: number | string, sender_type: 'customer' | 'staff', text: string): Message {
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

export const change = (id: string, patch: Partial<CustomerRoom>) =>
  rooms.set(id, { ...(rooms.get(id) ?? room(id)), ...patch });

/** The customer writes. */
export function say(id: string, text: string) {
  const message = stored(id, `c-${id}`, 'customer', text);
  tell('new_customer_message', { room_id: id, message, unread_count: rooms.get(id)?.unread_count });
}

export function answered(id: string, text: string, by = KIM) {
  tell('admin_message_sent', { room_id: id, message: stored(id, by, 'staff', text) });
}

export function act(id: string, action: RoomActivity['action'], more: Partial<RoomActivity> = {}) {
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

export function open() {
  desk = createDesk({
    me,
    env: { openSocket: sockets.open, signals, local, tab, newId: () => crypto.randomUUID(), random: () => 0.5 },
    auth: async () => ok({ token: 'token' }),
    unauthorized: async () => false,
    told: () => {},
    drafts: createDrafts(local, { tenant: 'default', user_id: me.id }),
  });
}

export async function connect() {
  await pass();
  tell('connect', undefined);
  tell('room_status', status());
  await pass();
}

export async function cut() {
  tell('disconnect', 'transport close');
  await pass();
}

export async function comeBack() {
  desk.connection.reconnectNow();
  await connect();
}

export async function show(id: string) {
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
