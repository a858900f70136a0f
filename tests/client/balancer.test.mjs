// The load balancers of examples/cluster in front of three nodes. The nodes share nothing but the secret here: what is
// looked at is which node a client comes to, and that it stays there.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import WebSocket from 'ws';
import { TRANSPORTS } from './support/clients.mjs';
import { example, startBalancer } from './support/balancer.mjs';
import { request } from './support/raw.mjs';
import { startServer } from './support/server.mjs';
import { eventually, facts } from './support/world.mjs';

const NAMES = ['node-1', 'node-2', 'node-3'];
const HANDSHAKE = '/socket.io/?EIO=4&transport=polling';
const COMING_BACK = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 };

/** Requests and clients of many addresses: all of 127.0.0.0/8 is this machine. */
const from = (i) => ({ localAddress: `127.0.1.${i + 1}` });
const clientFrom = (i) => ({ agent: new http.Agent(from(i)) });

/** How many connections each node has. */
async function connections(nodes) {
  const counts = nodes.map(async (node) => {
    const { body } = await request(node, '/metrics');
    const lines = body.split('\n').filter((line) => line.startsWith('confab_connections{'));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  });
  return Promise.all(counts);
}

/** Several requests of one client, and no disconnect. */
async function stays(client) {
  for (let i = 0; i < 5; i += 1) await client.ok('get_user_conversations', {});
  assert.deepEqual(client.disconnects, [], client.name);
}

/** Opens a long-polling session and answers which node it is with, by the address that answers its `sid`. */
async function whereabouts(server, options) {
  const opened = await request(server, HANDSHAKE, options);
  assert.equal(opened.status, 200, opened.body);
  const { sid } = JSON.parse(opened.body.slice(1));
  const answers = await Promise.all(server.nodes.map((node) => request(node, `${HANDSHAKE}&sid=${sid}`, { method: 'POST' })));
  const found = answers.flatMap(({ status }, i) => (status === 200 ? [NAMES[i]] : []));
  assert.equal(found.length, 1, `${found}`);
  return { node: found[0], cookie: opened.headers['set-cookie']?.[0].split(';')[0] };
}

const routing = {
  'clients of many addresses stay where they are, by every transport, with cookies and without': async (w) => {
    const clients = [];
    for (const [i, transports] of TRANSPORTS.flatMap((each) => [each, each, each, each]).entries()) {
      clients.push(await w.user(`user-${i}`, { transports, withCredentials: i % 2 === 0, ...clientFrom(i) }));
    }
    await Promise.all(clients.map(stays));
    for (const client of clients) assert.equal(client.transport, client.socket.io.opts.transports.at(-1));
  },

  'websockets go to the node with the fewest connections': async (w) => {
    // Those of the test before are leaving.
    await eventually(async () => assert.deepEqual(await connections(w.server.nodes), [0, 0, 0]));
    for (let i = 0; i < 9; i += 1) await w.user(`user-${i}`);
    assert.deepEqual(await connections(w.server.nodes), [3, 3, 3]);
  },

  'handshakes of long-polling are spread by address': async ({ server }) => {
    const met = new Set();
    for (let i = 0; i < 40; i += 1) met.add((await whereabouts(server, from(i))).node);
    assert.deepEqual([...met].sort(), NAMES);
  },

  'a browser that has a cookie stays at its node, from whatever address it comes': async ({ server }) => {
    const { node, cookie } = await whereabouts(server, from(0));
    assert.ok(cookie, 'no cookie was set');
    for (let i = 1; i < 20; i += 1) {
      const again = await whereabouts(server, { ...from(i), headers: { Cookie: cookie } });
      assert.equal(again.node, node);
    }
  },

  'a message as large as the nodes take passes': async (w) => {
    for (const transports of [['websocket'], ['polling']]) {
      const user = await w.user('alice', { transports });
      await user.request('no_such_event', { padding: 'x'.repeat(250_000) });
      assert.deepEqual(user.disconnects, []);
    }
  },

  'nodes see the address of the client': async ({ server }) => {
    const { body } = await request(server, '/healthz');
    assert.equal(JSON.parse(body).forwarded, 'trusted');
  },

  'metrics are not for visitors': async ({ server }) => assert.equal((await request(server, '/metrics')).status, 404),
};

/** Waits until all clients are answered: one that polls takes itself for connected until it hears that its node is gone. */
const answered = (clients) => eventually(() => Promise.all(clients.map((client) => client.ok('get_user_conversations', {}))));

