// Whoever listens hears a message soon: at once, or soon after the end of what was in the way.
import { deadline, historyOf, removals, roomKey } from './reading.mjs';
import { messagesIn } from './messages.mjs';

/** On a machine with two cores that has other things to do. */
const PATIENCE_MS = 1500;

export function* checkLateness(record) {
  const known = firstSeen(record);
  for (const session of record.sessions.values()) {
    const heard = arrivals(record, session);
    for (const listening of intervals(record, session)) {
      for (const message of historyOf(record, roomKey(session.tenant, listening.room))) {
        const at = known.get(`${session.tenant}/${message.id}`);
        if (at === undefined || at < listening.from) continue;
        const arrived = heard.get(message.id) ?? Infinity;
        if (arrived <= at + PATIENCE_MS) continue;
        const due = deadline(record, at, PATIENCE_MS);
        if (due > listening.to || arrived <= due) continue;
        yield {
          rule: 'late', room: roomKey(session.tenant, listening.room), session: session.id, at, message,
          what: `${session.id} on ${session.node} heard rev ${message.rev} ${arrived === Infinity ? 'never' : `after ${Math.round(arrived - at)} ms`}; it was known at ${at} and due at ${Math.round(due)}`,
        };
      }
    }
  }
}

/** When somebody first knew that a message was stored. */
function firstSeen(record) {
  const seen = new Map();
  const see = (tenant, id, at) => seen.set(`${tenant}/${id}`, Math.min(at, seen.get(`${tenant}/${id}`) ?? Infinity));
  for (const { tenant, entries } of record.sessions.values()) {
    for (const entry of entries) {
      if (entry.kind === 'ack' && entry.body?.message?.id) see(tenant, entry.body.message.id, entry.at);
      for (const { id } of messagesIn(record, entry)) see(tenant, id, entry.at);
    }
  }
  return seen;
}

function arrivals(record, { entries }) {
  const heard = new Map();
  for (const entry of entries) {
    for (const { id } of messagesIn(record, entry)) if (!heard.has(id)) heard.set(id, entry.at);
  }
  return heard;
}

/** From when to when a connection certainly listened to rooms: those it joined, and those of two, where it joins nothing. */
function* intervals(record, session) {
  const { tenant, user, entries, down } = session;
  const end = Math.min(down, record.end);
  const open = new Map();
  const close = function* close(room, to) {
    const from = open.get(room);
    open.delete(room);
    if (from === undefined) return;
    const removal = removals(record, tenant, room, user).filter(({ end: until }) => until > from).map(({ begin }) => begin);
    yield { room, from, to: Math.min(to, ...removal) };
  };
  for (const entry of entries) {
    const call = record.calls.get(entry.call);
    const room = call?.payload?.room_id;
    if (entry.kind === 'ack' && entry.body?.success && call.event === 'join_room' && !open.has(room)) open.set(room, entry.at);
    if (entry.kind === 'call' && call.event === 'leave_room') yield* close(room, entry.at);
  }
  for (const room of [...open.keys()]) yield* close(room, end);
  // Served, so known to be there.
  const served = entries.find(({ kind }) => kind === 'ack')?.at;
  if (served === undefined || session.door === 'rest') return;
  for (const { tenant: of, room, pair } of record.rooms.values()) {
    if (of === tenant && pair?.includes(user)) yield { room, from: served, to: end };
  }
}
