// Who is online: told once per transition, true in the end, on all nodes and to every client.
import { deadline, disturbed, harms } from './reading.mjs';

/** After the death of a node. */
const LEASE_MS = 15_000;
const PATIENCE_MS = 1500;
/** The two ends of a connection see its beginning and its end at different times. */
const BLUR_MS = 500;
const REDIS = harms('redis');
/** How long after a fault of Redis it may still show. */
const HEALING_MS = LEASE_MS + 5000;

export function* checkPresence(record) {
  const gaps = absentees(record);
  for (const session of record.sessions.values()) {
    if (session.door === 'rest') continue;
    yield* flapping(record, session, gaps);
    yield* repeated(record, session);
    yield* untold(record, session, gaps);
    yield* mistaken(record, session, gaps);
  }
  yield* inTheEnd(record);
}

const problem = (session, at, what) => ({ rule: 'presence', session: session.id, at, what: `${session.id} on ${session.node} ${what}` });

/** When users had no connection, by `tenant/user`: `[{from, to, killed}]`. */
function absentees(record) {
  const users = new Map();
  for (const { tenant, user, up, down, node } of record.sessions.values()) {
    const key = `${tenant}/${user}`;
    if (!users.has(key)) users.set(key, []);
    if (up !== Infinity) users.get(key).push({ up, down, node });
  }
  // A node that ends, however, takes with it what it would have said when the grace was over.
  const ends = record.faults.filter(harms('node'));
  const gaps = new Map();
  for (const [key, times] of users) {
    times.sort((a, b) => a.up - b.up);
    const found = [];
    let [from, killed] = [-Infinity, false];
    for (const { up, down, node } of times) {
      if (up > from) found.push({ from, to: up, killed });
      const died = ends.some((end) => end.node === node && end.from - BLUR_MS <= down + record.head.grace && end.to > down - BLUR_MS);
      if (down > from) [from, killed] = [down, died || (killed && down - from < LEASE_MS)];
      else killed ||= died && from - down < LEASE_MS;
    }
    if (from !== Infinity) found.push({ from, to: Infinity, killed });
    gaps.set(key, found);
  }
  return gaps;
}

function* flapping(record, session, gaps) {
  const { grace } = record.head;
  for (const { event, data, at } of session.entries) {
    if (event !== 'user_offline' || disturbed(record, at - HEALING_MS, at, REDIS)) continue;
    const blur = deadline(record, at, BLUR_MS, () => false) - at;
    const absent = gaps.get(`${session.tenant}/${data.user_id}`) ?? [];
    const isTrue = absent.some(({ from, to }) => from < at && to > at - blur && to - from > grace - blur);
    if (!isTrue) yield problem(session, at, `hears that ${data.user_id} is offline at ${at}, who was not away for ${grace} ms`);
  }
}

function* repeated(record, session) {
  const view = new Map();
  const explained = new Map();
  const explain = (user) => explained.set(user, (explained.get(user) ?? 0) + 1);
  for (const { kind, event, data, call, body, at } of session.entries) {
    if (kind === 'ack' && record.calls.get(call).event === 'get_room_participants' && body?.success) {
      for (const { id, online } of body.participants) if (online) explain(id);
    }
    if (event === 'user_left') explain(data.user_id);
    if (event !== 'user_online' && event !== 'user_offline') continue;
    const { user_id: user } = data;
    if (view.get(user) === event && !disturbed(record, at - HEALING_MS, at, REDIS)) {
      if (event === 'user_online' && explained.get(user) > 0) explained.set(user, explained.get(user) - 1);
      else yield problem(session, at, `hears ${event} of ${user} twice, at ${at} again`);
    }
    view.set(user, event);
  }
}

/** Whoever comes after a time, or goes for some time, is told of to all who are there. */
function* untold(record, session, gaps) {
  for (const [key, absent] of gaps) {
    const user = key.slice(session.tenant.length + 1);
    if (key !== `${session.tenant}/${user}` || user === session.user) continue;
    for (const { from, to, killed } of absent) {
      const bound = killed ? LEASE_MS : record.head.grace;
      const gone = deadline(record, from, bound + PATIENCE_MS, harms('redis', 'database'), HEALING_MS);
      if (from > session.up && gone < Math.min(to, session.down, record.end)) {
        const told = session.entries.some(({ event, data, at }) => event === 'user_offline' && data.user_id === user && at > from - BLUR_MS && at <= gone);
        if (!told) yield problem(session, from, `never hears that ${user} is offline, who went at ${from} (to be heard by ${Math.round(gone)})`);
      }
      // Known to be offline, so that coming is a transition.
      const back = deadline(record, to, PATIENCE_MS, harms('redis', 'database'), HEALING_MS);
      const wasOffline = from === -Infinity || gone < to;
      if (to > session.up + PATIENCE_MS && wasOffline && back < Math.min(session.down, record.end)) {
        const told = session.entries.some(({ event, data, at }) => event === 'user_online' && data.user_id === user && at > to - PATIENCE_MS && at <= back);
        if (!told) yield problem(session, to, `never hears that ${user} is online, who came at ${to} (to be heard by ${Math.round(back)})`);
      }
    }
  }
}

/** What a client believes when nothing was in the way for long, and in the end. */
function* mistaken(record, session, gaps) {
  const isRight = (at) => (user, online) => {
    const absent = gaps.get(`${session.tenant}/${user}`) ?? [];
    const away = absent.filter(({ from, to }) => from < at && to > at - HEALING_MS);
    if (away.length === 0) return online;
    return !online || !away.some(({ from, to }) => from < at - HEALING_MS && to > at);
  };
  for (const at of quietMoments(record)) {
    if (session.up < at - HEALING_MS && session.down > at) yield* believed(record, session, at, isRight(at));
  }
  const end = record.entries.findLast(({ kind, tenant }) => kind === 'present' && tenant === session.tenant);
  if (end && session.down === Infinity) yield* believed(record, session, end.at, (user, online) => online === end.connected.includes(user));
}

/** The ends of the times in which neither Redis nor the database was harmed. */
function quietMoments({ faults }) {
  const serious = faults.filter(harms('redis', 'database'));
  return serious.map(({ from }) => from).filter((at) => at > HEALING_MS && !serious.some(({ from, to }) => from < at && to > at - HEALING_MS));
}

/** By the list that it was given, and what it heard since. */
function* believed(record, session, until, isRight) {
  const view = new Map();
  for (const { kind, event, data, call, body, at } of session.entries) {
    if (at > until) break;
    if (kind === 'ack' && record.calls.get(call).event === 'get_room_participants' && body?.success) {
      for (const { id, online } of body.participants) view.set(id, online);
    }
    if (event === 'user_online') view.set(data.user_id, true);
    if (event === 'user_offline') view.set(data.user_id, false);
  }
  const wrong = [...view].filter(([user, online]) => !isRight(user, online)).map(([user, online]) => `${user} ${online ? 'online' : 'offline'}`);
  if (wrong.length > 0) yield problem(session, until, `believes at ${until}: ${wrong.join(', ')}`);
}

function* inTheEnd(record) {
  for (const { kind, tenant, node, online, connected, at } of record.entries) {
    if (kind !== 'present') continue;
    const ghosts = online.filter((user) => !connected.includes(user));
    const missing = connected.filter((user) => !online.includes(user));
    if (ghosts.length + missing.length > 0) {
      yield { rule: 'presence', at, what: `${node} says in the end that in ${tenant} ${ghosts.join(', ') || 'nobody'} is online who is not, and ${missing.join(', ') || 'nobody'} offline who is not` };
    }
  }
}
