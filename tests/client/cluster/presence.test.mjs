// Who is online where, after Redis could not be told.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startStage } from '../chaos/stage.mjs';
import { World, eventually } from '../support/world.mjs';

const stage = await startStage({ count: 2, services: ['postgres', 'redis'] });
const [one, other] = stage.nodes;
after(() => stage.end());

const status = async (node) => (await (await fetch(`${node.url}/readyz`)).json()).status;
const until = (wanted) => eventually(async () => assert.deepEqual(await Promise.all([one, other].map(status)), [wanted, wanted]));

const OUTAGES = {
  'takes no writes': [['CONFIG', 'SET', 'maxmemory', '1mb'], ['CONFIG', 'SET', 'maxmemory', '0']],
  'is a replica': [['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
};

for (const [what, [fail, mend]] of Object.entries(OUTAGES)) {
  test(`who goes while Redis ${what} is offline on all nodes after it`, { timeout: 60_000 }, async (t) => {
    const world = new World(t, one);
    const room = world.id();
    const [ann, eve] = [await world.user('ann'), await world.user('eve')];
    const bob = await new World(t, other, {}).connect({ token: world.token('bob') });
    for (const client of [ann, eve, bob]) await client.ok('join_room', { room_id: room });
    await until('ready');
    await stage.command(...fail);
    await until('degraded');
    for (const client of [eve, bob]) client.mark();
    ann.close();
    await eve.waitFor('user_offline', { user_id: 'ann' });
    await stage.command(...mend);
    await until('ready');
    await bob.waitFor('user_offline', { user_id: 'ann' });
    const { participants } = await bob.ok('get_room_participants', { room_id: room });
    assert.equal(participants.find(({ id }) => id === 'ann').online, false);
  });
}

test('who goes from one of two nodes while Redis cannot say so is gone there only, and online again after it', { timeout: 60_000 }, async (t) => {
  const world = new World(t, one);
  const room = world.id();
  const [ann, bob] = [await world.user('ann'), await world.user('bob')];
  const there = new World(t, other, {});
  const [elsewhere, eve] = [await there.connect({ token: world.token('ann') }), await there.connect({ token: world.token('eve') })];
  for (const client of [ann, bob, elsewhere, eve]) await client.ok('join_room', { room_id: room });
  const [fail, mend] = OUTAGES['is a replica'];
  await until('ready');
  await stage.command(...fail);
  await until('degraded');
  bob.mark();
  ann.close();
  await bob.waitFor('user_offline', { user_id: 'ann' });
  bob.mark();
  await stage.command(...mend);
  await bob.waitFor('user_online', { user_id: 'ann' });
  await elsewhere.ok('leave_room', { room_id: room });
  await eve.waitFor('user_left', { user_id: 'ann' });
  assert.equal(eve.events.some(({ event, data }) => event === 'user_offline' && data.user_id === 'ann'), false);
});
