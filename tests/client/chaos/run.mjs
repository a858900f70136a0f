// One run: the mix and the nemesis for a while, then peace, and what is there then.
import { setTimeout as sleep } from 'node:timers/promises';
import { random as chance } from '../canary/random.mjs';
import { Mix } from './mix.mjs';
import { Nemesis } from './nemesis.mjs';
import { startStage } from './stage.mjs';
import { Tape } from './tape.mjs';

/** A window so short that it passes several times even in a short run. */
const LIMIT = { rate_limit_messages: 20, rate_limit_window_seconds: 10 };
const SETTINGS = { ...LIMIT, drain_seconds: 2, presence_grace_seconds: 2, typing_timeout_seconds: 5, max_pending_per_ip: 1000 };
const STAYS_AWAY_MS = 18_000;
const SAMPLE_MS = 250;
/** Presence after the death of a node, twice. */
const AGREE_MS = 30_000;
const CATCH_UP_MS = 15_000;
const PAGE = 200;

/** Resolves to the record. `seconds` is how long the nemesis is at work. */
export async function run({ seed, seconds, nodes: count, services, say = () => {} }) {
  const stage = await startStage({ count, services, settings: SETTINGS });
  const tape = new Tape({
    seed, nodes: count, shared: services.includes('redis'), limit: LIMIT.rate_limit_messages, window: LIMIT.rate_limit_window_seconds * 1000,
    grace: SETTINGS.presence_grace_seconds * 1000, typing: SETTINGS.typing_timeout_seconds * 1000, seconds,
  });
  const mix = new Mix({ tape, stage, seed });
  const watch = observe(tape, stage);
  const nemesis = new Nemesis({ stage, tape, random: chance(seed), leave: (node) => mix.forsake(node, STAYS_AWAY_MS), seconds });
  say('everybody comes');
  await mix.begin();
  mix.start();
  nemesis.start();
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until || !nemesis.hasDoneAll) {
    // Neither ends before it is told to, but by an error.
    await Promise.race([sleep(Math.max(1000, Math.min(10_000, until - performance.now()))), mix.running, nemesis.running]);
    say(progress(tape));
  }
  await nemesis.end();
  say('peace');
  await mix.end();
  await settle({ tape, mix, stage, say });
  clearInterval(watch);
  const holes = await Promise.all(stage.nodes.map((node) => node.holes()));
  for (const actor of mix.actors) actor.leave();
  const codes = await stage.end();
  for (const [i, node] of stage.nodes.entries()) tape.note('log', { node: node.name, holes: holes[i], ...node.warnings() });
  tape.note('end', { codes, conflicts: stage.conflicts() });
  return tape;
}

function observe(tape, stage) {
  let expected = performance.now() + SAMPLE_MS;
  return setInterval(() => {
    const late = Math.max(0, performance.now() - expected);
    expected = performance.now() + SAMPLE_MS;
    if (late > 50) tape.note('tick', { late: Math.round(late) });
    for (const node of stage.nodes) tape.note('sample', { node: node.name, rss: node.residentBytes() });
  }, SAMPLE_MS);
}

/** Everybody is there but those who go for good; all has been sent; all have heard all; all agree on who is there. */
async function settle({ tape, mix, stage, say }) {
  const gone = mix.actors.filter(({ user, random }) => user !== 'owner' && random.chance(0.2));
  // Not at the first attempt: who has come back and goes again is gone as well.
  for (const actor of gone) {
    actor.leave('drop');
    await actor.connect();
    actor.leave();
  }
  const here = mix.actors.filter((actor) => !gone.includes(actor));
  await Promise.all(here.map((actor) => comeToRest(actor)));
  say('all are back');
  for (const tenant of mix.tenants()) {
    for (const { room, form } of mix.rooms(tenant)) if (form !== 'direct') await mark(mix.owner(tenant), room);
  }
  await until(CATCH_UP_MS, () => here.every((actor) => hasHeardAll(actor, mix)));
  say('all have caught up');
  for (const tenant of mix.tenants()) await agree({ tape, mix, stage, tenant });
  say('all agree');
  await readAll({ tape, mix, stage });
}

