// Redis for a test file: throw-away, on the loopback, keeping nothing.
import { Program, freePort } from './program.mjs';

/** `args`: more of redis-server's command line. */
export async function startRedis({ args = [] } = {}) {
  const redis = new Redis(await freePort(), args);
  await redis.start();
  return redis;
}

class Redis extends Program {
  #args;

  constructor(port, args) {
    super('Redis');
    this.port = port;
    this.#args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...args];
  }

  get url() { return `redis://127.0.0.1:${this.port}`; }

  async start() {
    await this.run('redis-server', this.#args.map(String), (line) => line.includes('Ready to accept connections'));
  }
}
