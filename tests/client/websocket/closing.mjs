// How the raw WebSocket door says that it is over: an error frame, then a close code that a browser can read.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, logout } from '../support/accounts.mjs';
import { now, token } from '../support/clients.mjs';
import { startServer } from '../support/server.mjs';
import { World } from '../support/world.mjs';
import { closed, opened, refused } from './ends.mjs';

/** Waits until the room in the address was refused. */
async function notEntered(client, code, error) {
  await closed(client, code, error);
  assert.equal(client.socket.frames.filter(({ type }) => type === 'ack').length, 0);
}

export default {
  'a room that the user may not enter': async (w) => {
    const bob = await w.user('bob');
    const { room_id } = await bob.ok('create_room', { name: 'secret', private: true });
    await notEntered(w.open({ token: w.token('alice'), path: `/ws/chat/${room_id}/` }), 4403, 'access_denied');
    await bob.none('user_joined', { user_id: 'alice' });
  },

  'a public room that a guest may not enter, and one that a guest cannot make': async (w) => {
    const room_id = w.id();
    const bob = await w.connect({ token: token({ user_id: w.id('bob') }) });
    await bob.ok('join_room', { room_id });
    await notEntered(w.open({ path: `/ws/chat/${room_id}/` }), 4403, 'access_denied');
    await notEntered(w.open({ path: `/ws/chat/${w.id()}/` }), 4404, 'not_found');
  },

  'what can be no room': async (w) => {
    for (const path of ['x'.repeat(129), '%23seven', '%23', 'a%00b', '%FF']) {
      await notEntered(w.open({ token: w.token('alice'), path: `/ws/chat/${path}/` }), 4404, 'not_found');
    }
  },

  'what came in before the end is answered': async (w) => {
    const bob = await w.user('bob');
    const { room_id } = await bob.ok('create_room', { name: 'secret', private: true });
    const alice = w.open({
      token: w.token('alice'), path: `/ws/chat/${room_id}/`, first: { type: 'chat_message', content: 'let me in', ack: 'said' },
    });
    await closed(alice, 4403, 'access_denied');
    const { ack: _, type: __, ...body } = alice.socket.frames.find(({ ack }) => ack === 'said') ?? {};
    if (body.code) assert.ok(['access_denied', 'restarting'].includes(body.code), body.code);
    assert.equal((await bob.ok('get_messages', { room_id })).rev, 0);
  },

  'a frame that is too large': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    for (const size of [270_000, 3_000_000]) {
      const alice = await w.user('alice');
      alice.socket.send({ type: 'chat_message', room_id, message: 'x'.repeat(size) });
      await closed(alice, 1009, 'too_large');
    }
    await bob.none('new_message', { user_id: 'alice' }, { room: room_id });
  },

  'a frame that is too large, sent first': async (w) => {
    await refused(w.open({ first: `"${'x'.repeat(300_000)}"` }), 1009, 'too_large');
  },

  'what breaks the protocol': async (w) => {
    // A text that is no UTF-8, a reserved opcode, a continuation of nothing; each masked with zeros.
    for (const bytes of [[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], [0x8b, 0x80, 0, 0, 0, 0], [0x80, 0x81, 0, 0, 0, 0, 0x31]]) {
      const alice = await w.user('alice');
      alice.socket.ws._socket.write(Buffer.from(bytes));
      await closed(alice, 4400, 'invalid_payload');
    }
  },

  'a client that closes is answered, and what it sent before is handled': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const alice = await w.user('alice', { path: `/ws/chat/${room_id}/` });
    for (const content of ['one', 'two', 'three']) alice.socket.send({ type: 'chat_message', content });
    alice.socket.ws.close(4999, 'bye');
    assert.deepEqual(await alice.socket.end(), { code: 4999, reason: 'bye' });
    await bob.waitFor('new_message', { message: 'three' });
    assert.deepEqual(bob.all('new_message').map(({ message }) => message), ['one', 'two', 'three']);
  },
};

/** With the leeway of 5 s such a token ends a connection in about 2 s. */
const endsSoon = () => ({ exp: now() - 3 });

export const expiry = {
  'a token that expires': async (w) => {
    const alice = await w.connect({ token: w.token('alice', endsSoon()), path: `/ws/chat/${w.id()}/` });
    await closed(alice, 4401, 'token_expired');
  },

  'a session that was extended by auth goes on': async (w) => {
    const soon = endsSoon();
    const witness = await w.connect({ token: w.token('witness', soon) });
    const alice = await w.connect({ token: w.token('alice', soon) });
    await alice.ok('auth', { token: w.token('alice') });
    await closed(witness, 4401, 'token_expired');
    await alice.none('error');
  },
};

