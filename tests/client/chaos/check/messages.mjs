// Acknowledged means stored, once, at the place that the ack said; and the history is the same for everybody.
import { roomKey, storedBy } from './reading.mjs';

const FIELDS = ['id', 'room_id', 'user_id', 'username', 'message', 'timestamp', 'seq', 'rev', 'client_id'];

export function checkMessages(record) {
  return [...histories(record), ...outcomes(record), ...copies(record)];
}

function* histories(record) {
  for (const { kind, tenant, room, node, reader, refused, at } of record.entries) {
    if (kind === 'unread') yield { rule: 'history', room: roomKey(tenant, room), at, what: `is not given by ${node} to ${reader}: ${JSON.stringify(refused)}` };
  }
  for (const [key, readings] of record.histories) {
    const [first] = readings;
    const ids = new Set();
    for (const [index, message] of first.messages.entries()) {
      if (message.rev !== index + 1 || message.seq !== index + 1) {
        yield { rule: 'history', room: key, what: `has seq ${message.seq}, rev ${message.rev} in place ${index + 1}`, message };
        break;
      }
      if (ids.has(message.id)) yield { rule: 'history', room: key, what: `has the message ${message.id} twice`, message };
      ids.add(message.id);
    }
    for (const other of readings.slice(1)) {
      const at = first.messages.findIndex((message, i) => different(message, other.messages[i]));
      if (at < 0 && other.messages.length === first.messages.length) continue;
      const place = at < 0 ? first.messages.length : at;
      yield {
        rule: 'history', room: key, message: first.messages[place] ?? other.messages[place],
        what: `differs at ${place + 1} between ${first.node} (${first.reader}, ${first.messages.length}) and ${other.node} (${other.reader}, ${other.messages.length})`,
      };
    }
  }
}

function* outcomes(record) {
  const stored = new Map();
  for (const [key, [{ tenant, messages }]] of record.histories) {
    for (const message of messages) {
      const of = `${tenant}/${message.user_id}/${message.client_id}`;
      const sent = record.messages.get(of);
      if (!sent) yield { rule: 'stored', room: key, what: `holds ${message.client_id}, which nobody sent`, message };
      else if (sent.text !== message.message) yield { rule: 'stored', room: key, what: `holds another text for ${message.client_id}`, message };
      if (stored.has(of)) yield { rule: 'stored', room: key, what: `holds ${message.client_id} twice, at ${stored.get(of).message.rev} and ${message.rev}`, message };
      else stored.set(of, { key, message });
    }
  }
  for (const message of record.messages.values()) yield* outcomeOf(record, message, stored.get(message.key));
}

function* outcomeOf(record, { key, tenant, room, clientId, attempts }, found) {
  const where = roomKey(tenant, room);
  const about = { room: where, clientId, calls: attempts.map(({ id }) => id) };
  for (const { body, id } of attempts.filter(({ outcome }) => outcome === 'done')) {
    const { message } = body;
    if (!record.histories.has(where)) yield { rule: 'acknowledged', ...about, what: `${key} is acknowledged (${id}) in a room that nobody could read` };
    else if (!found) yield { rule: 'acknowledged', ...about, what: `${key} was acknowledged (${id}) at ${message.rev} and is lost` };
    else if (different(message, found.message)) {
      yield { rule: 'acknowledged', ...about, what: `${key} was acknowledged (${id}) as ${brief(message)} and is stored as ${brief(found.message)}`, message };
    }
  }
  if (found && attempts.every(({ outcome }) => outcome === 'refused')) {
    yield { rule: 'refused', ...about, what: `${key} was refused (${attempts.map(({ body }) => body.code)}) and is stored`, message: found.message };
  }
}

/** Whatever a client was told of a message is what the history says. */
function* copies(record) {
  const seen = storedBy(record);
  for (const session of record.sessions.values()) {
    for (const entry of session.entries) {
      for (const message of messagesIn(record, entry)) {
        const found = seen.get(`${session.tenant}/${message.user_id}/${message.client_id}`);
        if (found && !different(message, found.message)) continue;
        const what = found ? `and the history says ${brief(found.message)}` : 'and the history does not have it';
        yield {
          rule: 'told', room: roomKey(session.tenant, message.room_id), session: session.id, at: entry.at, message,
          what: `${session.id} was told ${brief(message)} by ${entry.event ?? entry.kind} ${what}`,
        };
      }
    }
  }
}

/** The messages in an event or an ack, but for the ack of a message, which is looked at elsewhere. */
export function messagesIn(record, { kind, event, data, call, body }) {
  if (kind === 'event') return event === 'new_message' ? [data] : [];
  if (kind !== 'ack' || !body?.success) return [];
  return body.messages ?? body.changes ?? [];
}

const different = (one, other) => FIELDS.some((field) => one?.[field] !== other?.[field]);
const brief = (message) => JSON.stringify(Object.fromEntries(FIELDS.map((field) => [field, String(message?.[field]).slice(0, 40)])));
