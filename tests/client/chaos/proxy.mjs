// A TCP proxy between one node and one service, which can do to a connection what networks do.
import net from 'node:net';
import { freePort } from '../support/program.mjs';

/**
 * What it can do, until told otherwise:
 *
 * - `pass`
 * - `refuse`: connections are cut, and none is accepted
 * - `hang`, `hang out`, `hang in`: nothing arrives, in both directions or in one, seen from the node. Nothing is lost either:
 *   what the network held back arrives when it passes again, if the connection lasts so long
 * - `slow`: every piece takes longer
 * - `reset`: connections are cut, new ones pass
 *
 * `distance`: how long every piece takes anyway, in ms.
 */
export class Proxy {
  #mode = 'pass';
  #links = new Set();
  #listener = null;

  constructor(target, { distance = 0 } = {}) {
    Object.assign(this, { target, distance, delay: distance });
  }

  async start() {
    this.port = await freePort();
    await this.#listen();
    return this;
  }

  async set(mode, { delay = 0 } = {}) {
    this.#mode = mode;
    this.delay = this.distance + delay;
    if (mode === 'refuse') await this.#unlisten();
    else if (!this.#listener) await this.#listen();
    if (mode === 'refuse' || mode === 'reset') this.#cut();
    for (const link of this.#links) link.forEach((way) => way.resume());
  }

  /** Passes again; with `cut` none of the connections from before lasts. */
  async heal({ cut = false } = {}) {
    if (cut) this.#cut();
    await this.set('pass');
  }

  async close() {
    this.#cut();
    await this.#unlisten();
  }

  /** Whether nothing passes now from the node (`out`) or to it (`in`). */
  holds(direction) { return this.#mode === 'hang' || this.#mode === `hang ${direction}`; }

  #cut() {
    for (const [out, back] of this.#links) {
      out.from.resetAndDestroy();
      back.from.destroy();
    }
    this.#links.clear();
  }

  async #listen() {
    this.#listener = net.createServer({ allowHalfOpen: true }, (node) => this.#accept(node));
    await new Promise((resolve, reject) => {
      this.#listener.once('error', reject);
      this.#listener.listen({ port: this.port, host: '127.0.0.1' }, resolve);
    });
  }

  async #unlisten() {
    const listener = this.#listener;
    this.#listener = null;
    if (!listener) return;
    this.#cut();
    await new Promise((resolve) => { listener.close(resolve); });
  }

  #accept(node) {
    const service = net.connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    const link = [new Way(this, 'out', node, service), new Way(this, 'in', service, node)];
    this.#links.add(link);
    for (const socket of [node, service]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#links.delete(link);
        node.destroy();
        service.destroy();
      });
    }
  }
}

/** One direction of a connection: in order, whatever happens. */
class Way {
  #waiting = [];
  #timer = null;

  constructor(proxy, direction, from, to) {
    Object.assign(this, { proxy, direction, from, to });
    from.on('data', (piece) => {
      this.#waiting.push({ piece, due: performance.now() + proxy.delay });
      this.#pass();
    });
    // An end comes after what was sent before it.
    from.on('end', () => { if (this.#waiting.length === 0) to.end(); });
    to.on('drain', () => this.#pass());
  }

  /** The proxy has changed its mode. */
  resume() {
    const latest = performance.now() + this.proxy.delay;
    for (const one of this.#waiting) one.due = Math.min(one.due, latest);
    this.#pass();
  }

  #pass() {
    clearTimeout(this.#timer);
    const { proxy, direction, from, to } = this;
    if (proxy.holds(direction) || to.writableNeedDrain) {
      from.pause();
      return;
    }
    const now = performance.now();
    while (this.#waiting.length > 0 && this.#waiting[0].due <= now) {
      if (!to.write(this.#waiting.shift().piece)) {
        from.pause();
        return;
      }
    }
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#pass(), this.#waiting[0].due - now);
    if (from.isPaused()) from.resume();
    if (this.#waiting.length === 0 && from.readableEnded) to.end();
  }
}
