// What stands between a page and the server: single packets, or the whole network.
import { connect, createServer } from 'node:net';
import { after } from 'node:test';

/** From here on the page's sockets go through the test. To be called before the page is opened. */
export async function tapSockets(page) {
  const tap = new Tap();
  await page.routeWebSocket(/socket\.io/, (socket) => tap.join(socket));
  return tap;
}

class Tap {
  /** What the page has sent: `[event, payload]`. */
  sent = [];
  /** How often the page has connected. */
  connections = 0;
  /** May replace what arrives: `({event, isAnswer, data}) => data`. */
  change = ({ data }) => data;
  /** May replace a whole packet on its way to the server. */
  changeSent = (frame) => frame;
  /** May answer a request in the server's place, which never hears of it: `(event, payload) => answer`. */
  answer = () => undefined;

  #match = null;
  #held = null;
  #joined = null;

  /** From the first packet on that matches `({event, isAnswer, data})` everything is kept back, in order. */
  hold(match) { this.#match = match; }

  /** Whether something is kept back by now. */
  get isHolding() { return this.#held !== null; }

  release() {
    const held = this.#held ?? [];
    this.#match = null;
    this.#held = null;
    for (const send of held) send();
  }

  /** The connection ends, and with it what is kept back. */
  breakOff() {
    const { socket, server } = this.#joined;
    this.#match = null;
    this.#held = null;
    server.close();
    socket.close();
  }

  join(socket) {
    const server = socket.connectToServer();
    this.connections += 1;
    if (this.#held) {
      // It was for a connection that is no more.
      this.#match = null;
      this.#held = null;
    }
    this.#joined = { socket, server };
    const questions = new Map(); // each connection counts from the beginning
    socket.onMessage((frame) => {
      if (!this.#outgoing(socket, questions, frame)) server.send(this.changeSent(String(frame)));
    });
    server.onMessage((frame) => {
      const send = this.#incoming(socket, questions, String(frame));
      if (this.#held) this.#held.push(send);
      else send();
    });
  }

  /** Whether it was answered here. */
  #outgoing(socket, questions, frame) {
    const [, namespace = '', id, body] = /^42(\/\w+,)?(\d*)(\[.*\])$/s.exec(frame) ?? [];
    if (!body) return false;
    const [event, payload] = JSON.parse(body);
    this.sent.push([event, payload]);
    if (!id) return false;
    questions.set(id, event);
    const answer = this.answer(event, payload);
    if (answer) socket.send(`43${namespace}${id}${JSON.stringify([answer])}`);
    return answer !== undefined;
  }

  #incoming(socket, questions, frame) {
    const [, type, namespace = '', id, body] = /^4([23])(\/\w+,)?(\d*)(\[.*\])$/s.exec(frame) ?? [];
    if (!body) return () => socket.send(frame);
    const isAnswer = type === '3';
    const values = JSON.parse(body);
    const event = isAnswer ? questions.get(id) : values[0];
    const packet = { event, isAnswer, data: values.at(-1) };
    if (this.#match?.(packet)) this.#held ??= [];
    const data = this.change(packet);
    return () => socket.send(`4${type}${namespace}${id}${JSON.stringify([...values.slice(0, -1), data])}`);
  }
}

/** A network of its own for one window, to a server: it can be cut, or fall silent. It stays when the server does not. */
export async function openNetwork(server) {
  const network = new Network(server);
  after(() => network.close());
  return network.open();
}

class Network {
  #server;
  #listener;
  #lines = new Set();
  #isCut = false;

  constructor(server) { this.#server = server; }

  get url() { return `http://127.0.0.1:${this.port}`; }

  open() {
    this.#listener = createServer({ allowHalfOpen: true }, (near) => this.#join(near)).listen(0, '127.0.0.1');
    this.#listener.unref();
    return new Promise((resolve) => {
      this.#listener.once('listening', () => {
        this.port = this.#listener.address().port;
        resolve(this);
      });
    });
  }

  /** Every connection breaks, and nobody gets through. */
  cut() {
    this.#isCut = true;
    for (const line of this.#lines) line.destroy();
  }

  /** Connections stay, and nothing passes: what a dead router does. */
  silence() { for (const line of this.#lines) line.pause(); }

  mend() { this.#isCut = false; }

  close() {
    this.cut();
    this.#listener.close();
  }

  #join(near) {
    if (this.#isCut) return near.destroy();
    const far = connect(this.#server.port, '127.0.0.1');
    for (const [line, other] of [[near, far], [far, near]]) {
      line.unref();
      this.#lines.add(line);
      line.on('data', (bytes) => other.write(bytes));
      line.on('end', () => other.end());
      line.on('error', () => other.destroy());
      line.on('close', () => {
        this.#lines.delete(line);
        other.destroy();
      });
    }
    return undefined;
  }
}
