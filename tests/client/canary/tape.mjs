// Everything that one connection, or one client of HTTP, was ever sent, each with the time of its arrival.

export class Tape {
  entries = [];
  /** Whose it was, from when on: a guest's connection may become a user's. */
  holders = [];
  /** When the end of its access was acknowledged: what was said later is not for it. */
  ended = Infinity;
  /** Room → when the connection was in its live stream. */
  live = new Map();

  /** `where`: by which door and in which namespace. */
  constructor(model, where, principal) {
    Object.assign(this, { model, where });
    this.holders.push({ principal, from: model.time });
  }

  get name() { return `${this.holders.map(({ principal }) => principal.name ?? 'somebody new').join(', then ')}, by ${this.where},`; }

  get tenant() { return this.holders[0].principal.tenant; }

  record(entry) {
    this.entries.push({ ...entry, at: this.model.tick() });
  }

  /** Listens to a client of `support/clients.mjs` from its first packet on. */
  attach(client) {
    const tape = this;
    const push = ({ event, ack, data }) => tape.record({ how: event ? `event ${event}` : `ack of ${ack}`, event, data });
    client.trace = new Proxy([], { get: (list, key) => (key === 'push' ? push : list[key]) });
    client.ready.catch((error) => this.record({ how: 'connect_error', data: error.message }));
    client.socket?.on('disconnect', (reason) => this.record({ how: 'close', data: reason }));
  }
}
