// What things cost on a real node over real databases, mostly in CPU time, which others on the same machine change
// little. Each scenario takes seconds and ends by itself; CONFAB_BIN names another binary than target/release/confab.
//
//     node bench/load/measure.mjs [scenario …]        all of them without a name
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, each } from './client.mjs';
import { median, quantile, residentBytes } from './cpu.mjs';
import { startNodes, watch } from './nodes.mjs';

const TEXT = 'x'.repeat(100);
const SECONDS = 4;
/** Longer than the grace period of presence. */
const GRACE_MS = 3500;

const scenarios = { idle, deliver, commit, bus, presence, join, room, storm };

const wanted = process.argv.slice(2);
for (const name of wanted.length ? wanted : Object.keys(scenarios)) {
  console.log(`\n== ${name}`);
  await scenarios[name]();
}
process.exit(0);

/** What connections cost that do nothing. */
async function idle() {
  for (const [what, count, joins] of [['in no room', 4000, false], ['in a room of 10 each', 4000, true]]) {
    const nodes = await startNodes(1, { store: 'sqlite' });
    const [server] = nodes.servers;
    const clients = await connect(nodes, 10, () => server);
    for (const client of clients) client.close();
    await sleep(GRACE_MS);
    const before = residentBytes(server.pid);
    const all = await connect(nodes, count, () => server, 100);
    if (joins) await each(count, 50, (i) => all[i].ok('join_room', { room_id: `room-${Math.floor(i / 10)}` }));
    await sleep(2000);
    const after = residentBytes(server.pid);
    const result = await watch(nodes);
    await sleep(25_000);
    const { seconds, cpu } = await result();
    row(`${count} connections, ${what}`, {
      'kB each': (after - before) / count / 1000,
      'CPU µs a second each': micros(cpu['node-1'], count * seconds),
    });
    for (const client of all) client.close();
    await nodes.stop();
  }
}

/** What one more member of a room costs. */
async function deliver() {
  const nodes = await startNodes(1, { store: 'sqlite' });
  const [server] = nodes.servers;
  for (const members of [10, 100, 1000]) {
    const clients = await connect(nodes, members, () => server, 50, members * 10);
    await each(members, 50, (i) => clients[i].ok('join_room', { room_id: `of-${members}` }));
    await sleep(GRACE_MS);
    const messages = Math.ceil(100_000 / members / 2);
    const bytes = clients.at(-1).bytes;
    const { seconds, cpu } = await spent(nodes, async () => {
      await say(clients.slice(0, 4), messages, `of-${members}`, 4);
      await until(() => clients.every((client) => client.messages >= messages));
    });
    row(`a room of ${members}`, {
      'CPU µs a message': micros(cpu['node-1'], messages),
      'CPU µs a delivery': micros(cpu['node-1'], messages * members),
      'deliveries a second': (messages * members) / seconds,
      'bytes a delivery': (clients.at(-1).bytes - bytes) / messages,
    });
    for (const client of clients) client.close();
  }
  await nodes.stop();
}

/** What a message costs until it is on the disk. */
async function commit() {
  for (const store of ['sqlite', 'postgres']) {
    const nodes = await startNodes(1, { store });
    const clients = await connect(nodes, 64, () => nodes.servers[0]);
    for (const [rooms, how] of [[64, 'a room each'], [1, 'one room']]) {
      await each(64, 8, (i) => clients[i].ok('join_room', { room_id: `${rooms}-${i % rooms}` }));
      for (const waiting of [1, 8, 64, 512]) {
        const senders = clients.slice(0, Math.min(64, waiting));
        const atOnce = waiting / senders.length;
        await sleep(500);
        const latencies = [];
        const { seconds, cpu, count } = await spent(nodes, () => during(SECONDS, senders.length * atOnce, async (i) => {
          const start = performance.now();
          const sender = i % senders.length;
          await senders[sender].ok('chat_message', { room_id: `${rooms}-${sender % rooms}`, message: TEXT });
          latencies.push(performance.now() - start);
        }));
        row(`${store}, ${waiting} waiting, ${how}`, {
          'a second': latencies.length / seconds,
          batch: count.commit_batch_sum / count.commit_batch_count,
          'median ms': median(latencies),
          'node µs': micros(cpu['node-1'], latencies.length),
          ...(cpu.postgres === undefined ? {} : {
            'PostgreSQL µs': micros(cpu.postgres, latencies.length),
            'WAL bytes': count['wal bytes'] / latencies.length,
          }),
        });
      }
    }
    if (nodes.postgres) {
      const [answer] = await nodes.postgres.query("SELECT pg_total_relation_size('messages'), count(*) FROM messages", nodes.database);
      const [bytes, count] = answer.split('|').map(Number);
      row('a message with its indexes on the disk', { bytes: bytes / count });
    }
    for (const client of clients) client.close();
    await nodes.stop();
  }
}

