// The contract again, with the clients of each fact on different nodes, through nginx.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import contract, { HASTY, SETTINGS, hasty } from '../contract/index.mjs';
import ordering from '../contract/ordering.mjs';
import perMinute, { SHORT, passing } from '../contract/rate-limit.mjs';
import removal from '../contract/removal.mjs';
import { parity } from '../rest/parity.mjs';
import { startCluster } from '../support/cluster.mjs';
import { eventually, facts } from '../support/world.mjs';
import interplay from '../websocket/interplay.mjs';

const [cluster, impatient, limited, short] = await Promise.all(
  [SETTINGS, HASTY, {}, SHORT].map((settings) => startCluster({ settings })),
);

const DOORS = {
  websocket: { transports: ['websocket'] },
  polling: { transports: ['polling'] },
  'a raw WebSocket': { client: 'raw' },
};

// Without it the rest could be one node's work.
const spread = {
  'the clients of a fact are on different nodes': async (w) => {
    for (const name of ['alice', 'bob', 'carol', 'alice', 'bob', 'carol']) await w.user(name);
    await eventually(async () => assert.deepEqual(await cluster.connections(), [2, 2, 2]));
    for (const client of w.clients.splice(0)) client.close();
    await eventually(async () => assert.deepEqual(await cluster.connections(), [0, 0, 0]));
  },
};

for (const [door, options] of Object.entries(DOORS)) {
  facts(`by ${door}`, cluster, spread, options);
  describe(`on different nodes, by ${door}`, { concurrency: 3 }, () => {
    const { connection, ...rest } = contract;
    // A raw WebSocket has one transport.
    const lists = options.client === 'raw' ? rest : { connection, ...rest };
    for (const [title, list] of Object.entries(lists)) facts(title, cluster, list, options);
    for (const [title, list] of Object.entries(hasty)) facts(title, impatient, list, options);
    facts('order', cluster, ordering, options);
    facts('20 in 60 seconds', limited, perMinute, options);
  });
}

describe('on different nodes', { concurrency: 3 }, () => {
  facts('losing access', cluster, removal);
  facts('3 in 2 seconds', short, passing);
  facts('REST and sockets', cluster, parity);
  facts('raw WebSocket and Socket.IO', cluster, interplay, { client: 'raw' });
});
