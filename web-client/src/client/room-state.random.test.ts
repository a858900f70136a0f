import { describe, expect, it } from 'vitest';
import type { Message } from '../protocol/generated/Message';
import { emptyRoom, isBehind, type RoomEvent, reduceRoom } from './room-state';
import { joined, ME, message, range, reset } from './testing/room-events';

/** A small generator of numbers that a seed repeats (mulberry32). */
function randomOf(seed: number) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A server in memory, and what a bad network makes of what it tells. */
class World {
  readonly random: () => number;
  readonly history: Message[] = []; // by seq, newest versions
  state = emptyRoom('r', ME);
  rev = 0;
  written = 0;
  unsent: string[] = [];
  waiting: RoomEvent[] = [];

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  pick(count: number) {
    return Math.floor(this.random() * count);
  }

  tell(event: RoomEvent) {
    if (this.random() < 0.7) this.waiting.push(event); // else it is lost
    if (this.random() < 0.2) this.waiting.push(event); // or comes twice
  }

  store(more: Partial<Message> = {}) {
    this.rev += 1;
    const stored = message(this.rev, more);
    this.history.push(stored);
    this.tell({ type: 'message', message: stored });
    return stored;
  }

  edit() {
    const place = this.pick(this.history.length);
    const old = this.history[place];
    if (!old) return;
    this.rev += 1;
    const changed = { ...old, rev: this.rev, message: `edited at ${this.rev}` };
    this.history[place] = changed;
    this.tell({ type: 'message', message: changed });
  }

  write() {
    this.written += 1;
    const id = `c${this.written}`;
    this.unsent.push(id);
    this.apply({
      type: 'outgoing',
      item: { client_id: id, text: id, created_at: '2026-01-01T00:00:00.000Z', state: 'sending' },
    });
  }

  /** Sends what is unsent; an answer that is lost means that it is sent again. */
  send() {
    for (const id of this.unsent) {
      const old = this.history.find((other) => other.client_id === id);
      const stored = old ?? this.store({ user_id: ME, client_id: id });
      if (this.random() < 0.3) continue;
      this.unsent = this.unsent.filter((other) => other !== id);
      this.apply({ type: 'sent', client_id: id, message: stored });
    }
  }

  join() {
    const { rev, needs_page } = this.state;
    const changes = this.history.filter((change) => change.rev > (rev ?? 0)).sort((a, b) => a.rev - b.rev);
    if (rev === null || needs_page) this.apply(joined(this.rev));
    else if (changes.length > 20) this.apply(reset(this.rev));
    else this.apply(joined(this.rev, changes));
  }

  page() {
    const newest = this.history.slice(-10);
    this.apply({
      type: 'page',
      page: { messages: newest, has_more: this.history.length > 10, rev: this.rev },
    });
  }

  older() {
    const before = this.state.messages[0]?.seq;
    if (before === undefined) return;
    const all = this.history.filter(({ seq }) => seq < before);
    const older = { messages: all.slice(-10), has_more: all.length > 10, rev: this.rev };
    this.apply({ type: 'older', before, page: older });
  }

  deliver() {
    const [event] = this.waiting.splice(this.pick(this.waiting.length), 1);
    if (event) this.apply(event);
  }

  step() {
    const steps = [
      () => this.store(),
      () => this.store(),
      () => this.edit(),
      () => this.write(),
      () => this.send(),
      () => this.join(),
      () => this.page(),
      () => this.older(),
      () => this.deliver(),
      () => this.deliver(),
      () => this.deliver(),
      () => this.apply({ type: 'cut' }),
    ];
    steps[this.pick(steps.length)]?.();
  }

  apply(event: RoomEvent) {
    this.state = reduceRoom(this.state, event);
    this.check();
  }

  /** What must hold after each event: a gapless part of the history as it was at `rev`, each of mine in sight once. */
  check() {
    const { messages: shown, rev } = this.state;
    if (shown.length > 0 && rev !== null) {
      const first = shown[0]?.seq ?? 0;
      const expected = this.history.filter(({ seq }) => seq >= first && seq <= rev).map(({ seq }) => seq);
      expect(shown.map(({ seq }) => seq)).toEqual(expected);
      for (const one of shown) {
        const now = this.history.find(({ id }) => id === one.id);
        if (now && now.rev <= rev) expect(one).toEqual(now);
      }
    }
    const known = new Set(shown.map(({ client_id }) => client_id));
    const pending = this.state.outgoing.map(({ client_id }) => client_id);
    expect(pending.filter((id) => known.has(id))).toEqual([]);
    expect(new Set(pending).size).toBe(pending.length);
  }
}

describe('with everything in any order', () => {
  it.each(range(1, 100))('the state is right, seed %i', (seed) => {
    const world = new World(seed);
    for (let step = 0; step < 200; step += 1) world.step();
    // The network is good again: as the room does it, join until nothing is missing.
    while (world.unsent.length > 0) world.send();
    world.join();
    if (world.state.needs_page) world.page();
    expect(isBehind(world.state)).toBe(false);
    while (world.state.has_older) world.older();
    expect(world.state.messages).toEqual(world.history);
    expect(world.state.outgoing).toEqual([]);
    expect(world.state.early).toEqual([]);
  });
});
