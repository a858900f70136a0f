// Promise 4 of the contract: history and live stream fit together, at any moment and under load.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../support/server.mjs';
import { World } from '../support/world.mjs';
import { Follower, Sender, assertWhole, connected, history, load, until } from './support.mjs';

const ROOM = 'seam';
const CLIENTS = 30;
const WRITERS = 4;
const LOAD_MS = 7_000;
const MESSAGES_A_SECOND = 1_000;
const TRANSPORTS = [['websocket'], ['polling'], ['polling', 'websocket']];

const server = await startServer({ rate_limit_messages: 0, max_connections_per_user: 100 });
const random = (below) => Math.floor(Math.random() * below);

test('a list kept by replacing on the ack and appending what follows is the exact history', { timeout: 55_000 }, async (t) => {
  const world = new World(t, server);
  const writers = await Promise.all(Array.from({ length: WRITERS }, async (_, i) => {
    const client = await world.user(`writer-${i}`);
    return new Sender(client, ROOM, { name: `w${i}`, window: 64 });
  }));
  for (const { client } of writers) await client.ok('join_room', { room_id: ROOM });

  const started = Date.now();
  const stop = load(t, writers, MESSAGES_A_SECOND);

  const followers = await Promise.all(Array.from({ length: CLIENTS }, async (_, i) => {
    // Over the first half of the load, so that each stays a while in it.
    await sleep((LOAD_MS / 2) * (i / CLIENTS));
    const client = world.open({
      token: world.token(`reader-${i}`), label: `reader-${i}`, transports: TRANSPORTS[i % TRANSPORTS.length],
    });
    await connected(client);
    const follower = new Follower(client, ROOM);
    // Pipelined: the live stream begins between the two acks. Where there is an upgrade, it happens during this.
    const joined = follower.join();
    await follower.newest();
    await joined;
    for (let round = 0; Date.now() - started < LOAD_MS; round += 1) {
      await sleep(100 + random(700));
      await ASK[(i + round) % ASK.length](follower);
    }
    return follower;
  }));
  stop();
  await Promise.all(writers.map((writer) => writer.settled()));
  const seconds = (Date.now() - started) / 1000;

  const newest = Math.max(...writers.flatMap(({ acked }) => [...acked.values()].map(({ seq }) => seq)));
  const behind = () => followers.filter(({ last }) => last < newest);
  await until(() => behind().length === 0, () => `all have message ${newest}: ${behind().map((f) => `${f.name} has ${f.last}`)}`);

  const truth = await history(writers[0].client, ROOM);
  t.diagnostic(`${truth.length} messages in ${seconds.toFixed(1)} s, ${Math.round(truth.length / seconds)} a second`);
  assertWhole(truth);
  assert.equal(truth.at(-1).seq, newest);
  assert.ok(truth.length > 1_000, `only ${truth.length} messages were written: that is no load`);
  for (const { name, refused } of writers) assert.deepEqual(refused, [], name);
  for (const follower of followers) {
    assert.deepEqual(follower.client.disconnects, [], `${follower.name} lost its connection`);
    follower.assertExact(truth);
  }
});

/** The ways in which a client may ask in the midst of the stream; each has to leave it with a whole list. */
const ASK = [
  (follower) => follower.newest(),
  (follower) => follower.newest(200),
  // Some of what it has already is asked for again.
  (follower) => follower.catchUp(Math.max(follower.list[0]?.seq ?? 0, follower.last - random(40))),
  // Two acks under way at once.
  (follower) => Promise.all([follower.newest(10), follower.newest()]),
  async (follower) => {
    await follower.leave();
    await sleep(random(500));
    await follower.rejoin();
  },
  // Without having left: the lists of a client that only thinks that it lost its connection.
  (follower) => follower.rejoin(),
];
