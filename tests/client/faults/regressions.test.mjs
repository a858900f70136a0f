// Bugs that were found once, each as the fact that it broke.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefusal, now } from '../support/clients.mjs';
import { request } from '../support/raw.mjs';
import { startServer } from '../support/server.mjs';
import { assertNotification } from '../support/shapes.mjs';
import { World } from '../support/world.mjs';
import { dataFolder, serve } from './process.mjs';
import { RECONNECTS, connected, history, until } from './support.mjs';

const UNLIMITED_RATE = { rate_limit_messages: 0 };
/** Each file may grow to so much; the messages that fill them are as large as these tests send. */
const SMALL_DISK_KIB = 1_024;
const LARGE_TEXT = '.'.repeat(8_000);
const RATE_LIMIT = 5;

test('a client that pauses reading has each of its acks once, or is disconnected and knows', { timeout: 40_000 }, async (t) => {
  // More than the buffers of both kernels hold, within what a connection may ask for at once.
  const requests = 400;
  const patience = { slow_reader_seconds: 60, command_queue: requests };
  const server = await startServer({ ...UNLIMITED_RATE, ...patience, send_buffer: 16 });
  const world = new World(t, server);
  const room = world.id();
  const client = await world.user('pausing', RECONNECTS);
  await client.ok('join_room', { room_id: room });
  for (let i = 0; i < 50; i += 1) await client.say(room, [client], '.'.repeat(500));

  const { ws } = client.socket.io.engine.transport;
  ws.pause();
  const acks = new Set();
  for (let i = 0; i < requests; i += 1) client.socket.emit('get_messages', { room_id: room }, () => acks.add(i));
  const served = () => metric(server, 'confab_events_total', 'event="get_messages"');
  const cut = () => metric(server, 'confab_slow_readers_total');
  await until(async () => await cut() > 0 || await served() >= requests, 'the server has answered all, or given up');
  t.diagnostic(`${await served()} of ${requests} were answered while it did not read, ${await cut()} connections were cut`);
  ws.resume();

  // That no ack comes twice, the clients of a world watch themselves.
  const lost = () => `it lives on, and ${requests - acks.size} acks are lost`;
  await until(() => acks.size === requests || client.disconnects.length > 0, lost, 5_000);
  // Reasons for which a client comes back by itself.
  for (const reason of client.disconnects) assert.match(reason, /^transport (close|error)$/);
  await connected(client);
  await client.ok('get_messages', { room_id: room });
});

test('a client that was refused and comes back on the same manager with a good token stays', { timeout: 30_000 }, async (t) => {
  const server = await startServer({ presence_grace_seconds: 0 });
  const world = new World(t, server);
  const watcher = await world.user('watcher');
  const ways = ['3.1', '4.0'].flatMap((client) => [['websocket'], ['polling']].map((transports) => ({ client, transports })));

  await Promise.all(ways.map(async (way) => {
    const id = world.id('returning');
    let accessToken = 'garbage';
    const client = world.open({ ...way, auth: (send) => send({ token: accessToken }) });
    const refusals = [];
    client.socket.on('connect_error', ({ message }) => {
      refusals.push(message);
      accessToken = world.token(id);
      client.socket.connect();
    });
    await connected(client);
    assert.equal(refusals.length, 1, refusals.join(', '));
    assert.match(refusals[0], /^unauthorized: ./);

    // Another one that is refused later and leaves it at that: when it is shown out, the first would have been.
    const other = world.open({ ...way, token: 'garbage' });
    await assert.rejects(other.ready, /^Error: unauthorized: ./);
    await until(() => other.socket.io.engine.readyState === 'closed', 'a client that was refused is shown out');

    assert.deepEqual(client.disconnects, [], client.name);
    await client.barrier();
    assert.deepEqual(watcher.all('user_offline', { user_id: id }), [], client.name);
    client.close();
    await watcher.waitFor('user_offline', { user_id: id });
  }));
});

test('a private message of the grace period is notified on return', { timeout: 30_000 }, async (t) => {
  const server = await startServer({ presence_grace_seconds: 2 });
  const world = new World(t, server);
  const alice = await world.user('alice');
  const leaving = [await world.user('bob'), await world.user('carol')];
  for (const client of leaving) client.close();
  await until(async () => await metric(server, 'confab_connections') === 1, 'only the sender is connected');
  const [toBob, toCarol] = await Promise.all(leaving.map(({ id }) => (
    alice.ok('private_message', { recipient_id: id, message: `for ${id}` })
  )));
  assert.deepEqual(alice.all('user_offline'), [], 'this machine is too slow for this test: the grace period is over');

  const returns = async (id, { room_id, message }) => {
    const client = await world.user(id);
    assertNotification(await client.waitFor('notification'), {
      kind: 'private_message', room_id, message_id: message.id, title: 'ALICE', body: `for ${id}`, unread_count: 1,
    });
    await client.barrier();
    assert.equal(client.all('notification').length, 1, client.name);
  };
  await returns('bob', toBob);
  await alice.waitFor('user_offline', { user_id: 'carol' });
  assert.deepEqual(alice.all('user_offline', { user_id: 'bob' }), [], 'the one was back within the grace period');
  await returns('carol', toCarol);
});

