// The record of a run: what every client did and heard, and what the nemesis did, in the order in which this process saw it.
import { performance } from 'node:perf_hooks';
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Entries are `{n, at, kind, …}`, `at` in ms since the start of the run:
 *
 * - `run {seed, epoch, nodes, limit, window, grace, typing}`: the first one; `epoch` is the time of day at 0
 * - `open {session, actor, user, tenant, node, door}`, `up {session}`, `down {session, why, own}`: a connection, or the one
 *   request of an actor by HTTP, which is never up
 * - `call {session, call, event, payload}`, then `ack {session, call, body}`, or `lost {session, call, why}` (an ack may follow)
 * - `event {session, event, data}`
 * - `fault {fault, what, node?, harms}` until `heal {fault}`
 * - `room {tenant, room, form, pair?}`: what the rooms are
 * - `history {tenant, room, node, reader, messages}`, `unread {…, refused}` where it was not given, `present {tenant, node, online, connected}`: as it was in the end
 * - `sample {node, rss}`, `tick {late}`: the memory of nodes; how late this process was
 * - `log {node, warnings: [[text, count]], panics, lines, holes}`; `end {codes, conflicts: [[text, count]]}`: how the nodes ended, and
 *   what the database refused because transactions got in each other's way
 */
export class Tape {
  entries = [];

  #begun = performance.now();
  #ids = 0;

  constructor(head) {
    this.note('run', { epoch: performance.timeOrigin + this.#begun, ...head });
  }

  /** What is true of the whole run. */
  get head() { return this.entries[0]; }

  get now() { return performance.now() - this.#begun; }

  id(of) {
    this.#ids += 1;
    return `${of}${this.#ids}`;
  }

  note(kind, fields) {
    const entry = { n: this.entries.length, at: Math.round(this.now * 10) / 10, kind, ...fields };
    this.entries.push(entry);
    return entry;
  }

  save(path) { writeFileSync(path, this.entries.map((entry) => JSON.stringify(entry)).join('\n')); }
}

/** The entries of a record that was saved. */
export const load = (path) => readFileSync(path, 'utf8').split('\n').map((line) => JSON.parse(line));