/** From one node to another. */
async function bus() {
  const nodes = await startNodes(2);
  const [a, b] = nodes.servers;
  const pairs = 64;
  const here = await connect(nodes, pairs, () => a);
  const there = await connect(nodes, pairs, () => b, 50, 1000);
  await each(pairs, 8, (i) => here[i].ok('join_room', { room_id: `pair-${i}` }));
  await each(pairs, 8, (i) => there[i].ok('join_room', { room_id: `pair-${i}` }));
  await sleep(GRACE_MS);

  const lags = [];
  const whole = [];
  let arrived = null;
  const both = (at) => () => { arrived[at] = performance.now(); if (arrived.a && arrived.b) arrived.done(); };
  here[0].onMessage = both('a');
  there[0].onMessage = both('b');
  for (let i = 0; i < 200; i += 1) {
    await new Promise((done) => {
      arrived = { done, start: performance.now() };
      here[0].request('chat_message', { room_id: 'pair-0', message: TEXT });
    });
    lags.push(arrived.b - arrived.a);
    whole.push(arrived.b - arrived.start);
    await sleep(10);
  }
  here[0].onMessage = null;
  there[0].onMessage = null;
  row('a message, and when the other node has it', {
    'ms later than the own, median': median(lags), p90: quantile(lags, 0.9), 'ms in all, median': median(whole),
  });

  const messages = there.reduce((sum, client) => sum + client.messages, 0);
  const flood = await spent(nodes, () => during(SECONDS, 256, (i) => here[i % pairs].ok('chat_message', { room_id: `pair-${i % pairs}`, message: TEXT })));
  const sent = flood.count.messages_stored_total;
  await until(() => there.reduce((sum, client) => sum + client.messages, 0) >= messages + sent);
  row('messages to one other node', {
    'a second': sent / flood.seconds,
    'sender µs': micros(flood.cpu['node-1'], sent), 'receiver µs': micros(flood.cpu['node-2'], sent),
    'Redis µs': micros(flood.cpu.redis, sent), 'PostgreSQL µs': micros(flood.cpu.postgres, sent),
    'bytes into Redis': flood.count['redis total_net_input_bytes'] / sent,
  });
  commands(flood.count, sent);

  const typing = await spent(nodes, () => during(SECONDS, pairs, (i, turn) => here[i % pairs].ok('typing', { room_id: `pair-${i % pairs}`, is_typing: turn % 2 === 0 })));
  const envelopes = typing.count.bus_published_total ?? NaN;
  row('typing, which nothing stores', {
    'envelopes a second': envelopes / typing.seconds,
    'sender µs': micros(typing.cpu['node-1'], envelopes), 'receiver µs': micros(typing.cpu['node-2'], envelopes), 'Redis µs': micros(typing.cpu.redis, envelopes),
  });
  for (const client of [...here, ...there]) client.close();
  await nodes.stop();

  const limited = await startNodes(1, { settings: { redis: true, rate_limit_messages: 100_000 } });
  const clients = await connect(limited, 64, () => limited.servers[0]);
  await each(64, 8, (i) => clients[i].ok('join_room', { room_id: `room-${i}` }));
  const counted = await spent(limited, () => during(SECONDS, 128, (i, turn) => clients[i % 64].ok('chat_message', { room_id: `room-${i % 64}`, message: TEXT, client_id: `${i}-${turn}` })));
  const stored = counted.count.messages_stored_total;
  row('messages that are counted in Redis', {
    'a second': stored / counted.seconds, 'node µs': micros(counted.cpu['node-1'], stored),
    'Redis µs': micros(counted.cpu.redis, stored), 'PostgreSQL µs': micros(counted.cpu.postgres, stored),
  });
  commands(counted.count, stored);
  for (const client of clients) client.close();
  await limited.stop();
}