test('a graceful stop keeps how far users have read and when they were last seen', { timeout: 40_000 }, async (t) => {
  const server = await startServer({ ...UNLIMITED_RATE, drain_seconds: 2 });
  const world = new World(t, server);
  const alice = await world.user('alice');
  const bob = await world.user('bob');
  // So many that their writing takes a while.
  const rooms = await Promise.all(Array.from({ length: 200 }, async (_, i) => {
    const { room_id: room } = await alice.ok('create_room', { name: `Room ${i}`, private: true, participants: ['bob'] });
    await alice.say(room, [], 'before');
    await bob.ok('join_room', { room_id: room });
    await alice.say(room, [bob], 'while there');
    return room;
  }));
  alice.close();
  await bob.waitFor('user_offline', { user_id: 'alice' });

  assert.equal(await server.stop(), 0);
  assert.match(await bob.disconnected(), /^transport (close|error)$/);
  await server.restart();

  const later = await world.user('alice');
  for (const room of rooms) {
    const { participants } = await later.ok('get_room_participants', { room_id: room });
    const { online, last_seen: lastSeen } = participants.find(({ id }) => id === 'bob');
    assert.equal(online, false);
    assert.notEqual(lastSeen, null, 'when the user was last seen is forgotten');
  }
  const { conversations } = await (await world.user('bob')).ok('get_user_conversations', {});
  assert.deepEqual(conversations.map(({ room_id: room }) => room).sort(), rooms.toSorted());
  const unread = conversations.filter(({ unread_count: count }) => count > 0);
  assert.deepEqual(unread.map(({ name, unread_count: count }) => `${name}: ${count} unread`), []);
});

test('an expired token is of no use to a client that floods the server with requests', { timeout: 30_000 }, async (t) => {
  const window = 2_000;
  const server = await startServer({ jwt_leeway_seconds: 0, command_queue: 2 * window });
  const world = new World(t, server);
  const exp = now() + 2;
  const client = await world.user('flooder', { token: world.token('flooder', { exp }) });
  let successes = 0;
  let last = 0;
  const flood = () => {
    client.socket.emit('get_user_conversations', {}, (ack) => {
      if (ack.success) {
        successes += 1;
        last = Date.now();
      } else {
        assertRefusal(ack, 'token_expired');
      }
      if (client.connected) flood();
    });
  };
  for (let i = 0; i < window; i += 1) flood();

  const tooLate = (exp + 1) * 1000;
  await until(() => client.disconnects.length > 0 || last > tooLate, 'it is disconnected');
  t.diagnostic(`${successes} successes, the last ${last - exp * 1000} ms after the token had expired`);
  // A connection is served 128 of these a second, after a burst.
  assert.ok(successes > 1_000, `${successes} successes are no flood`);
  assert.ok(last <= tooLate, `a success ${last - exp * 1000} ms after the token had expired`);
  await client.waitFor('error', { code: 'token_expired' });
});

test('users with a kept notification connect, stay and read while nothing can be written', { timeout: 40_000 }, async (t) => {
  const settings = { ...UNLIMITED_RATE, presence_grace_seconds: 0 };
  const server = await serve(dataFolder(), { settings, fileLimitKib: SMALL_DISK_KIB });
  const world = new World(t, server);
  const alice = await world.user('alice');
  const ids = Array.from({ length: 16 }, (_, i) => `reader-${i}`);
  for (const id of ids) (await world.user(id)).close();
  await until(async () => await metric(server, 'confab_connections') === 1, 'they are gone');
  const { room_id: room } = await alice.ok('create_room', { name: 'Team', private: true, participants: ids });
  await alice.ok('join_room', { room_id: room });
  const kept = await alice.say(room, [alice], 'are you there?');
  const elsewhere = world.id('elsewhere');
  await alice.ok('join_room', { room_id: elsewhere });
  for (const text of [LARGE_TEXT, '.']) await fillDisk([alice], elsewhere, text);

  // The first few may find room for the small write that a notification was delivered; then nothing fits any more.
  const readers = [];
  for (const id of ids) {
    const reader = await world.user(id);
    readers.push(reader);
    assertNotification(await reader.waitFor('notification'), { kind: 'message', room_id: room, message_id: kept.id, title: 'Team' });
    await reader.barrier();
  }
  const last = readers.at(-1);
  await last.ok('join_room', { room_id: room });
  assert.deepEqual((await history(last, room)).map(({ id }) => id), [kept.id]);
  for (const [one, other] of [[alice, last], [last, alice]]) {
    one.emit('typing', { room_id: room, is_typing: true });
    await other.waitFor('typing_update', { room_id: room, user_id: one.id });
  }
  assert.deepEqual(readers.flatMap(({ disconnects }) => disconnects), []);
  // What could not be noted as delivered is delivered again, rather than never.
  last.close();
  await until(async () => await metric(server, 'confab_connections') === readers.length, 'the last reader is gone');
  await (await world.user(last.id)).waitFor('notification', { message_id: kept.id });
  assert.doesNotMatch(server.text, /panicked/);
});

