// Runs the release binary for a test file: own data folder, own port, gone when the file ends.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The HS256 secret of every server started here, unless its settings say otherwise. */
export const SECRET = 'a-secret-for-tests-only-0123456789abcdef';

const START_MS = 15_000;
const STOP_MS = 30_000;
const LOG_TAIL = 60;
const TIMED_OUT = Symbol('timed out');

const binary = process.env.CONFAB_BIN
  ?? fileURLToPath(new URL('../../../target/release/confab', import.meta.url));

const started = new Set();

/**
 * Starts a server and resolves when it listens.
 * `settings` are named as in confab.toml: `{rate_limit_messages: 0}` becomes `CONFAB_RATE_LIMIT_MESSAGES=0`;
 * a list is joined by commas, `null` leaves the variable out.
 *
 * At the top level of a test file all servers are awaited before the first test is registered: node:test takes a file
 * whose tests have all run for finished, whatever it still awaits. Inside of tests and hooks any time is fine.
 */
export async function startServer(settings = {}) {
  const server = new Server(settings);
  started.add(server);
  await server.start();
  return server;
}

/** A server that ends otherwise than by `stop`, `kill` or `restart` has died, and the test file with it. */
class Server {
  #settings;
  #child = null;
  #exited = null;
  #lines = [];
  #leaving = false;

  constructor(settings) {
    this.#settings = { jwt_secret: SECRET, log_format: 'json', listen: '127.0.0.1:0', ...settings };
    this.dataDir = mkdtempSync(join(tmpdir(), 'confab-test-'));
    this.port = 0;
  }

  get url() { return `http://127.0.0.1:${this.port}`; }

  get pid() { return this.#child?.pid; }

  /** Every line logged so far, as text, over all restarts. */
  log() { return [...this.#lines]; }

  /** SIGTERM: the server drains. Resolves to its exit code (null where it was killed by a signal). */
  async stop() {
    const code = await this.#signal('SIGTERM');
    if (code === TIMED_OUT) {
      await this.kill();
      throw new Error(`the server did not stop within ${STOP_MS} ms of SIGTERM\n${this.#tail()}`);
    }
    return code;
  }

  /** SIGKILL: the crash test. */
  async kill() { return this.#signal('SIGKILL'); }

  /** Again on the same data and the same port; stops it first where it still runs. */
  async restart(settings = {}) {
    if (this.#child) await this.stop();
    Object.assign(this.#settings, settings, { listen: `127.0.0.1:${this.port}` });
    await this.start();
    return this;
  }

  /** Another command of the binary with the same settings and data. Resolves to `{code, stdout, stderr}`. */
  command(args, { input = '', settings = {}, timeout: within = START_MS } = {}) {
    return new Promise((resolve, reject) => {
      const options = { cwd: this.dataDir, env: this.#environment(settings), timeout: within };
      const child = execFile(binary, args, options, (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') return reject(error);
        return resolve({ code: error?.code ?? 0, stdout, stderr });
      });
      // It may have ended without reading any.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  }

  async start() {
    if (!existsSync(binary)) throw new Error(`there is no server at ${binary}: build it, or set CONFAB_BIN`);
    this.#leaving = false;
    const child = spawn(binary, ['serve'], {
      // A folder of its own, so that no confab.toml of the developer's is read.
      cwd: this.dataDir,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      // A binary that cannot be run emits `error` alone. `close` comes after the last line of the log, `exit` may not.
      child.once('error', (error) => resolve({ code: null, signal: error.message }));
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    const address = new Promise((resolve) => {
      let known = false;
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          this.#lines.push(line);
          if (known) return;
          const found = listening(line);
          if (!found) return;
          known = true;
          resolve(found);
        });
      }
    });

    const first = await Promise.race([address, this.#exited, timeout(START_MS)]);
    if (typeof first !== 'string') {
      this.#leaving = true;
      child.kill('SIGKILL');
      const why = first === TIMED_OUT ? `did not listen within ${START_MS} ms` : `ended with ${JSON.stringify(first)}`;
      throw new Error(`the server ${why}\n${this.#tail()}`);
    }
    this.port = Number(first.slice(first.lastIndexOf(':') + 1));
    // A running server alone must not keep the test process alive: node:test ends when the event loop is empty.
    for (const handle of handles(child)) handle.unref();
    this.#exited.then((exit) => {
      this.#child = null;
      if (this.#leaving) return;
      // Every test that follows would only time out, so the file fails here, with the reason.
      process.stderr.write(`the server died: ${JSON.stringify(exit)}\n${this.#tail()}\n`);
      process.exit(1);
    });
  }

  /** Called when the process ends: synchronous, whatever the state. */
  discard() {
    this.#leaving = true;
    this.#child?.kill('SIGKILL');
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 3 });
  }

  async #signal(name) {
    const child = this.#child;
    if (!child) return null;
    this.#leaving = true;
    for (const handle of handles(child)) handle.ref();
    child.kill(name);
    const end = await Promise.race([this.#exited, timeout(STOP_MS)]);
    return end === TIMED_OUT ? TIMED_OUT : end.code;
  }

  #environment(settings = {}) {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('CONFAB_'));
    const set = Object.entries({ ...this.#settings, data_dir: this.dataDir, ...settings })
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [`CONFAB_${name.toUpperCase()}`, Array.isArray(value) ? value.join(',') : String(value)]);
    return Object.fromEntries([...own, ...set]);
  }

  #tail() { return this.#lines.slice(-LOG_TAIL).join('\n') || '(it logged nothing)'; }
}

const handles = (child) => [child, child.stdout, child.stderr];

function timeout(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms, TIMED_OUT).unref(); });
}

/** The address in the line that says that the server is ready, else undefined. */
function listening(line) {
  if (!line.startsWith('{')) return undefined;
  try {
    const { fields } = JSON.parse(line);
    return fields?.message === 'listening' ? fields.address : undefined;
  } catch {
    return undefined;
  }
}

function discardAll() {
  for (const server of started) server.discard();
  started.clear();
}

after(discardAll);
process.once('exit', discardAll);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
