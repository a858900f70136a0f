// The tenants of a run, their users and guests, and the connections by which these come.
import { ask, bearer } from '../support/accounts.mjs';
import { token } from '../support/clients.mjs';
import { DOORS, MARKER } from '../access/doors.mjs';
import { REST } from '../access/rest.mjs';
import { Spans, wordsOf } from './model.mjs';
import { Tape } from './tape.mjs';

const NAMESPACES = { staff: ['/admin', '/', '/'], user: ['/', '/', '/support'], guest: ['/', '/support'] };

export class Company {
  actors = new Set();
  tapes = [];
  /** `namespace event` → how often it was asked, and how often granted. */
  asked = new Map();
  /** Tenant → the words that were sent by anybody in it. */
  named = new Map();
  /** What must not happen at all. */
  faults = [];

  constructor(world, model, random) { Object.assign(this, { world, model, random }); }

  get server() { return this.world.server; }

  /** A user who comes with tokens of another issuer. */
  user(tenant, { id, isStaff = false } = {}) {
    const principal = this.model.principal({ tenant, isStaff, isGuest: false });
    principal.id = id ?? `u-${this.model.word({ kind: 'the id', principal })}`;
    return this.#named(principal);
  }

  #named(principal) {
    principal.username ??= `n-${this.model.word({ kind: 'the name', principal })}`;
    principal.name = `${principal.isStaff ? 'staff' : 'user'} ${principal.id} of ${principal.tenant}`;
    return principal;
  }

  /** A user with an account here, of the tenant `default`. */
  async account() {
    const principal = this.model.principal({ tenant: 'default', isStaff: false, isGuest: false, password: 'correct horse battery', sessions: [] });
    principal.username = this.model.word({ kind: 'the name', principal });
    const made = await this.http(principal, 'POST', '/api/auth/register', { username: principal.username, password: principal.password });
    principal.id = made.json.user.id;
    this.model.name(principal.id, { kind: 'the id', principal });
    principal.sessions.push({ ...made.json, actors: new Set() });
    return this.#named(principal);
  }

  token(principal, claims = {}) {
    const { id, tenant, username, isStaff, version } = principal;
    return token({ user_id: id, username, tenant, is_staff: isStaff || undefined, token_version: version, ...claims });
  }

  /** What a principal connects with. */
  credentials(principal) {
    if (principal.isGuest) return principal.secret ? { guest_session: principal.secret } : { tenant: principal.tenant };
    if (!principal.sessions) return { token: this.token(principal) };
    const session = this.random.pick(principal.sessions);
    return { token: session.access_token, session };
  }

  /** A connection of somebody. Resolves to undefined where they were not let in. */
  async connect(principal, { namespace, door, guest } = {}) {
    const { random, model } = this;
    const kind = principal.isGuest ? 'guest' : 'user';
    const where = namespace ?? random.pick(NAMESPACES[principal.isStaff ? 'staff' : kind]);
    const by = door ?? random.pick(DOORS);
    const { session, ...auth } = this.credentials(principal);
    const tape = this.tape(`${by.name} in ${where}`, principal);
    Object.assign(tape, { isDesk: where === '/admin', isChat: where === '/' });
    const client = by.open(this.world, where, guest ? { ...auth, guest_session: guest.secret } : auth);
    tape.attach(client);
    const actor = { principal, client, tape, namespace: where, door: by, session };
    try {
      await client.ready;
    } catch {
      return undefined;
    }
    actor.since = model.tick();
    this.actors.add(actor);
    principal.actors.add(actor);
    session?.actors.add(actor);
    if (client.socket) {
      client.socket.on('disconnect', () => this.#gone(actor));
    } else {
      Object.assign(client, { connected: true, drop: () => this.#gone(actor), disconnected: async () => this.#gone(actor) });
    }
    return actor;
  }

  #gone(actor) {
    this.actors.delete(actor);
    for (const { principal } of actor.tape.holders) principal.actors.delete(actor);
    actor.session?.actors.delete(actor);
  }

  /** A guest who has never been here, with their first connection. */
  async guest(tenant) {
    const { model } = this;
    const principal = model.principal({ tenant, isStaff: false, isGuest: true });
    const actor = await this.connect(principal);
    const told = await actor.client.waitFor('session');
    Object.assign(principal, { id: told.user_id, username: told.username, secret: told.guest_session, name: `guest ${told.user_id} of ${tenant}` });
    model.name(told.user_id, { kind: 'the id', principal });
    model.name(told.guest_session, { kind: 'session', tape: actor.tape, principal });
    return actor;
  }

  tape(where, principal) {
    const tape = new Tape(this.model, where, principal);
    this.tapes.push(tape);
    return tape;
  }

  live(actor, room) {
    const { live } = actor.tape;
    if (!live.has(room)) live.set(room, new Spans());
    return live.get(room);
  }

  /** Asks by a connection: `{start, end, ok, body, gone}`. `gone`: there was no answer, and nobody knows what came of it. */
  async ask(actor, event, payload) {
    const { model } = this;
    const start = model.tick();
    if (!actor.door.asks({ namespace: actor.namespace, command: event })) return { start, end: start, ok: false, body: { success: false } };
    this.#names(actor.principal, payload);
    let body;
    try {
      actor.asking = actor.client.request(event, payload);
      body = await actor.asking;
    } catch (error) {
      if (!/disconnected/.test(error.message) && actor.client.connected) this.faults.push(error.message);
      return { start, end: model.tick(), ok: false, gone: true };
    }
    const end = model.tick();
    this.count(`${actor.namespace} ${event}`, body.success);
    if (actor.door === REST) this.count(`REST ${event}`, body.success);
    if (['internal', 'storage_unavailable', 'unknown_event', 'overloaded'].includes(body.code)) {
      this.faults.push(`${event} ${JSON.stringify(payload)}: ${JSON.stringify(body)}`);
    }
    return { start, end, ok: body.success, body };
  }

  /** What the callers of a tenant have said themselves, its staff may read in their audit. */
  #names({ tenant }, payload) {
    if (!this.named.has(tenant)) this.named.set(tenant, new Set());
    for (const word of wordsOf(payload)) this.named.get(tenant).add(word);
  }

  count(what, isGranted) {
    const counts = this.asked.get(what) ?? { asked: 0, granted: 0 };
    this.asked.set(what, { asked: counts.asked + 1, granted: counts.granted + (isGranted ? 1 : 0) });
  }

  /** A request over HTTP; the answer goes to a tape of its own. */
  async http(principal, method, path, body, { as = this.#bearer(principal) } = {}) {
    const tape = this.tape('HTTP', principal);
    tape.isDesk = principal.isStaff;
    const start = this.model.tick();
    this.#names(principal, [path, body]);
    const headers = { ...as, ...(body ? { 'Content-Type': 'application/json' } : {}) };
    const asking = ask(this.server, path, { method, headers, body: body && JSON.stringify(body) });
    (principal.requests ??= new Set()).add(asking);
    const answer = await asking;
    principal.requests.delete(asking);
    const ok = answer.status < 300;
    tape.record({ how: `HTTP ${method} ${path} (${answer.status})`, data: answer.json, isOffice: principal.isStaff && path.startsWith('/api/admin/') });
    this.count(`${method} ${path.replace(/\/(users|rooms)\/[^/]+/, '/$1/{id}').replace(/\?.*/, '')}`, ok);
    if (answer.status >= 500) this.faults.push(`${method} ${path}: ${answer.body}`);
    return { start, end: this.model.tick(), ok, json: answer.json, tape };
  }

  #bearer(principal) {
    if (principal.isGuest) return { 'X-Guest-Session': principal.secret };
    const { token: accessToken } = principal.id === undefined ? {} : this.credentials(principal);
    return accessToken ? bearer(accessToken) : {};
  }

  /** Waits until each connection of some principals has been told what was on its way. */
  async settle(principals) {
    const marks = [];
    for (const { actors, requests = [] } of principals) {
      marks.push(...requests);
      for (const { client, namespace, asking } of actors) marks.push(client.socket ? client.request(...MARKER[namespace]) : asking);
    }
    await Promise.allSettled(marks);
    return this.model.tick();
  }

  /** The access of some connections has ended: they are being closed. */
  async ended(actors, end) {
    for (const { tape } of actors) tape.ended = end;
    for (const { client } of actors) await client.disconnected();
  }
}
