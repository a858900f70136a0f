// What callers do, each with what the model learns by it. An operation takes who does it and what with, and may be refused:
// the model believes what is acknowledged.

import { REST } from '../access/rest.mjs';

/** In a room that nobody knows of: what was refused is nowhere. */
const NOWHERE = { kind: 'private', members: new Map(), traces: new Map() };

export class Operations {
  constructor(company) {
    Object.assign(this, { company, model: company.model, random: company.random });
  }

  ask(actor, event, payload) { return this.company.ask(actor, event, payload); }

  // Rooms.

  async createRoom(actor, { isPrivate, invited = [] }) {
    const { tenant } = actor.principal;
    const secret = { kind: 'room', room: NOWHERE };
    const name = this.model.word(secret);
    await this.#whole([actor.principal, ...invited], async () => {
      const participants = invited.map(({ id }) => id);
      const { start, ok, body } = await this.ask(actor, 'create_room', { name, private: isPrivate, participants });
      if (!ok) return;
      const room = this.model.room({ tenant, id: body.room_id, kind: isPrivate ? 'private' : 'public', from: start });
      secret.room = room;
      for (const member of [actor.principal, ...invited]) room.admit(member, start);
      room.owners.add(actor.principal);
    });
  }

  async join(actor, room) {
    const { principal } = actor;
    const isEntering = room.kind === 'public' && !principal.isGuest && room.tenant === principal.tenant;
    const join = async () => {
      const live = this.company.live(actor, room);
      const wasLive = live.isOpen;
      live.begin(this.model.time);
      const { start, end, ok } = await this.ask(actor, 'join_room', { room_id: room.id });
      if (ok && isEntering) room.admit(principal, start);
      if (ok) room.trace(principal, start);
      // A removal that came between settles what it has ended itself.
      if (ok || wasLive || !live.isOpen) return;
      live.lose(end);
      live.settle(end);
    };
    if (isEntering) await this.#changing(room, [principal], join);
    else await join();
  }

  async leave(actor, room) {
    const { end } = await this.ask(actor, 'leave_room', { room_id: room.id });
    this.company.live(actor, room).lose(end);
    this.company.live(actor, room).settle(end);
  }

  async say(actor, room) {
    const payload = (word) => ({ room_id: room.id, message: word });
    await this.#message(actor, 'chat_message', payload, room);
  }

  /** Sends a message with a word of its own. Without a `room` its answer says in which it is. */
  async #message(actor, event, payload, room, roomOf) {
    const secret = { kind: 'message', author: actor.principal, room: room ?? NOWHERE };
    const word = this.model.word(secret);
    secret.said = this.model.time;
    const { start, ok, body, gone } = await this.ask(actor, event, payload(word));
    if (ok) {
      secret.room = room ?? roomOf(body, start);
      this.model.name(body.message.id, secret);
      secret.room.messages.set(body.message.id, secret);
      secret.room.trace(actor.principal, start);
    } else if (gone) {
      if (room) room.doubtful += 1;
    } else {
      secret.stored = false;
    }
    return ok;
  }

  async privateMessage(actor, other) {
    const { principal } = actor;
    await this.#whole([principal, other], () => {
      const payload = (message) => ({ recipient_id: other.id, message });
      return this.#message(actor, 'private_message', payload, undefined, (body, from) => {
        const room = this.model.room({ tenant: principal.tenant, id: body.room_id, kind: 'direct', from });
        for (const user of [principal, other]) room.admit(user, from);
        return room;
      });
    });
  }

  async add(actor, room, user) {
    await this.#changing(room, [actor.principal, user], async () => {
      const { start, ok } = await this.ask(actor, 'add_participant', { room_id: room.id, user_id: user.id });
      if (ok) room.admit(user, start);
    });
  }

  /** When it is acknowledged, nothing of the room reaches them any more. */
  async remove(actor, room, user) {
    await this.#changing(room, [actor.principal, user], async () => {
      const { end, ok } = await this.ask(actor, 'remove_participant', { room_id: room.id, user_id: user.id });
      if (!ok) return;
      room.spansOf(user).lose(end);
      room.owners.delete(user);
      const lives = [...user.actors].map(({ tape }) => tape.live.get(room)).filter(Boolean);
      for (const live of lives) live.lose(end);
      const settled = await this.company.settle([user, ...room.participants()]);
      room.spansOf(user).settle(settled);
      for (const live of lives) live.settle(settled);
    });
  }

  async setRole(actor, room, user, role) {
    await this.#changing(room, [actor.principal, user], async () => {
      const { ok } = await this.ask(actor, 'set_role', { room_id: room.id, user_id: user.id, role });
      if (ok && role === 'owner') room.owners.add(user);
      else if (ok) room.owners.delete(user);
    });
  }

  async rename(actor, room) {
    const secret = { kind: 'room', room: NOWHERE, said: this.model.tick() };
    await this.#changing(room, [actor.principal], async () => {
      const { ok } = await this.ask(actor, 'rename_room', { room_id: room.id, name: this.model.word(secret) });
      if (ok) secret.room = room;
    });
  }

  async archive(actor, room, archived) {
    await this.#changing(room, [actor.principal], async () => {
      const { ok } = await this.ask(actor, 'archive_room', { room_id: room.id, archived });
      if (ok) room.archived = archived;
    });
  }

  async block(actor, other) {
    const { start, ok, gone } = await this.ask(actor, 'block_user', { user_id: other.id });
    const { blocked } = actor.principal;
    if ((ok || gone) && !blocked.has(other)) blocked.set(other, start);
  }

  // Customers and staff.

  /** What the answer says of a customer's room, before anybody else speaks of it. */
  #supportRoom(principal, id, from) {
    const room = this.model.room({ tenant: principal.tenant, id, kind: 'support', from });
    room.admit(principal, from);
    principal.isCustomerSince = Math.min(principal.isCustomerSince ?? Infinity, from);
    return room;
  }

  async openSupport(actor) {
    const { principal } = actor;
    const secrets = [1, 2].map(() => ({ kind: 'room', room: NOWHERE }));
    const [name, address] = secrets.map((secret) => this.model.word(secret));
    await this.#whole([principal], async () => {
      const { start, ok, body } = await this.ask(actor, 'open_room', { name, email: `${address}@example.com` });
      if (!ok) return;
      const room = this.#supportRoom(principal, body.room_id, start);
      for (const secret of secrets) secret.room = room;
    });
  }

  async askSupport(actor) {
    const roomOf = (body, from) => this.#supportRoom(actor.principal, body.message.room_id, from);
    await this.#whole([actor.principal], () => this.#message(actor, 'chat_message', (content) => ({ content }), undefined, roomOf));
  }

  async sayInSupport(actor, room) {
    await this.#message(actor, 'chat_message', (content) => ({ room_id: room.id, content }), room);
  }

  async answer(actor, room) {
    await this.#message(actor, 'admin_message', (content) => ({ room_id: room.id, content }), room);
  }

  /** What staff do in a room may be told to its customer, with who did it; to whom it was assigned may not. */
  async atDesk(actor, room, event, fields = {}) {
    const { start, ok } = await this.ask(actor, event, { room_id: room.id, ...fields });
    if (ok && event !== 'assign_room' && event !== 'get_messages') room.trace(actor.principal, start);
  }

  // Coming and going.

  /** The connection is lost, and somebody comes back by another. */
  async reconnect(actor) {
    const { principal } = actor;
    actor.client.drop();
    await actor.client.disconnected();
    await this.come(principal);
  }

  /** Somebody comes, now and then to ask without a connection. */
  async come(principal, options) {
    const door = this.random.chance(0.2) ? REST : undefined;
    let actor;
    await this.#whole([principal], async () => { actor = await this.company.connect(principal, { door, ...options }); });
    return actor;
  }

  /** A guest turns out to be a user: `way` is 'connecting', 'authenticating' or 'asking', over HTTP. */
  async link(guest, user, way) {
    const { company, model } = this;
    // The user's rooms change too: nothing else changes them meanwhile.
    await this.#ending(guest, (end) => this.#ending(user, async () => {
      const start = model.tick();
      if (way === 'authenticating') {
        const actor = [...guest.actors].find(({ door }) => door !== REST);
        if (!actor || user.sessions) return;
        actor.tape.holders.push({ principal: user, from: start });
        const { ok } = await this.ask(actor, 'authenticate', { token: company.token(user) });
        if (!ok) return;
        actor.principal = user;
        guest.actors.delete(actor);
        user.actors.add(actor);
      } else if (way === 'asking') {
        const { ok } = await company.http(user, 'POST', '/api/guest-sessions/link', { guest_session: guest.secret });
        if (!ok) return;
      } else {
        const actor = await company.connect(user, { guest, namespace: this.random.pick(['/', '/support']) });
        if (!actor) return;
      }
      const at = model.tick();
      model.link(guest, user, start);
      user.isCustomerSince = Math.min(user.isCustomerSince ?? Infinity, guest.isCustomerSince ?? Infinity);
      await end(at);
      await model.linked(guest, at, (principals) => company.settle(principals));
    }));
  }

  /** Staff shut somebody out, and let them in again. */
  async disable(staff, principal) {
    const act = (what) => this.company.http(staff, 'POST', `/api/admin/users/${encodeURIComponent(stored(principal.id))}/${what}`);
    await this.#ending(principal, async (end) => {
      const disabled = await act('disable');
      if (!disabled.ok) return;
      principal.disabled = true;
      await end(disabled.end);
      const enabled = await act('enable');
      principal.disabled = !enabled.ok;
      if (principal.sessions) await this.#signIn(principal);
    });
  }

  async revoke(staff, principal) {
    await this.#ending(principal, async (end) => {
      const path = `/api/admin/users/${encodeURIComponent(stored(principal.id))}/revoke`;
      const revoked = await this.company.http(staff, 'POST', path);
      if (!revoked.ok) return;
      principal.version = revoked.json.user.token_version;
      await end(revoked.end);
      if (principal.sessions) await this.#signIn(principal);
    });
  }

  async signOut(principal) {
    await this.#ending(principal, async () => {
      const session = principal.sessions.shift();
      const { end, ok } = await this.company.http(principal, 'POST', '/api/auth/logout', { refresh_token: session.refresh_token }, { as: {} });
      if (ok) await this.company.ended([...session.actors], end);
      if (principal.sessions.length === 0) await this.#signIn(principal);
    });
  }

  /** The sessions that there were have ended, if there were any. */
  async #signIn(principal) {
    const { username, password } = principal;
    const { ok, json } = await this.company.http(principal, 'POST', '/api/auth/login', { username, password }, { as: {} });
    if (!ok) throw new Error(`nobody was signed in: ${JSON.stringify(json)}`);
    principal.sessions = [{ ...json, actors: new Set() }];
  }

  async signInAgain(principal) {
    await this.#whole([principal], async () => {
      const { username, password } = principal;
      const { ok, json } = await this.company.http(principal, 'POST', '/api/auth/login', { username, password }, { as: {} });
      if (ok) principal.sessions.push({ ...json, actors: new Set() });
    });
  }

  /** Does what changes what somebody is, alone with them. `end(at)` waits until all that they had open is closed. */
  async #ending(principal, act) {
    if (principal.isGone || principal.isEnding || principal.pending > 0) return;
    principal.isEnding = true;
    try {
      await act((at) => this.company.ended([...principal.actors], at));
    } finally {
      principal.isEnding = false;
    }
  }

  /** Does what has to be known to the end: none of these lose their access meanwhile. */
  async #whole(principals, act) {
    if (principals.some((principal) => principal.isGone || principal.isEnding)) return;
    for (const principal of principals) principal.pending += 1;
    try {
      await act();
    } finally {
      for (const principal of principals) principal.pending -= 1;
    }
  }

  /** Changes who belongs to a room: one after the other, so that it is known what came last. */
  async #changing(room, principals, act) {
    if (room.isChanging) return;
    room.isChanging = true;
    try {
      await this.#whole(principals, act);
    } finally {
      room.isChanging = false;
    }
  }
}

/** How an id is written in an address. */
const stored = (id) => (typeof id === 'number' ? `#${id}` : id);
