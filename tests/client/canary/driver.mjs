// The random mix: who does what next.
import { randomUUID } from 'node:crypto';

export class Driver {
  constructor(operations) {
    const { company, model, random } = operations;
    Object.assign(this, { operations, company, model, random });
  }

  /** So many operations, so many at once; a connection does one at a time. */
  async run(count, atOnce) {
    let left = count;
    const worker = async () => {
      while (left > 0) {
        left -= 1;
        await this.#step();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }

  async #step() {
    const idle = [...this.company.actors].filter((actor) => !actor.isBusy && !actor.principal.isEnding && actor.client.connected);
    const actor = this.random.pick(idle);
    if (!actor) {
      await new Promise(setImmediate);
      return;
    }
    actor.isBusy = true;
    try {
      await this.#act(actor);
    } finally {
      actor.isBusy = false;
    }
  }

  async #act(actor) {
    if (this.random.chance(0.03)) return this.#comeAndGo(actor);
    if (actor.namespace === '/support') return this.#asCustomer(actor);
    return actor.namespace === '/admin' ? this.#asStaff(actor) : this.#inChat(actor);
  }

  /** Mostly a room that one owns. */
  ownRoom(actor) {
    const owned = this.model.rooms.filter(({ owners }) => owners.has(actor.principal));
    return this.random.chance(0.6) && owned.length > 0 ? this.random.pick(owned) : this.room(actor);
  }

  /** Mostly a room of their own, then one of their tenant, and now and then anybody's. */
  room({ principal }, match = () => true) {
    const { random, model: { rooms } } = this;
    const near = random.weighted([
      [70, (room) => room.has(principal)],
      [22, (room) => room.tenant === principal.tenant],
      [8, () => true],
    ]);
    const found = rooms.filter((room) => near(room) && match(room));
    return found.length > 0 ? random.pick(found) : random.pick(rooms);
  }

  person({ principal }, match = () => true) {
    const { random, model: { principals } } = this;
    const isNear = random.chance(0.9);
    const found = principals.filter((other) => other !== principal && !other.isGone && other.id !== undefined
      && (!isNear || other.tenant === principal.tenant) && match(other));
    const { id } = found.length > 0 ? random.pick(found) : principal;
    // Whom an id names who asks: ids may be the same in two tenants.
    const named = (tenant) => principals.find((other) => other.id === id && other.tenant === tenant);
    return named(principal.tenant) ?? found.find((other) => other.id === id);
  }

  /** A participant of a room, or anybody. */
  member(actor, room) {
    const members = room.participants().filter((principal) => !principal.isGone);
    return this.random.chance(0.8) && members.length > 0 ? this.random.pick(members) : this.person(actor);
  }

  /** What belongs to somebody: a word or an id out of all that there are. */
  secret() { return this.random.pick([...this.model.secrets.keys()]); }

  #inChat(actor) {
    const { operations: o, random } = this;
    const room = this.room(actor);
    const own = this.ownRoom(actor);
    const room_id = room.id;
    const ask = (event, payload = { room_id }) => () => o.ask(actor, event, payload);
    return random.weighted([
      [24, () => o.say(actor, room)],
      [14, () => o.join(actor, room)],
      [3, () => o.leave(actor, room)],
      [6, ask('typing', { room_id, is_typing: random.chance(0.7) })],
      [9, ask('get_messages', { room_id, limit: random.pick([1, 5, 50, 200]), ...random.pick([{}, {}, { before: 5 }, { after: 2 }]) })],
      [5, ask('get_room_participants')],
      [4, ask('get_user_conversations', {})],
      [2, ask('get_user_rooms', {})],
      [3, ask('get_room')],
      [6, ask('get_changes', { room_id, since: random.below(20), wait: random.pick([0, 0, 1]) })],
      [3, ask('mark_read', { room_id, seq: random.below(30) })],
      [2, ask('search_users', { query: random.pick(['', 'n-', this.secret()]) })],
      [2, ask('search_rooms', { query: random.pick(['', 'zz', this.secret()]) })],
      [2, () => o.privateMessage(actor, this.person(actor))],
      [0.7, () => o.createRoom(actor, { isPrivate: random.chance(0.6), invited: random.chance(0.5) ? [this.person(actor)] : [] })],
      [5, () => o.add(actor, own, this.person(actor))],
      [6, () => o.remove(actor, own, random.chance(0.2) ? actor.principal : this.member(actor, own))],
      [2, () => o.setRole(actor, own, this.member(actor, own), random.pick(['owner', 'admin', 'member']))],
      [2, () => o.rename(actor, own)],
      [2, () => o.archive(actor, own, random.chance(0.3))],
      [1.5, () => o.block(actor, this.person(actor))],
      [2, ask('unblock_user', { user_id: this.person(actor).id })],
      [1, ask('get_blocked_users', {})],
      [1, () => this.#authenticate(actor)],
    ])();
  }

  #asCustomer(actor) {
    const { operations: o, random } = this;
    const room = this.room(actor, ({ kind }) => kind === 'support');
    const named = random.chance(0.3) ? { room_id: room.id } : {};
    const ask = (event, fields = {}) => () => o.ask(actor, event, { ...named, ...fields });
    return random.weighted([
      [4, () => o.openSupport(actor)],
      [2, () => o.ask(actor, 'get_room', {})],
      [12, () => o.askSupport(actor)],
      [3, () => o.sayInSupport(actor, room)],
      [6, ask('typing', { is_typing: random.chance(0.7) })],
      [6, ask('get_messages')],
      [4, ask('mark_read', { seq: random.below(10) })],
      [2, ask('close_room')],
      [1, () => this.#authenticate(actor)],
    ])();
  }

  #asStaff(actor) {
    const { operations: o, random } = this;
    const { tenant } = actor.principal;
    const open = this.model.rooms.filter((room) => room.kind === 'support' && room.tenant === tenant);
    const room = random.chance(0.85) && open.length > 0 ? random.pick(open) : this.room(actor);
    return random.weighted([
      [10, () => o.answer(actor, room)],
      [5, () => o.atDesk(actor, room, 'get_messages')],
      [4, () => o.atDesk(actor, room, 'mark_read', { seq: random.below(10) })],
      [5, () => o.atDesk(actor, room, 'typing', { is_typing: random.chance(0.7) })],
      [6, () => o.atDesk(actor, room, 'view_room')],
      [1, () => o.ask(actor, 'view_room', { room_id: null })],
      [4, () => o.atDesk(actor, room, 'assign_room', random.pick([{}, { user_id: null }, { user_id: this.person(actor).id }]))],
      [2, () => o.atDesk(actor, room, 'close_room')],
      [3, () => o.ask(actor, 'get_rooms', { limit: random.pick([1, 3, 200]), ...this.#part(room) })],
      [1, () => this.#authenticate(actor)],
    ])();
  }

  /** Which of the support rooms: those of a status, or those that come after a room, whosever. */
  #part({ id }) { return this.random.pick([{}, { status: 'closed' }, { cursor: `99999999999999.${id}` }]); }

  /** With a token of one's own, of another tenant, or of nobody. One of the tenant would make a guest its user: see `link`. */
  #authenticate(actor) {
    const { principal } = actor;
    const { random, company } = this;
    const own = principal.sessions ? actor.session?.access_token : !principal.isGuest && company.token(principal);
    const { tenant } = principal;
    const another = this.person(actor, (other) => !other.isGuest && !other.sessions && other.tenant !== tenant);
    const anothers = another.isGuest || another.tenant === tenant ? 'garbage' : company.token(another);
    const token = random.pick([own || 'garbage', 'garbage', anothers]);
    return this.operations.ask(actor, 'authenticate', { token });
  }

  #comeAndGo(actor) {
    const { operations: o, company, random, model } = this;
    const { principal } = actor;
    const { tenant } = principal;
    const users = model.principals.filter((other) => other.tenant === tenant && !other.isGuest && !other.isGone);
    const staff = random.pick(users.filter(({ isStaff }) => isStaff));
    const customers = users.filter(({ isStaff }) => !isStaff);
    const somebody = this.person(actor, (other) => other.tenant === tenant && !other.isStaff);
    const guests = model.principals.filter((other) => other.tenant === tenant && other.isGuest && !other.isGone && other.actors.size > 0);
    return random.weighted([
      [8, () => o.reconnect(actor)],
      [3, () => (principal.actors.size < 4 ? o.come(principal) : o.reconnect(actor))],
      [guests.length < 4 ? 4 : 0, () => company.guest(tenant)],
      [guests.length > 1 ? 3 : 0, () => o.link(random.pick(guests), random.pick(customers), random.pick(['connecting', 'authenticating', 'asking']))],
      [2, () => this.#andBack(somebody, () => o.disable(staff, somebody))],
      [1, () => (somebody.isGuest ? undefined : this.#andBack(somebody, () => o.revoke(staff, somebody)))],
      [principal.sessions ? 3 : 0, () => this.#andBack(principal, () => o.signOut(principal))],
      [principal.sessions?.length < 3 ? 2 : 0, () => o.signInAgain(principal)],
      [2, () => company.http(principal, 'GET', '/api/me')],
      [2, () => company.http(principal, 'GET', `/api/admin/users/${encodeURIComponent(String(this.person(actor).id))}`)],
      [1, () => company.http(principal, 'GET', '/api/admin/audit?limit=200')],
      [1, () => company.http(principal, 'POST', `/api/admin/users/${randomUUID()}/disable`)],
    ])();
  }

  /** Whoever lost all connections comes back. */
  async #andBack(principal, act) {
    await act();
    for (let i = 0; i < 2 && principal.actors.size < 2; i += 1) await this.operations.come(principal);
  }
}
