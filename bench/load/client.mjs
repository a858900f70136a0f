// A Socket.IO client over WebSocket that costs next to nothing: frames are found by their heads, and only those that are
// waited for are read. With thousands of ordinary clients a measurement on one machine would be about them.
import { createHmac, randomBytes } from 'node:crypto';
import net from 'node:net';
import { SECRET } from '../../tests/client/support/server.mjs';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An access token of a user. */
export function token(user) {
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ user_id: user, username: `user-${user}`, exp: Math.floor(Date.now() / 1000) + 3600 })}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

/** A masked text frame; the mask is 0, which leaves the text as it is. */
function frame(text) {
  const body = Buffer.from(text);
  const head = body.length < 126
    ? Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0])
    : Buffer.from([0x81, 0x80 | 126, body.length >> 8, body.length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, body]);
}

const [MESSAGE, ACK, CONNECTED, PING, OPEN] = ['42', '43', '40', '2', '0'].map((text) => Buffer.from(text));
const NEW_MESSAGE = Buffer.from('42["new_message"');
const startsWith = (buffer, start, end, prefix) => end - start >= prefix.length && buffer.compare(prefix, 0, prefix.length, start, start + prefix.length) === 0;

export class Client {
  /** `new_message` events received, and all bytes. */
  messages = 0;
  bytes = 0;
  isOpen = false;
  /** Called with the text of each `new_message`, where set. */
  onMessage = null;

  #buffer = Buffer.alloc(0);
  #acks = new Map();
  #next = 0;

  /** Resolves when the client is connected. `from`: the loopback address it comes from. */
  static async connect(server, user, from = '127.0.0.1') {
    const client = new Client();
    await client.#open(server, token(user), from);
    return client;
  }

  /** Sends an event and resolves to its acknowledgement. */
  request(event, payload) {
    const id = this.#next;
    this.#next += 1;
    this.#socket.write(frame(`42${id}${JSON.stringify([event, payload])}`));
    return new Promise((resolve) => { this.#acks.set(id, resolve); });
  }

  /** As `request`; a refusal is an error. */
  async ok(event, payload) {
    const ack = await this.request(event, payload);
    if (!ack.success) throw new Error(`${event}: ${JSON.stringify(ack)}`);
    return ack;
  }

  close() { this.#socket.destroy(); }

  #socket;

  #open(server, accessToken, localAddress) {
    return new Promise((resolve, reject) => {
      this.#socket = net.connect({ port: server.port, host: '127.0.0.1', localAddress, noDelay: true });
      this.#socket.once('error', reject);
      this.#socket.once('close', () => { this.isOpen = false; reject(new Error('closed')); });
      this.#socket.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\n`
        + `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
      let upgraded = false;
      this.#socket.on('data', (data) => {
        this.bytes += data.length;
        let rest = this.#buffer.length ? Buffer.concat([this.#buffer, data]) : data;
        if (!upgraded) {
          const end = rest.indexOf('\r\n\r\n');
          if (end >= 0) {
            if (!rest.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) return reject(new Error(rest.toString()));
            upgraded = true;
            rest = rest.subarray(end + 4);
          }
        }
        this.#buffer = upgraded ? this.#frames(rest, accessToken, resolve, reject) : rest;
      });
    });
  }

  /** Takes the whole frames, and returns the rest. */
  #frames(data, accessToken, resolve, reject) {
    let at = 0;
    while (data.length - at >= 2) {
      let start = at + 2;
      let length = data[at + 1] & 0x7f;
      if (length >= 126) {
        const size = length === 126 ? 2 : 8;
        if (data.length < start + size) break;
        length = size === 2 ? data.readUInt16BE(start) : Number(data.readBigUInt64BE(start));
        start += size;
      }
      if (data.length < start + length) break;
      this.#frame(data, start, start + length, accessToken, resolve, reject);
      at = start + length;
    }
    return data.subarray(at);
  }

  #frame(data, start, end, accessToken, resolve, reject) {
    const is = (prefix) => startsWith(data, start, end, prefix);
    if (is(NEW_MESSAGE)) {
      this.messages += 1;
      if (this.onMessage) this.onMessage(JSON.parse(data.toString('utf8', start + 2, end))[1]);
    } else if (is(MESSAGE)) {
      // Some other event.
    } else if (is(ACK)) {
      const text = data.toString('utf8', start + 2, end);
      const body = text.indexOf('[');
      const id = Number(text.slice(0, body));
      this.#acks.get(id)?.(JSON.parse(text.slice(body))[0]);
      this.#acks.delete(id);
    } else if (is(CONNECTED)) {
      this.isOpen = true;
      resolve();
    } else if (is(PING)) {
      this.#socket.write(frame('3'));
    } else if (is(OPEN)) {
      this.#socket.write(frame(`40${JSON.stringify({ token: accessToken })}`));
    } else {
      reject(new Error(data.toString('utf8', start, end)));
    }
  }
}

/** Runs `work` for each of `count` numbers, so many at a time. */
export async function each(count, atOnce, work) {
  let next = 0;
  const results = Array(count);
  const one = async () => {
    while (next < count) {
      const i = next;
      next += 1;
      results[i] = await work(i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one));
  return results;
}
