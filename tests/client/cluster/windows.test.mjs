// The two windows of ../browser, on different nodes, while one node after the other is restarted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DIST, eventually } from '../browser/support.mjs';
import { assertSameHistory, keepsWriting, scene, together } from '../browser/session.mjs';
import { connect } from '../support/clients.mjs';
import { startCluster } from '../support/cluster.mjs';

/** nginx leaves a node that did not answer alone for 5 s. */
const REJOIN_MS = 20_000;

const cluster = await startCluster({ settings: { web_root: DIST, rate_limit_messages: 0, drain_seconds: 2 } });

/** Until each window is on a node of its own: which nodes these are. nginx gives WebSockets to the least busy one. */
async function places() {
  return eventually(async () => {
    const counts = await cluster.connections();
    assert.deepEqual([...counts].sort(), [0, 1, 1]);
    return [0, 1, 2].filter((i) => counts[i] === 1);
  });
}

/** Until nginx sends WebSockets to this node again, on which nobody is. */
async function rejoined(index, accessToken) {
  await eventually(async () => {
    const client = await connect(cluster.url, { token: accessToken });
    const { [index]: count } = await cluster.connections();
    client.close();
    assert.equal(count, 1);
  }, REJOIN_MS);
}

test('two_windows_on_different_nodes_show_each_message_once_while_nodes_are_restarted', { timeout: 120_000 }, async (t) => {
  const tokens = scene();
  const { alice, bob } = await together(t, cluster, tokens);
  const writer = keepsWriting(alice);
  let moves = 0;

  /** Ends a node that one of the windows is on. Both are to write on, and to be on different nodes again. */
  const restart = async (end) => {
    await writer.more(5);
    const index = (await places())[moves % 2];
    await Promise.all([Promise.any([alice.reconnecting(), bob.reconnecting()]), end(cluster.nodes[index])]);
    moves += 1;
    await Promise.all([alice.live(), bob.live()]);
    await bob.send(`bob after move ${moves}`);
    await alice.sees(`bob after move ${moves}`);
    await writer.more(5);
    assert.ok(!(await places()).includes(index), 'somebody is on the node that is down');
    await cluster.nodes[index].restart();
    await rejoined(index, tokens.alice);
  };

  try {
    for (const end of [(node) => node.stop(), (node) => node.stop(), (node) => node.kill()]) await restart(end);
    await writer.more(5);
  } finally {
    await writer.stop();
  }
  await bob.message(writer.written.at(-1), 'sent').waitFor({ timeout: 30_000 });

  const stored = await assertSameHistory(cluster, tokens.alice, tokens.room, alice, bob);
  assert.deepEqual(stored.filter((text) => text.startsWith('line')), writer.written);
  assert.equal(stored.length, writer.written.length + moves);
  await Promise.all([alice.seesPerson('bob', 'online'), bob.seesPerson('alice', 'online')]);
  for (const window of [alice, bob]) window.assertNoFaults({ lostConnections: true });
});
