// Clients below socket.io-client: they speak Engine.IO by hand, so that they can stop doing what a client does.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { DEADLINE_MS, until } from './support.mjs';

/**
 * A websocket spoken by hand, because no library lets its user stop reading: after `stall` nothing is taken off the
 * TCP connection, until the kernel closes the window.
 */
export class RawSocket {
  /** Text frames received: Engine.IO packets, or what the raw WebSocket door sends. */
  frames = [];
  /** Whether the server ended the connection. */
  ended = false;

  #tcp;
  #bytes = Buffer.alloc(0);
  #upgraded = false;
  #stalled = false;

  /** Upgraded, and nothing more: the first frame is still to come. */
  static async open(t, { port }, path = '/socket.io/?EIO=4&transport=websocket') {
    const raw = new RawSocket(port, path);
    t.after(() => raw.#tcp.destroy());
    await until(() => raw.#upgraded || raw.ended, 'the websocket is open');
    assert.equal(raw.ended, false, 'the server closed the websocket at once');
    return raw;
  }

  constructor(port, path) {
    this.#tcp = connectTcp({ host: '127.0.0.1', port, noDelay: true });
    this.#tcp.write([
      `GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, 'Connection: Upgrade',
      'Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`, '', '',
    ].join('\r\n'));
    this.#tcp.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#read();
    });
    for (const event of ['end', 'close', 'error']) this.#tcp.on(event, () => { this.ended = true; });
  }

  /** The port on this side. */
  get port() { return this.#tcp.localPort; }

  /** Sends one text frame, masked as clients have to. */
  send(text) {
    const data = Buffer.from(text);
    assert.ok(data.length < 65_536);
    const mask = randomBytes(4);
    const head = data.length < 126
      ? Buffer.from([0x81, 0x80 | data.length])
      : Buffer.from([0x81, 0x80 | 126, data.length >> 8, data.length & 255]);
    for (let i = 0; i < data.length; i += 1) data[i] ^= mask[i % 4];
    this.#tcp.write(Buffer.concat([head, mask, data]));
  }

  /** The first frame, also an earlier one, that begins so. */
  frame(beginning) {
    const find = () => this.frames.find((text) => text.startsWith(beginning));
    return until(find, () => `a frame ${beginning}; ended: ${this.ended}, frames: ${this.frames.slice(-5)}`);
  }

  stall() {
    this.#stalled = true;
    this.#tcp.pause();
  }

  /** Reads on, so that the end of the connection can be seen. What was on its way is thrown away. */
  resume() {
    this.#tcp.removeAllListeners('data');
    this.#tcp.resume();
  }

  #read() {
    if (!this.#upgraded) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#bytes.subarray(0, end).toString();
      if (!head.startsWith('HTTP/1.1 101')) throw new Error(`no websocket: ${head}`);
      this.#bytes = this.#bytes.subarray(end + 4);
      this.#upgraded = true;
    }
    for (let frame = this.#next(); frame && !this.#stalled; frame = this.#next()) {
      if (frame.opcode === 8) this.ended = true;
      if (frame.opcode !== 1) continue;
      const text = frame.data.toString();
      this.frames.push(text);
      if (text === '2') this.send('3');
    }
  }

  #next() {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    let length = bytes[1] & 0x7f;
    let start = 2;
    if (length === 126) {
      if (bytes.length < 4) return null;
      [length, start] = [bytes.readUInt16BE(2), 4];
    } else if (length === 127) {
      if (bytes.length < 10) return null;
      [length, start] = [Number(bytes.readBigUInt64BE(2)), 10];
    }
    if (bytes.length < start + length) return null;
    this.#bytes = bytes.subarray(start + length);
    return { opcode: bytes[0] & 15, data: bytes.subarray(start, start + length) };
  }
}

/** Long-polling by hand: each request is made only when told. */
export class RawPolling {
  static async open({ url }) {
    const polling = new RawPolling(`${url}/socket.io/?EIO=4&transport=polling`);
    const { status, body } = await polling.get();
    assert.equal(status, 200, body);
    polling.base += `&sid=${JSON.parse(body.slice(1)).sid}`;
    return polling;
  }

  constructor(base) { this.base = base; }

  get() { return this.#fetch(); }

  async post(packet) {
    const { status, body } = await this.#fetch({ method: 'POST', body: packet });
    assert.equal(status, 200, body);
  }

  /** Polls until a packet begins so. */
  async packet(beginning) {
    for (let i = 0; i < 20; i += 1) {
      const { status, body } = await this.get();
      assert.equal(status, 200, body);
      const found = body.split('\x1e').find((packet) => packet.startsWith(beginning));
      if (found) return found;
      if (body.split('\x1e').includes('2')) await this.post('3');
    }
    throw new Error(`no packet ${beginning} in 20 answers`);
  }

  async #fetch(options) {
    const response = await fetch(this.base, { ...options, signal: AbortSignal.timeout(DEADLINE_MS) });
    return { status: response.status, body: await response.text() };
  }
}

/** The Engine.IO packet of a Socket.IO CONNECT to `/`. */
export const connectPacket = (token) => `40${JSON.stringify({ token })}`;

/** The Engine.IO packet of an event. */
export const eventPacket = (event, data) => `42${JSON.stringify([event, data])}`;
