// What is said while nodes do not hear each other, found by the chaos runs.
import { after, test } from 'node:test';
import { startStage } from '../chaos/stage.mjs';
import { until } from '../faults/support.mjs';
import { World } from '../support/world.mjs';

/** That a look into the store came to nothing is no news to operators. */
const LOOKS = 'confab::chat::missed';
/** Whoever leaves is told to be gone before another node has noticed that Redis forgot. */
const GRACE = { presence_grace_seconds: 0 };
const stage = await startStage({ count: 2, services: ['postgres', 'redis'], settings: { ...GRACE, log: `info,${LOOKS}=debug` } });
const [one, other] = stage.nodes;
after(() => stage.end());

test('a private conversation lacks nothing for who spoke in it while their node was cut off', { timeout: 30_000 }, async (t) => {
  const world = new World(t, one);
  const ann = await world.user('ann');
  const bob = await new World(t, other, {}).connect({ token: world.token('bob'), label: 'bob' });
  const say = (client, recipient, message) => client.ok('private_message', { recipient_id: recipient, message });
  await say(ann, 'bob', 'one');
  await bob.waitFor('new_message', { message: 'one' });
  const again = await new World(t, other).connect({ token: world.token('bob'), label: 'bob again' });
  bob.close();
  // Nobody listens to the conversation on that node now.
  await again.barrier();

  await other.ways.redis.set('refuse');
  await say(ann, 'bob', 'two');
  await say(again, 'ann', 'three');
  await again.waitFor('new_message', { message: 'three' });
  await other.ways.redis.heal();
  await again.waitFor('new_message', { message: 'two' });
  await ann.waitFor('new_message', { message: 'three' });
});

test('what was said while a node was cut off is found when the database is back, though the bus says nothing more', { timeout: 60_000 }, async (t) => {
  const world = new World(t, one);
  const ann = await world.user('ann');
  const bob = await new World(t, other).connect({ token: world.token('bob'), label: 'bob' });
  for (const client of [ann, bob]) await client.ok('join_room', { room_id: 'cut-off' });
  await ann.say('cut-off', [bob], 'one');
  const lines = (matches) => other.server.log().filter((line) => line.startsWith('{') && matches(JSON.parse(line))).length;
  const failedLooks = () => lines(({ target }) => target === LOOKS);
  const redis = async () => (await (await fetch(`${other.url}/readyz`)).json()).redis.ok;

  await other.ways.redis.set('refuse');
  await other.ways.postgres.set('refuse');
  await until(() => failedLooks() > 0, 'a look that fails');
  await ann.say('cut-off', [ann], 'two');
  await other.ways.redis.heal();
  await until(redis, 'Redis is back');
  // All that the bus has to say of it is followed by a look, and none succeeds.
  const failed = failedLooks();
  await until(() => failedLooks() > failed + 2, 'looks that fail', 20_000);
  await other.ways.postgres.heal();
  await bob.waitFor('new_message', { message: 'two' });
});

test('who leaves one of two nodes when Redis was flushed is told to be online, since they are on the other', { timeout: 30_000 }, async (t) => {
  const [here, there] = [new World(t, one), new World(t, other)];
  const ann = await here.user('ann');
  const phone = await here.user('bob');
  const laptop = await there.connect({ token: here.token('bob'), label: 'bob on the other node' });
  // Their nodes have told the roster.
  await Promise.all([phone, laptop].map((client) => client.barrier()));
  const witness = await here.user('witness');
  await witness.barrier();
  const declared = async () => Number(/^confab_roster_declared_total\{what="everything"\} (\d+)/m.exec(await (await fetch(`${other.url}/metrics`)).text())?.[1] ?? 0);
  const before = await declared();

  await stage.command('FLUSHALL');
  phone.close();
  witness.close();
  await ann.waitFor('user_offline', { user_id: 'witness' });
  await until(async () => await declared() > before, 'the other node has noticed');
  const told = () => ann.events.filter(({ event, data }) => /^user_o(n|ff)line$/.test(event) && data.user_id === 'bob').map(({ event }) => event);
  await until(() => told().at(-1) === 'user_online', () => `ann was told at last that bob is here: ${told()}`);
});

for (const client of ['4.8', 'raw']) {
  test(`who is connected hears who comes to another node from that moment on: ${client}`, { timeout: 30_000 }, async (t) => {
    const world = new World(t, one);
    await other.ways.redis.set('slow', { delay: 200 });
    t.after(() => other.ways.redis.heal());
    const bob = await new World(t, other).connect({ client, token: world.token('bob'), label: 'bob' });
    await world.user('ann');
    await bob.waitFor('user_online', { user_id: 'ann' });
  });
}
