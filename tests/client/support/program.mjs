// A program that a test file runs: its own folder, its output kept, ended by its id when the file ends, come what may.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 15_000;
const STOP_MS = 30_000;
const TICK_MS = 20;
const LINES_KEPT = 100_000;
const LOG_TAIL = 60;
const TIMED_OUT = Symbol('timed out');
/** Below the ports that the kernel gives to connections: one that is free for a moment while its program is down stays so. */
const [FIRST_PORT, LAST_PORT] = [10_000, 32_000];

/** Of util-linux: has the kernel end what we started where we die without a chance to, as by SIGKILL. */
const SETPRIV = '/usr/bin/setpriv';

const started = new Set();

/** One that ends otherwise than by `stop` or `kill` has died, and the test file with it. */
export class Program {
  /** What ends it at once. */
  lastSignal = 'SIGKILL';

  #child = null;
  #exited = null;
  #lines = [];
  #leaving = false;

  constructor(name) {
    this.name = name;
    this.dataDir = mkdtempSync(join(tmpdir(), 'confab-test-'));
    started.add(this);
  }

  get pid() { return this.#child?.pid; }

  /** Every line written so far, as text, over all restarts. */
  log() { return [...this.#lines]; }

  /** SIGTERM. Resolves to the exit code (null where it was killed by a signal). */
  async stop() { return this.end('SIGTERM'); }

  /** SIGKILL: the crash test. */
  async kill() { return this.end('SIGKILL'); }

  /** Stands still, and its connections with it, until `resume`. */
  pause() { this.#child.kill('SIGSTOP'); }

  resume() { this.#child.kill('SIGCONT'); }

  /** Runs it and resolves to what `ready` finds in a line of its output. Or `ready` is the port that it is to listen on. */
  async run(command, args, ready, options = {}) {
    this.#leaving = false;
    // A folder of its own, so that no confab.toml of the developer's is read.
    const tied = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', this.lastSignal.slice(3), '--', command] : [command];
    const child = spawn(tied[0], [...tied.slice(1), ...args], { cwd: this.dataDir, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      // A binary that cannot be run emits `error` alone. `close` comes after the last line of the log, `exit` may not.
      child.once('error', (error) => resolve({ code: null, signal: error.message }));
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    const isLine = typeof ready === 'function';
    const found = new Promise((resolve) => { this.#read(child, isLine ? ready : () => {}, resolve); });
    const ended = this.#exited.then((exit) => ({ exit }));
    const first = await Promise.race([isLine ? found : listens(ready), ended, timeout(START_MS)]);
    if (first === TIMED_OUT || first.exit) {
      this.#leaving = true;
      child.kill('SIGKILL');
      const why = first === TIMED_OUT ? `was not ready within ${START_MS} ms` : `ended with ${JSON.stringify(first.exit)}`;
      throw new Error(`${this.name} ${why}\n${this.#tail()}`);
    }
    // A running program alone must not keep the test process alive: node:test ends when the event loop is empty.
    for (const handle of handles(child)) handle.unref();
    this.#exited.then((exit) => {
      this.#child = null;
      if (this.#leaving) return;
      // Every test that follows would only time out, so the file fails here, with the reason.
      process.stderr.write(`${this.name} died: ${JSON.stringify(exit)}\n${this.#tail()}\n`);
      process.exit(1);
    });
    return first.found;
  }

  /** Sends a signal that ends it, and waits for the end. */
  async end(signal) {
    const child = this.#child;
    if (!child) return null;
    this.#leaving = true;
    for (const handle of handles(child)) handle.ref();
    // One that stands still hears of it only when it goes on.
    for (const each of [signal, 'SIGCONT']) child.kill(each);
    const end = await Promise.race([this.#exited, timeout(STOP_MS)]);
    if (end !== TIMED_OUT) return end.code;
    if (signal === 'SIGKILL') throw new Error(`${this.name} outlives SIGKILL`);
    await this.end('SIGKILL');
    throw new Error(`${this.name} did not stop within ${STOP_MS} ms of ${signal}\n${this.#tail()}`);
  }

  /** When the file ends, and there is time. */
  async close() { this.discard(); }

  /** When the process ends: synchronous, whatever the state. */
  discard() {
    this.#leaving = true;
    for (const signal of [this.lastSignal, 'SIGCONT']) this.#child?.kill(signal);
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
    started.delete(this);
  }

  #read(child, ready, resolve) {
    let known = false;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines.push(line);
        if (this.#lines.length > 2 * LINES_KEPT) this.#lines.splice(0, LINES_KEPT);
        const found = known ? undefined : ready(line);
        if (!found) return;
        known = true;
        resolve({ found });
      });
    }
  }

  #tail() { return this.#lines.slice(-LOG_TAIL).join('\n') || '(it wrote nothing)'; }
}

const handles = (child) => [child, child.stdout, child.stderr];

function timeout(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms, TIMED_OUT).unref(); });
}

/** Until somebody listens there. */
async function listens(port) {
  for (const until = Date.now() + START_MS; Date.now() < until;) {
    const open = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
      socket.once('error', () => resolve(false));
    });
    if (open) return { found: port };
    await sleep(TICK_MS);
  }
  return TIMED_OUT;
}

/** A port of the loopback that nobody listens on, for programs that cannot be told to take a free one. */
export async function freePort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const probe = net.createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

after(() => Promise.all([...started].map((program) => program.close())));
process.once('exit', () => { for (const program of started) program.discard(); });
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
