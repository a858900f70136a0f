// Runs the release binary for a test file: own data folder, own port, gone when the file ends.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Program } from './program.mjs';

/** The HS256 secret of every server started here, unless its settings say otherwise. */
export const SECRET = 'a-secret-for-tests-only-0123456789abcdef';

const COMMAND_MS = 15_000;

export const BINARY = process.env.CONFAB_BIN
  ?? fileURLToPath(new URL('../../../target/release/confab', import.meta.url));

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
  await server.start();
  return server;
}

/** SIGTERM (`stop`) drains it. */
export class Server extends Program {
  #settings;

  constructor(settings) {
    super('the server');
    this.#settings = { jwt_secret: SECRET, log_format: 'json', listen: '127.0.0.1:0', ...settings };
    this.port = 0;
  }

  get url() { return `http://127.0.0.1:${this.port}`; }

  /** Again on the same data and the same port; stops it first where it still runs. */
  async restart(settings = {}) {
    if (this.pid) await this.stop();
    Object.assign(this.#settings, settings, { listen: `127.0.0.1:${this.port}` });
    await this.start();
    return this;
  }

  /** Another command of the binary with the same settings and data. Resolves to `{code, stdout, stderr}`. */
  command(args, { input = '', settings = {}, timeout: within = COMMAND_MS } = {}) {
    return new Promise((resolve, reject) => {
      const options = { cwd: this.dataDir, env: this.#environment(settings), timeout: within };
      const child = execFile(BINARY, args, options, (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') return reject(error);
        return resolve({ code: error?.code ?? 0, stdout, stderr });
      });
      // It may have ended without reading any.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  }

  async start() {
    if (!existsSync(BINARY)) throw new Error(`there is no server at ${BINARY}: build it, or set CONFAB_BIN`);
    const address = await this.run(BINARY, ['serve'], listening, { env: this.#environment() });
    this.port = Number(address.slice(address.lastIndexOf(':') + 1));
  }

  #environment(settings = {}) {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('CONFAB_'));
    const set = Object.entries({ ...this.#settings, data_dir: this.dataDir, ...settings })
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [`CONFAB_${name.toUpperCase()}`, Array.isArray(value) ? value.join(',') : String(value)]);
    return Object.fromEntries([...own, ...set]);
  }
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
