// What the fault tests need beside ../support: clients that keep a room's history by the contract's rule, senders that
// pipeline, and what a history has to be.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long anything may take that a test waits for. */
export const DEADLINE_MS = 15_000;
const LARGEST_PAGE = 200;
const TICK_MS = 20;

/** A client that comes back by itself, quickly. */
export const RECONNECTS = { reconnection: true, reconnectionDelay: 100, reconnectionDelayMax: 500 };

/** Waits for a fact that no event announces. Resolves to what `holds` returns; `what` may be a function. */
export async function until(holds, what, withinMs = DEADLINE_MS) {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${typeof what === 'function' ? what() : what}`);
    await sleep(20);
  }
}

/** Resolves when the client of `World.open` is connected, not waiting for an upgrade. */
export function connected({ socket, name }) {
  return until(() => socket.connected, `${name} is connected`);
}

/** What identifies a message in these tests: each text is sent once. */
const brief = ({ id, seq, rev, message }) => ({ id, seq, rev, message });

/** The whole history of a room, oldest first, page by page with `before`. */
export async function history(client, room) {
  const pages = [];
  for (let before; ;) {
    const { messages, has_more: more } = await client.ok('get_messages', { room_id: room, limit: LARGEST_PAGE, before });
    pages.unshift(messages.map(brief));
    if (!more) return pages.flat();
    assert.ok(messages.length > 0, 'a page says that there is more, and is empty');
    before = messages[0].seq;
  }
}

/** A history in which nothing was edited: `seq` and `rev` are `first`, `first` + 1, … and no text is there twice. */
export function assertWhole(messages, { first = 1, name = 'the history' } = {}) {
  const texts = new Map();
  for (const [index, { seq, rev, message }] of messages.entries()) {
    const before = messages.slice(Math.max(0, index - 3), index + 2).map((each) => each.seq);
    assert.equal(seq, first + index, `${name}: a hole, a double or a wrong order around seqs ${before}`);
    assert.equal(rev, seq, `${name}: rev of ${seq}`);
    assert.ok(!texts.has(message), `${name}: seqs ${texts.get(message)} and ${seq} are one message`);
    texts.set(message, seq);
  }
}

/** `list` has to be a part of the true history, from its own first message on without a hole. */
function assertPart(list, truth, name) {
  if (list.length === 0) return;
  const [{ seq: first }] = list;
  assertWhole(list, { first, name });
  for (const { id, seq, message } of list) {
    const { id: trueId, message: trueMessage } = truth[seq - 1] ?? {};
    assert.ok(id === trueId && message === trueMessage, `${name}: ${seq} is ${id} ${message}, truly ${trueId} ${trueMessage}`);
  }
}

/**
 * A member that keeps a room's messages by the contract's rule: what an ack brings replaces the list (with `since` or
 * `after`: all of the list that is newer), what arrives afterwards is appended. Nothing is sorted or looked up.
 */
export class Follower {
  list = [];

  /** Lists that an ack replaced: a hole in one of them must not be forgotten because a page filled it. */
  #replaced = [];
  /** Whether the list has no hole by the rule: not while it is away from the room, or between two pages. */
  #whole = false;

  constructor(client, room) {
    this.client = client;
    this.room = room;
    client.socket.on('new_message', (message) => {
      if (message.room_id === room) this.list.push(brief(message));
    });
    client.socket.on('disconnect', () => this.#replace(this.list, false));
  }

  get name() { return this.client.name; }

  /** The newest seq that this member knows. */
  get last() { return this.list.at(-1)?.seq ?? 0; }

  /** The first time. */
  join() {
    return this.#ask('join_room', {}, () => this.#replace([], true));
  }

  leave() {
    return this.#ask('leave_room', {}, () => this.#replace(this.list, false));
  }

  /** The newest page. */
  newest(limit) {
    return this.#ask('get_messages', { limit }, ({ messages }) => this.#replace(messages.map(brief), true));
  }

  /** Everything after `seq`, page by page; only after the last one is the list whole again. */
  async catchUp(seq) {
    for (let from = seq; ;) {
      const page = await this.#ask('get_messages', { after: from, limit: LARGEST_PAGE }, ({ messages, has_more: more }) => {
        this.#replaceAfter(from, messages, !more);
      });
      if (!page.has_more) return;
      from = page.messages.at(-1).seq;
    }
  }

  /** Comes back to the room with what was missed. */
  async rejoin() {
    const since = this.last;
    const ack = await this.#ask('join_room', { since }, ({ changes }) => {
      this.#replaceAfter(since, changes ?? [], Boolean(changes));
    });
    // Too much was missed.
    if (!ack.changes) await this.catchUp(since);
  }

  /** Each list that it ever had is a part of the true history, and the last one goes to its end. */
  assertExact(truth) {
    assert.ok(this.list.length > 0, `${this.name}: has nothing`);
    for (const list of [...this.#replaced, this.list]) assertPart(list, truth, this.name);
    assert.equal(this.last, truth.length, `${this.name}: the last message that it has`);
  }

  #replaceAfter(seq, messages, whole) {
    this.#replace(this.list.filter((message) => message.seq <= seq).concat(messages.map(brief)), whole);
  }

  #replace(list, whole) {
    if (this.#whole) this.#replaced.push(this.list);
    this.list = list === this.list ? [...list] : list;
    this.#whole = whole;
  }

  #ask(event, data, apply = () => {}) {
    const asked = new Promise((resolve, reject) => {
      this.client.socket.timeout(DEADLINE_MS).emit(event, { room_id: this.room, ...data }, (error, ack) => {
        if (error || ack?.success !== true) {
          reject(new Error(`${this.name}: ${event} ${JSON.stringify(data)}: ${error ?? JSON.stringify(ack)}`));
          return;
        }
        // Here, not in a continuation: the packet behind this one is handled before any promise goes on.
        apply(ack);
        resolve(ack);
      });
    });
    // One that pipelines awaits several, and the first that fails is enough.
    asked.catch(() => {});
    return asked;
  }
}

/**
 * Sends numbered messages, up to `window` unacknowledged at a time. The text of each is its `client_id`, filled up.
 * After a refusal or a lost connection it sends nothing until `resend`.
 */
export class Sender {
  /** Text → what was acknowledged. */
  acked = new Map();
  /** Texts that are sent and not acknowledged, in the order of sending. */
  unacked = new Set();
  /** Refusals: `{text, ack}`. */
  refused = [];
  sent = 0;

  #inFlight = 0;
  #eager = false;
  #halted = false;
  #onAck = () => {};

  constructor(client, room, { name, window = 32, bytes = 0, onAck }) {
    Object.assign(this, { client, room, name, window, bytes });
    if (onAck) this.#onAck = onAck;
    client.socket.on('disconnect', () => {
      // socket.io-client has forgotten these acks; whether they were stored is unknown.
      this.#inFlight = 0;
      this.#halt();
    });
  }

  /** From now on as quickly as acks come. */
  start() {
    this.#eager = true;
    this.offer(this.window);
  }

  /** Sends up to `count` more, as far as the window allows. */
  offer(count) {
    for (let i = 1; i <= count && this.#inFlight < this.window && !this.#halted; i += 1) {
      this.#send(this.#text(this.sent));
      this.sent += 1;
    }
  }

  /** Sends once more all that is not acknowledged, in the old order. */
  resend() {
    this.#halted = false;
    for (const text of [...this.unacked]) this.#send(text);
  }

  /** Resolves when nothing is unacknowledged. */
  settled() {
    return until(() => this.unacked.size === 0, () => `${this.name}: all is acknowledged; ${this.unacked.size} are not, refused: ${
      JSON.stringify(this.refused.slice(-3).map(({ ack }) => ack))}`);
  }

  /** The number of a message of this sender, -1 for one of another. */
  number(text) {
    const [name, number] = text.split('#');
    return name === this.name ? Number.parseInt(number, 10) : -1;
  }

  #halt() {
    this.#halted = true;
    this.#eager = false;
  }

  #text(number) { return `${this.name}#${number} `.padEnd(this.bytes, '.').trimEnd(); }

  #send(text) {
    this.unacked.add(text);
    this.#inFlight += 1;
    const clientId = text.split(' ')[0];
    this.client.socket.emit('chat_message', { room_id: this.room, message: text, client_id: clientId }, (ack) => {
      this.#inFlight -= 1;
      if (ack?.success) {
        this.unacked.delete(text);
        this.acked.set(text, brief(ack.message));
        this.#onAck();
        if (this.#eager) this.offer(this.window);
      } else {
        this.refused.push({ text, ack });
        this.#halt();
      }
    });
  }
}