/** For a server that makes no rooms by joining. */
export const strictRooms = {
  'a room that does not exist': (w) => (
    notEntered(w.open({ token: w.token('alice'), path: `/ws/chat/${w.id()}/` }), 4404, 'not_found')
  ),
};

/** For a server that lets each user connect once. */
export const fewConnections = {
  'too many connections of a user': async (w) => {
    const alice = await w.user('alice');
    await refused(w.open({ token: w.token('alice') }), 4429, 'too_many_connections');
    await refused(w.open({ first: { type: 'auth', token: w.token('alice') } }), 4429, 'too_many_connections');
    await assert.rejects(w.connect({ client: '4.8', token: w.token('alice') }), /too_many_connections/);
    await w.user('bob');
    await alice.none('error');
  },
};

/** For a server on which two of an address may be unknown. */
export const fewPending = {
  'too many connections that have not said who they are': async (w) => {
    const silent = [w.open({ first: null }), w.open({ first: null })];
    await Promise.all(silent.map(opened));
    await refused(w.open({ token: w.token('alice') }), 4429, 'too_many_connections');
    const polling = await fetch(`${w.server.url}/socket.io/?EIO=4&transport=polling`);
    assert.equal(polling.status, 429, 'both doors share the places');
    silent[0].socket.send({ type: 'auth', token: w.token('bob') });
    silent[0].socket.send({ type: 'ping' });
    await silent[0].ready;
    await w.user('alice');
  },
};

/** For a server on which an address may make one guest a minute. */
export const fewGuests = {
  'too many new guests': async (w) => {
    await w.guest();
    const { retry_after_ms } = await refused(w.open(), 4429, 'rate_limited');
    assert.ok(retry_after_ms > 0 && retry_after_ms <= 60_000);
    await w.user('alice');
  },
};

/** For a server with accounts. */
export const signingOut = {
  'a session that is signed out, on all of its connections': async (w) => {
    const alice = await account(w);
    const clients = [];
    for (const way of [{ query: { token: alice.access_token } }, { first: { type: 'auth', token: alice.access_token } }]) {
      clients.push(await w.connect(way));
    }
    const sio = await w.connect({ client: '4.8', token: alice.access_token });
    await logout(w.server, alice);
    for (const client of clients) await closed(client, 4401, 'signed_out');
    await sio.disconnected();
    const again = await w.connect({ query: { token: alice.access_token } });
    assert.match((await again.waitFor('session')).user_id, /^guest_/);
  },
};

/** For a server that pings each second and waits for another. */
export const pings = {
  'a client that answers no pings and says nothing': async (w) => {
    const witness = await w.user('witness');
    const silent = await w.user('silent', { autoPong: false });
    const started = Date.now();
    await closed(silent, 4408, 'too_slow');
    const seconds = (Date.now() - started) / 1000;
    assert.ok(seconds > 1.5 && seconds < 4, `closed after ${seconds} s`);
    await witness.waitFor('user_offline', { user_id: 'silent' });
    assert.deepEqual(witness.disconnects, []);
  },

  'a client that answers no pings but speaks stays': async (w) => {
    const talker = await w.user('talker', { autoPong: false });
    for (let i = 0; i < 12; i += 1) {
      await sleep(300);
      await talker.ok('get_user_conversations');
    }
    assert.deepEqual(talker.disconnects, []);
  },
};

export const draining = {
  'a server that restarts, told to all who are connected or coming': async (w) => {
    const server = await startServer({ drain_seconds: 4 });
    const world = new World({ after() {} }, server, { client: 'raw' });
    world.tenant = w.tenant;
    w.clients.push({ name: 'draining', faults: [], close: () => world.end() });
    const room_id = w.id();
    const members = await world.members(room_id, 'alice', 'bob');
    const waiting = world.open({ first: null });
    await opened(waiting);
    const said = Promise.all(Array.from({ length: 10 }, (_, i) => members[0].ok('chat_message', { room_id, message: `${i}` })));
    const stopped = server.stop();
    for (const client of members) await closed(client, 1012, 'restarting');
    assert.equal((await waiting.socket.end()).code, 1012);
    await said.catch(() => {});
    assert.equal(await stopped, 0);
  },
};
