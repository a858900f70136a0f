// The random mix: who does what next.
import { setTimeout as sleep } from 'node:timers/promises';
import { random as chance } from '../canary/random.mjs';
import { Actor } from './actor.mjs';

const TENANTS = ['east', 'west'];
const USERS = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6'];
/** They have two devices. */
const TWICE = ['u1', 'u2'];
/** It sends as much as it may, and more. */
const HASTY = 'u2';
/** They do nothing but go, and come back to another node when they would be gone. */
const RESTLESS = ['u7', 'u8'];
const PUBLIC = ['lobby', 'hall'];
/** How far apart those come back who do so when their grace ends. */
const RETURN_MS = 250;
const SHOWS_MS = 4000;
const WATCH_MS = 1000;

export class Mix {
  actors = [];
  isOver = false;

  /** Membership changes that are on their way, by room and user. */
  #changing = new Set();

  constructor({ tape, stage, seed, pace = 1 }) {
    Object.assign(this, { tape, stage, seed, pace });
    for (const tenant of TENANTS) {
      // The owner of the private rooms looks on from every node.
      for (const node of stage.nodes) this.#actor(seed, { tenant, user: 'owner', device: node.name.slice(-1), home: node });
      for (const user of RESTLESS) this.#actor(seed, { tenant, user, device: 1 });
      for (const user of USERS) for (let i = 1; i <= (TWICE.includes(user) ? 2 : 1); i += 1) this.#actor(seed, { tenant, user, device: i });
    }
  }

