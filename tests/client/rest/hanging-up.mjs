// A request that was read is served, whoever still waits for its answer; and served once.
import assert from 'node:assert/strict';
import net from 'node:net';
import { rest } from '../support/rest.mjs';
import { eventually } from '../support/world.mjs';

const ROUNDS = 40;

/** Sends a whole request and is gone. */
function shout(server, path, headers, body) {
  const lines = [`POST /api${path} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return new Promise((resolve, reject) => {
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, () => {
      socket.resetAndDestroy();
      resolve();
    }));
    socket.on('error', reject);
  });
}

export default {
  'a message whose sender hangs up is stored once or not at all, and never twice with its retry': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const alice = rest(w, 'alice');
    for (let i = 0; i < ROUNDS; i += 1) {
      const body = JSON.stringify({ message: `m${i}`, client_id: `c${i}` });
      await shout(w.server, `/rooms/${room_id}/messages`, alice.headers, body);
      await alice.made(`/rooms/${room_id}/messages`, body, { 'Content-Type': 'application/json' });
    }
    await bob.waitFor('new_message', { client_id: `c${ROUNDS - 1}` });
    const { messages, rev } = await bob.ok('get_messages', { room_id, limit: 200 });
    assert.equal(rev, ROUNDS);
    assert.equal(new Set(messages.map(({ client_id }) => client_id)).size, ROUNDS);
  },

  'what was begun is finished, whoever hangs up meanwhile': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const alice = rest(w, 'alice');
    const before = await outcomes(w.server);
    const held = Array.from({ length: ROUNDS }, (_, i) => alice.hold('POST', `/rooms/${room_id}/messages`, { message: `m${i}` }));
    // The first answer says that the server has begun with some; whoever still waits hangs up.
    await Promise.race(held.map(({ answer }) => answer));
    for (const { hangUp } of held) hangUp();
    await eventually(async () => {
      const { ok, others } = await outcomes(w.server);
      const { rev } = await bob.ok('get_messages', { room_id });
      assert.ok(rev > 0);
      assert.deepEqual([ok - before.ok, others - before.others], [rev, 0]);
      assert.equal(bob.all('new_message').length, rev);
    });
  },
};

/** What became of messages that came by HTTP, as the server counts it. */
async function outcomes(server) {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('confab_events_total{') && line.includes('event="chat_message"') && line.includes('door="rest"'));
  const sum = (some) => some.reduce((count, line) => count + Number(line.slice(line.lastIndexOf(' '))), 0);
  const isOk = (line) => line.includes('outcome="ok"');
  return { ok: sum(lines.filter(isOk)), others: sum(lines.filter((line) => !isOk(line))) };
}
