// `confab doctor` in front of a whole cluster, and of one that has lost what it stands on; and `confab check` beside it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { token } from '../support/clients.mjs';
import { startCluster } from '../support/cluster.mjs';
import { freePort } from '../support/program.mjs';

const DOCTOR_MS = 30_000;

const cluster = await startCluster();

async function ask(...args) {
  const { code, stdout } = await cluster.nodes[0].command(['doctor', '--url', cluster.url, '--wait', '2', ...args], { timeout: DOCTOR_MS });
  return { code, stdout, found: stdout.split('\n').filter((line) => !/^ok /.test(line)).join('\n').trim() };
}

it('nothing is found where all is well', async () => {
  const { code, stdout, found } = await ask('--token', token({ user_id: 'doctor' }));
  assert.equal(found, '', stdout);
  assert.match(stdout, /3 nodes: node-1, node-2, node-3\./);
  assert.equal(code, 0);
});

it('confab check looks at Redis too', async () => {
  const check = (redis_url) => cluster.nodes[0].command(['check'], { settings: { redis_url } });
  const { code, stdout } = await check(cluster.redis.url);
  assert.match(stdout, /Redis is there/);
  assert.equal(code, 0);
  const closed = await freePort();
  for (const [url, why] of [['http://a', /redis_url: not of the form/], [`redis://:secret@127.0.0.1:${closed}`, /the Redis of redis_url: .*refused/]]) {
    const refused = await check(url);
    assert.match(refused.stderr, why);
    assert.ok(!refused.stderr.includes('secret'));
    assert.equal(refused.code, 1);
  }
});

it('a Redis that is away is found, at every node', async () => {
  await cluster.redis.stop();
  const { code, stdout } = await ask();
  for (const node of ['node-1', 'node-2', 'node-3']) assert.match(stdout, new RegExp(`^problem +redis +${node} has lost Redis`, 'm'), stdout);
  assert.equal(code, 1);
  await cluster.redis.start();
});

it('a PostgreSQL that is away is found', async () => {
  await cluster.postgres.stop();
  const { code, stdout } = await ask();
  assert.match(stdout, /^problem +readiness +node-1, node-2, node-3: .*database does not answer/m, stdout);
  assert.equal(code, 1);
  await cluster.postgres.start();
});
