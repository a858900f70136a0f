// A slow reader harms only itself: it is closed, the room does not wait for it, and memory does not grow with it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../support/server.mjs';
import { World } from '../support/world.mjs';
import { residentBytes } from './process.mjs';
import { RawPolling, RawSocket, connectPacket, eventPacket } from './raw.mjs';
import { Follower, Sender, assertWhole, load, until } from './support.mjs';

const MEMBERS = ['anna', 'bert', 'cleo'];
const MESSAGES_A_SECOND = 600;
const MESSAGE_BYTES = 1_000;

const CLOSED_WITHIN_MS = 15_000;
/** The kernel's buffers, 3 MB and more on loopback, have to fill before the server can notice anything. */
const FILLED_WITHIN_MS = 8_000;
const LONGEST_GAP_MS = 2_000;
const MOST_GROWTH_BYTES = 100 * 1024 * 1024;

const server = await startServer({ rate_limit_messages: 0, presence_grace_seconds: 0 });

test('a client that stops reading is closed within 15 s and its room does not notice', { timeout: 55_000 }, async (t) => {
  const room = await busyRoom(t);
  const raw = await RawSocket.open(t, server);
  raw.send(connectPacket(room.world.token('stalled')));
  await raw.frame('40{');
  raw.send(eventPacket('join_room', { room_id: room.id }));
  await raw.frame('42["new_message"');
  await isClosed(t, room, raw);
});

test('a raw WebSocket client that stops reading is closed within 15 s and its room does not notice', { timeout: 55_000 }, async (t) => {
  const room = await busyRoom(t);
  const raw = await RawSocket.open(t, server, `/ws/chat/${room.id}/?token=${room.world.token('stalled')}`);
  await raw.frame('{"type":"chat_message"');
  await isClosed(t, room, raw);
});

/** Stops reading, and waits until the server has seen that. */
async function isClosed(t, room, raw) {
  raw.stall();
  const stalled = Date.now();
  let queue = 0;
  let filled = stalled;
  for (let now = stalled; ; now = Date.now()) {
    const waiting = sendQueue(server.port, raw.port);
    if (waiting === null) break;
    if (waiting > queue) [queue, filled] = [waiting, now];
    assert.ok(now - stalled < FILLED_WITHIN_MS + CLOSED_WITHIN_MS, `still connected ${now - stalled} ms after it stopped reading`);
    room.watchMemory();
    await sleep(50);
  }
  const closed = Date.now();
  t.diagnostic(`kernel buffers full after ${filled - stalled} ms (${queue} bytes), closed ${closed - filled} ms later`);
  assert.ok(closed - filled < CLOSED_WITHIN_MS, `closed ${closed - filled} ms after its window was full`);
  assert.ok(queue > 0, 'it was closed before it was slow');

  await room.hears('user_offline', { user_id: 'stalled' });
  raw.resume();
  await until(() => raw.ended, 'its side hears of the end, too');
  await room.isUnharmed();
}

test('a raw WebSocket client that reads too slowly is told so, and finds what it missed', { timeout: 55_000 }, async (t) => {
  const buffer = 64;
  const small = await startServer({ rate_limit_messages: 0, presence_grace_seconds: 0, send_buffer: buffer });
  const world = new World(t, small);
  const room = world.id();
  const path = `/ws/chat/${room}/`;
  const writer = await world.user('writer');
  const other = await world.user('other', { client: 'raw', path });
  const slow = await world.user('slow', { client: 'raw', path });
  await writer.ok('join_room', { room_id: room });
  for (const { socket } of [other, slow]) await socket.frame(({ ack }) => ack === 'join_room');

  const { socket } = slow;
  socket.ws.pause();
  const text = 'x'.repeat(9_000);
  let sent = 0;
  while (writer.all('user_offline', { user_id: 'slow' }).length === 0) {
    const { message } = await writer.ok('chat_message', { room_id: room, message: text });
    await other.waitFor('new_message', { id: message.id });
    sent += 1;
    assert.ok(sent < 5_000, 'the server never noticed');
  }
  socket.ws.resume();
  const { code, reason } = await socket.end();
  assert.equal(code, 4408, reason);
  assert.match(reason, /^too_slow: ./);
  assert.deepEqual(socket.frames.filter(({ type }) => type === 'error').map((frame) => frame.code), ['too_slow']);
  // What it has is the beginning, without a hole; the rest it finds when it comes back.
  const heard = slow.all('new_message').map(({ rev }) => rev);
  t.diagnostic(`${sent} messages, ${heard.length} of them heard`);
  assert.deepEqual(heard, heard.map((_, i) => i + 1));
  assert.ok(heard.length < sent, 'it missed nothing');
  const again = await world.user('slow', { client: 'raw', path: `${path}?since=${heard.length}` });
  const { rev, changes, reset } = await again.socket.frame(({ ack }) => ack === 'join_room');
  assert.equal(rev, sent);
  if (!reset) assert.equal(changes.length, sent - heard.length);
  assert.deepEqual(other.disconnects, []);
});