/** Coming and going. */
async function presence() {
  for (const [what, size, settings] of [
    ['in no room', 1, { presence_tenant_limit: 0 }],
    ['in a room of 20', 20, { presence_tenant_limit: 0 }],
    ['in a room of 100', 100, { presence_tenant_limit: 0 }],
    ['in a room of 900', 900, { presence_tenant_limit: 0 }],
    ['in no room, all of 1,000 are told', 1, {}],
  ]) {
    const nodes = await startNodes(2, { settings });
    const [a, b] = nodes.servers;
    const count = 900;
    const maker = await Client.connect(b, 0);
    for (let first = 1; size > 1 && first <= count; first += size) {
      const participants = Array.from({ length: size }, (_, i) => first + i);
      const { room_id } = await maker.ok('create_room', { name: `from ${first}`, private: true, participants: participants.slice(0, 100) });
      for (const user of participants.slice(100)) await maker.ok('add_participant', { room_id, user_id: user });
    }
    // Known to the database, as users who come again are.
    for (const client of await connect(nodes, count, () => a, 50, 1)) client.close();
    await sleep(GRACE_MS + 2000);
    let clients;
    const coming = await spent(nodes, async () => { clients = await connect(nodes, count, () => a, 50, 1); await sleep(500); });
    row(`${count} come, ${what}`, each1(coming, count));
    commands(coming.count, count);
    const going = await spent(nodes, async () => { for (const client of clients) client.close(); await sleep(GRACE_MS + 1500); });
    row(`${count} go, ${what}`, each1(going, count));
    commands(going.count, count);
    maker.close();
    await nodes.stop();
  }
}

/** Entering rooms. */
async function join() {
  const nodes = await startNodes(2);
  const [a] = nodes.servers;
  const clients = await connect(nodes, 1000, () => a);
  const enter = () => each(1000, 50, (i) => clients[i].ok('join_room', { room_id: `room-${Math.floor(i / 10)}` }));
  for (const what of ['for the first time', 'again']) {
    const joined = await spent(nodes, enter);
    row(`1,000 enter rooms of 10 ${what}`, { ...each1(joined, 1000), 'a second': 1000 / joined.seconds });
    commands(joined.count, 1000);
    await each(1000, 50, (i) => clients[i].ok('leave_room', { room_id: `room-${Math.floor(i / 10)}` }));
  }
  for (const client of clients) client.close();
  await nodes.stop();
}

/** A message in a private room whose participants are all in it, on two nodes, and in one where nobody else is. */
async function room() {
  const nodes = await startNodes(2);
  for (const [what, size, isIn] of [['all in it', 10, true], ['all in it', 100, true], ['all in it', 400, true], ['nobody else in it, all online', 100, false]]) {
    const base = size * 100 + (isIn ? 0 : 50_000);
    const clients = await connect(nodes, size, (i) => nodes.servers[i % 2], 50, base);
    const others = Array.from({ length: size - 1 }, (_, i) => base + 1 + i);
    const { room_id } = await clients[0].ok('create_room', { name: `of ${size}`, private: true, participants: others.slice(0, 100) });
    for (const user of others.slice(100)) await clients[0].ok('add_participant', { room_id, user_id: user });
    await each(isIn ? size : 1, 20, (i) => clients[i].ok('join_room', { room_id }));
    await sleep(GRACE_MS);
    const messages = Math.min(400, 20_000 / size);
    const cost = await spent(nodes, async () => {
      for (let i = 0; i < messages; i += 1) await clients[0].ok('chat_message', { room_id, message: TEXT });
      await quiet(nodes);
    });
    row(`a message, ${size} participants, ${what}`, each1(cost, messages));
    commands(cost.count, messages);
    for (const client of clients) client.close();
    await sleep(GRACE_MS);
  }
  await nodes.stop();
}

