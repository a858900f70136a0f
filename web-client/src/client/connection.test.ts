import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EVENTS } from '../protocol/events';
import { type Connection, type ConnectionEvents, createConnection } from './connection';
import { localError, ok, type Result } from './result';
import { FakeSignals, FakeSockets } from './testing/fakes';

let sockets: FakeSockets;
let signals: FakeSignals;
let connection: Connection;
let events: string[];
let unauthorized: (code: string, again: boolean) => boolean;
let token: () => Result<{ token: string }>;

const phase = () => connection.state.getState();
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function connect() {
  const heard: ConnectionEvents = {
    live: () => events.push('live'),
    down: () => events.push('down'),
    event: (name) => events.push(name),
  };
  connection = createConnection({
    openSocket: sockets.open,
    signals,
    names: EVENTS,
    random: () => 1, // no jitter: the longest wait
    auth: async () => token(),
    unauthorized: async (error, again) => unauthorized(error.code, again),
    events: heard,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  sockets = new FakeSockets();
  signals = new FakeSignals();
  events = [];
  unauthorized = () => false;
  token = () => ok({ token: 'one' });
  connect();
});
afterEach(() => {
  connection.dispose();
  vi.useRealTimers();
});

describe('coming back', () => {
  it('shows that it connects, then that it is live', async () => {
    expect(phase()).toEqual({ phase: 'connecting' });
    await pass(0);
    expect(sockets.last.auth).toEqual({ token: 'one' });
    sockets.last.receive('connect');
    expect(phase()).toEqual({ phase: 'live' });
    expect(events).toEqual(['live']);
  });

  it('waits longer from failure to failure, up to 30 s', async () => {
    await pass(0);
    const waits: number[] = [];
    for (let failure = 1; failure <= 9; failure += 1) {
      sockets.last.receive('connect_error', new Error('websocket error'));
      const state = phase();
      if (state.phase !== 'reconnecting' || state.retry_at === null) throw new Error('it should wait');
      expect(state.attempt).toBe(failure);
      const wait = state.retry_at - Date.now();
      waits.push(wait);
      await pass(wait - 1);
      expect(sockets.all.length).toBe(failure);
      await pass(1);
      expect(sockets.all.length).toBe(failure + 1);
      expect(phase()).toEqual({ phase: 'reconnecting', attempt: failure, retry_at: null });
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  });

  it('begins with short waits again after a connection that lasted', async () => {
    await pass(0);
    for (let failure = 0; failure < 4; failure += 1) {
      sockets.last.receive('connect_error', new Error('websocket error'));
      connection.reconnectNow();
      await pass(0);
    }
    sockets.last.receive('connect');
    sockets.last.receive('disconnect', 'transport close');
    expect(phase()).toMatchObject({ attempt: 5 }); // it did not last
    connection.reconnectNow();
    await pass(0);
    sockets.last.receive('connect');
    await pass(10_000);
    sockets.last.receive('disconnect', 'transport close');
    expect(phase()).toMatchObject({ attempt: 1 });
    expect(events).toEqual(['live', 'down', 'live', 'down']);
  });

  it('gives up an attempt that hangs', async () => {
    await pass(20_000);
    expect(phase()).toMatchObject({ phase: 'reconnecting', attempt: 1 });
    expect(sockets.all[0]?.isClosed).toBe(true);
    sockets.all[0]?.receive('connect'); // too late
    expect(phase().phase).toBe('reconnecting');
  });

  it.each(['online', 'visible'] as const)('tries at once when the browser says %s', async (signal) => {
    await pass(0);
    sockets.last.receive('connect_error', new Error('websocket error'));
    signals.send(signal);
    await pass(0);
    expect(sockets.all.length).toBe(2);
    signals.send(signal); // one attempt at a time
    connection.reconnectNow();
    await pass(0);
    expect(sockets.all.length).toBe(2);
  });

  it('says that there is no network, and that there is again', async () => {
    await pass(0);
    sockets.last.receive('connect');
    signals.send('offline');
    expect(phase().phase).toBe('live'); // as long as it lasts
    sockets.last.receive('disconnect', 'ping timeout');
    expect(phase()).toEqual({ phase: 'offline' });
    signals.send('online');
    expect(phase()).toMatchObject({ phase: 'reconnecting', retry_at: null });
  });

  it('waits where there is nothing to connect with yet', async () => {
    token = () => ({ ok: false, error: localError('unreachable') });
    sockets.all.length = 0;
    connection.dispose();
    connect();
    await pass(0);
    expect(phase().phase).toBe('reconnecting');
    token = () => ok({ token: 'two' });
    await pass(500);
    expect(sockets.last.auth).toEqual({ token: 'two' });
  });

  it('stops for good when it is disposed', async () => {
    await pass(0);
    sockets.last.receive('connect');
    const [socket] = sockets.all;
    connection.dispose();
    socket?.receive('disconnect');
    socket?.receive('new_message', {});
    signals.send('online');
    await pass(60_000);
    expect(socket?.isClosed).toBe(true);
    expect(sockets.all.length).toBe(1);
    expect(events).toEqual(['live']);
  });
});

describe('refusals', () => {
  const refuse = () => sockets.last.receive('connect_error', new Error('unauthorized: the token has expired'));

  it('are tried again at once where it is worth it, and then not', async () => {
    const asked: boolean[] = [];
    unauthorized = (_, again) => {
      asked.push(again);
      return !again;
    };
    await pass(0);
    refuse();
    await pass(0);
    expect(sockets.all.length).toBe(2);
    refuse();
    await pass(0);
    expect(asked).toEqual([false, true]);
    expect(sockets.all.length).toBe(2);
    expect(phase()).toMatchObject({ phase: 'reconnecting' });
  });

  it('of other kinds back off', async () => {
    unauthorized = () => {
      throw new Error('not to be asked');
    };
    await pass(0);
    sockets.last.receive('connect_error', new Error('too_many_connections: Too many connections'));
    expect(phase()).toMatchObject({ phase: 'reconnecting', attempt: 1 });
  });
});

describe('requests', () => {
  beforeEach(async () => {
    await pass(0);
    sockets.last.receive('connect');
  });

  it('have the answer as their result, or the refusal', async () => {
    const first = connection.request('leave_room', { room_id: 1 });
    const second = connection.request('leave_room', { room_id: 2 });
    sockets.last.answer('leave_room', { success: true });
    sockets.last.answer('leave_room', { success: false, code: 'not_found', message: 'no' });
    expect(await first).toMatchObject({ ok: true });
    expect(await second).toMatchObject({ ok: false, error: { code: 'not_found' } });
  });

  it('never hang: the connection is lost, there is none, no answer comes', async () => {
    const lost = connection.request('leave_room', { room_id: 1 });
    sockets.last.receive('disconnect', 'transport close');
    expect(await lost).toMatchObject({ ok: false, error: { code: 'disconnected' } });
    expect(await connection.request('leave_room', { room_id: 1 })).toMatchObject({ error: { code: 'disconnected' } });
    connection.reconnectNow();
    await pass(0);
    sockets.last.receive('connect');
    const late = connection.request('leave_room', { room_id: 1 });
    await pass(10_000);
    expect(await late).toMatchObject({ ok: false, error: { code: 'timeout' } });
  });

  it('hear nothing of an older connection', async () => {
    const [old] = sockets.all;
    const lost = connection.request('leave_room', { room_id: 1 });
    connection.restart();
    await pass(500);
    sockets.last.receive('connect');
    old?.answer('leave_room', { success: true });
    old?.receive('new_message', {});
    expect(await lost).toMatchObject({ error: { code: 'disconnected' } });
    expect(events).toEqual(['live', 'down', 'live']);
  });
});