test('a client that stops polling is closed within 15 s and its room does not notice', { timeout: 55_000 }, async (t) => {
  const room = await busyRoom(t);
  const raw = await RawPolling.open(server);
  await raw.post(connectPacket(room.world.token('stalled')));
  await raw.packet('40{');
  await raw.post(eventPacket('join_room', { room_id: room.id }));
  await raw.packet('42["new_message"');

  const stalled = Date.now();
  let offline = false;
  room.members[0].client.socket.on('user_offline', ({ user_id: id }) => { offline ||= id === 'stalled'; });
  await until(() => {
    room.watchMemory();
    return offline;
  }, 'it is offline', CLOSED_WITHIN_MS);
  t.diagnostic(`closed after ${Date.now() - stalled} ms`);
  assert.notEqual((await raw.get()).status, 200, 'its session is gone');
  await room.isUnharmed();
});

test('a connection that never enters a namespace is closed after the connect timeout', { timeout: 30_000 }, async (t) => {
  const strict = await startServer({ connect_timeout_seconds: 1 });
  const started = Date.now();
  const raw = await RawSocket.open(t, strict);
  await raw.frame('0{');
  const polling = await RawPolling.open(strict);

  await until(() => raw.ended, 'the websocket is closed', 5_000);
  assert.ok(Date.now() - started > 900, `it was closed after ${Date.now() - started} ms already`);
  assert.deepEqual(raw.frames.filter((frame) => frame.startsWith('4')), [], 'nothing was said to it');
  await until(async () => {
    const { status, body } = await polling.get();
    return status !== 200 || body === '1';
  }, 'the polling session is closed', 5_000);
});

/** A room in which a writer does not stop, and three members who have to receive all of it. */
async function busyRoom(t) {
  const world = new World(t, server);
  const id = world.id();
  const writer = new Sender(await world.user('writer'), id, { name: 'writer', window: 512, bytes: MESSAGE_BYTES });
  await writer.client.ok('join_room', { room_id: id });
  const gaps = new Map(MEMBERS.map((name) => [name, { last: 0, longest: 0 }]));
  const members = await Promise.all(MEMBERS.map(async (name) => {
    const follower = new Follower(await world.user(name), id);
    await follower.join();
    const gap = gaps.get(name);
    follower.client.socket.on('new_message', () => {
      const now = Date.now();
      if (gap.last) gap.longest = Math.max(gap.longest, now - gap.last);
      gap.last = now;
    });
    return follower;
  }));
  const stop = load(t, [writer], MESSAGES_A_SECOND);
  const started = Date.now();
  await until(() => members.every(({ last }) => last > 0), 'the room is busy');
  const before = residentBytes(server.pid);
  let most = before;

  return {
    id,
    world,
    members,
    watchMemory() { most = Math.max(most, residentBytes(server.pid)); },
    async hears(event, match) { await Promise.all(members.map(({ client }) => client.waitFor(event, match))); },
    /** Ends the load and checks that all of it went well. */
    async isUnharmed() {
      stop();
      await writer.settled();
      const seconds = (Date.now() - started) / 1000;
      assert.deepEqual(writer.refused, []);
      await until(() => members.every(({ list }) => list.length >= writer.acked.size), 'all have everything');
      t.diagnostic(`${writer.sent} messages, ${Math.round(writer.sent / seconds)} a second; memory grew by ${
        Math.round((most - before) / 1024)} kB; longest gaps ${[...gaps.values()].map(({ longest }) => longest)} ms`);
      for (const { name, client, list } of members) {
        assertWhole(list, { name });
        assert.equal(list.length, writer.sent, name);
        assert.deepEqual(client.disconnects, [], name);
      }
      for (const [name, { longest }] of gaps) assert.ok(longest < LONGEST_GAP_MS, `${name} heard nothing for ${longest} ms`);
      assert.ok(most - before < MOST_GROWTH_BYTES, `the server grew by ${most - before} bytes`);
    },
  };
}

/** Bytes that the kernel holds for a peer that is connected, null when the server has closed that connection. */
function sendQueue(serverPort, clientPort) {
  const port = (number) => number.toString(16).toUpperCase().padStart(4, '0');
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, local, remote, state, queues] = line.trim().split(/\s+/);
    // State 1 is ESTABLISHED; a closed one may stay in FIN_WAIT for as long as its peer does not read.
    if (local?.endsWith(`:${port(serverPort)}`) && remote.endsWith(`:${port(clientPort)}`)) {
      return state === '01' ? Number.parseInt(queues.split(':')[0], 16) : null;
    }
  }
  return null;
}
