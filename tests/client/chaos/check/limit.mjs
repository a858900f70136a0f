// Never more than so many messages of one user in any window, and nobody is refused who has sent fewer.
import { REDIS_PATIENCE_MS, disturbed, harms, storedBy } from './reading.mjs';

/** Times on the wire have whole milliseconds. */
const ROUNDING_MS = 2;
/** How long it may take until what was not stored does not count. */
const BACK_MS = 500;

export function* checkLimit(record) {
  const users = Map.groupBy?.(record.messages.values(), byUser) ?? groupBy(record.messages.values(), byUser);
  const stored = storedBy(record);
  for (const [user, messages] of users) {
    const waited = messages.flatMap(({ attempts }) => attempts).filter(({ begin, end }) => end < Infinity && end - begin >= REDIS_PATIENCE_MS);
    yield* exceeded(record, user, messages.filter(({ key }) => stored.has(key)).map((message) => place(record, message, stored)), waited);
    yield* refusedTooSoon(record, user, messages);
  }
}

const byUser = ({ tenant, user }) => `${tenant}/${user}`;

function groupBy(list, of) {
  const groups = new Map();
  for (const one of list) groups.set(of(one), [...(groups.get(of(one)) ?? []), one]);
  return groups;
}

/** When a message was counted: after it was first sent, before the time that it was stored with. */
function place(record, { key, attempts }, stored) {
  return { key, from: Math.min(...attempts.map(({ begin }) => begin)), to: Date.parse(stored.get(key).message.timestamp) - record.head.epoch };
}

/** `waited`: what may not have been counted for all nodes. */
function* exceeded(record, user, counted, waited) {
  const { limit, window, nodes } = record.head;
  counted.sort((a, b) => a.to - b.to);
  for (let first = 0; first + limit < counted.length; first += 1) {
    const allowed = allowance(record, counted[first].from, counted[first].from + window, waited);
    const run = counted.slice(first, first + allowed + 1);
    if (run.length <= allowed) continue;
    const from = Math.min(...run.map((message) => message.from));
    const to = run.at(-1).to;
    if (to - from >= window - ROUNDING_MS) continue;
    yield {
      rule: 'limit', user, at: to, what: `${user} has ${run.length} messages stored within ${Math.round(to - from)} ms, from ${run[0].key} to ${run.at(-1).key} (${nodes} nodes, ${allowed} allowed)`,
    };
    return;
  }
}

/** `limit`; where the nodes could not agree, so many on each, and again for whatever forgot what it had counted. */
function allowance(record, from, to, waited) {
  const { limit, nodes, shared } = record.head;
  const forgot = record.faults.filter((fault) => fault.harms.includes(shared ? 'counts' : 'node') && fault.from <= to && fault.to >= from).length;
  if (!shared) return limit * (1 + forgot);
  const isShared = !disturbed(record, from, to, harms('redis', 'counts')) && !waited.some(({ begin, end }) => begin <= to && end >= from);
  if (isShared) return limit;
  const restarts = record.faults.filter((fault) => fault.harms.includes('node') && fault.from <= to && fault.to >= from).length;
  return limit * (nodes + forgot + restarts);
}

function* refusedTooSoon(record, user, messages) {
  const { limit, window } = record.head;
  const calls = messages.flatMap(({ attempts }) => attempts);
  for (const { begin, end, body, id } of calls) {
    if (body?.code !== 'rate_limited') continue;
    // What is refused for another reason is counted until that is known, and longer where nobody could take it back.
    const isForgotten = !disturbed(record, begin - window, end, harms('redis', 'node'));
    const counts = (other) => {
      if (other.id === id || other.begin > end) return false;
      const since = other.outcome === 'refused' && isForgotten ? begin - BACK_MS : begin - window - ROUNDING_MS;
      return other.body?.code !== 'rate_limited' && Math.min(other.end, record.end) > since;
    };
    const counted = calls.filter(counts);
    if (counted.length < limit) {
      yield { rule: 'limit', user, at: begin, calls: [id], what: `${user} was refused (${id}) with ${counted.length} messages in ${window} ms` };
    }
  }
}
