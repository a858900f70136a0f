// Several nodes over PostgreSQL and Redis behind nginx, as people run them.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { startNginx } from './nginx.mjs';
import { startPostgres } from './postgres.mjs';
import { freePort } from './program.mjs';
import { startRedis } from './redis.mjs';
import { Server } from './server.mjs';

/** How often somebody new is sent to one node after the other until each was seen. */
const ROUNDS = 20;

let shared;
/** The PostgreSQL and the Redis of this test file. Clusters share them: each has a database and a prefix of its own. */
function services() {
  shared ??= Promise.all([startPostgres(), startRedis()]);
  return shared;
}

/**
 * Starts `nodes` nodes and resolves when nginx sends clients to each of them. `settings` are those of `startServer`, for
 * each node, or a function from a node's index to its own. `postgres` and `redis` in place of those of the file.
 * One node alone needs neither, and has its SQLite.
 *
 * A cluster stands where a server stands for a `World`: successive clients of it are sent to different nodes.
 */
export async function startCluster({ nodes: count = 3, settings = {}, ...own } = {}) {
  const common = count > 1 ? await many(own) : {};
  const nodes = await Promise.all(Array.from({ length: count }, async (_, i) => {
    const each = typeof settings === 'function' ? settings(i) : settings;
    const named = count > 1 ? { node_name: `node-${i + 1}` } : {};
    return new Server({ ...common.settings, ...named, listen: `127.0.0.1:${await freePort()}`, ...each });
  }));
  await Promise.all(nodes.map((node) => node.start()));
  const nginx = await startNginx(nodes.map(({ port }) => port));
  const cluster = new Cluster({ ...common, nodes, nginx });
  await cluster.findRoutes();
  return cluster;
}

async function many({ postgres, redis }) {
  const [ofFile, redisOfFile] = postgres && redis ? [] : await services();
  const database = postgres ?? ofFile;
  const bus = redis ?? redisOfFile;
  const databaseUrl = await database.createDatabase();
  const settings = { database_url: databaseUrl, redis_url: bus.url, redis_prefix: `test-${randomUUID()}` };
  return { postgres: database, redis: bus, databaseUrl, settings };
}

class Cluster {
  /** For each node the headers of those whom nginx sends to it. */
  routes = [];

  constructor(parts) { Object.assign(this, parts); }

  /** Where clients connect: nginx. */
  get url() { return this.nginx.url; }

  /** Every line that was logged, node after node. */
  log() { return this.nodes.flatMap((node) => node.log()); }

  /** Comes as somebody new until each node was met, and keeps the cookie that nginx gave there. */
  async findRoutes() {
    const met = new Map();
    for (let i = 0; met.size < this.nodes.length && i < ROUNDS * this.nodes.length; i += 1) {
      const response = await fetch(`${this.url}/healthz`);
      const { node } = await response.json();
      met.set(node, { Cookie: response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ') });
    }
    assert.equal(met.size, this.nodes.length, `nginx sends nobody to some node: ${[...met.keys()]}`);
    // In the order of the nodes, whose names are in the order of their numbers.
    this.routes = [...met].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, headers]) => headers);
  }

  /** SIGTERM to all nodes at once, then the end of nginx. Resolves to the nodes' exit codes. */
  async stop() {
    const codes = await Promise.all(this.nodes.map((node) => node.stop()));
    await this.nginx.stop();
    return codes;
  }
}
