import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EVENTS } from '../protocol/events';
import type { Message } from '../protocol/generated/Message';
import { type Connection, createConnection } from './connection';
import { createOutbox, type Outbox } from './outbox';
import { ok } from './result';
import { emptyRoom, type RoomModel, reduceRoom } from './room-state';
import { FakeSignals, type FakeSocket, FakeSockets, fakeKept } from './testing/fakes';
import { unsentOf } from './unsent';

const ME = 7;
let sockets: FakeSockets;
let connection: Connection;
let outbox: Outbox;
let room: RoomModel;
let held: (number | null)[];
let stored: string[]; // texts, in the server's order
let ids: number;
let tab: ReturnType<typeof fakeKept>;

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const texts = (socket: FakeSocket = sockets.last) =>
  socket.asked('chat_message').map((payload) => (payload as { message: string }).message);
const shown = () => room.outgoing.map(({ text, state }) => `${text}: ${state}`);

/** The server stores the oldest message that waits for its answer. */
function accept() {
  const waiting = sockets.last.sent.find(({ name, ack }) => name === 'chat_message' && ack);
  if (!waiting) throw new Error('nothing waits');
  const { client_id, message } = waiting.payload as { client_id: string; message: string };
  stored.push(message);
  const seq = stored.length;
  const answer: Message = {
    id: `m${seq}`,
    room_id: 'r',
    user_id: ME,
    username: 'me',
    message,
    timestamp: '2026-01-01T00:00:00.000Z',
    seq,
    rev: seq,
    client_id,
  };
  sockets.last.answer('chat_message', { success: true, message: answer });
  return pass(0);
}

function refuse(code: string, retry_after_ms?: number) {
  const more = retry_after_ms === undefined ? {} : { retry_after_ms };
  sockets.last.answer('chat_message', { success: false, code, message: code, ...more });
  return pass(0);
}

async function reconnect() {
  sockets.last.receive('disconnect', 'transport close');
  connection.reconnectNow();
  await pass(0);
  sockets.last.receive('connect');
}

beforeEach(async () => {
  vi.useFakeTimers();
  sockets = new FakeSockets();
  held = [];
  stored = [];
  ids = 0;
  tab = fakeKept();
  room = reduceRoom(emptyRoom('r', ME), { type: 'page', page: { messages: [], has_more: false, rev: 0 } });
  connection = createConnection({
    openSocket: sockets.open,
    signals: new FakeSignals(),
    names: EVENTS,
    random: () => 1,
    auth: async () => ok({}),
    unauthorized: async () => false,
    events: { live: () => outbox.resume(), down: () => {}, event: () => {} },
  });
  outbox = makeOutbox();
  await pass(0);
  sockets.last.receive('connect');
});
const makeOutbox = () =>
  createOutbox({
    deliver: ({ room_id, text, client_id }) =>
      connection.request('chat_message', { room_id, message: text, client_id }),
    isLive: connection.isLive,
    newId: () => `c${++ids}`,
    kept: unsentOf(tab, { tenant: 'default', user_id: ME }),
    random: () => 1,
    report: (_, event) => {
      room = reduceRoom(room, event);
    },
    sent: () => {},
    held: (until) => held.push(until),
  });
afterEach(() => {
  outbox.dispose();
  connection.dispose();
  vi.useRealTimers();
});

const send = (...all: string[]) => {
  for (const text of all) outbox.send('r', text);
};

describe('sending', () => {
  it('shows at once, sends one after the other, and is done with the acknowledgement', async () => {
    send('a', 'b', 'c');
    expect(shown()).toEqual(['a: sending', 'b: sending', 'c: sending']);
    expect(texts()).toEqual(['a']);
    await accept();
    expect(texts()).toEqual(['a', 'b']);
    expect(shown()).toEqual(['b: sending', 'c: sending']);
    await accept();
    await accept();
    expect(room.messages.map(({ message }) => message)).toEqual(['a', 'b', 'c']);
    expect(outbox.hasUnsent()).toBe(false);
  });

  it('waits for the connection, and sends again what was not acknowledged, with the same id', async () => {
    sockets.last.receive('disconnect', 'transport close');
    send('a', 'b');
    expect(outbox.hasUnsent()).toBe(true);
    await pass(500);
    sockets.last.receive('connect');
    await accept();
    expect(texts()).toEqual(['a', 'b']);
    const [old] = sockets.last.asked('chat_message').slice(1);
    send('c');
    await reconnect();
    expect(texts()).toEqual(['b']);
    expect(sockets.last.asked('chat_message')[0]).toEqual(old);
  });

  it('does not send again what has come back as a message', async () => {
    send('a', 'b');
    const { client_id } = sockets.last.asked('chat_message')[0] as { client_id: string };
    outbox.stored({ client_id } as Message);
    await reconnect();
    expect(texts()).toEqual(['b']);
  });
});

