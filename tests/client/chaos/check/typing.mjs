// Nobody types forever.
import { deadline, removals, roomKey } from './reading.mjs';

const PATIENCE_MS = 2000;

export function* checkTyping(record) {
  const renewals = new Map();
  for (const { event, payload, tenant, user, begin } of record.calls.values()) {
    if (event !== 'typing' || !payload.is_typing) continue;
    const key = `${roomKey(tenant, payload.room_id)} ${user}`;
    renewals.set(key, [...(renewals.get(key) ?? []), begin]);
  }
  for (const session of record.sessions.values()) {
    for (const { room, user, from, to: until } of shown(record, session)) {
      const key = roomKey(session.tenant, room);
      // Whoever is taken out of the room is told nothing more, and may not know.
      const to = Math.min(until, ...removals(record, session.tenant, room, session.user).filter(({ end }) => end > from).map(({ begin }) => begin));
      const renewed = Math.max(from, ...(renewals.get(`${key} ${user}`) ?? []).filter((at) => at < to));
      const due = deadline(record, renewed + record.head.typing, PATIENCE_MS);
      if (to > due) {
        yield { rule: 'typing', room: key, session: session.id, at: from, what: `${session.id} sees ${user} typing from ${from} to ${to}; it was to end by ${Math.round(due)}` };
      }
    }
  }
}

/** What a connection was shown: who typed in which room, from when to when. */
function* shown(record, session) {
  const typing = new Map();
  const end = function* end(match, at) {
    for (const [key, one] of typing) {
      if (!match(one)) continue;
      typing.delete(key);
      yield { ...one, to: at };
    }
  };
  for (const { kind, event, data, call, body, at } of session.entries) {
    if (kind === 'event' && event === 'typing_update') {
      yield* end(({ room, user }) => room === data.room_id && !data.typing_users.includes(user), at);
      for (const user of data.typing_users) {
        const key = `${data.room_id} ${user}`;
        if (!typing.has(key)) typing.set(key, { room: data.room_id, user, from: at });
      }
    }
    // Out of the room nobody is told of its end.
    const asked = record.calls.get(call);
    if (kind === 'call' && asked.event === 'leave_room') yield* end(({ room }) => room === asked.payload.room_id, at);
    if (kind === 'event' && event === 'participant_removed' && data.user_id === session.user) yield* end(({ room }) => room === data.room_id, at);
    if (kind === 'ack' && asked.event === 'join_room' && body?.success) yield* end(({ room }) => room === asked.payload.room_id, at);
  }
  yield* end(() => true, Math.min(session.down, record.end));
}
