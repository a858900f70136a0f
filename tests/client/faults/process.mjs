// Servers that ../support/server.mjs cannot run: those that may fail to start, or that run out of disk.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SECRET } from '../support/server.mjs';
import { until } from './support.mjs';

const binary = process.env.CONFAB_BIN ?? fileURLToPath(new URL('../../../target/release/confab', import.meta.url));
const running = new Set();

/** An empty data folder, gone when the file ends. */
export function dataFolder() {
  const path = mkdtempSync(join(tmpdir(), 'confab-fault-'));
  after(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

/**
 * The binary with `args`, in a data folder that may be shared. With `fileLimitKib` every file refuses to grow beyond
 * that: the nearest to a full disk that needs no root.
 */
export class Process {
  output = [];
  /** `{code, signal}` when it has ended. */
  exit = null;

  constructor(args, dataDir, { settings = {}, fileLimitKib } = {}) {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('CONFAB_'));
    const all = { jwt_secret: SECRET, log_format: 'json', listen: '127.0.0.1:0', data_dir: dataDir, ...settings };
    const set = Object.entries(all).filter(([, value]) => value !== null)
      .map(([name, value]) => [`CONFAB_${name.toUpperCase()}`, String(value)]);
    // Ignored, SIGXFSZ stays so over `exec`, and a write beyond the limit is an error (EFBIG) in place of a death.
    const [command, ...rest] = fileLimitKib
      ? ['bash', '-c', `trap '' XFSZ; ulimit -f ${fileLimitKib}; exec "$0" "$@"`, binary, ...args]
      : [binary, ...args];
    const options = { cwd: dataDir, env: Object.fromEntries([...own, ...set]), stdio: ['ignore', 'pipe', 'pipe'] };
    this.child = spawn(command, rest, options);
    running.add(this.child);
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve({ code: null, signal: error.message }));
      // `close`, not `exit`: all output has been read by then.
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    }).then((exit) => {
      running.delete(this.child);
      this.exit = exit;
      return exit;
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.output.push(line));
    }
    // One left behind by a test that failed must not keep this process alive: what waits for it has timers.
    for (const handle of [this.child, this.child.stdout, this.child.stderr]) handle.unref();
  }

  get text() { return this.output.join('\n'); }

  /** What was logged, as objects. */
  get log() { return this.output.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)); }

  /** Resolves to this, with `url`, when it listens. */
  async listening() {
    const find = () => this.log.find(({ fields }) => fields?.message === 'listening');
    await until(() => this.exit || find(), () => `it listens:\n${this.text}`);
    assert.equal(this.exit, null, `it ended:\n${this.text}`);
    this.url = `http://${find().fields.address}`;
    return this;
  }

  /** Resolves to the exit code of one that ends by itself. */
  async code() {
    await until(() => this.exit, () => `it ends:\n${this.text}`);
    return this.exit.code;
  }

  /** SIGTERM. Resolves to the exit code. */
  async stop() {
    this.child.kill('SIGTERM');
    return this.code();
  }
}

/** Starts `confab serve` and waits until it listens. */
export function serve(dataDir, options) { return new Process(['serve'], dataDir, options).listening(); }

/** Runs `confab serve` where it has to refuse. Resolves to all that it said. */
export async function refusesToServe(dataDir, options) {
  const server = new Process(['serve'], dataDir, options);
  const code = await server.code();
  assert.notEqual(code, null, `it was killed:\n${server.text}`);
  assert.notEqual(code, 0, `it says that all is well:\n${server.text}`);
  assert.doesNotMatch(server.text, /panicked/);
  return server.text;
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid) {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

const killAll = () => { for (const child of running) child.kill('SIGKILL'); };
after(killAll);
process.once('exit', killAll);