describe('the rate limit', () => {
  it('holds all back, says until when, and lets them go by themselves in order', async () => {
    send('a', 'b', 'c');
    await accept();
    const until = Date.now() + 40_000;
    await refuse('rate_limited', 40_000);
    send('d');
    expect(held).toEqual([until]);
    expect(shown()).toEqual(['b: waiting', 'c: waiting', 'd: waiting']);
    await pass(39_999);
    expect(texts()).toEqual(['a', 'b']);
    await pass(1);
    expect(held.at(-1)).toBeNull();
    expect(texts().slice(2)).toEqual(['b']);
    await accept();
    await accept();
    await accept();
    expect(stored).toEqual(['a', 'b', 'c', 'd']);
  });

  it('outlasts a lost connection', async () => {
    send('a');
    await refuse('rate_limited', 40_000);
    await reconnect();
    expect(texts()).toEqual([]);
    await pass(40_000);
    expect(texts()).toEqual(['a']);
  });
});

describe('a reload', () => {
  it('keeps what was not acknowledged, in its order and with its ids, and what has failed', async () => {
    send('a', 'b', 'c');
    await refuse('access_denied');
    const [, before] = sockets.last.asked('chat_message');
    outbox.dispose();
    outbox = makeOutbox();
    expect(outbox.outgoingOf('r').map(({ text, state }) => `${text}: ${state}`)).toEqual([
      'a: failed',
      'b: sending',
      'c: sending',
    ]);
    await reconnect();
    expect(sockets.last.asked('chat_message')).toEqual([before]);
    await accept();
    await accept();
    outbox.discard('c1');
    expect(stored).toEqual(['b', 'c']);
    expect(tab.entries.size).toBe(0);
  });
});

describe('the order', () => {
  it('holds where a limit that was reached is over before the answers are here', async () => {
    send('a', 'b', 'c');
    await refuse('rate_limited', 200);
    await pass(200);
    for (let left = 3; left > 0; left -= 1) await accept();
    expect(stored).toEqual(['a', 'b', 'c']);
    send('d', 'e');
    await refuse('overloaded');
    await pass(10_000);
    await accept();
    await accept();
    expect(stored).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('holds over a lost connection, whatever was on its way', async () => {
    send('a', 'b', 'c');
    await reconnect();
    await refuse('overloaded');
    await reconnect();
    await pass(10_000);
    await accept();
    await reconnect();
    await accept();
    await accept();
    expect(stored).toEqual(['a', 'b', 'c']);
  });
});

describe('failures', () => {
  it('that pass are tried again a few times, in order, then given up; what follows goes on', async () => {
    send('a', 'b');
    await refuse('storage_unavailable');
    for (const wait of [1000, 2000, 4000]) {
      await pass(wait - 1);
      expect(sockets.last.sent.some(({ ack }) => ack)).toBe(false);
      await pass(1);
      await refuse('storage_unavailable');
    }
    send('c');
    expect(texts().at(-1)).toBe('a');
    await pass(8000);
    await refuse('storage_unavailable');
    expect(shown()).toEqual(['a: failed', 'b: sending', 'c: sending']);
    await accept();
    await accept();
    expect(stored).toEqual(['b', 'c']);
  });

  it('for good are shown with their error, and block nothing', async () => {
    send('a', 'b');
    await refuse('invalid_payload');
    await accept();
    expect(shown()).toEqual(['a: failed']);
    expect(room.outgoing[0]?.error?.code).toBe('invalid_payload');
    expect(outbox.hasUnsent()).toBe(true);
    outbox.discard('c1');
    expect(outbox.hasUnsent()).toBe(false);
  });

  it('can be tried again, with the same id', async () => {
    send('a');
    await refuse('access_denied');
    outbox.retry('c1');
    expect(shown()).toEqual(['a: sending']);
    expect(room.outgoing[0]).not.toHaveProperty('error');
    expect(sockets.last.asked('chat_message')[1]).toMatchObject({ client_id: 'c1' });
  });

  it('can be discarded', async () => {
    send('a', 'b');
    await refuse('access_denied');
    outbox.discard('c1');
    expect(shown()).toEqual(['b: sending']);
  });

  it('by silence are tried again', async () => {
    send('a');
    await pass(10_000);
    expect(shown()).toEqual(['a: sending']);
    await pass(1000);
    expect(texts()).toEqual(['a', 'a']);
  });
});
