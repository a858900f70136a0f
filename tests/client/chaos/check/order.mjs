// A connection's messages are in the order in which it sent them, and what was acknowledged can be read.
import { roomKey, storedBy } from './reading.mjs';

const READS = ['get_messages', 'join_room', 'get_changes'];

export function* checkOrder(record) {
  const stored = storedBy(record);
  yield* sendingOrder(record, stored);
  yield* freshness(record);
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

/** Once a message is acknowledged it is in every answer to whoever asks after that, on every node. */
function* freshness(record) {
  const acked = new Map();
  for (const entry of record.entries) {
    if (entry.kind !== 'call' && entry.kind !== 'ack') continue;
    const call = record.calls.get(entry.call);
    const { tenant, event, payload } = call;
    const isSend = event === 'chat_message' || event === 'private_message';
    const room = roomKey(tenant, isSend ? call.body?.message?.room_id : payload?.room_id);
    if (entry.kind === 'call') call.known = acked.get(room) ?? { rev: 0 };
    else if (!entry.body?.success) continue;
    else if (isSend) {
      const { rev } = entry.body.message;
      if (rev > (acked.get(room)?.rev ?? 0)) acked.set(room, { rev, call: call.id, node: call.node });
    } else if (READS.includes(event) && !entry.body.reset && entry.body.rev < call.known.rev) {
      yield {
        rule: 'fresh', room, session: call.session, at: entry.at, calls: [call.known.call, call.id],
        what: `${call.id} (${event}, ${call.node}) finds the room at ${entry.body.rev} though ${call.known.node} had acknowledged ${call.known.rev} before (${call.known.call})`,
      };
    }
  }
}