/** Connects again and again, by both transports, until told to stop; resolves to how many tries failed. */
function knocking(server) {
  const result = { tried: 0, failed: [] };
  let over = false;
  const tries = (async () => {
    for (let i = 0; !over; i += 1) {
      result.tried += 1;
      const { status, body } = await request(server, HANDSHAKE, from(i % 60)).catch((error) => ({ status: 0, body: error.message }));
      if (status !== 200) result.failed.push(`${status} ${body}`);
    }
  })();
  return async () => {
    over = true;
    await tries;
    return result;
  };
}

/** Clients by all transports, some of which are at a node; and how many are. */
async function clientsAt(w, node) {
  const clients = [];
  let there = 0;
  for (let i = 0; i < 12 || there < 2; i += 1) {
    assert.ok(i < 60, `${there} of ${i} clients are at the node`);
    const transports = TRANSPORTS[i % 3];
    clients.push(await w.user(`user-${i}`, { transports, ...COMING_BACK, withCredentials: true, ...clientFrom(i) }));
    [there] = await connections([node]);
  }
  return { clients, there };
}

const leaving = {
  'clients of a node that drains come to others, and nobody new is refused meanwhile': async (w) => {
    const [first] = w.server.nodes;
    const { clients, there } = await clientsAt(w, first);
    const over = knocking(w.server);
    let tried, failed;
    try {
      assert.equal(await first.stop(), 0);
      await answered(clients);
    } finally {
      ({ tried, failed } = await over());
    }
    assert.deepEqual(failed, [], `of ${tried}`);
    assert.ok(clients.filter(({ disconnects }) => disconnects.length > 0).length >= there);
    const reasons = new Set(clients.flatMap(({ disconnects }) => disconnects));
    for (const reason of reasons) assert.ok(['transport close', 'transport error'].includes(reason), reason);
  },

  'WebSockets without Socket.IO at a node that drains are told so, and come to others': async (w) => {
    const [first] = w.server.nodes;
    await first.restart();
    const come = async () => {
      const socket = new WebSocket(`${w.server.url.replace('http', 'ws')}/ws/chat/?token=${w.token('alice')}`);
      const closed = once(socket, 'close').then(([code]) => code);
      await once(socket, 'open');
      return { closed, socket };
    };
    const sockets = [];
    await eventually(async () => {
      // A user may have no more than some dozens, and it takes a while until the node is given clients again.
      if (sockets.length === 20) sockets.shift().socket.close();
      sockets.push(await come());
      assert.ok((await connections([first]))[0] >= 1);
    });
    const [there] = await connections([first]);
    const stopping = first.stop();
    const codes = [];
    for (const { closed } of sockets) closed.then((code) => codes.push(code));
    await eventually(() => assert.equal(codes.length, there));
    assert.deepEqual([...new Set(codes)], [1012]);
    // While the node drains one may be led there again, and is told again.
    const elsewhere = async () => (await connections(w.server.nodes.slice(1))).reduce((sum, count) => sum + count);
    await eventually(async () => {
      const before = await elsewhere();
      const again = await come();
      sockets.push(again);
      const arrived = eventually(async () => assert.ok(await elsewhere() > before));
      arrived.catch(() => {});
      assert.equal(await Promise.race([again.closed, arrived]), undefined, 'closed again');
    });
    assert.equal(await stopping, 0);
    for (const { socket } of sockets) socket.close();
  },

  'a node that is back is given clients again': async (w) => {
    const [first] = w.server.nodes;
    await first.restart();
    await eventually(async () => {
      await w.user('alice');
      assert.ok((await connections([first]))[0] >= 1);
    });
  },

  'clients of a node that was killed come to others': async (w) => {
    const [, second] = w.server.nodes;
    const { clients, there } = await clientsAt(w, second);
    await second.kill();
    await eventually(() => assert.ok(clients.filter(({ disconnects }) => disconnects.length > 0).length >= there));
    await answered(clients);
  },
};

const nodes = (sticky_cookie) => Promise.all(NAMES.map((node_name) => startServer({ node_name, sticky_cookie, drain_seconds: 3 })));
const [forNginx, forHaproxy] = await Promise.all([nodes('confab_node'), nodes(null)]);
const behind = await Promise.all([['nginx', forNginx], ['haproxy', forHaproxy]].map(async ([program, servers]) => {
  const balancer = await startBalancer(program, example(program, servers));
  return [program, Object.assign(balancer, { nodes: servers })];
}));
for (const [program, server] of behind) {
  facts(`behind ${program}`, server, routing, { concurrency: 1 });
  facts(`behind ${program}, nodes that leave`, server, leaving, { concurrency: 1 });
}
