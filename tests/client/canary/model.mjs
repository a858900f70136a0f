// Who may know what, and when: kept beside the server, by what it acknowledged.
//
// Time is a count of what this process did and received. A request that gives somebody access may do so from its start
// on. One that takes access away has done so when it is acknowledged (`lost`): what was said later is not for them any
// more. What was on its way then has arrived when the connection has answered once more (`settled`).

/** A word of ours, an id of a guest or of anything that the server names, a guest's secret. */
const WORDS = /zz[a-p]{14}|guest_[0-9a-f]{24}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{64}/g;

/** The words in a payload, each once. */
export const wordsOf = (payload) => new Set((JSON.stringify(payload) ?? '').match(WORDS) ?? []);

/** The stretches of time in which something was so. */
export class Spans {
  #spans = [];

  begin(from) {
    if (!this.isOpen) this.#spans.push({ from, lost: Infinity, settled: Infinity });
  }

  lose(at) {
    if (this.isOpen) this.#spans.at(-1).lost = at;
  }

  settle(at) {
    for (const span of this.#spans) if (span.lost < at && span.settled === Infinity) span.settled = at;
  }

  get isOpen() { return this.#spans.at(-1)?.lost === Infinity; }

  /** Whether it was so at `at`; with `said`, for what was said then. */
  covers(at, said = 0) { return this.#spans.some(({ from, lost, settled }) => from <= at && at <= settled && said < lost); }
}

/** A user, or a guest, of one tenant. */
export class Principal {
  actors = new Set();
  /** Those whom they have blocked, and when. */
  blocked = new Map();
  /** Requests under way after which ids have to be known, or members: nobody ends this principal's access meanwhile. */
  pending = 0;
  disabled = false;
  version = 0;

  constructor(fields) { Object.assign(this, fields); }

  get isGone() { return this.disabled || this.linkedTo !== undefined; }
}

export class Room {
  /** Principal → when they had access as a participant. */
  members = new Map();
  /** Principal → since when something in the room says that they exist. */
  traces = new Map();
  /** Message id → secret. */
  messages = new Map();
  /** Messages of which it is not known whether they were stored. */
  doubtful = 0;
  archived = false;
  isChanging = false;
  owners = new Set();

  constructor(fields) { Object.assign(this, fields); }

  spansOf(principal) {
    if (!this.members.has(principal)) this.members.set(principal, new Spans());
    return this.members.get(principal);
  }

  admit(principal, from) {
    this.spansOf(principal).begin(from);
    this.trace(principal, from);
  }

  trace(principal, from) {
    if (!(this.traces.get(principal) <= from)) this.traces.set(principal, from);
  }

  has(principal) { return this.members.get(principal)?.isOpen ?? false; }

  participants() { return [...this.members.keys()].filter((principal) => this.has(principal)); }
}

export class Model {
  time = 0;
  /** Word or id → what it belongs to. */
  secrets = new Map();
  rooms = [];
  principals = [];

  constructor(random) { this.random = random; }

  tick() { return (this.time += 1); }

  /** A word that has never been said. */
  word(secret) {
    const word = this.random.word();
    this.secrets.set(word, secret);
    return word;
  }

  /** An id that the server made. */
  name(id, secret) {
    if (typeof id === 'string' && !this.secrets.has(id)) this.secrets.set(id, secret);
  }

  principal(fields) {
    const principal = new Principal(fields);
    this.principals.push(principal);
    return principal;
  }

  room(fields) {
    const found = this.rooms.find(({ tenant, id }) => tenant === fields.tenant && id === fields.id);
    if (found) {
      found.from = Math.min(found.from, fields.from);
      return found;
    }
    const room = new Room(fields);
    this.rooms.push(room);
    this.name(room.id, { kind: 'room', room });
    return room;
  }

  /** Guests who signed in: the user has the guest's rooms. */
  link(guest, user, from) {
    for (const room of this.rooms) if (room.has(guest)) room.admit(user, from);
    guest.linkedTo = user;
  }

  /** The guest is none any more, and has no rooms. `settle(principals)` waits for those who have to hear of it. */
  async linked(guest, at, settle) {
    const rooms = this.rooms.filter((room) => room.has(guest));
    for (const room of rooms) {
      if (room.owners.delete(guest)) room.owners.add(guest.linkedTo);
      room.members.get(guest).lose(at);
    }
    const settled = await settle(rooms.flatMap((room) => room.participants()));
    for (const room of rooms) room.members.get(guest).settle(settled);
  }

  /** Whether a connection that was `holders`' may be told of a room at a time: for what was said at `said`. */
  entered(room, holders, at, said) {
    return holders.some(({ principal }) => {
      if (principal.tenant !== room.tenant) return false;
      if (room.kind === 'public' && !principal.isGuest) return true;
      if (room.kind === 'support' && principal.isStaff) return true;
      return room.members.get(principal)?.covers(at, said) ?? false;
    });
  }

  /** Whether a tape's holder may know a secret when it arrives. */
  mayKnow(secret, tape, at) {
    const holders = tape.holders.filter(({ from }) => from <= at);
    const isTheirs = (principal) => holders.some((holder) => holder.principal === principal);
    switch (secret.kind) {
      case 'message':
        if (isTheirs(secret.author)) return true;
        return secret.stored !== false && secret.said < tape.ended && this.entered(secret.room, holders, at, secret.said);
      case 'room':
        return this.entered(secret.room, holders, at, secret.said ?? 0);
      case 'session':
        return secret.tape === tape;
      case 'tenant':
        return holders.some(({ principal }) => principal.tenant === secret.tenant);
      default:
        return isTheirs(secret.principal) || holders.some(({ principal }) => this.#knows(principal, secret.principal, at));
    }
  }

  /** Whether somebody may know who another one is. */
  #knows(viewer, person, at) {
    if (viewer.tenant !== person.tenant) return false;
    if (!viewer.isGuest && !person.isGuest) return true;
    if (viewer.isStaff && person.isCustomerSince <= at) return true;
    if (viewer.blocked.get(person) <= at) return true;
    return this.rooms.some((room) => room.traces.get(person) <= at && this.entered(room, [{ principal: viewer }], at, 0));
  }

  /** Whether somebody may be told whether another one is there. */
  mayWatch(tape, person, at) {
    return tape.holders.some(({ principal: viewer, from }) => {
      if (from > at || viewer.tenant !== person.tenant) return false;
      if (viewer === person || (!viewer.isGuest && !person.isGuest)) return true;
      return this.rooms.some((room) => room.tenant === viewer.tenant
        && this.entered(room, [{ principal: viewer }], at, 0) && (room.members.get(person)?.covers(at) ?? false));
    });
  }
}
