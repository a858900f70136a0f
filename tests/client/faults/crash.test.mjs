// Promises 1, 3 and 5 of the contract over kill -9: what was acknowledged is there, and a retry stores nothing twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../support/server.mjs';
import { World } from '../support/world.mjs';
import {
  RECONNECTS, Sender, assertAudited, assertInOrderOf, connected, history, until,
} from './support.mjs';

const ROOM = 'crash';
const ROUNDS = 3;
const TRANSPORTS = [['websocket'], ['websocket'], ['polling'], ['polling', 'websocket']];

const server = await startServer({ rate_limit_messages: 0 });

test('nothing acknowledged is lost and nothing is stored twice when the server is killed', { timeout: 55_000 }, async (t) => {
  const world = new World(t, server, RECONNECTS);
  let acks = 0;
  const senders = await Promise.all(TRANSPORTS.map(async (transports, i) => {
    const client = await world.user(`sender-${i}`, { transports });
    return new Sender(client, ROOM, { name: `s${i}`, onAck: () => { acks += 1; } });
  }));
  const auditor = await world.user('auditor');
  const clients = [auditor, ...senders.map(({ client }) => client)];
  const join = () => Promise.all(clients.map((client) => client.ok('join_room', { room_id: ROOM })));
  await join();

  for (let round = 0; round < ROUNDS; round += 1) {
    const enough = acks + 200 + Math.floor(Math.random() * 400);
    for (const sender of senders) sender.start();
    await until(() => acks >= enough, () => `${enough} acks; there are ${acks}`);
    await sleep(Math.random() * 30);
    await server.kill();
    await until(() => clients.every(({ socket }) => !socket.connected), 'all have lost their connection');
    await server.restart();
    await Promise.all(clients.map(connected));
    await join();

    // Before anything is sent again.
    const stored = await history(auditor, ROOM);
    const unknown = assertAudited(stored, senders);
    const unacked = senders.reduce((sum, sender) => sum + sender.unacked.size, 0);
    t.diagnostic(`round ${round}: ${stored.length} stored, ${unacked} unacknowledged, of them ${unknown.size} stored`);

    for (const sender of senders) sender.resend();
    await Promise.all(senders.map((sender) => sender.settled()));
    for (const [text, message] of unknown) {
      const { acked } = senders.find((sender) => sender.acked.has(text));
      assert.deepEqual(acked.get(text), message, `the retry of ${text} is acknowledged with the original`);
    }
  }

  const stored = await history(auditor, ROOM);
  assert.equal(assertAudited(stored, senders).size, 0);
  for (const sender of senders) {
    assert.deepEqual(sender.refused, [], sender.name);
    assert.equal(sender.acked.size, sender.sent, sender.name);
    assertInOrderOf(sender, stored);
  }
});
