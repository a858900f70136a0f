// One device of a user: connects here and there, and keeps what a frontend keeps. Everything is recorded.
import { io } from 'socket.io-client';
import { setTimeout as sleep } from 'node:timers/promises';
import { token } from '../support/clients.mjs';
import { rawSocket } from '../support/websocket.mjs';

const DOORS = ['websocket', 'websocket', 'polling', 'upgrade', 'raw'];
const TRANSPORTS = { websocket: ['websocket'], polling: ['polling'], upgrade: ['polling', 'websocket'] };
const CONNECT_MS = 5000;
/** After so long without an answer a frontend takes a request for lost. */
const PATIENCE_MS = 8000;
const ACK_PACKETS = [3, 6];

export class Actor {
  /** The connection, while there is one: `{id, socket, node, door, pending, joined}`. */
  session = null;
  /** Room → the newest revision up to which everything was received. */
  known = new Map();
  /** The rooms that it is to be in. */
  wanted = new Set();
  /** Messages of which it is not known whether they were stored, the oldest first. */
  unsure = [];
  /** When it will come back, where it is not to come at once. */
  awayUntil = 0;

  #sent = 0;

  /** `home`: the one node that it ever connects to. */
  constructor({ tape, stage, random, tenant, user, device, home }) {
    Object.assign(this, { tape, stage, random, tenant, user, device, home });
    this.name = `${tenant}/${user}.${device}`;
    this.token = token({ user_id: user, username: user.toUpperCase(), tenant });
  }

  get isUp() { return this.session !== null; }

  // --- Coming and going

  /** Tries once; to the node `at`, or to another than `but`, where there is one. */
  async connect({ at, but } = {}) {
    const { stage, random } = this;
    const up = stage.nodes.filter((node) => node.isUp);
    // A balancer takes a moment to see that a node is gone.
    const some = up.length > 0 && random.chance(0.9) ? up : stage.nodes;
    const others = some.filter((node) => node !== but);
    const node = this.home ?? at ?? random.pick(others.length > 0 ? others : some);
    const door = random.pick(DOORS);
    const id = this.#open(node, door);
    const socket = door === 'raw'
      ? rawSocket(node.url, { auth: { token: this.token } })
      : io(node.url, { transports: TRANSPORTS[door], forceNew: true, reconnection: false, timeout: CONNECT_MS, auth: { token: this.token } });
    const session = { id, socket, node, door, pending: new Map(), joined: new Set(), asked: [] };
    const connected = await this.#connected(session);
    if (!connected) socket.disconnect();
    return connected;
  }

  /** Says goodbye, or just vanishes. */
  leave(how = 'close') {
    const { session } = this;
    if (!session) return;
    const { engine } = session.socket.io;
    if (how === 'drop' && engine?.transport?.ws) engine.transport.ws.terminate();
    else if (how === 'drop') engine.close();
    else session.socket.disconnect();
    this.#down(session, how, true);
    // Clients keep what belongs to the connection for a while otherwise.
    if (how === 'drop') session.socket.disconnect();
  }

