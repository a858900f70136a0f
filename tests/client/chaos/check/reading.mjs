// A record, read once for all checks: sessions, calls, messages, faults.

/** Refusals after which nothing was stored. Any other failure leaves it open. */
const DEFINITE = new Set([
  'rate_limited', 'access_denied', 'not_found', 'invalid_payload', 'overloaded', 'restarting', 'room_archived', 'unauthorized',
  'token_expired', 'too_many_connections', 'unknown_event', 'blocked', 'forbidden',
]);
/** So long a call without an answer may still take effect. */
export const LINGERING_MS = 60_000;

/** So long a node waits for Redis. On a machine with too much to do it may be in vain, and it goes by what it knows itself. */
export const REDIS_PATIENCE_MS = 500;

export const roomKey = (tenant, room) => `${tenant}/${room}`;

export function read(entries) {
  const record = {
    entries, head: entries[0], sessions: new Map(), calls: new Map(), messages: new Map(), faults: [], rooms: new Map(), histories: new Map(),
    answered: new Map(), changes: new Map(),
    end: entries.at(-1).at,
  };
  for (const entry of entries) HANDLE[entry.kind]?.(record, entry);
  record.late = Math.max(0, ...entries.filter(({ kind }) => kind === 'tick').map(({ late }) => late));
  for (const call of record.calls.values()) call.outcome = outcome(call);
  for (const call of record.calls.values()) attempt(record, call);
  for (const call of record.calls.values()) {
    if (call.event !== 'add_participant' && call.event !== 'remove_participant') continue;
    const key = JSON.stringify([call.tenant, call.payload.room_id, call.payload.user_id]);
    record.changes.set(key, [...(record.changes.get(key) ?? []), call]);
  }
  for (const { begin, end } of record.calls.values()) {
    const second = Math.floor(end / 1000);
    if (end !== Infinity) record.answered.set(second, Math.max(end - begin, record.answered.get(second) ?? 0));
  }
  return record;
}

const HANDLE = {
  open(record, entry) {
    record.sessions.set(entry.session, { ...entry, id: entry.session, opened: entry.at, up: Infinity, down: Infinity, entries: [] });
  },
  up: (record, entry) => { session(record, entry).up = entry.at; },
  down(record, entry) {
    const of = session(record, entry);
    of.down = Math.min(of.down, entry.at);
    of.why = entry.why;
  },
  call(record, entry) {
    const { tenant, user, actor, node } = session(record, entry);
    record.calls.set(entry.call, { ...entry, id: entry.call, tenant, user, actor, node, begin: entry.at, end: Infinity });
  },
  ack(record, entry) {
    session(record, entry);
    const call = record.calls.get(entry.call);
    call.answers = (call.answers ?? 0) + 1;
    if (call.answers > 1) return;
    call.end = entry.at;
    call.body = entry.body;
  },
  lost(record, entry) {
    session(record, entry);
    record.calls.get(entry.call).lost = entry.why;
  },
  event: session,
  fault: (record, entry) => { record.faults.push({ ...entry, from: entry.at, to: Infinity }); },
  heal(record, entry) { record.faults.find(({ fault }) => fault === entry.fault).to = entry.at; },
  room: (record, entry) => { record.rooms.set(roomKey(entry.tenant, entry.room), entry); },
  history(record, entry) {
    const key = roomKey(entry.tenant, entry.room);
    record.histories.set(key, [...(record.histories.get(key) ?? []), entry]);
  },
};

function session(record, entry) {
  const found = record.sessions.get(entry.session);
  found.entries.push(entry);
  return found;
}

function outcome({ body, event }) {
  if (body === undefined) return 'unknown';
  if (body.success) return 'done';
  // A change of membership has no id that makes a second attempt the same.
  return DEFINITE.has(body.code) || event === 'join_room' ? 'refused' : 'unknown';
}

/** A message is what carries one `client_id`, however often it was sent. */
function attempt(record, call) {
  const { event, payload, tenant, user } = call;
  if (event !== 'chat_message' && event !== 'private_message') return;
  const key = `${tenant}/${user}/${payload.client_id}`;
  const message = record.messages.get(key) ?? { key, tenant, user, clientId: payload.client_id, text: payload.message, attempts: [] };
  message.attempts.push(call);
  message.room ??= payload.room_id ?? call.body?.room_id ?? directRoom(record, tenant, user, payload.recipient_id);
  record.messages.set(key, message);
}

function directRoom(record, tenant, ...pair) {
  const found = [...record.rooms.values()].find((room) => room.tenant === tenant && room.pair?.every((user) => pair.includes(user)));
  return found?.room;
}

/** The history as the first reader found it; whether all found the same is a check of its own. */
export const historyOf = (record, key) => record.histories.get(key)?.[0].messages ?? [];

/** The message of a history that carries a `client_id`, with its room. */
export function storedBy(record) {
  const stored = new Map();
  for (const [key, [{ tenant, messages }]] of record.histories) {
    for (const message of messages) stored.set(`${tenant}/${message.user_id}/${message.client_id}`, { key, message });
  }
  return stored;
}

/**
 * Until when something that was due at `at` may be late: `patience` later, and where faults were about, so much after their
 * end. `harms`: which faults count.
 */
export function deadline(record, at, patience, matters = () => true, after = 2000) {
  let due = at + patience + record.late;
  // In the order in which they began.
  for (const { from, to } of record.faults.filter(matters)) {
    // What happened shortly before a fault may not have arrived when it began.
    if (from <= due && to + after >= at) due = Math.max(due, to + after + patience + record.late);
  }
  return due + slowness(record, at, due);
}

/** How long answers took at the time, where that was long: the machine has other things to do. */
function slowness({ answered, end }, from, to) {
  let slowest = 0;
  for (let second = Math.floor(Math.max(0, from) / 1000); second <= Math.min(end, to) / 1000; second += 1) slowest = Math.max(slowest, answered.get(second) ?? 0);
  return slowest;
}

/** Whether any fault that matters was about, or had just ended, between two times. */
export const disturbed = (record, from, to, matters, after = 2000) => record.faults.some((fault) => (
  matters(fault) && fault.from <= to && fault.to + after >= from));

export const harms = (...what) => (fault) => what.some((one) => fault.harms.includes(one));

/**
 * When a user certainly did not belong to a room: from the acknowledgement of a removal to the next attempt to add them.
 * `[{from, to, removal}]`.
 */
export function absences(record, tenant, room, user) {
  const changes = changesOf(record, tenant, room, user);
  const additions = changes.filter(({ event, outcome: o }) => event === 'add_participant' && o !== 'refused');
  const removed = changes.filter(({ event, outcome: o }) => event === 'remove_participant' && o === 'done');
  return removed.flatMap((removal) => {
    const unsettled = additions.some(({ begin, end }) => begin < removal.end && Math.min(end, begin + LINGERING_MS) > removal.begin);
    if (unsettled) return [];
    const next = additions.filter(({ begin }) => begin >= removal.end).map(({ begin }) => begin);
    return [{ from: removal.end, to: Math.min(Infinity, ...next), removal }];
  });
}

/** When somebody tried to remove a user from a room, whatever came of it: then a stream may end without a word. */
export const removals = (record, tenant, room, user) => changesOf(record, tenant, room, user).filter(({ event, outcome: o }) => (
  event === 'remove_participant' && o !== 'refused'));

const changesOf = ({ changes }, tenant, room, user) => changes.get(JSON.stringify([tenant, room, user])) ?? [];
