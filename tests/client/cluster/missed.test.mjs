// What is said while nodes do not hear each other, found by the chaos runs.
import { after, test } from 'node:test';
import { startStage } from '../chaos/stage.mjs';
import { World } from '../support/world.mjs';

const stage = await startStage({ count: 2, services: ['postgres', 'redis'] });
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
