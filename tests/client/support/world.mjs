// What one test has to itself: a tenant, so that presence and rooms of tests that run beside it are not heard, and
// clients that are closed when it ends.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { connect, open, token } from './clients.mjs';

/** Beside each other, since they share nothing; a test that waits leaves the machine to the others. */
const AT_ONCE = 4;
const TEST_MS = 60_000;
const EVENTUALLY_MS = 10_000;

/**
 * Runs a list of facts, each in a world of its own: `{'a sentence': async (world) => …}`.
 * `options`: what every client connects with, and `concurrency` where the facts of a list would disturb each other.
 */
export function facts(title, server, list, { concurrency = AT_ONCE, ...options } = {}) {
  describe(title, { concurrency }, () => {
    for (const [fact, check] of Object.entries(list)) {
      it(fact, { timeout: TEST_MS }, (t) => check(new World(t, server, options)));
    }
  });
}

/** For what becomes true beside the answers, at a moment that no client is told: tries until it holds. */
export async function eventually(check) {
  const until = Date.now() + EVENTUALLY_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}

export class World {
  clients = [];

  #connects = 0;

  /** `options`: what every client of this world connects with (`client`, `transports`). */
  constructor(t, server, options = {}) {
    this.server = server;
    this.options = options;
    this.tenant = `tenant-${randomUUID()}`;
    t.after(() => this.end());
  }

  /** An id that no other test uses. */
  id(prefix = 'room') { return `${prefix}-${randomUUID()}`; }

  /** A client for `options`, not necessarily of this tenant. */
  async connect(options = {}) { return this.#keep(await connect(this.server.url, this.#settings(options))); }

  /** The same, not awaited: for those that are refused, or watched while they connect. */
  open(options = {}) { return this.#keep(open(this.server.url, this.#settings(options))); }

  /** A token for a user of this tenant. The id is also the name, in capitals, so that the two cannot be confused. */
  token(id, claims = {}) {
    return token({ user_id: id, username: nameOf(id), tenant: this.tenant, ...claims });
  }

  /** A connected user of this tenant, with `id` and `username`. */
  async user(id, options = {}) {
    const client = await this.connect({ token: this.token(id), label: String(id), ...options });
    return Object.assign(client, { id, username: nameOf(id) });
  }

  /** Connected users in a room, in the order named, each having heard the last one come in. */
  async members(room, ...ids) {
    const users = [];
    for (const id of ids) users.push(await this.user(id));
    for (const user of users) await user.ok('join_room', { room_id: room });
    const last = users.at(-1);
    await Promise.all(users.map((user) => user.waitFor('user_joined', { room_id: room, user_id: last.id })));
    for (const user of users) user.mark();
    return users;
  }

  /** A connected guest with `session`, as it was told. */
  async guest(options = {}) {
    const client = await this.connect({ label: 'guest', ...options });
    client.session = await client.waitFor('session');
    return Object.assign(client, { id: client.session.user_id, username: client.session.username });
  }

  end() {
    for (const client of this.clients) client.close();
    assert.deepEqual(this.clients.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`)), []);
  }

  /** On a cluster each client goes to the node after the one before. */
  #settings(options) {
    const settings = { ...this.options, ...options };
    const { routes } = this.server;
    if (!routes) return settings;
    const route = routes[this.#connects % routes.length];
    this.#connects += 1;
    const Cookie = [settings.extraHeaders?.Cookie, route.Cookie].filter(Boolean).join('; ');
    return { ...settings, extraHeaders: { ...settings.extraHeaders, ...route, Cookie } };
  }

  #keep(client) {
    this.clients.push(client);
    return client;
  }
}

const nameOf = (id) => String(id).toUpperCase();
