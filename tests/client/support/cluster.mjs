// Several nodes over PostgreSQL and Redis behind nginx, as people run them.
import { randomUUID } from 'node:crypto';
import { HEADER, NODES, example, routed, startBalancer } from './balancer.mjs';
import { startPostgres } from './postgres.mjs';
import { freePort } from './program.mjs';
import { startRedis } from './redis.mjs';
import { Server } from './server.mjs';

/** What the load balancer of examples/cluster goes by. */
const COOKIE = 'confab_node';

let shared;
/** The PostgreSQL and the Redis of this test file. Clusters share them: each has a database and a prefix of its own. */
function services() {
  shared ??= Promise.all([startPostgres(), startRedis()]);
  return shared;
}

/**
 * Starts `nodes` nodes behind nginx. `settings` are those of `startServer`, for each node, or a function from a node's
 * index to its own. `postgres` and `redis` in place of those of the file. One node alone needs neither, and has its SQLite.
 *
 * A cluster stands where a server stands for a `World`: successive clients of it are sent to different nodes.
 */
export async function startCluster({ nodes: count = 3, settings = {}, ...own } = {}) {
  const common = count > 1 ? await many(own) : {};
  const nodes = await Promise.all(Array.from({ length: count }, async (_, i) => {
    const each = typeof settings === 'function' ? settings(i) : settings;
    const named = count > 1 ? { node_name: NODES[i], sticky_cookie: COOKIE } : {};
    return new Server({ ...common.settings, ...named, listen: `127.0.0.1:${await freePort()}`, ...each });
  }));
  await Promise.all(nodes.map((node) => node.start()));
  const nginx = await startBalancer('nginx', routed(example('nginx', nodes)));
  return new Cluster({ ...common, nodes, nginx });
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
  constructor(parts) {
    Object.assign(this, parts);
    /** For each node what those say whom nginx is to send there. */
    this.routes = this.nodes.map((_, i) => ({ Cookie: `${COOKIE}=${NODES[i]}`, [HEADER]: NODES[i] }));
  }

  /** Where clients connect: nginx. */
  get url() { return this.nginx.url; }

  /** Every line that was logged, node after node. */
  log() { return this.nodes.flatMap((node) => node.log()); }

  /** How many connections each node says that it has; one that does not answer has none. */
  async connections() {
    return Promise.all(this.nodes.map(async ({ url }) => {
      const answer = await fetch(`${url}/metrics`).catch(() => null);
      if (!answer) return 0;
      const counts = (await answer.text()).matchAll(/^confab_connections\{.*\} (\d+)$/gm);
      return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
    }));
  }

  /** SIGTERM to all nodes at once, then the end of nginx. Resolves to the nodes' exit codes. */
  async stop() {
    const codes = await Promise.all(this.nodes.map((node) => node.stop()));
    await this.nginx.stop();
    return codes;
  }
}
