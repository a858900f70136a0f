// The load balancers of examples/cluster, or others, in front of servers of a test: own port, gone when the file ends.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const START_MS = 10_000;
const EXAMPLES = fileURLToPath(new URL('../../../examples/cluster/', import.meta.url));
/** nginx keeps bodies in files; without this it would keep them where only root can. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`).join(' ');

const PROGRAMS = {
  nginx: { file: 'nginx.conf', args: (folder, file) => ['-p', folder, '-c', file, '-e', 'stderr', '-g', 'daemon off; pid nginx.pid;'] },
  haproxy: { file: 'haproxy.cfg', args: (_, file) => ['-db', '-f', file] },
};

const running = new Set();

/** The configuration of examples/cluster for these servers, in the order of node-1, node-2, node-3. */
export function example(program, servers) {
  const text = readFileSync(join(EXAMPLES, PROGRAMS[program].file), 'utf8');
  return servers.reduce((filled, { port }, i) => filled.replaceAll(`127.0.0.1:${3001 + i}`, `127.0.0.1:${port}`), text);
}

/**
 * Starts `nginx` or `haproxy` with a configuration that listens on 127.0.0.1:8080, which is replaced by a free port.
 * Resolves to `{url, port, stop}` when it listens.
 */
export async function startBalancer(program, config) {
  const folder = mkdtempSync(join(tmpdir(), 'confab-balancer-'));
  // nginx's workers, where it is started by root, are somebody else.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const { file, args } = PROGRAMS[program];
  const text = config.replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`).replace(/^http \{/m, `http { ${TEMPORARY}`);
  writeFileSync(join(folder, file), text);
  const child = spawn(program, args(folder, join(folder, file)), { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => said.push(data));
    stream.unref();
  }
  child.unref();
  const ended = new Promise((resolve) => { child.once('close', resolve); child.once('error', resolve); });
  const balancer = {
    port,
    url: `http://127.0.0.1:${port}`,
    discard: () => {
      child.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
    stop: async () => {
      running.delete(balancer);
      child.ref();
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  running.add(balancer);
  const gone = ended.then(() => { throw new Error(`${program} ended:\n${Buffer.concat(said)}`); });
  gone.catch(() => {});
  await Promise.race([listens(port), gone]);
  return balancer;
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function listens(port) {
  const until = Date.now() + START_MS;
  for (;;) {
    const open = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    if (Date.now() > until) throw new Error(`nothing listens on ${port} after ${START_MS} ms`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

function discardAll() {
  for (const balancer of running) balancer.discard();
  running.clear();
}

after(discardAll);
process.once('exit', discardAll);
