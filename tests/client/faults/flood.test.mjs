// More than is allowed: a client that does not wait for answers, and an address that opens what it never uses.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { assertRefusal } from '../support/clients.mjs';
import { startServer } from '../support/server.mjs';
import { World } from '../support/world.mjs';
import { RECONNECTS, connected, history, until } from './support.mjs';

const EVENTS = 3_000;
const COMMAND_QUEUE = 256;
const LONGEST_ANSWER_MS = 2_000;

test('each of 3,000 events sent in one go is acknowledged once, with success or overloaded', { timeout: 50_000 }, async (t) => {
  const server = await startServer({ rate_limit_messages: 0, command_queue: COMMAND_QUEUE });
  const world = new World(t, server);
  const room = world.id();
  const flooder = await world.user('flooder');
  const other = await world.user('other');
  for (const client of [flooder, other]) await client.ok('join_room', { room_id: room });

  const acks = new Map();
  const acknowledge = (i) => (ack, ...more) => {
    assert.deepEqual(more, []);
    assert.ok(!acks.has(i), `event ${i} is acknowledged twice`);
    acks.set(i, ack);
  };
  for (let i = 0; i < EVENTS; i += 1) {
    // The reads make the queue fill: messages alone are taken as quickly as they can be read.
    if (i % 2 === 0) flooder.socket.emit('chat_message', { room_id: room, message: `${i}`, client_id: `${i}` }, acknowledge(i));
    else flooder.socket.emit('get_user_conversations', {}, acknowledge(i));
  }

  let answers = 0;
  let longest = 0;
  do {
    const asked = Date.now();
    await other.ok('get_messages', { room_id: room });
    longest = Math.max(longest, Date.now() - asked);
    answers += 1;
  } while (acks.size < EVENTS && answers < 10_000);
  await until(() => acks.size === EVENTS, () => `${EVENTS} acks; there are ${acks.size}`);
  // A second ack of any of them would come before the answers to these; the client counts them, World asserts.
  await flooder.barrier();

  const refused = [...acks.values()].filter(({ success }) => !success);
  t.diagnostic(`${refused.length} of ${EVENTS} refused; the other client got ${answers} answers, the slowest after ${longest} ms`);
  assert.ok(longest < LONGEST_ANSWER_MS, `the other client waited ${longest} ms`);
  for (const ack of refused) assertRefusal(ack, 'overloaded');
  for (let i = 0; i < COMMAND_QUEUE; i += 1) assert.equal(acks.get(i).success, true, `event ${i} had a place in the queue`);

  const accepted = [...acks].filter(([i, ack]) => i % 2 === 0 && ack.success).map(([i]) => `${i}`);
  const inOrder = accepted.toSorted((a, b) => a - b);
  const stored = (await history(other, room)).map(({ message }) => message);
  assert.deepEqual(stored, inOrder, 'what is stored is what was accepted, in the order sent');
  await until(() => other.all('new_message').length >= stored.length, 'the other member hears all of them');
  assert.deepEqual(other.all('new_message').map(({ message }) => message), stored, 'and in that order');
  assert.deepEqual(flooder.disconnects, []);
});

test('handshakes that never connect are refused beyond the limit and keep nobody else out', { timeout: 50_000 }, async (t) => {
  const limit = 200;
  const timeoutSeconds = 4;
  const server = await startServer({ max_pending_per_ip: limit, connect_timeout_seconds: timeoutSeconds });
  const world = new World(t, server);
  const handshakes = (count) => Promise.all(Array.from({ length: count }, async () => {
    const response = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { signal: AbortSignal.timeout(10_000) });
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  }));
  const taken = (answers) => answers.filter(({ status }) => status === 200).length;

  const started = Date.now();
  const answers = await handshakes(300);
  const tookMs = Date.now() - started;
  t.diagnostic(`${taken(answers)} of 300 accepted in ${tookMs} ms`);
  assert.ok(tookMs < timeoutSeconds * 1000, `this machine is too slow for this test: ${tookMs} ms`);
  assert.equal(taken(answers), limit);
  for (const { status, type, body } of answers.filter(({ status }) => status !== 200)) {
    assert.ok([429, 503].includes(status), `${status} ${body}`);
    assert.match(type, /^application\/json/);
    assertRefusal(JSON.parse(body), 'too_many_connections', body);
  }

  // All of 127.0.0.0/8 is this machine.
  const elsewhere = { agent: new Agent({ localAddress: '127.0.0.2' }), label: 'from elsewhere' };
  await world.user('elsewhere', elsewhere);
  const connectedMs = Date.now() - started;
  assert.ok(connectedMs < timeoutSeconds * 1000, `a client of another address had to wait, too: ${connectedMs} ms`);

  // One from the same address has to wait until the places are free again, and then gets in by itself.
  await connected(world.open({ token: world.token('neighbour'), label: 'neighbour', ...RECONNECTS }));
  assert.ok(Date.now() - started < (timeoutSeconds + 5) * 1000, `the places were taken for ${Date.now() - started} ms`);
  await until(async () => taken(await handshakes(1)) === 1, 'handshakes are accepted again', 5_000);
});
