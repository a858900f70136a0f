// Real socket.io-clients with what a test needs around them: acks and events as promises, with deadlines that explain.
import assert from 'node:assert/strict';
import jwt from 'jsonwebtoken';
import { io as io48 } from 'socket.io-client';
import io2 from 'socket.io-client-2';
import { io as io31 } from 'socket.io-client-3.1';
import { io as io40 } from 'socket.io-client-4.0';
import { SECRET } from './server.mjs';
import { rawSocket } from './websocket.mjs';

const IO = new Map([['4.8', io48], ['4.0', io40], ['3.1', io31], ['2', io2], ['raw', rawSocket]]);
/** The clients that section 1 of the contract names; 2.x is behind a setting. */
export const CLIENTS = ['4.8', '4.0', '3.1'];
export const TRANSPORTS = [['websocket'], ['polling'], ['polling', 'websocket']];

const DEADLINE_MS = 10_000;
const ACK_PACKETS = [3, 6];

/** Seconds since 1970, as `exp` and `nbf` want them. */
export const now = () => Math.floor(Date.now() / 1000);

/** An access token; a claim set to `undefined` is left out. */
export function token(claims = {}, { secret = SECRET, algorithm = 'HS256', ...options } = {}) {
  const payload = { exp: now() + 3600, iat: now(), ...claims };
  for (const name of Object.keys(payload)) if (payload[name] === undefined) delete payload[name];
  return jwt.sign(payload, secret, { algorithm, noTimestamp: true, ...options });
}

/**
 * A client that is connecting; `client.ready` settles when it is, or was refused.
 * Options: `client` ('4.8', '4.0', '3.1', '2', or 'raw' for a WebSocket without Socket.IO), `transports`, `namespace`
 * ('/support', '/admin'), `token` or `guest_session` or a whole `auth` (object or function), `query`, and whatever else
 * socket.io-client (or `rawSocket`) takes. It does not reconnect unless `reconnection: true`.
 */
export function open(url, options = {}) {
  const { client = '4.8', transports = ['websocket'], namespace = '', token: accessToken, guest_session, auth, label = '', ...rest } = options;
  const credentials = {
    ...(accessToken === undefined ? {} : { token: accessToken }),
    ...(guest_session === undefined ? {} : { guest_session }),
  };
  const settings = { forceNew: true, reconnection: false, timeout: DEADLINE_MS, ...rest };
  const socket = IO.get(client)(url + namespace, { ...settings, transports, auth: auth ?? credentials });
  return new Client(socket, { name: [label, client, transports.join('+')].filter(Boolean).join(' '), transports, ...settings });
}