/**
 * Has each of `senders` send its part of `perSecond` messages, as far as their windows allow, until the returned function
 * is called or the test ends. A late timer is made up for.
 */
export function load(t, senders, perSecond) {
  const started = Date.now();
  const timer = setInterval(() => {
    const due = ((Date.now() - started) / 1000) * (perSecond / senders.length);
    for (const sender of senders) sender.offer(due - sender.sent);
  }, TICK_MS);
  const stop = () => clearInterval(timer);
  t.after(stop);
  return stop;
}

/**
 * What was acknowledged is in the history as it was acknowledged, what was not is there once or not at all, and nothing
 * else is there. Resolves to the texts that are stored and were not acknowledged.
 */
export function assertAudited(stored, senders) {
  assertWhole(stored);
  const byText = new Map(stored.map((message) => [message.message, message]));
  const unknown = [];
  let acked = 0;
  for (const sender of senders) {
    for (const [text, message] of sender.acked) assert.deepEqual(byText.get(text), message, `acknowledged: ${text}`);
    acked += sender.acked.size;
    unknown.push(...[...sender.unacked].filter((text) => byText.has(text)));
  }
  assert.equal(stored.length, acked + unknown.length, 'there are messages that nobody sent');
  return new Map(unknown.map((text) => [text, byText.get(text)]));
}

/** Promise 3: the messages of one sender lie in the order in which it sent them. */
export function assertInOrderOf(sender, stored) {
  const numbers = stored.map(({ message }) => sender.number(message)).filter((number) => number >= 0);
  for (const [index, number] of numbers.entries()) {
    if (index > 0) assert.ok(number > numbers[index - 1], `${sender.name}: ${number} is stored after ${numbers[index - 1]}`);
  }
}
