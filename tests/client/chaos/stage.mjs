// Where it happens: nodes of the real binary, each with its own ways to the one PostgreSQL and the one Redis.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../support/postgres.mjs';
import { freePort } from '../support/program.mjs';
import { startRedis } from '../support/redis.mjs';
import { Server } from '../support/server.mjs';
import { Proxy } from './proxy.mjs';

const START_AGAIN_MS = 300;
const START_MS = 40_000;
/** What the order of locks leaves no room for. */
const CONFLICT = /deadlock detected|duplicate key value violates unique constraint "\w+"|could not serialize access/;
/** How far the nodes are from Redis: what one says arrives at times after what another said later. */
const DISTANCES_MS = [0, 15, 60];

/** `count` nodes over `services`, of which there are `postgres` and `redis`. Without the former a node has its SQLite. */
export async function startStage({ count, services, settings = {} }) {
  const has = (name) => services.includes(name);
  const [postgres, redis] = await Promise.all([has('postgres') && startPostgres(), has('redis') && startRedis()]);
  const database = postgres && new URL(await postgres.createDatabase());
  const nodes = [];
  for (let i = 1; i <= count; i += 1) {
    const distance = DISTANCES_MS[(i - 1) % DISTANCES_MS.length];
    nodes.push(await node(`node-${i}`, { settings, postgres, redis, database, distance }));
  }
  // Together, as in a deployment: only one of them migrates.
  await Promise.all(nodes.map((each) => each.start()));
  return new Stage(nodes, { postgres, redis });
}

async function node(name, { settings, postgres, redis, database, distance }) {
  const ways = {};
  const own = { listen: `127.0.0.1:${await freePort()}`, node_name: name };
  if (redis) {
    ways.redis = await new Proxy(redis.port, { distance }).start();
    own.redis_url = `redis://127.0.0.1:${ways.redis.port}`;
  }
  if (postgres) {
    ways.postgres = await new Proxy(postgres.port).start();
    own.database_url = `${database.protocol}//${database.username}@127.0.0.1:${ways.postgres.port}${database.pathname}`;
  }
  return new Node(name, new Server({ ...own, ...settings }), ways);
}

class Node {
  isUp = false;

  constructor(name, server, ways) {
    Object.assign(this, { name, server, ways });
  }

  get url() { return this.server.url; }

  async start() {
    await this.server.start();
    this.isUp = true;
  }

  /** As a supervisor does it: until it stays. */
  async startAgain() {
    const until = Date.now() + START_MS;
    for (;;) {
      try {
        return await this.start();
      } catch (error) {
        if (Date.now() > until) throw error;
        await sleep(START_AGAIN_MS);
      }
    }
  }

  async kill() {
    this.isUp = false;
    await this.server.kill();
  }

  async stop() {
    this.isUp = false;
    assert.equal(await this.server.stop(), 0, `${this.name} drains and ends with 0`);
  }

  residentBytes() {
    try {
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.server.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
    } catch (error) {
      // It has just ended.
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
      return 0;
    }
  }

  /** Messages that the bus did not bring, and that were read from the store, since it was started last. */
  async holes() {
    const metrics = await (await fetch(`${this.url}/metrics`)).text();
    return Number(/^confab_holes_filled_total (\d+)/m.exec(metrics)?.[1] ?? 0);
  }

  /** Its warnings, each text with how often it came, and its panics. */
  warnings() {
    const counts = new Map();
    const panics = [];
    const lines = this.server.log();
    for (const text of lines) {
      if (!text.startsWith('{')) {
        if (text.includes('panicked at')) panics.push(text);
        continue;
      }
      const { level, fields } = JSON.parse(text);
      if (level === 'WARN' || level === 'ERROR') counts.set(`${level} ${fields.message}`, (counts.get(`${level} ${fields.message}`) ?? 0) + 1);
    }
    return { warnings: [...counts], panics, lines: lines.length };
  }
}

class Stage {
  constructor(nodes, { postgres, redis }) {
    Object.assign(this, { nodes, postgres, redis });
  }

  named(name) { return this.nodes.find((node) => node.name === name); }

  /** A command of Redis, by its own way. */
  async command(...words) {
    const socket = net.connect({ port: this.redis.port, host: '127.0.0.1' });
    try {
      return await new Promise((resolve, reject) => {
        socket.once('error', reject);
        socket.once('data', (answer) => resolve(String(answer)));
        socket.write(`${words.join(' ')}\r\n`);
      });
    } finally {
      socket.destroy();
    }
  }

  /** All processes of PostgreSQL stand still: the one that accepts alone would leave the others at work. */
  pausePostgres() {
    const { pid } = this.postgres;
    this.postgres.pause();
    this.stopped = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    for (const child of this.stopped) process.kill(child, 'SIGSTOP');
  }

  resumePostgres() {
    for (const child of this.stopped) process.kill(child, 'SIGCONT');
    this.postgres.resume();
  }

  /** What PostgreSQL refused because transactions got in each other's way: each text with how often it came. */
  conflicts() {
    const counts = new Map();
    for (const line of this.postgres?.log() ?? []) {
      const [text] = CONFLICT.exec(line) ?? [];
      if (text) counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return [...counts];
  }

  async end() {
    const codes = await Promise.all(this.nodes.map((node) => node.server.stop()));
    const ways = this.nodes.flatMap((node) => Object.values(node.ways));
    await Promise.all([...ways.map((way) => way.close()), this.postgres && this.postgres.close(), this.redis && this.redis.close()]);
    return codes;
  }
}
