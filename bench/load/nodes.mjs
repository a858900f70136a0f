// The nodes that are measured, with their PostgreSQL and Redis, and what they and their databases say of themselves.
import { startPostgres } from '../../tests/client/support/postgres.mjs';
import { startRedis } from '../../tests/client/support/redis.mjs';
import { Server } from '../../tests/client/support/server.mjs';
import { spending } from './cpu.mjs';

/** `count` nodes over PostgreSQL, which keeps what it is given, and Redis. `store: 'sqlite'` for one node alone. */
export async function startNodes(count, { store = 'postgres', settings = {} } = {}) {
  const shared = { rate_limit_messages: 0, max_pending_per_ip: 100_000, ...settings };
  const nodes = {};
  if (store === 'postgres') {
    nodes.postgres = await startPostgres({ durable: true, settings: { shared_buffers: '256MB', synchronous_commit: 'on' } });
    nodes.database = await nodes.postgres.createDatabase();
    shared.database_url = nodes.database;
  }
  if (count > 1 || settings.redis) {
    nodes.redis = await startRedis();
    shared.redis_url = nodes.redis.url;
  }
  delete shared.redis;
  nodes.servers = [];
  for (let i = 0; i < count; i += 1) {
    const server = new Server({ ...shared, node_name: `node-${i + 1}` });
    await server.start();
    nodes.servers.push(server);
  }
  nodes.stop = async () => {
    await Promise.all(nodes.servers.map((server) => server.kill()));
    for (const one of [nodes.redis, nodes.postgres]) if (one) await one.stop();
  };
  return nodes;
}

/** What the nodes and the databases do from here on: call the result for it. */
export async function watch({ servers, redis, postgres, database }) {
  const before = await counts({ servers, redis, postgres, database });
  const pids = Object.fromEntries(servers.map((server, i) => [`node-${i + 1}`, server.pid]));
  if (redis) pids.redis = redis.pid;
  if (postgres) pids.postgres = postgres.pid;
  const spent = spending(pids);
  return async () => {
    const result = spent();
    const after = await counts({ servers, redis, postgres, database });
    const count = {};
    for (const [name, value] of after) {
      const grown = value - (before.get(name) ?? 0);
      if (grown) count[name] = grown;
    }
    return { ...result, count };
  };
}

async function counts({ servers, redis, postgres, database }) {
  const all = new Map();
  const add = (name, value) => all.set(name, (all.get(name) ?? 0) + value);
  for (const server of servers) {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    for (const [, name, labels, value] of text.matchAll(/^confab_(\w+?)(\{[^}]*\})? ([\d.e+]+)$/gm)) {
      if (name.endsWith('_bucket')) continue;
      const query = /query="(\w+)"/.exec(labels ?? '');
      if (query && name === 'query_seconds_count') add(`query ${query[1]}`, Number(value));
      else if (!labels) add(name, Number(value));
    }
  }
  if (redis) for (const [name, value] of await redisCounts(redis.port)) add(name, value);
  if (postgres) {
    const [row] = await postgres.query('SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), \'0/0\'), (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()), (SELECT wal_sync FROM pg_stat_wal)', database);
    const [wal, commits, syncs] = row.split('|').map(Number);
    add('wal bytes', wal);
    add('transactions', commits);
    add('wal syncs', syncs);
  }
  return all;
}

async function redisCounts(port) {
  const { Redis } = await import('./resp.mjs');
  const client = await Redis.connect(port);
  const text = `${await client.ask('INFO', 'commandstats')}\n${await client.ask('INFO', 'stats')}`;
  client.close();
  const commands = [...text.matchAll(/^cmdstat_(\w+)[^:]*:calls=(\d+)/gm)].map(([, name, calls]) => [`redis ${name}`, Number(calls)]);
  const stats = [...text.matchAll(/^(total_net_\w+_bytes):(\d+)/gm)].map(([, name, value]) => [`redis ${name}`, Number(value)]);
  return [...commands, ...stats];
}
