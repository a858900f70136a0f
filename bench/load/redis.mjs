// What things cost in Redis, in CPU time of its one thread: publishing, to so many nodes that listen, and our scripts.
//
//     node bench/load/redis.mjs
import { readFileSync } from 'node:fs';
import { startRedis } from '../../tests/client/support/redis.mjs';
import { cpuSeconds, median } from './cpu.mjs';
import { Redis } from './resp.mjs';

const ROUNDS = 5;
const SOURCE = new URL('../../src/', import.meta.url);
const script = (path) => readFileSync(new URL(path, SOURCE), 'utf8');

const redis = await startRedis();
const client = await Redis.connect(redis.port);

/** Median CPU microseconds of one of `count` operations. */
async function cost(count, run) {
  const each = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = cpuSeconds(redis.pid);
    await run(round);
    each.push(((cpuSeconds(redis.pid) - before) / count) * 1e6);
  }
  return median(each);
}

/** Requests in pipelines as long as the publisher's. `size`: bytes of one answer. */
async function inBatches(requests, size, batch = 512) {
  for (let at = 0; at < requests.length; at += batch) await client.pipeline(requests.slice(at, at + batch), size);
}

function show(what, micros) {
  console.log(`${what.padEnd(58)} ${micros.toFixed(1).padStart(7)} µs`);
}

async function publishing(listeners, bytes, count, batch) {
  const channel = 'confab:room:{default:room-1}';
  const subscribers = await Promise.all(Array.from({ length: listeners }, () => Redis.connect(redis.port)));
  for (const each of subscribers) await each.ask('SUBSCRIBE', channel);
  for (const each of subscribers) each.listen();
  const request = ['PUBLISH', channel, 'x'.repeat(bytes)];
  const micros = await cost(count, () => inBatches(Array(count).fill(request), `:${listeners}\r\n`.length, batch));
  for (const each of subscribers) each.close();
  return micros;
}

for (const batch of [512, 1]) {
  const count = batch === 1 ? 4000 : 50_000;
  const how = batch === 1 ? 'one at a time' : `${batch} at once`;
  const base = await publishing(0, 500, count, batch);
  show(`PUBLISH of 500 bytes that nobody hears, ${how}`, base);
  for (const listeners of [1, 10, 50]) {
    const micros = await publishing(listeners, 500, Math.ceil(count / Math.sqrt(listeners)), batch);
    show(`  to ${listeners}; for each ${((micros - base) / listeners).toFixed(2)} µs`, micros);
  }
}
const wide = await publishing(50, 100_000, 400);
show(`PUBLISH of 100 kB to 50 nodes; for each node ${(wide / 50).toFixed(1)} µs`, wide);
const names = Array.from({ length: 50_000 }, (_, i) => `confab:room:{default:room-${i}}`);
const answer = Buffer.byteLength(`*3\r\n$9\r\nsubscribe\r\n$30\r\n${names[10_000]}\r\n:12345\r\n`);
const listener = await Redis.connect(redis.port);
show('SUBSCRIBE', await cost(10_000, async (round) => {
  listener.listen();
  const mine = names.slice(round * 10_000, (round + 1) * 10_000);
  // Names and counts differ in length; the last answers may be a few bytes short of the estimate.
  const all = new Promise((resolve) => {
    const look = setInterval(() => { if (listener.bytes >= 10_000 * (answer - 6)) { clearInterval(look); resolve(); } }, 5);
  });
  listener.socket.write(mine.map((name) => `*2\r\n$9\r\nSUBSCRIBE\r\n$${name.length}\r\n${name}\r\n`).join(''));
  await all;
}));
const used = async () => Number(/used_memory:(\d+)/.exec(await client.ask('INFO', 'memory'))[1]);
const withChannels = await used();
listener.close();
// Closed when Redis says so.
while ((await client.ask('PUBLISH', names[0], 'x')) !== ':0') await client.ask('PING');
console.log(`${'memory of a subscription'.padEnd(58)} ${Math.round((withChannels - await used()) / names.length)} bytes`);
const alone = await used();

async function evaluating(what, path, requestOf, size, count = 20_000) {
  const sha = await client.ask('SCRIPT', 'LOAD', script(path));
  show(what, await cost(count, (round) => inBatches(Array.from({ length: count }, (_, i) => ['EVALSHA', sha, ...requestOf(i, round)]), size)));
}
const lease = '0190163d-8694-739b-aea5-966c26f8ad91.0';
const node = lease.slice(0, -1);
await evaluating('a message counted for its user (window.lua)', 'limits/window.lua',
  (i) => [1, `confab:sent:{default:#${i}}`, 20, 60_000_000], '*2\r\n:1\r\n:1763724000000000\r\n'.length);
await evaluating('a connection counted for its user (places.lua)', 'limits/places.lua',
  (i) => [1, `confab:places:{default:#${i}}`, lease, node, 1, 50], '*2\r\n:1\r\n*0\r\n'.length);
await evaluating('a user comes online (presence.lua)', 'bus/redis/presence.lua',
  (i, round) => [1, `confab:at:{default:#${i}}`, round % 2 ? 'depart' : 'arrive', lease, node, '["room-1"]'], '*2\r\n:1763724000000000\r\n*0\r\n'.length);
show('held under the lease (SADD)', await cost(20_000, (round) => inBatches(
  Array.from({ length: 20_000 }, (_, i) => ['SADD', `confab:held:{${lease}}`, `{"${round % 2 ? 'user' : 'places'}":["default",${i}]}`]), 4)));
show('asked where a user is (HGETALL)', await cost(20_000, () => inBatches(
  Array.from({ length: 20_000 }, (_, i) => ['HGETALL', `confab:nobody:{default:#${i}}`]), 4)));
console.log(`${'memory of a user online who has just sent five messages'.padEnd(58)} about ${Math.round((await used() - alone) / 20_000)} bytes`);
client.close();
await redis.stop();
