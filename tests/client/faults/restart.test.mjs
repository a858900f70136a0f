// SIGTERM under load: the server drains, the clients come back by themselves and miss nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../support/server.mjs';
import { World } from '../support/world.mjs';
import {
  Follower, RECONNECTS, Sender, assertAudited, connected, history, load, until,
} from './support.mjs';

const ROOM = 'restart';
const DRAIN_SECONDS = 4;
const TRANSPORTS = [['websocket'], ['websocket'], ['polling'], ['polling', 'websocket'], ['websocket'], ['polling']];
const SENDERS = 4;

const server = await startServer({ rate_limit_messages: 0, drain_seconds: DRAIN_SECONDS });

test('a stop under load loses nothing and the clients come back by themselves', { timeout: 55_000 }, async (t) => {
  const world = new World(t, server, RECONNECTS);
  const followers = await Promise.all(TRANSPORTS.map(async (transports, i) => {
    const client = await world.user(`member-${i}`, { transports });
    const follower = new Follower(client, ROOM);
    await follower.join();
    await follower.newest();
    return follower;
  }));
  const senders = followers.slice(0, SENDERS).map(({ client }, i) => new Sender(client, ROOM, { name: `s${i}` }));
  const acked = () => senders.reduce((sum, sender) => sum + sender.acked.size, 0);

  const stop = load(t, senders, 800);
  await until(() => acked() >= 400, () => `400 acks; there are ${acked()}`);

  // The moment a client is back it catches up, while those that came back before it send already.
  const back = Promise.all(followers.map(async (follower, i) => {
    await until(() => follower.client.disconnects.length > 0, `${follower.name} is disconnected`);
    await connected(follower.client);
    await follower.rejoin();
    senders[i]?.resend();
  }));
  // It may only be looked at after the restart.
  back.catch(() => {});

  const signalled = Date.now();
  let stopped = null;
  const stopping = server.stop().then((code) => { stopped = { code, after: Date.now() - signalled }; });
  const readiness = [];
  while (!stopped) {
    readiness.push({ ready: await ready(), after: Date.now() - signalled });
    await Promise.race([stopping, new Promise((resolve) => { setTimeout(resolve, 50); })]);
  }
  t.diagnostic(`stopped after ${stopped.after} ms, ${acked()} acknowledged, refused ${senders.map(({ refused }) => refused.length)}`);
  assert.equal(stopped.code, 0);
  assert.ok(stopped.after < DRAIN_SECONDS * 1000 + 1500, `it took ${stopped.after} ms`);
  const firstNot = readiness.findIndex((each) => !each.ready);
  assert.ok(firstNot >= 0 || stopped.after < 1000, `it was ready all the time: ${JSON.stringify(readiness)}`);
  const lastReady = readiness.findLast((each) => each.ready)?.after ?? 0;
  assert.ok(lastReady < 1000, `ready ${lastReady} ms after SIGTERM`);
  if (firstNot >= 0) assert.ok(readiness.slice(firstNot).every((each) => !each.ready), 'it became ready again');

  await server.restart();
  await back;
  const before = acked();
  await until(() => acked() >= before + 400, 'the load goes on');
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
  }
  for (const follower of followers) {
    const { disconnects } = follower.client;
    assert.ok(disconnects.length > 0, `${follower.name} was not disconnected`);
    for (const reason of disconnects) assert.match(reason, /^transport (close|error)$/, follower.name);
    follower.assertExact(truth);
    assert.equal(follower.list.length, truth.length, follower.name);
  }
});

/** Whether new clients should be sent here. A refused connection is a no, too. */
async function ready() {
  try {
    const response = await fetch(`${server.url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