  #actor(seed, who) {
    const random = chance(seed * 1009 + this.actors.length * 7919);
    this.actors.push(new Actor({ tape: this.tape, stage: this.stage, random, ...who }));
  }

  of(tenant) { return this.actors.filter((actor) => actor.tenant === tenant); }

  owner(tenant, node = this.stage.nodes[0]) { return this.of(tenant).find(({ user, home }) => user === 'owner' && home === node); }

  tenants() { return TENANTS; }

  /** Rooms by `tenant`: `{room, form}`. */
  rooms(tenant) { return this.tape.entries.filter((entry) => entry.kind === 'room' && entry.tenant === tenant); }

  /** Everybody is there, and the rooms are made. */
  async begin() {
    for (const tenant of TENANTS) {
      const people = this.of(tenant);
      for (const actor of people) {
        actor.wanted.add('lobby');
        while (!(await actor.connect()));
      }
      for (const room of PUBLIC) {
        this.#room(tenant, room, 'public');
        await this.owner(tenant).call('join_room', { room_id: room });
      }
      for (const [name, members] of [['one', USERS.slice(0, 4)], ['two', USERS.slice(2)]]) {
        const { room_id: room } = await this.owner(tenant).call('create_room', { name, private: true, participants: members });
        this.#room(tenant, room, 'private');
        for (const actor of people) if (actor.user === 'owner' || members.includes(actor.user)) actor.wanted.add(room);
      }
      for (const actor of people) {
        if (actor.user === 'owner' || actor.random.chance(0.6)) actor.wanted.add('hall');
        await actor.settleIn();
      }
      for (const [one, other] of [['u1', 'u2'], ['u3', 'u1']]) {
        const sender = people.find(({ user }) => user === one);
        this.#met(sender, other, await sender.send(sender.draft({ recipient_id: other })));
      }
    }
  }

  #room(tenant, room, form, pair) { this.tape.note('room', { tenant, room, form, ...(pair ? { pair } : {}) }); }

  /** A room of two is known when the first message to it is acknowledged. */
  #met(actor, other, body) {
    if (!body?.success) return;
    const { tenant, user } = actor;
    const room = body.room_id ?? body.message.room_id;
    if (!this.rooms(tenant).some((known) => known.room === room)) this.#room(tenant, room, 'direct', [user, other]);
  }

  start() { this.running = Promise.all([...this.actors.map((actor) => this.#live(actor)), this.#storms(), this.#watch()]); }

  async end() {
    this.isOver = true;
    await this.running;
  }

  async #live(actor) {
    while (!this.isOver) {
      if (!actor.isUp) await actor.comeBack();
      else await this.#act(actor);
      await sleep((actor.random.next() * (actor.user === HASTY ? 300 : 500)) / this.pace);
    }
  }

  async #act(actor) {
    const { random } = actor;
    if (actor.unsure.length > 0 && random.chance(0.5)) {
      await actor.resend();
      return;
    }
    if (RESTLESS.includes(actor.user)) await this.#haunt(actor);
    else await (actor.user === 'owner' ? this.#asOwner(actor) : this.#asUser(actor));
  }

  #asUser(actor) {
    const { random } = actor;
    const room = this.#anyRoom(actor);
    const room_id = room;
    return random.weighted([
      [actor.user === HASTY ? 60 : 22, () => actor.send(actor.draft({ room_id }))],
      [5, () => this.#burst(actor)],
      [6, () => this.#private(actor)],
      [4, () => actor.post(actor.draft({ room_id }))],
      [8, () => this.#enter(actor, room)],
      [2, () => this.#exit(actor, room)],
      [8, () => actor.call('typing', { room_id, is_typing: random.chance(0.75) })],
      [8, () => this.#look(actor, room)],
      [3, () => actor.call('get_room_participants', { room_id: random.chance(0.7) ? 'lobby' : room_id })],
      [2, () => actor.request('get_changes', { room_id, since: 0 }, { path: `/rooms/${encodeURIComponent(room)}/changes?since=0` })],
      [1, () => actor.call('get_user_conversations', {})],
      [3, () => this.#insist(actor)],
      [3, () => this.#move(actor)],
      [2, () => this.#hop(actor)],
      [5, () => this.#return(actor)],
    ])();
  }

  #asOwner(actor) {
    const { random } = actor;
    const room = this.#anyRoom(actor);
    return random.weighted([
      [3, () => actor.send(actor.draft({ room_id: room }))],
      [8, () => this.#look(actor, room)],
      [2, () => actor.call('get_room_participants', { room_id: 'lobby' })],
      [6, () => this.#change(actor)],
      [2, () => actor.call('typing', { room_id: room, is_typing: true })],
    ])();
  }

  /** Mostly one of those that it is in. */
  #anyRoom(actor) {
    const { random, tenant, wanted } = actor;
    return random.chance(0.85) ? random.pick([...wanted]) : random.pick(this.rooms(tenant).filter(({ form }) => form !== 'direct')).room;
  }

  /** A node is about to die: much of what is on its way is not answered, and some do not come back for long. */
  forsake(node, ms) {
    for (const actor of this.actors) {
      if (actor.session?.node !== node) continue;
      if (actor.wanted.size > 0 && actor.random.chance(0.7)) this.#burst(actor);
      if (!actor.home && actor.random.chance(0.5)) actor.awayUntil = performance.now() + ms;
    }
  }

  /** Several without waiting for answers. */
  async #burst(actor) {
    const { random } = actor;
    const room = this.#anyRoom(actor);
    const drafts = Array.from({ length: 2 + random.below(6) }, () => actor.draft({ room_id: random.chance(0.8) ? room : this.#anyRoom(actor) }));
    await Promise.all(drafts.map((draft) => actor.send(draft)));
  }

  async #private(actor) {
    const { random } = actor;
    const other = random.pick(USERS.filter((user) => user !== actor.user));
    const draft = actor.draft({ recipient_id: other });
    this.#met(actor, other, await (random.chance(0.8) ? actor.send(draft) : actor.post(draft)));
  }

  async #enter(actor, room) {
    actor.wanted.add(room);
    await actor.join(room);
  }

  async #exit(actor, room) {
    // Where nobody is left it is not known who is online.
    if (room === 'lobby') return;
    actor.wanted.delete(room);
    await actor.quit(room);
  }

  #look(actor, room) {
    const { random } = actor;
    const direct = this.rooms(actor.tenant).filter(({ pair }) => pair?.includes(actor.user));
    const room_id = direct.length > 0 && random.chance(0.3) ? random.pick(direct).room : room;
    const known = actor.known.get(room) ?? 0;
    const part = random.weighted([[6, {}], [2, { before: 1 + random.below(known + 2) }], [2, { after: random.below(known + 1) }]]);
    return actor.call('get_messages', { room_id, limit: random.pick([1, 5, 50, 200]), ...part });
  }

  /** The connection ends, and another begins: at once, after a while, or after so long that one is missed. */
  async #move(actor) {
    const { random } = actor;
    actor.leave(random.pick(['close', 'drop']));
    const away = random.weighted([[6, 0], [3, random.below(1200)], [2, 3000 + random.below(4000)]]);
    actor.awayUntil = performance.now() + away;
  }

  /** From node to node, faster than any of them can tell of it. */
  async #hop(actor) {
    const { random } = actor;
    for (let i = 1 + random.below(3); i > 0; i -= 1) {
      actor.leave(random.pick(['close', 'drop']));
      if (!(await actor.connect())) return;
    }
    await actor.settleIn();
  }

  /** Comes back in the moment in which one node says that the user is gone: another says that they are there. */
  async #return(actor) {
    const { random } = actor;
    const { node } = actor.session;
    actor.leave('close');
    await sleep(this.tape.head.grace - RETURN_MS / 2 + random.below(RETURN_MS));
    if (await actor.connect({ but: node })) await actor.settleIn();
  }

  /** Is for a moment where all that is said arrives last, and then elsewhere for so long that it shows who believes what. */
  async #haunt(actor) {
    const far = this.stage.nodes.at(-1);
    if (actor.session.node !== far && far.isUp) {
      actor.leave();
      if (!(await actor.connect({ at: far }))) return;
      await sleep(SHOWS_MS / 10);
    }
    if (!actor.isUp) return;
    await this.#return(actor);
    for (let i = 0; i < 10 && !this.isOver; i += 1) await sleep(SHOWS_MS / 10);
  }

  /** Does not wait for an answer, and sends the same again by other nodes: at once, or when the connection is cut. */
  async #insist(actor) {
    const { random } = actor;
    const room = this.#anyRoom(actor);
    const drafts = Array.from({ length: 1 + random.below(3) }, () => actor.draft({ room_id: room }));
    if (random.chance(0.5)) {
      await Promise.all(drafts.flatMap((draft) => [actor.send(draft), actor.post(draft), actor.post(draft)]));
      return;
    }
    const first = drafts.map((draft) => actor.send(draft));
    if (random.chance(0.5)) await sleep(random.below(15));
    actor.leave('drop');
    await Promise.all([...first, ...drafts.map((draft) => actor.post(draft))]);
    await actor.comeBack();
  }

  /** All at once write into one room, by all nodes, now and then. */
  async #storms() {
    const random = chance(this.seed * 31);
    while (!this.isOver) {
      await sleep((1500 + random.below(2500)) / this.pace);
      for (const tenant of TENANTS) {
        const room = random.pick(PUBLIC);
        const here = this.of(tenant).filter(({ isUp, wanted }) => isUp && wanted.has(room));
        await Promise.all(here.flatMap((actor) => Array.from({ length: 2 }, () => actor.send(actor.draft({ room_id: room })))));
      }
    }
  }

  /** The owner asks every node in turn who is there. */
  async #watch() {
    while (!this.isOver) {
      for (const tenant of TENANTS) {
        for (const node of this.stage.nodes) {
          if (node.isUp) await this.owner(tenant).request('get_room_participants', { room_id: 'lobby' }, { path: '/rooms/lobby/participants' }, node);
        }
      }
      await sleep(WATCH_MS);
    }
  }

  /** Adds or removes somebody. One change of the same at a time, so that it is known in which order they came. */
  async #change(actor) {
    const { random, tenant } = actor;
    const room = random.pick(this.rooms(tenant).filter(({ form }) => form === 'private')).room;
    const user = random.pick(USERS);
    const key = `${tenant} ${room} ${user}`;
    if (this.#changing.has(key)) return;
    this.#changing.add(key);
    const event = random.chance(0.5) ? 'add_participant' : 'remove_participant';
    const body = await actor.call(event, { room_id: room, user_id: user });
    const theirs = this.of(tenant).filter((other) => other.user === user);
    if (event === 'add_participant' && body?.success) for (const other of theirs) other.wanted.add(room);
    // At once, before a node can have heard of it that does not ask.
    if (event === 'remove_participant' && body?.success) {
      for (const other of theirs) if (other.isUp) this.#tryAll(other, room);
    }
    this.#changing.delete(key);
  }

  #tryAll(actor, room) {
    actor.send(actor.draft({ room_id: room }));
    actor.call('get_messages', { room_id: room });
    actor.call('get_changes', { room_id: room, since: 0 });
  }
}
