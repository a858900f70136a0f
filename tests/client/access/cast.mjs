// The callers of the matrix and the rooms that they ask about, in one world. Every id and name holds a random word, and
// `Cast.words` knows what each belongs to: whoever is told one that is not theirs is found out.
import { ask, assertOk, bearer } from '../support/accounts.mjs';
import { token } from '../support/clients.mjs';
import { MARKER } from './doors.mjs';

const USERS = ['stranger', 'linked', 'member', 'owner', 'blocked', 'removed', 'staff', 'subject', 'clerk', 'disabled'];
const GUESTS = ['guest', 'other', 'visitor'];
/** A random part of an id or a text, or the id of a guest. */
const WORD = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|guest_[0-9a-f]{24}/g;

/** The callers who are let in. */
export const CALLERS = ['stranger', 'guest', 'other', 'linked', 'member', 'owner', 'blocked', 'removed', 'staff', 'foreign'];

/** Those who are not. */
export const SHUT_OUT = ['nobody', 'expired', 'disabled'];

export class Cast {
  /** Name → `{id, credentials}`. */
  people = new Map();
  /** Every word that was handed out → the target that it belongs to. */
  words = new Map();

  #clients = new Map();
  #lasting = new Map();

  /** The cast of one door in a world. */
  static async assemble(w, door) {
    const cast = new Cast();
    Object.assign(cast, { w, door });
    for (const name of USERS) cast.#user(name, w.tenant);
    cast.#user('foreign', w.id('tenant'));
    await Promise.all(GUESTS.map((name) => cast.#guest(name)));
    await cast.#link();
    await cast.#furnish();
    return cast;
  }

  id(name) { return this.people.get(name)?.id ?? 'nobody'; }

  credentials(name) {
    if (name === 'nobody') return {};
    if (name === 'expired') return { token: this.token('stranger', { exp: 1, is_staff: true }) };
    return this.people.get(name).credentials;
  }

  /** An access token of a caller, with claims of the test's. */
  token(name, claims = {}) {
    const { id, tenant, username } = this.people.get(name);
    const isStaff = ['staff', 'clerk', 'foreign'].includes(name);
    return token({ user_id: id, username, tenant, is_staff: isStaff || undefined, ...claims });
  }

  /** A new text that belongs to a target. */
  word(target) {
    const text = this.w.id('word');
    this.note(target, text);
    return text;
  }

  /** What all of these hold belongs to a target. */
  note(target, ...holders) {
    for (const word of wordsOf(JSON.stringify(holders))) {
      if (!this.words.has(word)) this.words.set(word, target);
    }
  }

  /** The connection by which somebody asks, by the door under test. */
  async client(name, namespace) {
    const key = `${name} ${namespace}`;
    if (!this.#clients.has(key)) {
      const client = this.door.open(this.w, namespace, this.credentials(name));
      this.#clients.set(key, Object.assign(client, { caller: name, namespace }));
      await client.ready;
    }
    return this.#clients.get(key);
  }

  /** A second connection of somebody, by which a test looks on. */
  async onlooker(name, namespace) {
    const key = `onlooker ${name} ${namespace}`;
    if (!this.#clients.has(key)) {
      const client = await this.w.connect({ namespace: namespace === '/' ? '' : namespace, auth: this.credentials(name), label: key });
      this.#clients.set(key, Object.assign(client, { caller: name, namespace }));
    }
    return this.#clients.get(key);
  }

  /** A connection for one question only. A guest is a new one. */
  async passing(name, namespace) {
    const isGuest = GUESTS.includes(name);
    const client = this.door.open(this.w, namespace, isGuest ? { tenant: this.w.tenant } : this.credentials(name));
    await client.ready;
    return client;
  }

  /** All that is connected, each with its `caller`. */
  clients() { return [...this.#clients.values()]; }

  /** Waits until everybody has been told what there was to tell. */
  async settle() {
    await Promise.all(this.clients().filter(({ socket }) => socket).map(async (client) => {
      for (let i = 0; i < 2; i += 1) await client.ok(...MARKER[client.namespace]);
    }));
  }

  /** A room for the questions of one row: `{target, id, look, hearer}`. `look()` resolves to all that there is to see of it. */
  async room(target) {
    const room = await this.#room(target);
    this.note(target, room.id);
    return { target, ...room };
  }

  /** A user as staff see them. */
  record(target) {
    const path = `/api/admin/users/${this.id(target)}`;
    const look = async () => assertOk(await ask(this.w.server, path, { headers: bearer(this.token('clerk')) })).user;
    return { target, id: this.id(target), look };
  }

  async #room(target) {
    const { w } = this;
    switch (target) {
      case 'public':
      case 'private':
      case 'archived':
      case 'added':
        return this.#ownersRoom(target);
      case 'direct':
        return { id: this.#lasting.get('direct'), ...await this.#seenBy('owner', this.#lasting.get('direct')) };
      case 'cut':
        return { id: this.#lasting.get('cut'), ...await this.#seenBy('owner', this.#lasting.get('cut')) };
      case 'guests':
        return this.#privateRoom(target, 'guest');
      case 'linkeds':
        return { id: this.#lasting.get('linkeds'), ...await this.#seenBy('linked', this.#lasting.get('linkeds')) };
      case 'support':
        return this.#supportRoom(target, 'member');
      case 'asks':
        return this.#supportRoom(target, 'guest');
      case 'linkasks':
        return this.#supportRoom(target, 'linked');
      case 'closed':
        return { id: this.#lasting.get('closed'), ...await this.#seenByStaff(target, this.#lasting.get('closed')) };
      case 'missing':
        return { id: w.id('missing'), look: async () => 'nothing' };
      default:
        throw new Error(`no room is called ${target}`);
    }
  }

  async #ownersRoom(target) {
    const owner = await this.onlooker('owner', '/');
    const isPublic = target === 'public';
    const participants = ['member', 'subject', 'removed'].map((name) => this.id(name));
    const { room_id } = await owner.ok('create_room', { name: this.word(target), private: !isPublic, participants });
    this.note(target, room_id);
    await owner.ok('remove_participant', { room_id, user_id: this.id('removed') });
    if (target === 'added') await owner.ok('add_participant', { room_id, user_id: this.id('guest') });
    const seen = await this.#seenBy('owner', room_id);
    await owner.ok('chat_message', { room_id, message: this.word(target) });
    if (target === 'archived') await owner.ok('archive_room', { room_id });
    return { id: room_id, ...seen };
  }

  async #privateRoom(target, name) {
    const client = await this.onlooker(name, '/');
    const { room_id } = await client.ok('create_room', { name: this.word(target), private: true });
    this.note(target, room_id);
    await client.ok('chat_message', { room_id, message: this.word(target) });
    return { id: room_id, ...await this.#seenBy(name, room_id) };
  }

  /** The open support room of a customer, with something said in it. */
  async #supportRoom(target, name) {
    const client = await this.onlooker(name, '/support');
    const { room_id, created } = await client.ok('open_room', {});
    this.note(target, room_id);
    if (created) await client.ok('chat_message', { content: this.word(target) });
    return { id: room_id, ...await this.#seenByStaff(target, room_id) };
  }

  async #seenBy(name, room_id) {
    const client = await this.onlooker(name, '/');
    await client.ok('join_room', { room_id });
    const look = async () => {
      const { messages, rev } = await client.ok('get_messages', { room_id, limit: 200 });
      const { participants } = await client.ok('get_room_participants', { room_id });
      const { room } = await client.ok('join_room', { room_id });
      return { messages, rev, members: participants.map(({ id, role }) => [id, role]), room };
    };
    return { look, hearer: client };
  }

  async #seenByStaff(target, room_id) {
    const [desk, chat] = [await this.onlooker('clerk', '/admin'), await this.onlooker('clerk', '/')];
    await chat.ok('join_room', { room_id });
    const look = async () => {
      const { messages, rev } = await desk.ok('get_messages', { room_id, limit: 200 });
      const { rooms } = await desk.ok('get_rooms', { limit: 200, ...(target === 'closed' ? { status: 'closed' } : {}) });
      const room = rooms.find(({ id }) => id === room_id);
      return { messages, rev, room: { ...room, is_online: undefined } };
    };
    return { look, hearer: chat };
  }

  /** What lasts for the whole matrix: conversations, and what came of a guest who signed in. */
  async #furnish() {
    const owner = await this.onlooker('owner', '/');
    for (const [target, name] of [['direct', 'member'], ['cut', 'blocked']]) {
      const { room_id, message } = await owner.ok('private_message', { recipient_id: this.id(name), message: this.word(target) });
      this.note(target, room_id);
      // No room but this one has it.
      this.elsewhere = message.id;
      this.#lasting.set(target, room_id);
    }
    await owner.ok('block_user', { user_id: this.id('blocked') });
    const { id } = await this.#supportRoom('closed', 'member');
    this.#lasting.set('closed', id);
    await (await this.onlooker('clerk', '/admin')).ok('close_room', { room_id: id });
    const path = `/api/admin/users/${this.id('disabled')}/disable`;
    assertOk(await ask(this.w.server, path, { method: 'POST', headers: bearer(this.token('clerk')) }));
  }

  /** `linked` is a guest at first, makes a room, opens a support room, and signs in. */
  async #link() {
    await this.#guest('linked guest');
    const room = await this.#privateRoom('linkeds', 'linked guest');
    this.#lasting.set('linkeds', room.id);
    await this.#supportRoom('linkasks', 'linked guest');
    const { guest_session } = this.credentials('linked guest');
    const linking = await this.w.connect({ auth: { ...this.credentials('linked'), guest_session } });
    linking.close();
    for (const [key, client] of this.#clients) {
      if (client.caller !== 'linked guest') continue;
      await client.disconnected();
      this.#clients.delete(key);
    }
  }

  #user(name, tenant) {
    const id = this.w.id(name);
    this.people.set(name, { id, tenant, username: this.w.id('name') });
    this.people.get(name).credentials = { token: this.token(name) };
    this.note(name, id);
    this.note(nameOf(name), this.people.get(name).username);
  }

  async #guest(name) {
    const client = await this.w.connect({ auth: { tenant: this.w.tenant }, label: name });
    const { guest_session, user_id } = await client.waitFor('session');
    client.close();
    this.people.set(name, { id: user_id, tenant: this.w.tenant, credentials: { guest_session } });
    this.note(name, user_id);
  }
}

/** What the words of somebody's name belong to. */
export const nameOf = (person) => `the name of ${person}`;

/** The words in a text. */
export const wordsOf = (text) => text.match(WORD) ?? [];
