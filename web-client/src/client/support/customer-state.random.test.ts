import { describe, expect, it } from 'vitest';
import type { Message } from '../../protocol/generated/Message';
import type { SenderType } from '../../protocol/generated/SenderType';
import { range } from '../testing/room-events';
import { type Conversation, type ConversationEvent, EMPTY, isBehind, reduceConversation } from './customer-state';

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

/** A server in memory, whose rooms end and begin, and what a bad network makes of what it tells. */
class World {
  readonly random: () => number;
  readonly rooms: Message[][] = [];
  state: Conversation = EMPTY;
  isOpen = false;
  written = 0;
  unsent: string[] = [];
  waiting: ConversationEvent[] = [];

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  get history(): Message[] {
    return this.rooms.at(-1) ?? [];
  }

  pick(count: number) {
    return Math.floor(this.random() * count);
  }

  tell(event: ConversationEvent) {
    if (this.random() < 0.7) this.waiting.push(event); // else it is lost
    if (this.random() < 0.2) this.waiting.push(event); // or comes twice
  }

  store(sender_type: SenderType, more: Partial<Message> = {}) {
    if (!this.isOpen) this.rooms.push([]);
    this.isOpen = true;
    const seq = this.history.length + 1;
    const room_id = `r${this.rooms.length}`;
    const message: Message = {
      id: `${room_id}-${seq}`,
      room_id,
      user_id: sender_type === 'customer' ? 7 : 'sam',
      username: 'x',
      message: `${room_id} ${seq}`,
      sender_type,
      timestamp: new Date(this.rooms.length * 1e6 + seq * 1000).toISOString(),
      seq,
      rev: seq,
      ...more,
    };
    this.history.push(message);
    this.tell({ type: 'message', message });
    return message;
  }

  close() {
    if (!this.isOpen) return;
    const { room_id } = this.store('system');
    this.isOpen = false;
    this.tell({ type: 'status', room_id, status: 'closed' });
  }

  write() {
    this.written += 1;
    const id = `c${this.written}`;
    this.unsent.push(id);
    const created_at = '2026-01-01T00:00:00.000Z';
    this.apply({ type: 'outgoing', item: { client_id: id, text: id, created_at, state: 'sending' } });
  }

  /** Sends what is unsent; an answer that is lost means that it is sent again. */
  send() {
    for (const id of this.unsent) {
      const old = this.rooms.flat().find((other) => other.client_id === id);
      const message = old ?? this.store('customer', { client_id: id });
      if (this.random() < 0.3) continue;
      this.unsent = this.unsent.filter((other) => other !== id);
      this.apply({ type: 'sent', client_id: id, message });
    }
  }

  page(isFirst: boolean) {
    const messages = this.history.slice(-10);
    const page = { messages, has_more: this.history.length > 10, rev: this.history.length };
    this.apply({ type: 'page', page, isFirst });
  }

  /** The connection begins anew: nothing of the old one comes any more. */
  reconnect() {
    this.waiting = [];
    this.apply({ type: 'cut' });
    this.page(true);
  }

  /** As REST tells it: all since what is known. */
  changes() {
    const { room_id, rev } = this.state;
    const room = this.rooms.find((messages) => messages[0]?.room_id === room_id);
    if (!room || room_id === null || room.length === rev) return;
    this.apply({ type: 'changes', room_id, messages: room.slice(rev), rev: room.length });
  }

  older() {
    const first = this.state.messages[0];
    if (!first) return;
    const room = this.rooms.find((messages) => messages[0]?.room_id === first.room_id) ?? [];
    const all = room.filter(({ seq }) => seq < first.seq);
    const page = { messages: all.slice(-10), has_more: all.length > 10, rev: room.length };
    this.apply({ type: 'older', before: first.seq, page });
  }

  deliver() {
    const [event] = this.waiting.splice(this.pick(this.waiting.length), 1);
    if (event) this.apply(event);
  }

  step() {
    const steps = [
      () => this.store('staff'),
      () => this.store('staff'),
      () => this.close(),
      () => this.write(),
      () => this.write(),
      () => this.send(),
      () => this.page(false),
      () => this.reconnect(),
      () => this.changes(),
      () => this.older(),
      () => this.deliver(),
      () => this.deliver(),
      () => this.deliver(),
    ];
    steps[this.pick(steps.length)]?.();
  }

  apply(event: ConversationEvent) {
    this.state = reduceConversation(this.state, event);
    this.check();
  }

  /** What must hold after each event: a gapless part of one room's history, each of mine in sight once. */
  check() {
    const { past, messages, outgoing, room_id, rev } = this.state;
    if (messages.length > 0) {
      const room = this.rooms.find((one) => one[0]?.room_id === room_id) ?? [];
      const first = messages[0]?.seq ?? 0;
      expect(messages).toEqual(room.filter(({ seq }) => seq >= first && seq <= rev));
    }
    const shown = [...past, ...messages];
    expect(new Set(shown.map(({ id }) => id)).size).toBe(shown.length);
    const known = new Set(shown.flatMap(({ client_id }) => client_id ?? []));
    expect(outgoing.filter(({ client_id }) => known.has(client_id))).toEqual([]);
    expect(new Set(outgoing.map(({ client_id }) => client_id)).size).toBe(outgoing.length);
    // Nothing that was written goes out of sight before the server has it.
    const isStored = (id: string) => this.history.some(({ client_id }) => client_id === id);
    const pending = new Set(outgoing.map(({ client_id }) => client_id));
    expect(this.unsent.filter((id) => !known.has(id) && !pending.has(id) && !isStored(id))).toEqual([]);
  }
}

describe('with everything in any order', () => {
  it.each(range(1, 100))('the conversation is right, seed %i', (seed) => {
    const world = new World(seed);
    for (let step = 0; step < 200; step += 1) world.step();
    while (world.unsent.length > 0) world.send();
    // The network is good again: as the conversation does it, a page whenever something is missing.
    for (let pages = 0; isBehind(world.state) && pages < 3; pages += 1) world.page(false);
    expect(isBehind(world.state)).toBe(false);
    world.reconnect();
    expect(isBehind(world.state)).toBe(false);
    while (world.state.has_older) world.older();
    expect(world.state.messages).toEqual(world.history);
    expect(world.state.outgoing).toEqual([]);
    expect(world.state.early).toEqual([]);
  });
});
