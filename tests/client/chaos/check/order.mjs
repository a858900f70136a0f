// A connection's messages are in the order in which it sent them, and it reads what it wrote.
import { roomKey, storedBy } from './reading.mjs';

export function* checkOrder(record) {
  const stored = storedBy(record);
  yield* sendingOrder(record, stored);
  yield* ownWrites(record, stored);
}

/** Only what was sent once: a second attempt has its place where it was stored. */
function* sendingOrder(record, stored) {
  const newest = new Map();
  const messages = [...record.messages.values()].filter(({ attempts }) => attempts.length === 1);
  for (const { key, attempts: [call] } of messages.sort((a, b) => a.attempts[0].n - b.attempts[0].n)) {
    const found = stored.get(key);
    if (!found || record.sessions.get(call.session).door === 'rest') continue;
    const place = `${call.session} ${found.key}`;
    const before = newest.get(place);
    if (before && before.rev > found.message.rev) {
      yield {
        rule: 'order', room: found.key, session: call.session, at: call.begin, calls: [before.call, call.id],
        what: `${call.session} sent ${before.key} before ${key}, and they are stored at ${before.rev} and ${found.message.rev}`,
      };
    }
    newest.set(place, { key, rev: found.message.rev, call: call.id });
  }
}

/** Whoever has the ack of a message finds it in the room, by any connection to the same node. */
function* ownWrites(record) {
  const acked = new Map();
  const sentOnce = new Set([...record.messages.values()].filter(({ attempts }) => attempts.length === 1).map(({ attempts: [{ id }] }) => id));
  for (const entry of record.entries) {
    if (entry.kind === 'restarted') for (const place of acked.keys()) if (place.startsWith(`${entry.node} `)) acked.delete(place);
    if (entry.kind !== 'call' && entry.kind !== 'ack') continue;
    const call = record.calls.get(entry.call);
    const { tenant, node, event, payload } = call;
    const isSend = event === 'chat_message' || event === 'private_message';
    const place = `${node} ${roomKey(tenant, isSend ? call.body?.message?.room_id : payload?.room_id)}`;
    if (entry.kind === 'call') call.known = acked.get(place) ?? 0;
    else if (isSend && sentOnce.has(call.id) && entry.body?.success) acked.set(place, Math.max(acked.get(place) ?? 0, entry.body.message.rev));
    else if (event === 'get_messages' && entry.body?.success && entry.body.rev < call.known) {
      yield {
        rule: 'own writes', room: roomKey(tenant, payload.room_id), session: call.session, at: entry.at, calls: [call.id],
        what: `${call.id} finds the room at ${entry.body.rev} though ${node} had acknowledged ${call.known} before`,
      };
    }
  }
}