async function comeToRest(actor) {
  const end = performance.now() + 2 * CATCH_UP_MS;
  actor.awayUntil = 0;
  while (performance.now() < end) {
    if (!actor.isUp) await actor.comeBack();
    else if (await actor.resend()) return;
    else await sleep(500);
  }
}

/** The last word in a room: the owner's, who may have to wait for a turn. */
async function mark(owner, room) {
  await until(CATCH_UP_MS, async () => (owner.isUp || owner.comeBack()) && (await owner.send(owner.draft({ room_id: room })))?.success);
}

function hasHeardAll(actor, mix) {
  const { session, tenant } = actor;
  return session && [...session.joined].every((room) => (
    (actor.known.get(room) ?? 0) >= Math.max(0, ...mix.of(tenant).map((other) => (other.session?.joined.has(room) ? other.known.get(room) ?? 0 : 0)))));
}

async function agree({ tape, mix, stage, tenant }) {
  const connected = () => [...new Set(mix.of(tenant).filter(({ isUp }) => isUp).map(({ user }) => user))].sort();
  let found = [];
  const look = async () => {
    found = [];
    for (const node of stage.nodes) {
      const body = await mix.owner(tenant).request('get_room_participants', { room_id: 'lobby' }, { path: '/rooms/lobby/participants' }, node);
      found.push({ tenant, node: node.name, online: (body?.participants ?? []).filter(({ online }) => online).map(({ id }) => id).sort(), connected: connected() });
    }
    return found.every(({ online, connected: there }) => String(online) === String(there));
  };
  await until(AGREE_MS, look);
  // What was told of it is on its way to the clients still.
  await sleep(500);
  for (const one of found) tape.note('present', one);
}

/** Every room, by somebody who belongs to it, from every node. */
async function readAll({ tape, mix, stage }) {
  for (const tenant of mix.tenants()) {
    const people = mix.of(tenant);
    for (const user of new Set(people.map((actor) => actor.user))) {
      const body = await people.find((actor) => actor.user === user).request('get_user_conversations', {}, { path: '/conversations' });
      for (const { room_id: room, kind, participants } of body?.conversations ?? []) {
        const pair = participants.map(({ id }) => id);
        if (kind === 'direct' && !mix.rooms(tenant).some((known) => known.room === room)) tape.note('room', { tenant, room, form: 'direct', pair });
      }
    }
    for (const { room, pair } of mix.rooms(tenant)) {
      for (const [i, node] of stage.nodes.entries()) {
        const reader = people.find(({ user }) => user === (pair ? pair[i % 2] : 'owner'));
        const found = await history(reader, room, node);
        tape.note(found.refused ? 'unread' : 'history', { tenant, room, node: node.name, reader: reader.user, ...found });
      }
    }
  }
}

async function history(reader, room, node) {
  const messages = [];
  for (;;) {
    const after = messages.at(-1)?.seq ?? 0;
    const path = `/rooms/${encodeURIComponent(room)}/messages?after=${after}&limit=${PAGE}`;
    const page = await reader.request('get_messages', { room_id: room, after, limit: PAGE }, { path }, node);
    if (!page?.success) return { refused: page ?? 'no answer' };
    messages.push(...page.messages);
    if (!page.has_more) return { messages };
  }
}

async function until(ms, holds) {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) return false;
    await sleep(100);
  }
  return true;
}

function progress({ entries, now }) {
  const count = (kind) => entries.reduce((sum, entry) => sum + (entry.kind === kind ? 1 : 0), 0);
  const last = entries.findLast(({ kind }) => kind === 'fault');
  return `${Math.round(now / 1000)} s: ${count('call')} calls, ${count('ack')} answered, ${count('event')} events, ${count('fault')} faults${last ? `, now ${last.what} ${last.node ?? ''}` : ''}`;
}
