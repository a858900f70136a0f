// examples/cluster/run.sh, which is `make cluster`, as somebody who tries it.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, token } from '../support/clients.mjs';
import { BINARY } from '../support/server.mjs';
import { Program, freePort } from '../support/program.mjs';
import { eventually } from '../support/world.mjs';

const SCRIPT = fileURLToPath(new URL('../../../examples/cluster/run.sh', import.meta.url));

class Trial extends Program {
  /** It ends what it started. */
  lastSignal = 'SIGTERM';

  constructor() {
    super('make cluster');
    // As root it runs PostgreSQL as somebody else, who has to get there.
    chmodSync(this.dataDir, 0o711);
  }

  /** Resolves when it says where to connect. */
  async start() {
    // The script gives its nodes three ports in a row.
    this.ports ??= { PORT: await freePort(), NODE_PORT: await freePort(), POSTGRES_PORT: await freePort(), REDIS_PORT: await freePort() };
    const ports = Object.entries(this.ports).map(([name, port]) => [`CLUSTER_${name}`, port]);
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('CONFAB_'));
    const env = Object.fromEntries([...own, ...ports, ['CONFAB_BIN', BINARY], ['CLUSTER_DATA', join(this.dataDir, 'data')]]);
    this.url = await this.run(SCRIPT, [], (line) => /^Open (http:\S+)\/ /.exec(line)?.[1], { env });
  }

  file(name) { return readFileSync(join(this.dataDir, 'data', name), 'utf8').trim(); }

  /** Those who answer. */
  async nodes() {
    const answers = await Promise.all(Array.from({ length: 12 }, () => fetch(`${this.url}/healthz`)));
    const names = await Promise.all(answers.map(async (answer) => (await answer.json()).node));
    return [...new Set(names)].sort();
  }
}

test('make cluster starts three nodes, brings back one that is killed, and keeps what was said', { timeout: 60_000 }, async () => {
  const trial = new Trial();
  await trial.start();
  const all = ['node-1', 'node-2', 'node-3'];
  assert.deepEqual(await trial.nodes(), all);

  const accessToken = token({ user_id: 7, username: 'Seven' }, { secret: trial.file('secret') });
  const seven = await connect(trial.url, { token: accessToken });
  await seven.ok('join_room', { room_id: 'trial' });
  const said = await seven.say('trial', [seven], 'is anybody there?');
  seven.close();

  const killed = Number(trial.file('node-2.pid'));
  process.kill(killed, 'SIGKILL');
  await eventually(() => assert.notEqual(Number(trial.file('node-2.pid')), killed));
  // nginx leaves a node alone for 5 s.
  await eventually(async () => assert.deepEqual(await trial.nodes(), all));

  assert.equal(await trial.end('SIGINT'), 0);
  await assert.rejects(fetch(trial.url));
  await trial.start();
  const again = await connect(trial.url, { token: accessToken });
  const { messages } = await again.ok('get_messages', { room_id: 'trial' });
  assert.deepEqual(messages, [said]);
  again.close();
  assert.equal(await trial.stop(), 0);
});
