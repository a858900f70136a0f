// A Redis connection for measuring: requests are written many at a time, answers are only counted.
import net from 'node:net';

const encode = (parts) => `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(String(part))}\r\n${part}\r\n`).join('')}`;

export class Redis {
  #answers = [];
  #text = '';
  #parse = true;
  bytes = 0;

  static async connect(port) {
    const redis = new Redis();
    redis.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    redis.socket.on('data', (data) => redis.#take(data));
    await new Promise((resolve, reject) => { redis.socket.once('connect', resolve).once('error', reject); });
    return redis;
  }

  /** Resolves to the first line of the answer, or to a bulk answer's text. */
  ask(...parts) {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.socket.write(encode(parts));
    });
  }

  /** Writes requests, and resolves when as many answers of `size` bytes each have come. */
  async pipeline(requests, size) {
    this.#parse = false;
    this.bytes = 0;
    const all = new Promise((resolve) => { this.awaited = { bytes: requests.length * size, resolve }; });
    this.socket.write(requests.map(encode).join(''));
    await all;
    this.#parse = true;
  }

  /** From here on what arrives is only counted. */
  listen() { this.#parse = false; this.bytes = 0; }

  close() { this.socket.destroy(); }

  #take(data) {
    this.bytes += data.length;
    if (!this.#parse) {
      if (this.awaited && this.bytes >= this.awaited.bytes) this.awaited.resolve();
      return;
    }
    this.#text += data.toString('latin1');
    while (this.#text.includes('\r\n')) {
      const end = this.#text.indexOf('\r\n');
      const line = this.#text.slice(0, end);
      let rest = end + 2;
      let answer = line;
      if (line[0] === '$' && line !== '$-1') {
        const length = Number(line.slice(1));
        if (this.#text.length < rest + length + 2) return;
        answer = this.#text.slice(rest, rest + length);
        rest += length + 2;
      }
      this.#text = this.#text.slice(rest);
      this.#answers.shift()?.(answer);
    }
  }
}
