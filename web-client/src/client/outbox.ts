// Messages on their way. They are sent in the order in which they were written, each after the one before it was
// answered (else a later one could overtake one that is refused for a moment), and each with a client_id of its own: sent
// again with the same one, it is stored once.

import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { Message } from '../protocol/generated/Message';
import type { Rev } from '../protocol/generated/Rev';
import type { RoomId } from '../protocol/generated/RoomId';
import { backoff } from './backoff';
import type { Result } from './result';
import type { Outgoing, RoomEvent } from './room-state';
import type { Unsent, UnsentStore } from './unsent';

interface Item extends Omit<Unsent, 'error' | 'seen_rev'> {
  seen_rev?: Rev;
  state: 'queued' | 'in_flight' | 'waiting' | 'failed';
  failures: number;
  error?: ErrorBody;
}

export interface OutboxOptions {
  /** Sends it to the server. */
  readonly deliver: (message: Unsent) => Promise<Result<{ readonly message: Message }>>;
  readonly isLive: () => boolean;
  readonly newId: () => string;
  /** Where they are kept, should the page go. */
  readonly kept: UnsentStore;
  readonly random: () => number;
  /** What a room is to show. */
  readonly report: (roomId: RoomId, event: RoomEvent) => void;
  /** Stored, and acknowledged. */
  readonly sent: (message: Message) => void;
  /** The rate limit holds everything back until then (ms since the epoch), or no longer. */
  readonly held: (until: number | null) => void;
  /** A message was refused because its writer had not seen a newer one: it and those behind it are theirs again. */
  readonly recalled?: (roomId: RoomId, texts: readonly string[]) => void;
}

export interface Outbox {
  /** `seenRev`: the newest revision that the writer had before them. */
  send(roomId: RoomId, text: string, seenRev?: Rev): void;
  retry(clientId: string): void;
  discard(clientId: string): void;
  /** What is to be shown in a room. */
  outgoingOf(roomId: RoomId): Outgoing[];
  /** A message of mine has come back as everybody's. */
  stored(message: Message): void;
  /** The connection stands: what was not acknowledged goes again. */
  resume(): void;
  hasUnsent(): boolean;
  dispose(): void;
}

const MAX_FAILURES = 5;
/** Failures that pass: sending it again can help. */
const PASSING = new Set(['storage_unavailable', 'restarting', 'overloaded', 'internal', 'timeout', 'token_expired']);
const SHORTEST_HOLD_MS = 200;

