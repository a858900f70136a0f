// A release: one node after the other is stopped under load and started again. The clients move by themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Follower, RECONNECTS, Sender, assertAudited, assertInOrderOf, connected, history, load, until,
} from '../faults/support.mjs';
import { startCluster } from '../support/cluster.mjs';
import { Server } from '../support/server.mjs';
import { World } from '../support/world.mjs';

const ROOM = 'rolling';
const DRAIN_SECONDS = 2;
/** Connections are closed at random moments in half of the drain time, or in so much for each, if that is less. */
const CLOSING_MS = 2;
const MEMBERS = 24;
const SENDERS = 4;
/** Connections that are only there, of a few users: a handful need not be spread. */
const IDLE = 420;
const IDLE_USERS = 14;
/** Two of three are WebSockets from the start. A browser that polls has the cookie of the node that it came to. */
const DOORS = [['websocket'], ['websocket'], ['polling']].map((transports) => ({ transports, withCredentials: true }));

const cluster = await startCluster({ settings: { rate_limit_messages: 0, drain_seconds: DRAIN_SECONDS } });

/** When a client lost its connections, since 1970. */
function watched(client) {
  const moved = [];
  client.socket.on('disconnect', () => moved.push(Date.now()));
  return moved;
}

test('a rolling restart under load moves the clients bit by bit and loses nothing', { timeout: 120_000 }, async (t) => {
  // Not by a node's cookie: these come as nginx leads them.
  const world = new World(t, { url: cluster.url }, RECONNECTS);
  const followers = await Promise.all(Array.from({ length: MEMBERS }, async (_, i) => {
    const follower = new Follower(await world.user(`member-${i}`, DOORS[i % DOORS.length]), ROOM);
    await follower.join();
    await follower.newest();
    return follower;
  }));
  const idle = await Promise.all(Array.from({ length: IDLE }, (_, i) => world.user(`idle-${i % IDLE_USERS}`)));
  const all = [...followers.map(({ client }) => client), ...idle].map((client) => ({ client, moved: watched(client) }));
  const senders = followers.slice(0, SENDERS).map(({ client }, i) => new Sender(client, ROOM, { name: `s${i}` }));
  // Whoever comes back catches up, and sends again what was not acknowledged.
  const returns = followers.map((follower, i) => {
    let last = Promise.resolve();
    follower.client.socket.on('connect', () => {
      last = follower.rejoin().then(() => senders[i]?.resend());
      last.catch(() => {});
    });
    return () => last;
  });
  const acked = () => senders.reduce((sum, sender) => sum + sender.acked.size, 0);
  const more = (count) => {
    const goal = acked() + count;
    return until(() => acked() >= goal, () => `${goal} acks; there are ${acked()}`);
  };
  const stop = load(t, senders, 200);

  for (const node of cluster.nodes) {
    await more(200);
    const before = all.map(({ moved }) => moved.length);
    const { [cluster.nodes.indexOf(node)]: had } = await cluster.connections();
    const signalled = Date.now();
    assert.equal(await node.stop(), 0);
    assert.ok(Date.now() - signalled < DRAIN_SECONDS * 1000 + 1500, `it took ${Date.now() - signalled} ms`);
    await Promise.all(all.map(({ client }) => connected(client)));
    await Promise.all(returns.map((last) => last()));

    const times = all.flatMap(({ moved }, i) => moved.slice(before[i])).map((at) => at - signalled).sort((a, b) => a - b);
    t.diagnostic(`of ${all.length} clients ${had} were on it and moved after ${times[0]} to ${times.at(-1)} ms`);
    assert.ok(had > all.length / 6, 'hardly anybody was on it');
    assert.equal(times.length, had, 'those who were on it moved once, and nobody else');
    assert.ok(times.at(-1) < DRAIN_SECONDS * 1000, 'all were told to go in time');
    const closing = Math.min(DRAIN_SECONDS * 500, CLOSING_MS * had);
    assert.ok(times.at(-1) - times[0] > closing / 2, `they left within ${times.at(-1) - times[0]} ms of ${closing}`);
    await node.restart();
    await rejoined(cluster.nodes.indexOf(node), world);
  }

  stop();
  await Promise.all(senders.map((sender) => sender.settled()));
  const newest = Math.max(...senders.flatMap((sender) => [...sender.acked.values()].map(({ seq }) => seq)));
  const behind = () => followers.filter(({ last }) => last < newest);
  await until(() => behind().length === 0, () => `all have message ${newest}: ${behind().map((f) => `${f.name} has ${f.last}`)}`);
  const truth = await history(followers[0].client, ROOM);
  assert.equal(assertAudited(truth, senders).size, 0);
  for (const sender of senders) {
    assert.equal(sender.acked.size, sender.sent, sender.name);
    for (const { ack } of sender.refused) assert.equal(ack.code, 'restarting', sender.name);
    assertInOrderOf(sender, truth);
  }
  for (const follower of followers) follower.assertExact(truth);
});

/** Until nginx sends WebSockets to this node again. It is the least busy one. */
async function rejoined(index, world) {
  const mine = async () => (await cluster.connections())[index];
  await until(async () => {
    const client = await world.user('probe', { reconnection: false });
    const count = await mine();
    client.close();
    return count > 0;
  }, `nginx sends somebody to node ${index}`, 20_000);
  await until(async () => (await mine()) === 0, 'the probe is gone');
}

test('nodes that start together on an empty database migrate once', { timeout: 60_000 }, async () => {
  const { postgres, redis } = cluster;
  for (let round = 0; round < 3; round += 1) {
    const databaseUrl = await postgres.createDatabase();
    const common = { database_url: databaseUrl, redis_url: redis.url, redis_prefix: `migrating-${round}` };
    const nodes = ['one', 'two', 'three'].map((name) => new Server({ ...common, node_name: name }));
    await Promise.all(nodes.map((node) => node.start()));
    const versions = await postgres.query('SELECT version FROM seaql_migrations', databaseUrl);
    assert.ok(versions.length > 0);
    assert.equal(new Set(versions).size, versions.length);
    const migrated = nodes.filter((node) => node.log().some((line) => line.includes('Applying migration')));
    assert.equal(migrated.length, 1);
    for (const node of nodes) assert.equal((await fetch(`${node.url}/readyz`)).status, 200);
    await Promise.all(nodes.map((node) => node.stop()));
  }
});
