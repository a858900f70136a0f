// What is not Socket.IO: health, metrics, errors, slow senders of headers, and the end.
import assert from 'node:assert/strict';
import net from 'node:net';
import { assertRefusal } from './support/clients.mjs';
import { request } from './support/raw.mjs';
import { startServer } from './support/server.mjs';
import { eventually, facts } from './support/world.mjs';

const PATIENCE_MS = 5000;

/** The sum of a metric over its labels; undefined where it is not there. */
function metric(text, name) {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.length ? lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0) : undefined;
}

async function metrics(server) {
  const { status, headers, body } = await request(server, '/metrics');
  assert.equal(status, 200);
  assert.match(headers['content-type'], /^text\/plain/);
  return body;
}

/** Metrics are counted beside the work. */
const metricReaches = (server, name, wanted) => eventually(async () => {
  const value = metric(await metrics(server), name);
  assert.ok(value >= wanted, `${name} is ${value}, not ${wanted}`);
});

/** Sends the beginning of a request and nothing more. Resolves to how long the server held the connection. */
function halfSent(server, bytes) {
  return new Promise((resolve, reject) => {
    const begun = Date.now();
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write(bytes));
    const timer = setTimeout(() => socket.destroy(new Error(`still open after ${PATIENCE_MS} ms`)), PATIENCE_MS);
    socket.resume();
    socket.on('error', (error) => (error.code === 'ECONNRESET' ? undefined : reject(error)));
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Date.now() - begun);
    });
  });
}

const running = {
  'a running server is healthy and ready': async ({ server }) => {
    for (const path of ['/healthz', '/readyz']) assert.equal((await request(server, path)).status, 200, path);
  },

  'health and readiness say which node answers, of which release, at what time': async ({ server }) => {
    const health = JSON.parse((await request(server, '/healthz')).body);
    const { node, version, time } = health;
    assert.deepEqual(health, { status: 'ok', version, node, time, forwarded: 'no' });
    assert.ok(node);
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 2000, time);
    const ready = JSON.parse((await request(server, '/readyz')).body);
    const { ms } = ready.database;
    assert.deepEqual(ready, { status: 'ready', version, node, time: ready.time, database: { ok: true, ms } });
    assert.ok(ms >= 0 && ms < 1000, `${ms}`);
  },

  'health says whether the address that a proxy names is believed': async ({ server }) => {
    const asked = { headers: { 'X-Forwarded-For': '203.0.113.9' } };
    const forwarded = async (to) => JSON.parse((await request(to, '/healthz', asked)).body).forwarded;
    assert.equal(await forwarded(server), 'trusted');
    assert.equal(await forwarded(hasty), 'untrusted');
  },

  'metrics count what happened': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const before = await metrics(w.server);
    const from = (name) => metric(before, name) ?? 0;
    for (let i = 0; i < 3; i += 1) await alice.say(room_id, [bob]);
    await alice.refused('invalid_payload', 'chat_message', { room_id });
    await alice.ok('get_messages', { room_id });
    await metricReaches(w.server, 'confab_connections', 2);
    await metricReaches(w.server, 'confab_messages_stored_total', from('confab_messages_stored_total') + 3);
    await metricReaches(w.server, 'confab_events_total', from('confab_events_total') + 5);
    await metricReaches(w.server, 'confab_refusals_total', from('confab_refusals_total') + 1);
    for (const name of ['confab_commit_seconds', 'confab_delivery_seconds', 'confab_query_seconds']) {
      await metricReaches(w.server, `${name}_count`, 1);
    }
  },

  'metrics are lines that Prometheus reads': async (w) => {
    await w.user('alice');
    for (const line of (await metrics(w.server)).split('\n').filter(Boolean)) {
      assert.match(line, /^(# (HELP|TYPE) [a-zA-Z_:][\w:]* .+|[a-zA-Z_:][\w:]*(\{.*\})? (NaN|[-+]?Inf|[-+]?[\d.]+(e[-+]?\d+)?))$/i);
    }
  },

  'clients that leave out the slash behind the path are served too': async ({ server }) => {
    const { status, body } = await request(server, '/socket.io?EIO=4&transport=polling');
    assert.equal(status, 200);
    assert.match(body, /^0\{"sid":/);
  },

  'an unknown path is not found, in JSON': async ({ server }) => {
    for (const path of ['/nothing-here', '/api/nothing-here']) {
      const { status, headers, body } = await request(server, path);
      assert.equal(status, 404, path);
      assert.match(headers['content-type'], /^application\/json/);
      assertRefusal(JSON.parse(body), 'not_found');
    }
  },
};

/** For a server with header_timeout_seconds=1. */
const slow = {
  'a header that is half sent is not waited for': async ({ server }) => {
    const held = await Promise.all([
      halfSent(server, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n'),
      halfSent(server, 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nX-Slow: '),
      halfSent(server, 'G'),
    ]);
    for (const ms of held) assert.ok(ms >= 500 && ms < PATIENCE_MS, `held for ${ms} ms`);
  },

  'a body that is half sent is not waited for': async ({ server }) => {
    const head = 'POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n';
    const held = await Promise.all([halfSent(server, head), halfSent(server, `${head}{"username":`)]);
    for (const ms of held) assert.ok(ms >= 500 && ms < PATIENCE_MS, `held for ${ms} ms`);
  },

  'a connection that is used is not closed by that': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const polling = await w.user('bob', { transports: ['polling'] });
    await halfSent(w.server, 'G');
    await halfSent(w.server, 'G');
    for (const client of [alice, polling]) {
      await client.ok('get_user_conversations', {});
      assert.deepEqual(client.disconnects, []);
    }
  },
};

const stopping = {
  'a server that is told to stop exits with 0, and everybody comes back to the next one': async (w) => {
    const room_id = w.id();
    const returning = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 };
    const clients = [await w.user('alice', returning), await w.user('bob', { ...returning, transports: ['polling'] })];
    for (const client of clients) await client.ok('join_room', { room_id });
    const message = await clients[0].say(room_id, clients);
    assert.equal(await w.server.stop(), 0);
    for (const client of clients) {
      const reason = await client.disconnected();
      // "io server disconnect" would tell the client not to come back.
      assert.ok(['transport close', 'transport error'].includes(reason), reason);
    }
    await w.server.restart();
    for (const client of clients) {
      await client.reconnected();
      assert.deepEqual((await client.ok('get_messages', { room_id })).messages, [message]);
    }
  },
};

const [usual, hasty, mortal] = await Promise.all([
  startServer(),
  startServer({ header_timeout_seconds: 1, trusted_proxies: '192.0.2.1' }),
  startServer({ drain_seconds: 1 }),
]);

facts('a running server', usual, running);
facts('slow headers', hasty, slow);
facts('stopping', mortal, stopping);