export function createOutbox(options: OutboxOptions): Outbox {
  let items: Item[] = options.kept.load().map((unsent) => ({
    ...unsent,
    state: unsent.error ? 'failed' : 'queued',
    failures: 0,
  }));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isPaused = false;
  let heldUntil: number | null = null;
  let isDisposed = false;

  function keep() {
    options.kept.save(
      items.map((item) =>
        item.state === 'failed' && item.error ? { ...toUnsent(item), error: item.error } : toUnsent(item),
      ),
    );
  }

  function change(item: Item, state: Item['state'], error?: ErrorBody) {
    const before = toOutgoing(item);
    item.state = state;
    if (error) item.error = error;
    else delete item.error;
    const after = toOutgoing(item);
    if (before.state !== after.state || before.error !== after.error) {
      options.report(item.room_id, { type: 'outgoing', item: after });
      keep();
    }
  }

  function remove(item: Item) {
    items = items.filter((other) => other !== item);
    keep();
  }

  function pump() {
    if (isDisposed || isPaused || !options.isLive()) return;
    if (items.some((item) => item.state === 'in_flight')) return;
    const next = items.find((item) => item.state === 'queued');
    if (next) transmit(next);
  }

  async function transmit(item: Item) {
    change(item, 'in_flight');
    const { room_id, client_id } = item;
    const result = await options.deliver(toUnsent(item));
    if (isDisposed) return;
    if (!items.includes(item)) {
      // Discarded, or known to be stored; if there was an answer it is only late.
      if (result.ok) options.sent(result.value.message);
    } else if (result.ok) {
      follow(item, result.value.message.rev);
      remove(item);
      options.report(room_id, { type: 'sent', client_id, message: result.value.message });
      options.sent(result.value.message);
    } else {
      failed(item, result.error);
    }
    pump();
  }

  /** What was written behind a message of mine was written knowing it. */
  function follow({ room_id }: Item, rev: Rev) {
    for (const item of items) {
      if (item.room_id === room_id && item.seen_rev !== undefined) item.seen_rev = Math.max(item.seen_rev, rev);
    }
  }

  function recall({ room_id }: Item, recalled: NonNullable<OutboxOptions['recalled']>) {
    const back = items.filter((item) => item.room_id === room_id && item.state !== 'failed');
    items = items.filter((item) => !back.includes(item));
    keep();
    for (const { client_id } of back) options.report(room_id, { type: 'discarded', client_id });
    recalled(
      room_id,
      back.map(({ text }) => text),
    );
  }

  function failed(item: Item, error: ErrorBody) {
    if (error.code === 'disconnected') return change(item, 'queued');
    if (error.code === 'stale_reply' && options.recalled) return recall(item, options.recalled);
    if (error.code === 'rate_limited') return hold(item, error.retry_after_ms ?? 1000);
    item.failures += 1;
    if (!PASSING.has(error.code) || item.failures >= MAX_FAILURES) return change(item, 'failed', error);
    change(item, 'queued');
    pause(backoff(item.failures + 1, options.random()));
  }

  function hold(item: Item, wait: number) {
    change(item, 'queued');
    const until = Date.now() + Math.max(wait, SHORTEST_HOLD_MS);
    heldUntil = Math.max(heldUntil ?? 0, until);
    for (const other of items) if (other.state === 'queued') change(other, 'waiting');
    options.held(heldUntil);
    pause(heldUntil - Date.now());
  }

  function pause(wait: number) {
    isPaused = true;
    clearTimeout(timer);
    timer = setTimeout(goOn, Math.max(wait, heldUntil === null ? 0 : heldUntil - Date.now()));
  }

  function goOn() {
    isPaused = false;
    if (heldUntil !== null) {
      heldUntil = null;
      options.held(null);
    }
    for (const item of items) if (item.state === 'waiting') change(item, 'queued');
    pump();
  }

  return {
    send: (roomId, text, seenRev) => {
      if (isDisposed) return;
      const item: Item = {
        client_id: options.newId(),
        room_id: roomId,
        text,
        created_at: new Date().toISOString(),
        state: heldUntil === null ? 'queued' : 'waiting',
        failures: 0,
        ...(seenRev === undefined ? {} : { seen_rev: seenRev }),
      };
      items.push(item);
      keep();
      options.report(roomId, { type: 'outgoing', item: toOutgoing(item) });
      pump();
    },
    retry: (clientId) => {
      const item = items.find((other) => other.client_id === clientId && other.state === 'failed');
      if (!item) return;
      item.failures = 0;
      change(item, heldUntil === null ? 'queued' : 'waiting');
      pump();
    },
    discard: (clientId) => {
      const item = items.find((other) => other.client_id === clientId);
      if (!item) return;
      remove(item);
      options.report(item.room_id, { type: 'discarded', client_id: clientId });
      pump();
    },
    outgoingOf: (roomId) => items.filter((item) => item.room_id === roomId).map(toOutgoing),
    stored: (message) => {
      const item = items.find((other) => other.client_id === message.client_id);
      if (item) remove(item);
      pump();
    },
    resume: pump,
    hasUnsent: () => items.length > 0,
    dispose: () => {
      isDisposed = true;
      clearTimeout(timer);
      items = [];
    },
  };
}

function toUnsent({ client_id, room_id, text, created_at, seen_rev }: Item): Unsent {
  const unsent = { client_id, room_id, text, created_at };
  return seen_rev === undefined ? unsent : { ...unsent, seen_rev };
}

function toOutgoing({ client_id, text, created_at, state, error }: Item): Outgoing {
  const shown = state === 'queued' || state === 'in_flight' ? 'sending' : state;
  return error ? { client_id, text, created_at, state: shown, error } : { client_id, text, created_at, state: shown };
}
