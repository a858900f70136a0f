// The load balancers of examples/cluster, or others, in front of servers of a test: own port, gone when the file ends.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program, freePort } from './program.mjs';

const EXAMPLES = fileURLToPath(new URL('../../../examples/cluster/', import.meta.url));
/** The nodes that the examples have. */
export const NODES = ['node-1', 'node-2', 'node-3'];
/** nginx keeps bodies in files; without this it would keep them where only root can. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`).join(' ');

const PROGRAMS = {
  nginx: { file: 'nginx.conf', args: (folder, file) => ['-p', folder, '-c', file, '-e', 'stderr', '-g', 'daemon off; pid nginx.pid;'] },
  haproxy: { file: 'haproxy.cfg', args: (_, file) => ['-db', '-f', file] },
};

/** What a client says that wants to be sent to a certain node, where `routed`. */
export const HEADER = 'Test-Node';

/**
 * The configuration of examples/cluster for these servers, in the order of node-1, node-2, node-3. Where they are fewer,
 * some stand in it twice.
 */
export function example(program, servers) {
  assert.ok(servers.length <= NODES.length, 'the examples have no more nodes');
  const text = readFileSync(join(EXAMPLES, PROGRAMS[program].file), 'utf8');
  // All at once: a port that was put in may begin like one that is to be replaced.
  return text.replace(/127\.0\.0\.1:300([123])\b/g, (_, number) => `127.0.0.1:${servers[(number - 1) % servers.length].port}`);
}

/** The same for nginx, where clients can ask for a node by `HEADER` too, for what no cookie leads: WebSockets and requests. */
export function routed(config) {
  const variable = `$http_${HEADER.toLowerCase().replace('-', '_')}`;
  const choice = (otherwise) => `map ${variable} $${otherwise}_or_asked { default ${otherwise}; ${
    NODES.map((node) => `${node} ${node.replace('-', '_')};`).join(' ')} }\n`;
  const replaced = [
    [/(websocket: +)least_busy;/, '$1$least_busy_or_asked;'],
    ['proxy_pass http://in_turn;', 'proxy_pass http://$in_turn_or_asked;'],
    [/^http \{\n/m, `$&${choice('least_busy')}${choice('in_turn')}`],
  ];
  return replaced.reduce((text, [from, to]) => {
    const result = text.replace(from, to);
    assert.notEqual(result, text, `the example does not say ${from} any more`);
    return result;
  }, config);
}

/**
 * Starts `nginx` or `haproxy` with a configuration that listens on 127.0.0.1:8080, which is replaced by a free port.
 * Resolves when it listens.
 */
export async function startBalancer(program, config) {
  const balancer = new Balancer(program, await freePort(), config);
  await balancer.start();
  return balancer;
}

class Balancer extends Program {
  /** nginx's workers would outlive SIGKILL. */
  lastSignal = 'SIGTERM';

  #config;

  constructor(program, port, config) {
    super(program);
    this.port = port;
    this.#config = config.replace(/127\.0\.0\.1:8080\b/g, `127.0.0.1:${port}`).replace(/^http \{/m, `http { ${TEMPORARY}`);
    // nginx's workers, where it is started by root, are somebody else.
    chmodSync(this.dataDir, 0o755);
  }

  get url() { return `http://127.0.0.1:${this.port}`; }

  async start() {
    const { file, args } = PROGRAMS[this.name];
    const path = join(this.dataDir, file);
    writeFileSync(path, this.#config);
    await this.run(command(this.name), args(this.dataDir, path), this.port);
  }
}

/** Debian has them where only root looks. */
function command(name) {
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  return execFileSync('sh', ['-c', `command -v ${name} || echo ${name}`], { env: { PATH: path }, encoding: 'utf8' }).trim();
}
