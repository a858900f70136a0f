// What is said of who is online, at any time at which nothing was in the way for long: every list that a node gives, and
// what a client makes of the list that it was given once and of what it was told since.
import { REDIS_PATIENCE_MS, deadline, disturbed, harms } from './reading.mjs';

/** After the death of a node. */
const LEASE_MS = 15_000;
const PATIENCE_MS = 2500;
/** How long after a fault it may still show. */
const HEALING_MS = LEASE_MS + 5000;
/** An attempt to connect that the client has given up may still be one for the node. */
const ATTEMPT_MS = 10_000;
const EVERY_MS = 500;
const IN_THE_WAY = harms('redis', 'database');

export function* checkBelief(record) {
  const truth = new Truth(record);
  for (const session of record.sessions.values()) {
    yield* listed(record, session, truth);
    if (session.door !== 'rest') yield* told(record, session, truth);
  }
}

/** Who was certainly there, or certainly not. */
class Truth {
  #users = new Map();

  constructor(record) {
    this.record = record;
    const deaths = record.faults.filter(harms('node'));
    for (const { tenant, user, opened, up, down, node, door } of record.sessions.values()) {
      if (door === 'rest') continue;
      const key = `${tenant}/${user}`;
      if (!this.#users.has(key)) this.#users.set(key, []);
      const to = up === Infinity ? Math.min(down, opened + ATTEMPT_MS) : down;
      // A node that ends takes with it what it would have said when the grace was over.
      const died = deaths.some((death) => death.node === node && death.from <= to + record.head.grace && death.to >= to - PATIENCE_MS);
      this.#users.get(key).push({ opened, up, down, gone: to + (died ? LEASE_MS : record.head.grace) });
    }
  }

  isKnown(at) { return !disturbed(this.record, at - HEALING_MS, at, IN_THE_WAY); }

  /** What was so from before `from` until `to`, true or false, where it was one and the same and had time to be known. */
  of(tenant, user, from, to) {
    const times = this.#users.get(`${tenant}/${user}`) ?? [];
    const before = 2 * from - deadline(this.record, from, PATIENCE_MS, () => false);
    if (times.some(({ up, down }) => up <= before && down >= to)) return true;
    return times.every(({ opened, gone }) => gone <= before || opened >= to) ? false : undefined;
  }
}

function* listed(record, session, truth) {
  for (const entry of session.entries) {
    if (!isList(record, entry) || !truth.isKnown(entry.at)) continue;
    const { call, body, at } = entry;
    const wrong = body.participants.filter(({ id, online }) => truth.of(session.tenant, id, record.calls.get(call).begin, at) === !online);
    if (wrong.length > 0) yield problem(session, at, `is given a list (${call}) with ${inWords(wrong)}`, [call]);
  }
}

/** A list for which the node asked the others. */
function isList(record, { kind, call: id, body, at }) {
  const call = kind === 'ack' && record.calls.get(id);
  return call && call.event === 'get_room_participants' && body.success && at - call.begin < REDIS_PATIENCE_MS;
}

function* told(record, session, truth) {
  const view = new Map();
  const reported = new Set();
  const entries = session.entries.filter((entry) => ['user_online', 'user_offline'].includes(entry.event) || isList(record, entry));
  let next = 0;
  for (let at = Math.ceil(session.up / EVERY_MS) * EVERY_MS; at < Math.min(session.down, record.end); at += EVERY_MS) {
    // What was told in a fault does not reach everybody: who asks again is right again.
    if (!truth.isKnown(at)) view.clear();
    for (; next < entries.length && entries[next].at <= at; next += 1) learn(view, entries[next]);
    if (!truth.isKnown(at)) continue;
    const wrong = [...view].map(([user, online]) => ({ id: user, online })).filter(({ id, online }) => (
      !reported.has(id) && truth.of(session.tenant, id, at, at) === !online));
    for (const { id } of wrong) reported.add(id);
    if (wrong.length > 0) yield problem(session, at, `was told until ${at}: ${inWords(wrong)}`);
  }
}

/** A list is taken for what was not known before, as by a frontend that asks once. */
function learn(view, { kind, event, data, body }) {
  if (kind !== 'ack') view.set(data.user_id, event === 'user_online');
  else for (const { id, online } of body.participants) if (!view.has(id)) view.set(id, online);
}

const inWords = (wrong) => wrong.map(({ id, online }) => `${id} ${online ? 'online' : 'offline'}, which is not so`).join(', ');

const problem = (session, at, what, calls = []) => ({ rule: 'belief', session: session.id, at, calls, what: `${session.id} on ${session.node} ${what}` });
