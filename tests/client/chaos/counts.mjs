// What a run was made of. One that did nothing proves nothing.
import { read, storedBy } from './check/reading.mjs';

export function count(entries) {
  const record = read(entries);
  const calls = [...record.calls.values()];
  const messages = [...record.messages.values()];
  const stored = storedBy(record);
  const of = (list, holds) => list.filter(holds).length;
  const byCode = {};
  for (const { body } of calls) if (body && !body.success) byCode[body.code] = (byCode[body.code] ?? 0) + 1;
  const faults = {};
  for (const { what } of record.faults) faults[what] = (faults[what] ?? 0) + 1;
  const joins = calls.filter(({ event, outcome }) => event === 'join_room' && outcome === 'done');
  return {
    seconds: Math.round(record.end / 1000),
    connections: of([...record.sessions.values()], ({ up }) => up !== Infinity),
    lost: of([...record.sessions.values()], ({ why }) => why !== undefined && !['close', 'drop'].includes(why)),
    calls: calls.length,
    events: of(entries, ({ kind }) => kind === 'event'),
    messages: messages.length,
    stored: stored.size,
    acknowledged: of(messages, ({ attempts }) => attempts.some(({ outcome }) => outcome === 'done')),
    unknown: of(messages, ({ attempts }) => attempts.every(({ outcome }) => outcome !== 'done') && attempts.some(({ outcome }) => outcome === 'unknown')),
    retried: of(messages, ({ attempts }) => attempts.length > 1),
    'stored, first unknown': of(messages, ({ key, attempts }) => stored.has(key) && attempts[0].outcome === 'unknown'),
    joins: joins.length,
    'joins since': of(joins, ({ payload }) => payload.since !== undefined),
    'changes given': joins.reduce((sum, { body }) => sum + (body.changes?.length ?? 0), 0),
    removals: of(calls, ({ event, outcome }) => event === 'remove_participant' && outcome === 'done'),
    'user_offline': of(entries, ({ event, kind }) => kind === 'event' && event === 'user_offline'),
    'typing_update': of(entries, ({ event, kind }) => kind === 'event' && event === 'typing_update'),
    'holes filled': entries.reduce((sum, { kind, holes = 0 }) => sum + (kind === 'log' ? holes : 0), 0),
    'largest node': `${Math.round(Math.max(...entries.filter(({ kind }) => kind === 'sample').map(({ rss }) => rss)) / 1e6)} MB`,
    'late by': `${record.late} ms`,
    refused: byCode,
    faults,
  };
}

/** What there was too little of, in words. */
export function missing(counts, { seconds, acts }) {
  const minutes = seconds / 60;
  const least = {
    connections: 40, lost: 10, calls: 1200 * minutes, events: 3000 * minutes, stored: 200 * minutes, retried: 2, joins: 50, 'joins since': 10, removals: 3,
    user_offline: 5, typing_update: 20,
  };
  const tooFew = Object.entries(least).filter(([what, number]) => counts[what] < number).map(([what, number]) => `${what}: ${counts[what]}, at least ${number}`);
  const never = acts.filter((act) => !counts.faults[act]).map((act) => `never: ${act}`);
  if (!counts.refused.rate_limited) never.push('nobody reached the rate limit');
  return [...tooFew, ...never];
}
