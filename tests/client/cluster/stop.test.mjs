// A node that is stopped while it cannot get rid of what it has.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStage } from '../chaos/stage.mjs';
import { World } from '../support/world.mjs';

const DRAIN_SECONDS = 1;
/** What docs/cluster.md says that the end may take besides. */
const END_SECONDS = 9;
const USERS = 20;

// With few connections to the database, so that a handful of users has to wait for each other.
const settings = { drain_seconds: DRAIN_SECONDS, database_connections: 2 };
const stage = await startStage({ count: 1, services: ['postgres', 'redis'], settings });
const [node] = stage.nodes;
after(() => stage.end());

test('a node whose database says nothing any more ends all the same', { timeout: 60_000 }, async (t) => {
  const world = new World(t, node);
  const users = await Promise.all(Array.from({ length: USERS }, (_, i) => world.user(`user-${i}`)));
  await Promise.all(users.map((user) => user.ok('join_room', { room_id: 'room' })));
  await node.ways.postgres.set('hang');
  const begun = Date.now();
  await node.stop();
  const took = (Date.now() - begun) / 1000;
  assert.ok(took < DRAIN_SECONDS + END_SECONDS, `it took ${took} s`);
});
