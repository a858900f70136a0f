// A client of the raw WebSocket door with the face of a socket.io-client, so that the facts of the contract are checked
// over it word for word. What only this door has is in `frames` and `ws`.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import WebSocket from 'ws';

/** What a message has in this door beside the fields of `new_message`; in support rooms these are its own. */
const ALIASES = { content: 'message', sender_name: 'username', created_at: 'timestamp' };
const ACK_PACKET = 3;

/** What is a namespace to socket.io-client. */
const PATHS = { '/': '/ws/chat/', '/support': '/ws/support/', '/admin': '/ws/admin/chat/' };

/**
 * Used in place of socket.io-client's `io`. `path` may hold a query; `auth` goes into the query, too. `first` is the frame
 * that is sent before any other; null sends none until told, and the client is not known to be let in.
 */
export function rawSocket(url, { auth = {}, query = {}, path = PATHS[new URL(url).pathname], first, extraHeaders, agent, autoPong = true } = {}) {
  const address = new URL(path, url.replace(/^http/, 'ws'));
  for (const [name, value] of Object.entries({ ...query, ...auth })) address.searchParams.set(name, value);
  return new RawSocket(new WebSocket(address, { headers: extraHeaders, agent, autoPong }), first);
}

class RawSocket {
  connected = false;
  /** Every frame received: parsed, in order. */
  frames = [];
  /** `{code, reason}` once it is closed. */
  closed = null;

  #events = new EventEmitter();
  #any = [];
  #acks = new Map();
  #next = 0;

  constructor(ws, first) {
    this.ws = ws;
    this.io = { on: (event, listener) => this.#events.on(`io ${event}`, listener), engine: { transport: { name: 'websocket', ws }, close() {} } };
    // An answer to a ping says that it was let in.
    ws.on('open', () => {
      if (first === null) return;
      if (first) this.send(first);
      this.send({ type: 'ping' });
    });
    ws.on('message', (data, isBinary) => {
      assert.equal(isBinary, false);
      this.#receive(JSON.parse(data));
    });
    ws.on('error', (error) => { this.error = error; });
    ws.on('close', (code, reason) => this.#close(code, String(reason)));
  }

  /** Sends any frame. */
  send(frame) { this.ws.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame)); }

  emit(event, ...args) {
    const acknowledge = typeof args.at(-1) === 'function' ? args.pop() : undefined;
    const frame = { ...args[0], type: event };
    if (acknowledge) {
      this.#next += 1;
      this.#acks.set(this.#next, acknowledge);
      frame.ack = this.#next;
    }
    this.send(frame);
  }

  on(event, listener) { this.#events.on(`- ${event}`, listener); }

  once(event, listener) { this.#events.once(`- ${event}`, listener); }

  onAny(listener) { this.#any.push(listener); }

  disconnect() { this.ws.terminate(); }

  #receive(frame) {
    this.frames.push(frame);
    this.#events.emit('- frame', frame);
    const { type, ...payload } = frame;
    if (type === 'pong' && !this.connected) {
      this.connected = true;
      this.#events.emit('- connect');
    } else if (type === 'ack' && this.#acks.has(payload.ack)) {
      const { ack, ...body } = payload;
      this.#events.emit('io packet', { type: ACK_PACKET, id: ack });
      this.#acks.get(ack)(body);
    } else if (type === 'chat_message') {
      this.#deliver('new_message', plain(payload.message));
    } else if (!['ack', 'pong', 'heartbeat'].includes(type)) {
      this.#deliver(type, payload);
    }
  }

  #deliver(event, payload) {
    for (const listener of this.#any) listener(event, payload);
    this.#events.emit(`- ${event}`, payload);
  }

  #close(code, reason) {
    const refused = !this.connected;
    this.connected = false;
    this.closed = { code, reason };
    if (refused) this.#events.emit('- connect_error', Object.assign(new Error(reason || this.error?.message), { code }));
    else this.#events.emit('- disconnect', `${code} ${reason}`.trim());
    this.#events.emit('- closed', this.closed);
  }

  /** Resolves to `{code, reason}`. */
  async end() {
    return this.closed ?? new Promise((resolve, reject) => {
      const timer = setTimeout(reject, 15_000, new Error('not closed within 15 s'));
      this.once('closed', (closed) => {
        clearTimeout(timer);
        resolve(closed);
      });
    });
  }

  /** The first frame that matches, also one that is here already. */
  async frame(matches) {
    return this.frames.find(matches) ?? new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no such frame within 10 s: ${JSON.stringify(this.frames.slice(-10))}`)), 10_000);
      const look = (frame) => {
        if (!matches(frame)) return;
        clearTimeout(timer);
        this.#events.off('- frame', look);
        resolve(frame);
      };
      this.#events.on('- frame', look);
    });
  }
}

/** A message as `new_message` carries it, out of one as this door tells it. Those of support rooms have the fields anyway. */
function plain(message) {
  if (message.sender_type !== 'user') {
    const { created_at: createdAt, ...rest } = message;
    assert.equal(createdAt, message.timestamp);
    return rest;
  }
  const rest = { ...message };
  for (const [alias, name] of Object.entries(ALIASES)) {
    assert.equal(message[alias], message[name], `${alias} of ${JSON.stringify(message)}`);
    delete rest[alias];
  }
  assert.equal(message.is_read, false);
  delete rest.sender_type;
  delete rest.is_read;
  return rest;
}