  #open(node, door) {
    const session = this.tape.id('s');
    this.tape.note('open', { session, actor: this.name, user: this.user, tenant: this.tenant, node: node.name, door });
    return session;
  }

  #connected(session) {
    const { tape } = this;
    const { socket, id } = session;
    return new Promise((resolve) => {
      const settle = (isConnected) => {
        clearTimeout(timer);
        resolve(isConnected);
      };
      const timer = setTimeout(settle, CONNECT_MS + 500, false);
      socket.on('connect', () => {
        if (session.isOver) return;
        tape.note('up', { session: id });
        this.session = session;
        settle(true);
      });
      socket.on('connect_error', (error) => {
        session.isOver = true;
        tape.note('refused', { session: id, why: error.message });
        settle(false);
      });
      socket.onAny((event, data) => this.#heard(session, event, data));
      socket.on('disconnect', (reason) => {
        this.#down(session, reason, false);
        settle(false);
      });
      // What a client library does not show: a second answer.
      socket.io.on('packet', ({ type, id: ack }) => {
        if (!ACK_PACKETS.includes(type)) return;
        const asked = session.asked[Number(ack) - (session.door === 'raw' ? 1 : 0)];
        if (!asked) return;
        asked.packets += 1;
        if (asked.packets > 1) tape.note('ack', { session: id, call: asked.call, body: { success: false, code: 'again' } });
      });
    });
  }

  #down(session, why, own) {
    if (session.isOver) return;
    session.isOver = true;
    this.tape.note('down', { session: session.id, why, own });
    if (this.session === session) this.session = null;
    for (const lose of session.pending.values()) lose('the connection');
  }

  #heard(session, event, data) {
    if (session.isOver) return;
    this.tape.note('event', { session: session.id, event, data });
    if (event === 'new_message' && session.joined.has(data.room_id) && data.rev === (this.known.get(data.room_id) ?? 0) + 1) {
      this.known.set(data.room_id, data.rev);
    }
    if (event === 'participant_removed' && data.user_id === this.user) session.joined.delete(data.room_id);
  }

  // --- Asking

  /** Resolves to the answer, or to undefined where there was none. */
  call(event, payload) {
    const { tape, session } = this;
    const call = tape.id('c');
    return new Promise((resolve) => {
      const asked = { call, packets: 0 };
      session.asked.push(asked);
      tape.note('call', { session: session.id, call, event, payload });
      const lose = (why) => {
        tape.note('lost', { session: session.id, call, why });
        settle(undefined);
      };
      const timer = setTimeout(lose, PATIENCE_MS, 'patience');
      const settle = (body) => {
        clearTimeout(timer);
        session.pending.delete(call);
        resolve(body);
      };
      session.pending.set(call, lose);
      session.socket.emit(event, payload, (body) => {
        if (session.isOver) return;
        tape.note('ack', { session: session.id, call, body });
        settle(body);
      });
    });
  }

  /** The same by HTTP, to any node: `event` and `payload` are what the request stands for. */
  async request(event, payload, { method = 'GET', path, body, headers = {} }, node = this.#anyNode()) {
    const { tape } = this;
    const session = this.#open(node, 'rest');
    const call = tape.id('c');
    tape.note('call', { session, call, event, payload });
    try {
      const answer = await fetch(`${node.url}/api${path}`, {
        method, signal: AbortSignal.timeout(PATIENCE_MS), body: body && JSON.stringify(body),
        headers: { Authorization: `Bearer ${this.token}`, ...(body ? { 'Content-Type': 'application/json' } : {}), ...headers },
      });
      const json = await answer.json();
      tape.note('ack', { session, call, body: json });
      return json;
    } catch (error) {
      tape.note('lost', { session, call, why: error.cause?.code ?? error.name });
      return undefined;
    }
  }

  #anyNode() {
    const up = this.stage.nodes.filter(({ isUp }) => isUp);
    return this.random.pick(up.length > 0 ? up : this.stage.nodes);
  }

  // --- What a frontend does

  /** A message that nobody has sent yet: to a room, or to a user. */
  draft(to) {
    this.#sent += 1;
    const clientId = `${this.user}.${this.device}-${this.#sent}`;
    const filler = this.random.weighted([[8, ''], [4, ' Ü🙂é'], [1, ` ${'long '.repeat(1 + this.random.below(300))}end`]]);
    return { ...to, message: clientId + filler, client_id: clientId };
  }

  /** Sends a message. What becomes of it, or may have, decides whether it is sent again. */
  async send(draft) {
    const event = draft.recipient_id === undefined ? 'chat_message' : 'private_message';
    return this.#settle(draft, await this.call(event, draft));
  }

  async post(draft) {
    const { client_id: key, room_id: room, ...body } = draft;
    const path = room === undefined ? '/private-messages' : `/rooms/${encodeURIComponent(room)}/messages`;
    const event = room === undefined ? 'private_message' : 'chat_message';
    const headers = { 'Idempotency-Key': key };
    return this.#settle(draft, await this.request(event, draft, { method: 'POST', path, body, headers }));
  }

  #settle(draft, body) {
    const isOpen = body === undefined || ['storage_unavailable', 'internal', 'restarting', 'overloaded'].includes(body.code);
    if (isOpen && !this.unsure.includes(draft)) this.unsure.push(draft);
    if (!isOpen) this.unsure = this.unsure.filter((other) => other !== draft);
    return body;
  }

  /** Sends again what may not have arrived, in order. Says whether nothing is left. */
  async resend() {
    for (const draft of [...this.unsure]) {
      if (!this.isUp) return false;
      await this.send(draft);
      if (this.unsure[0] === draft) return false;
    }
    return true;
  }

  /** Enters a room where it left off, or as somebody new who loads the newest page. */
  async join(room) {
    const { session } = this;
    const since = this.random.chance(0.8) ? this.known.get(room) : undefined;
    const body = await this.call('join_room', { room_id: room, ...(since === undefined ? {} : { since }) });
    if (!body?.success) return;
    session.joined.add(room);
    if (since === undefined || body.reset) {
      if (session.isOver) return;
      const page = await this.call('get_messages', { room_id: room });
      if (page?.success) this.known.set(room, Math.max(page.rev, this.known.get(room) ?? 0));
    } else {
      this.known.set(room, Math.max(body.rev, this.known.get(room) ?? 0));
    }
  }

  async quit(room) {
    const { session } = this;
    await this.call('leave_room', { room_id: room });
    session.joined.delete(room);
  }

  /** Is there again: who is online, what was missed, what was not sent. */
  async settleIn() {
    const session = this.session;
    const steps = [() => this.call('get_room_participants', { room_id: 'lobby' }), ...[...this.wanted].map((room) => () => this.join(room)), () => this.resend()];
    for (const step of steps) {
      if (session.isOver) return;
      await step();
    }
  }

  /** Comes back whenever it is not there, with pauses as clients make them. */
  async comeBack() {
    if (performance.now() < this.awayUntil) {
      await sleep(100);
      return;
    }
    if (await this.connect()) await this.settleIn();
    else await sleep(100 + this.random.below(700));
  }
}
