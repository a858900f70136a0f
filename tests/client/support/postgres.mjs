// PostgreSQL for a test file: throw-away, on the loopback, with a database for each cluster.
import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Program, freePort } from './program.mjs';

const run = promisify(execFile);
const USER = 'postgres';
const DEBIAN = '/usr/lib/postgresql';
const GONE_TICK_MS = 5;

/** Where its programs are: in the path, or where Debian puts them, the newest. */
function binaries() {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => b - a).map((version) => join(DEBIAN, version, 'bin')) : [];
  const folder = [...process.env.PATH.split(':'), ...versions].find(hasAll);
  if (!folder) throw new Error('there is no PostgreSQL: make services');
  return folder;
}

const hasAll = (path) => ['initdb', 'postgres', 'psql'].every((program) => existsSync(join(path, program)));

/** PostgreSQL refuses to run as root. */
function unprivileged() {
  if (process.getuid() !== 0) return {};
  const id = (flag) => Number(execFileSync('id', [flag, USER], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** `durable`: whether a commit is on the disk, for tests that need no more than a database may do without. */
export async function startPostgres({ durable = false, settings = {} } = {}) {
  const postgres = new Postgres(await freePort(), { fsync: durable ? 'on' : 'off', ...settings });
  await postgres.initialise();
  await postgres.start();
  return postgres;
}

class Postgres extends Program {
  /** It ends its processes. */
  lastSignal = 'SIGQUIT';

  #folder = binaries();
  #owner = unprivileged();
  #settings;
  #databases = 0;

  constructor(port, settings) {
    super('PostgreSQL');
    this.port = port;
    this.#settings = {
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: 300,
      shared_buffers: '32MB',
      // Nothing is left in /dev/shm by one that is killed.
      dynamic_shared_memory_type: 'mmap',
      ...settings,
    };
  }

  async initialise() {
    const { uid, gid } = this.#owner;
    if (uid !== undefined) chownSync(this.dataDir, uid, gid);
    const args = ['-D', join(this.dataDir, 'data'), '-U', USER, '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await run(join(this.#folder, 'initdb'), args, { cwd: this.dataDir, ...this.#owner });
  }

  async start() {
    const args = Object.entries(this.#settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const isReady = (line) => line.includes('database system is ready to accept connections');
    await this.run(join(this.#folder, 'postgres'), ['-D', join(this.dataDir, 'data'), ...args], isReady, this.#owner);
  }

  /** Lets nobody finish, which is what a restart of PostgreSQL is to its clients. */
  async stop() { return this.end('SIGINT'); }

  /** SIGKILL, to its processes too: they would keep the next one from starting until they notice. */
  async kill() {
    const children = this.#children();
    const end = this.end('SIGKILL');
    for (const pid of children) kill(pid);
    await end;
    while (children.some(isAlive)) await sleep(GONE_TICK_MS);
  }

  /** An empty database of its own: its URL. */
  async createDatabase() {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.query(`CREATE DATABASE ${name}`);
    return this.url(name);
  }

  url(database) { return `postgres://${USER}@127.0.0.1:${this.port}/${database}`; }

  /** Resolves to the rows, each as text with its columns between bars. */
  async query(sql, url = this.url(USER)) {
    const { stdout } = await run(join(this.#folder, 'psql'), ['-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', sql, url]);
    return stdout.split('\n').filter(Boolean);
  }

  async close() {
    await this.end('SIGINT');
    this.discard();
  }

  #children() {
    return readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  }
}

/** One that nobody has waited for yet is dead. */
function isAlive(pid) {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (!['ENOENT', 'ESRCH'].includes(error.code)) throw error;
    return false;
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