/** A node is killed, and its users come to the other, as socket.io-client would. */
async function storm() {
  const nodes = await startNodes(2);
  const [a, b] = nodes.servers;
  for (const count of [1000, 4000]) {
    const clients = await connect(nodes, count, () => b, 50, 1);
    for (const client of clients) client.close();
    await sleep(GRACE_MS + 2000);
    await connect(nodes, count, () => a, 50, 1);
    await sleep(2000);
    const result = await watch({ ...nodes, servers: [b] });
    const start = performance.now();
    let again = 0;
    const times = [];
    const coming = each(count, count, async (i) => {
      for (let attempt = 0; ; attempt += 1) {
        await sleep(Math.min(1000 * 2 ** attempt, 5000) * (0.5 + Math.random()));
        const began = performance.now();
        try {
          const client = await Client.connect(b, 1 + i, `127.0.0.${2 + attempt}`);
          times.push(performance.now() - began);
          return client;
        } catch {
          again += 1;
        }
      }
    });
    await a.kill();
    const back = await coming;
    const seconds = (performance.now() - start) / 1000;
    // Until the lease of the one that was killed has ended, and what it held is seen to.
    await sleep(12_000);
    const cost = await result();
    row(`${count} users of a node that is killed`, {
      'all back after s': seconds, 'tried again': again, 'connecting took s, median': median(times) / 1000, p99: quantile(times, 0.99) / 1000,
      'node µs': micros(cost.cpu['node-1'], count), 'PostgreSQL µs': micros(cost.cpu.postgres, count), 'Redis µs': micros(cost.cpu.redis, count),
    });
    commands(cost.count, count);
    for (const client of back) client.close();
    await a.start();
  }
  await nodes.stop();
}

/** Connects `count` users to nodes, from addresses that have ports enough. */
function connect(nodes, count, serverOf, atOnce = 50, firstUser = 1) {
  return each(count, atOnce, (i) => Client.connect(serverOf(i), firstUser + i, `127.0.0.${1 + Math.floor(i / 20_000)}`));
}

async function say(senders, count, room, waiting) {
  await each(count, waiting, (i) => senders[i % senders.length].ok('chat_message', { room_id: room, message: TEXT }));
}

/** Runs `work(i, turn)` over and over for some seconds, on each of so many lines. */
async function during(seconds, lines, work) {
  const end = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: lines }, async (_, i) => {
    for (let turn = 0; performance.now() < end; turn += 1) await work(i, turn);
  }));
}

async function spent(nodes, work) {
  const result = await watch(nodes);
  await work();
  return result();
}

async function until(condition) {
  for (const end = performance.now() + 60_000; !condition();) {
    if (performance.now() > end) throw new Error('what was to arrive did not within a minute');
    await sleep(5);
  }
}

/** Until the nodes ask the database nothing more. */
async function quiet(nodes) {
  for (let before = -1; ;) {
    const texts = await Promise.all(nodes.servers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
    const counts = [...texts.join('').matchAll(/^confab_query_seconds_count.* (\d+)$/gm)];
    const now = counts.reduce((sum, [, count]) => sum + Number(count), 0);
    if (now === before) return;
    before = now;
    await sleep(1000);
  }
}

function micros(seconds, count) { return (seconds / count) * 1e6; }

/** CPU time of one of `count` things, by who has spent it. */
function each1({ cpu }, count) {
  return Object.fromEntries(Object.entries(cpu).map(([name, seconds]) => [`${name} µs`, micros(seconds, count)]));
}

function row(what, values) {
  const text = Object.entries(values).map(([name, value]) => `${name} ${number(value)}`);
  console.log(`${what}: ${text.join(', ')}`);
}

/** What the databases were asked for one of `count` things. */
function commands(count, of) {
  const parts = Object.entries(count)
    .filter(([name]) => /^(query|redis|transactions|wal bytes|bus_|deliveries)/.test(name) && !/redis (info|total|ping)/.test(name))
    .map(([name, value]) => [name, value / of]).filter(([, value]) => value >= 0.05);
  console.log(`    ${parts.map(([name, value]) => `${name} ${number(value)}`).join(', ')}`);
}

function number(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