/** A client that is connected, and upgraded where `transports` says so. Rejects with the `connect_error`. */
export async function connect(url, options) {
  const client = open(url, options);
  try {
    await client.ready;
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}

class Client {
  /** Everything that was received, in order of arrival: `{event, data}`. */
  events = [];
  /** The same with the acks between: `{event, data}` or `{ack: event, data}`. */
  trace = [];
  /** Reasons of the disconnects so far. */
  disconnects = [];
  /** Every Socket.IO and Engine.IO id that this client has had. Nobody may ever be sent one. */
  ids = new Set();
  /** What no server may do: a second ack, an event without exactly one payload. A `World` checks it at the end. */
  faults = [];

  #waiting = new Set();
  #ackCounts = new Map();
  #mark = 0;

  constructor(socket, { name, transports, reconnection }) {
    this.socket = socket;
    this.name = name;
    this.#listen(reconnection);
    this.ready = this.#connected().then(() => (transports.length > 1 ? this.#upgraded() : undefined));
    // Whoever awaits it hears of it; a client that is only watched needs no handler.
    this.ready.catch(() => {});
  }

  get connected() { return this.socket.connected; }

  /** The transport in use: `websocket` or `polling`. */
  get transport() { return this.socket.io.engine.transport.name; }

  /** Sends without asking for an ack. */
  emit(event, ...args) { this.socket.emit(event, ...args); }

  /** Sends and resolves to the one object of the ack. */
  request(event, ...args) {
    return this.#promise(`an ack of ${event}`, (resolve, reject) => {
      this.socket.emit(event, ...args, (...reply) => {
        this.trace.push({ ack: event, data: reply[0] });
        if (reply.length === 1) resolve(reply[0]);
        else reject(new Error(`the ack of ${event} has ${reply.length} values: ${JSON.stringify(reply)}`));
      });
    });
  }

  /** A request that has to succeed. */
  async ok(event, ...args) {
    const ack = await this.request(event, ...args);
    assert.equal(ack?.success, true, `${this.name}: ${event} was refused: ${JSON.stringify(ack)}`);
    return ack;
  }

  /** A request that has to be refused with `code`, in the one shape of refusals. */
  async refused(code, event, ...args) {
    const ack = await this.request(event, ...args);
    assertRefusal(ack, code, `${this.name}: ${event} ${short(args)}`);
    return ack;
  }

  /** From here on `waitFor`, `all` and `none` look at what arrives later only. */
  mark() { this.#mark = this.events.length; }

  /** The payloads of the events so far that match: a function, or an object whose fields have to be equal. */
  all(event, match) { return this.#since(event, match).map(({ data }) => data); }

  /** What arrived after `data`, an ack or a payload that this client was given. Exact where an `await` would be late. */
  after(data) { return this.trace.slice(this.trace.findIndex((arrived) => arrived.data === data) + 1); }

  /** The payload of the first event that matches, also one that is here already. */
  waitFor(event, match) {
    const [found] = this.#since(event, match);
    if (found) return Promise.resolve(found.data);
    const what = `${event}${match && typeof match !== 'function' ? ` ${short(match)}` : ''}`;
    return this.#promise(what, (resolve) => (arrived) => {
      if (arrived.event === event && matches(arrived.data, match)) resolve(arrived.data);
    });
  }

  /**
   * Proves that nothing of the kind arrived, by letting what came after it arrive: two round trips of this socket, and
   * with `{room, by}` before them a message of `by` (default: this client) that this client, which is in the room, hears.
   */
  async none(event, match, { room, by = this } = {}) {
    if (room !== undefined) await by.say(room, [this]);
    await this.barrier();
    assert.deepEqual(this.all(event, match), [], `${this.name}: nothing like this was to arrive`);
  }

  /** Two round trips. */
  async barrier() {
    for (let i = 0; i < 2; i += 1) await this.request('get_user_conversations', {});
  }

  /** Says something in a room and waits until each of `hearers` has heard it. Resolves to the message. */
  async say(room, hearers = [], text = 'a marker') {
    const { message } = await this.ok('chat_message', { room_id: room, message: text });
    await Promise.all(hearers.map((hearer) => hearer.waitFor('new_message', { id: message.id })));
    return message;
  }

  /** Resolves to the reason of the last disconnect, or of the next where there was none yet. */
  async disconnected() { return this.disconnects.at(-1) ?? this.#next('disconnect'); }

  /** Resolves when a client that reconnects by itself has done so. */
  async reconnected() { if (!this.connected) await this.#next('connect'); }

  /** Loses the connection without a word on the Socket.IO level, as a phone in a tunnel does. */
  drop() {
    const { engine } = this.socket.io;
    // Polling has no connection to cut: the Engine.IO close packet is what makes the server notice at once.
    if (engine.transport.ws) engine.transport.ws.terminate();
    else engine.close();
  }

  /** Says goodbye. Safe to call twice. */
  close() {
    for (const waiting of this.#waiting) waiting.forget();
    this.socket.disconnect();
    // Clients 3.x and 4.0 keep the manager open after a `connect_error`.
    this.socket.io.skipReconnect = true;
    this.socket.io.engine?.close();
  }

  #listen(reconnects) {
    const { socket } = this;
    const record = (event, ...args) => this.#record(event, args);
    if (socket.onAny) {
      socket.onAny(record);
    } else {
      // 2.x has no onAny.
      const deliver = socket.onevent;
      socket.onevent = (packet) => {
        record(...packet.data);
        deliver.call(socket, packet);
      };
    }
    // The client itself ignores an ack that comes twice, so the packets are counted below it.
    socket.io.on('packet', ({ type, id }) => {
      if (!ACK_PACKETS.includes(type)) return;
      this.#ackCounts.set(id, (this.#ackCounts.get(id) ?? 0) + 1);
      if (this.#ackCounts.get(id) > 1) this.faults.push(`ack ${id} came ${this.#ackCounts.get(id)} times`);
    });
    socket.on('connect', () => {
      this.ids.add(socket.id);
      if (socket.io.engine.id) this.ids.add(socket.io.engine.id);
    });
    socket.on('disconnect', (reason) => {
      this.disconnects.push(reason);
      for (const waiting of this.#waiting) {
        if (!reconnects || waiting.what.startsWith('an ack')) waiting.fail(`disconnected (${reason})`);
      }
    });
  }

  #record(event, args) {
    const arrived = { event, data: args[0] };
    this.events.push(arrived);
    this.trace.push(arrived);
    if (args.length !== 1) this.faults.push(`${event} came with ${args.length} payloads: ${short(args)}`);
    for (const { arrive } of this.#waiting) arrive?.(arrived);
  }

  #since(event, match) {
    return this.events.slice(this.#mark).filter((arrived) => arrived.event === event && matches(arrived.data, match));
  }

  /** A promise with a deadline. `begin` may return a function that is shown every event as it arrives. */
  #promise(what, begin) {
    return new Promise((resolve, reject) => {
      const waiting = { what };
      const settle = (how) => (value) => {
        clearTimeout(waiting.timer);
        this.#waiting.delete(waiting);
        how(value);
      };
      waiting.fail = (why) => settle(reject)(new Error(`${this.name}: waited for ${what}: ${why}; ${this.#arrived()}`));
      waiting.forget = settle(() => {});
      waiting.timer = setTimeout(() => waiting.fail(`not within ${DEADLINE_MS} ms`), DEADLINE_MS);
      this.#waiting.add(waiting);
      waiting.arrive = begin(settle(resolve), settle(reject));
    });
  }

  /** The next `connect` or `disconnect` of the client. */
  #next(lifecycle) {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`${this.name}: no ${lifecycle} within ${DEADLINE_MS} ms; ${this.#arrived()}`));
      const timer = setTimeout(late, DEADLINE_MS);
      this.socket.once(lifecycle, (value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
  }

  #arrived() {
    const since = this.events.slice(this.#mark).slice(-20);
    return `arrived: ${since.map(({ event, data }) => `${event} ${short(data)}`).join(', ') || 'nothing'}`;
  }

  #connected() {
    return new Promise((resolve, reject) => {
      const { socket } = this;
      const timer = setTimeout(reject, DEADLINE_MS, new Error(`${this.name}: did not connect within ${DEADLINE_MS} ms`));
      const settle = (how) => (value) => {
        clearTimeout(timer);
        how(value);
      };
      socket.once('connect', settle(resolve));
      socket.once('connect_error', settle(reject));
      // What 2.x calls a refusal. Later ones are events of ours of the same name.
      if (!socket.onAny) socket.once('error', settle(reject));
    });
  }

  #upgraded() {
    const { engine } = this.socket.io;
    if (engine.transport.name === 'websocket') return undefined;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(reject, DEADLINE_MS, new Error(`${this.name}: was not upgraded to websocket`));
      engine.once('upgrade', () => {
        clearTimeout(timer);
        resolve();
      });
      engine.once('upgradeError', (error) => {
        clearTimeout(timer);
        reject(error);
      });
    });
  }
}

/** The one shape of refusals. `retry_after_ms` is there where waiting helps, and only there. */
export function assertRefusal(body, code, context = '') {
  const waits = code === 'rate_limited' || code === 'overloaded';
  assert.equal(typeof body, 'object', `${context}: ${JSON.stringify(body)}`);
  const keys = Object.keys(body ?? {}).filter((key) => key !== 'retry_after_ms' || !waits).sort();
  assert.deepEqual(keys, ['code', 'message', 'success'], `${context}: ${JSON.stringify(body)}`);
  assert.equal(body.success, false, context);
  assert.equal(body.code, code, `${context}: ${JSON.stringify(body)}`);
  assert.equal(typeof body.message, 'string', context);
  assert.notEqual(body.message, '', context);
}

function matches(data, match) {
  if (match === undefined) return true;
  if (typeof match === 'function') return Boolean(match(data));
  return Object.entries(match).every(([key, value]) => data?.[key] === value);
}

function short(value) {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
