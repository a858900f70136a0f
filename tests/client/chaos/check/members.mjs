// Who is told of a change of membership is told once.
import { disturbed, harms, roomKey } from './reading.mjs';

const CHANGES = { participant_added: 'add_participant', participant_removed: 'remove_participant' };
/** Copies of one come close together. */
const CLOSE_MS = 2000;
/** A node that was cut off finds out by itself, and may be told then. */
const HEALING_MS = 20_000;

export function* checkMembers(record) {
  for (const session of record.sessions.values()) {
    const last = new Map();
    for (const { event, data, at, n } of session.entries) {
      if (!CHANGES[event]) continue;
      // What a node finds in the store says of nobody that they did it, and may come beside what it is told.
      const key = `${event} ${data.room_id} ${data.user_id} ${data.by}`;
      const before = last.get(key);
      last.set(key, at);
      if (before === undefined || at - before > CLOSE_MS || disturbed(record, at - HEALING_MS, at, harms('redis', 'database'))) continue;
      const asked = (record.changes.get(JSON.stringify([session.tenant, data.room_id, data.user_id])) ?? [])
        .filter((call) => call.event === CHANGES[event] && call.begin <= at && call.begin >= before - 2 * CLOSE_MS);
      if (asked.length >= 2) continue;
      yield {
        rule: 'members', room: roomKey(session.tenant, data.room_id), session: session.id, at, n, calls: asked.map(({ id }) => id),
        what: `${session.id} on ${session.node} hears ${event} of ${data.user_id} at ${before} and at ${at} again`,
      };
    }
  }
}
