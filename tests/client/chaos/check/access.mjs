// Whoever was removed hears and reads nothing more of the room, and writes nothing.
import { absences, deadline, harms, roomKey, storedBy } from './reading.mjs';

/** A removal reaches the other nodes within this. */
const REACHES_MS = 1000;

export function* checkAccess(record) {
  const stored = storedBy(record);
  const begins = new Map([...record.messages.values()].map(({ key, attempts: [{ begin }] }) => [key, begin]));
  for (const { tenant, room, user, out } of everyAbsence(record)) {
    yield* heard(record, begins, { tenant, room, user, out });
    yield* written(record, stored, { tenant, room, user, out });
  }
}

function* everyAbsence(record) {
  const asked = new Set();
  for (const { event, tenant, payload } of record.calls.values()) {
    if (event !== 'remove_participant') continue;
    const key = JSON.stringify([tenant, payload.room_id, payload.user_id]);
    if (asked.has(key)) continue;
    asked.add(key);
    const { room_id: room, user_id: user } = payload;
    for (const out of absences(record, tenant, room, user)) yield { tenant, room, user, out };
  }
}

function* heard(record, begins, { tenant, room, user, out }) {
  for (const session of record.sessions.values()) {
    if (session.tenant !== tenant || session.user !== user || session.down < out.from) continue;
    const known = session.node === out.removal.node ? out.from : deadline(record, out.from, REACHES_MS, harms('redis'));
    for (const entry of session.entries) {
      if (entry.at < known || entry.at > out.to) continue;
      const said = leak(record, begins, entry, { tenant, room, known });
      if (said) {
        yield {
          rule: 'access', room: roomKey(tenant, room), session: session.id, at: entry.at, n: entry.n, calls: [out.removal.id],
          what: `${user} was removed (${out.removal.id}, acknowledged at ${out.from}) and ${session.id} ${said} at ${entry.at}`,
        };
      }
    }
  }
}

/** What an entry gives away of a room, if anything: what was said before the end of the membership may be late. */
function leak(record, begins, { kind, event, data, call, body }, { tenant, room, known }) {
  if (kind === 'event') {
    if (data?.room_id !== room || event !== 'new_message') return undefined;
    const begin = begins.get(`${tenant}/${data.user_id}/${data.client_id}`);
    return begin > known ? `heard rev ${data.rev}` : undefined;
  }
  if (kind !== 'ack' || !body?.success) return undefined;
  const asked = record.calls.get(call);
  if (asked.payload?.room_id !== room || asked.begin < known || !['join_room', 'get_messages', 'get_changes'].includes(asked.event)) return undefined;
  return `was answered ${asked.event} (${call})`;
}

/** The transaction that stores a message asks whether its sender belongs to the room: that is exact, on all nodes. */
function* written(record, stored, { tenant, room, user, out }) {
  for (const [key, { message }] of stored) {
    const sent = record.messages.get(key);
    if (sent?.tenant !== tenant || sent.user !== user || message.room_id !== room) continue;
    const begins = sent.attempts.map(({ begin }) => begin);
    if (Math.min(...begins) < out.from || Math.min(...begins) > out.to) continue;
    if (Date.parse(message.timestamp) - record.head.epoch > out.to) continue;
    yield {
      rule: 'access', room: roomKey(tenant, room), at: begins[0], calls: [out.removal.id, ...sent.attempts.map(({ id }) => id)], message,
      what: `${user} was removed (${out.removal.id}, acknowledged at ${out.from}) and ${key}, sent at ${begins[0]}, is stored at ${message.rev}`,
    };
  }
}
