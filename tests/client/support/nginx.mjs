// The nginx of examples/cluster before the nodes of a test file.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program, freePort } from './program.mjs';

const EXAMPLE = new URL('../../../examples/cluster/nginx.conf', import.meta.url);
/** The nodes that the example has. */
export const NODES = ['node-1', 'node-2', 'node-3'];
/** What a client says that wants to be sent to a certain node where the example has no stickiness: WebSockets and requests. */
export const HEADER = 'Test-Node';

/** Starts one before the nodes that listen on `ports`. Where they are fewer than the example has, some stand in it twice. */
export async function startNginx(ports) {
  const nginx = new Nginx(await freePort(), ports);
  await nginx.start();
  return nginx;
}

class Nginx extends Program {
  /** Its workers would outlive SIGKILL. */
  lastSignal = 'SIGTERM';

  #ports;

  constructor(port, ports) {
    super('nginx');
    this.port = port;
    this.#ports = ports;
  }

  get url() { return `http://127.0.0.1:${this.port}`; }

  async start() {
    const file = join(this.dataDir, 'nginx.conf');
    writeFileSync(file, configuration(this.port, this.#ports));
    const isReady = (line) => line.includes('start worker process ');
    await this.run(command(), ['-p', this.dataDir, '-c', file, '-e', 'stderr', '-g', 'daemon off; error_log stderr notice;'], isReady);
  }
}

/** Debian has it where only root looks. */
function command() {
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  return execFileSync('sh', ['-c', 'command -v nginx || echo nginx'], { env: { PATH: path }, encoding: 'utf8' }).trim();
}

function configuration(port, ports) {
  assert.ok(ports.length <= NODES.length, 'examples/cluster/nginx.conf has no more nodes');
  const files = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  const choice = (name, otherwise) => `map $http_${HEADER.toLowerCase().replace('-', '_')} $${name} { ${
    NODES.map((node) => `${node} ${node.replace('-', '_')};`).join(' ')} default ${otherwise}; }`;
  const main = [`pid nginx.pid;`, ...(process.getuid() === 0 ? ['user root;'] : [])];
  const replaced = [
    ['127.0.0.1:8080', `127.0.0.1:${port}`],
    ...NODES.map((_, i) => [`127.0.0.1:300${i + 1}`, `127.0.0.1:${ports[i % ports.length]}`]),
    ['websocket:  least_busy;', 'websocket:  $test_websocket;'],
    ['proxy_pass http://in_turn;', 'proxy_pass http://$test_request;'],
    ['http {\n', `${main.join('\n')}\nhttp {\n${[...files, choice('test_websocket', 'least_busy'), choice('test_request', 'in_turn')].join('\n')}\n`],
  ];
  let text = readFileSync(EXAMPLE, 'utf8');
  for (const [from, to] of replaced) {
    assert.ok(text.includes(from), `${EXAMPLE.pathname} does not say "${from}" any more`);
    text = text.replaceAll(from, to);
  }
  return text;
}