test('a notification limit of 0 leaves private messages live, and no notifications', { timeout: 30_000 }, async (t) => {
  const server = await startServer({ notification_room_limit: 0, presence_grace_seconds: 0 });
  const world = new World(t, server);
  const alice = [await world.user('alice'), await world.user('alice')];
  const bob = [await world.user('bob'), await world.user('bob')];
  const first = await alice[0].ok('private_message', { recipient_id: 'bob', message: 'psst' });
  const second = await bob[0].ok('private_message', { recipient_id: 'alice', message: 'yes?' });
  const { room_id: room } = await alice[0].ok('create_room', { name: 'Team', private: true, participants: ['bob', 'carol'] });
  await alice[0].say(room);
  await alice[0].ok('private_message', { recipient_id: 'carol', message: 'when you are back' });
  for (const client of [...alice, ...bob]) {
    for (const { message } of [first, second]) await client.waitFor('new_message', { id: message.id });
    await client.none('notification');
    assert.equal(client.all('new_message', { room_id: first.room_id }).length, 2, client.name);
  }

  const carol = await world.user('carol');
  await carol.none('notification');
  const { conversations } = await carol.ok('get_user_conversations', {});
  assert.deepEqual(conversations.map(({ unread_count: count }) => count), [1, 1], 'what she missed is there all the same');
});

test('messages that a full disk refuses do not count against the rate limit', { timeout: 40_000 }, async (t) => {
  const { unlucky, late, friend, room } = await fullWithALimit(t);
  for (const user of [unlucky, late]) {
    for (let i = 0; i < 2 * RATE_LIMIT; i += 1) {
      await user.refused('storage_unavailable', 'chat_message', { room_id: room, message: LARGE_TEXT });
      await user.refused('storage_unavailable', 'private_message', { recipient_id: friend.id, message: LARGE_TEXT });
    }
  }
  // Many at once, too, as long as no more of them are under way than may be stored: one was.
  const say = () => late.request('chat_message', { room_id: room, message: LARGE_TEXT });
  for (const ack of await Promise.all(Array.from({ length: RATE_LIMIT - 1 }, say))) assertRefusal(ack, 'storage_unavailable');
});

test('a private message whose room cannot be made on a full disk does not count either', { timeout: 40_000 }, async (t) => {
  const { late } = await fullWithALimit(t);
  // A room is smaller than a message, so there may be room for one or two.
  for (let i = 0; i < 4 * RATE_LIMIT; i += 1) {
    await late.refused('storage_unavailable', 'private_message', { recipient_id: `stranger-${i}`, message: LARGE_TEXT });
  }
});

/**
 * A full disk and a rate limit: `unlucky` has sent the message that was refused first, `late` none but a private one to
 * `friend`, to whom everybody has written.
 */
async function fullWithALimit(t) {
  const settings = { rate_limit_messages: RATE_LIMIT, rate_limit_window_seconds: 300 };
  const world = new World(t, await serve(dataFolder(), { settings, fileLimitKib: 2 * SMALL_DISK_KIB }));
  const room = world.id();
  const friend = await world.user('friend');
  // All of them before the disk is full: users, participants and direct rooms are written, too.
  const users = [];
  for (let i = 0; i < 14; i += 1) {
    const user = await world.user(`user-${i}`);
    await user.ok('join_room', { room_id: room });
    await user.ok('private_message', { recipient_id: friend.id, message: 'hello' });
    users.push(user);
  }
  const late = users.pop();
  const unlucky = await fillDisk(users, room, LARGE_TEXT, RATE_LIMIT - 1);
  return { unlucky, late, friend, room };
}

/**
 * Has one of `users` after the other say the same in a room, each up to `most` times, until it is refused because the
 * disk is full. Resolves to the user of that message.
 */
async function fillDisk(users, room, text, most = 5_000) {
  for (const user of users) {
    for (let i = 0; i < most; i += 1) {
      const ack = await user.request('chat_message', { room_id: room, message: text });
      if (!ack.success) {
        assertRefusal(ack, 'storage_unavailable');
        return user;
      }
    }
  }
  throw new Error('the disk was never full');
}

/** The sum of a metric over those of its labels that have `label` among them. */
async function metric(server, name, label = '') {
  const { status, body } = await request(server, '/metrics');
  assert.equal(status, 200);
  const of = body.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  const lines = of.filter((line) => line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
