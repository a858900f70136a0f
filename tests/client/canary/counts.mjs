// What can be counted, while nobody does anything: the answers hold what the model holds, neither more nor less.
import assert from 'node:assert/strict';
import { DOORS } from '../access/doors.mjs';
import { REST } from '../access/rest.mjs';

/** A connection of somebody's to the chat. */
const chatting = (principal) => [...principal.actors].find(({ namespace, door }) => namespace === '/' && door !== REST);

const ids = (list) => [...list].map((id) => `${typeof id} ${id}`).sort();

/** Asks everybody for lists and counts. Resolves to a sentence for each that is otherwise than it has to be. */
export async function miscounted(operations) {
  const { model, company } = operations;
  const wrong = [];
  const check = async (who, what) => {
    try {
      await what();
    } catch (error) {
      wrong.push(`${who}: ${error.message}`);
    }
  };
  for (const principal of model.principals.filter(({ isGone, id }) => !isGone && id !== undefined)) {
    const actor = chatting(principal) ?? await operations.come(principal, { namespace: '/', door: DOORS[0] });
    if (!actor) {
      wrong.push(`${principal.name} was not let in`);
      continue;
    }
    await check(principal.name, () => conversations(operations, actor));
    if (!principal.isGuest) await check(principal.name, () => searches(operations, actor));
    if (principal.isStaff) await check(principal.name, () => desk(operations, principal));
  }
  for (const room of model.rooms) await check(`${room.kind} room ${room.id}`, () => history(operations, room));
  for (const tenant of new Set(model.principals.map((principal) => principal.tenant))) {
    await check(tenant, () => unread(operations, tenant));
  }
  assert.ok(company.actors.size > 0);
  return wrong;
}

const ok = async (operations, actor, event, payload) => {
  const { body } = await operations.ask(actor, event, payload);
  assert.equal(body?.success, true, `${event} ${JSON.stringify(payload)}: ${JSON.stringify(body)}`);
  return body;
};

/** The rooms that somebody belongs to, each with those who belong to it. */
async function conversations(operations, actor) {
  const { model } = operations;
  const { principal } = actor;
  const theirs = new Map(model.rooms.filter((room) => room.has(principal)).map((room) => [room.id, room]));
  const { conversations: listed } = await ok(operations, actor, 'get_user_conversations', {});
  assert.deepEqual(ids(listed.map(({ room_id }) => room_id)), ids(theirs.keys()), 'conversations');
  for (const { room_id, participants, unread_count: count } of listed) {
    const room = theirs.get(room_id);
    assert.deepEqual(ids(participants.map(({ id }) => id)), ids(room.participants().map(({ id }) => id)), `participants of ${room_id}`);
    const ofOthers = [...room.messages.values()].filter(({ author }) => author !== principal).length + room.doubtful;
    // The system's words at the end of a conversation are the only ones that nobody said.
    const most = room.kind === 'support' ? ofOthers + 1 : ofOthers;
    assert.ok(count >= 0 && count <= most, `${count} unread of ${most} in ${room_id}`);
  }
}

/** Users and public rooms of the tenant. */
async function searches(operations, actor) {
  const { model } = operations;
  const { principal } = actor;
  const found = await operations.ask(actor, 'search_users', { query: '', limit: 50 });
  const users = model.principals.filter((other) => other !== principal && other.tenant === principal.tenant && !other.isGuest);
  if (found.ok) assert.deepEqual(ids(found.body.users.map(({ id }) => id)), ids(users.map(({ id }) => id)), 'users');
  const { ok: isAllowed, body } = await operations.ask(actor, 'search_rooms', { query: '', limit: 50 });
  if (!isAllowed) return;
  const rooms = model.rooms.filter(({ tenant, kind, archived }) => tenant === principal.tenant && kind === 'public' && !archived);
  assert.equal(body.rooms.length, Math.min(rooms.length, 50), 'public rooms');
  for (const { room: { id }, participant_count: count, is_participant: isParticipant } of body.rooms) {
    const room = rooms.find((other) => other.id === id);
    assert.ok(room, `${id} is no public room of theirs`);
    assert.deepEqual([count, isParticipant], [room.participants().length, room.has(principal)], `participants of ${id}`);
  }
}

/** The support rooms of the tenant, page by page. */
async function desk(operations, principal) {
  const { model } = operations;
  const actor = await operations.come(principal, { namespace: '/admin', door: operations.random.pick(DOORS) });
  const status = await actor.client.waitFor('room_status');
  const theirs = model.rooms.filter(({ tenant, kind }) => tenant === principal.tenant && kind === 'support');
  const listed = {};
  for (const wanted of ['waiting', 'active', 'closed']) {
    listed[wanted] = [];
    for (let cursor; ;) {
      const page = await ok(operations, actor, 'get_rooms', { status: wanted, limit: 7, ...(cursor ? { cursor } : {}) });
      listed[wanted].push(...page.rooms.map(({ id }) => id));
      cursor = page.next_cursor;
      if (!cursor) break;
    }
  }
  assert.deepEqual(ids(Object.values(listed).flat()), ids(theirs.map(({ id }) => id)), 'support rooms');
  const open = [...listed.waiting, ...listed.active];
  assert.equal(status.active_customers, open.length, 'active customers');
  assert.deepEqual(ids(status.rooms.map(({ id }) => id)), ids(open), 'open rooms');
  for (const { room_id, user_id } of status.viewers) {
    const viewer = model.principals.find(({ id, tenant }) => id === user_id && tenant === principal.tenant);
    assert.ok(viewer?.isStaff && theirs.some(({ id }) => id === room_id), `${user_id} is said to look at ${room_id}`);
  }
  actor.client.close();
}

/** All messages of a room, by one who may read it. */
async function history(operations, room) {
  const reader = [...operations.company.actors].find(({ principal, namespace }) => namespace === '/' && room.has(principal));
  if (!reader || room.doubtful > 0) return;
  const { messages, has_more: hasMore, rev } = await ok(operations, reader, 'get_messages', { room_id: room.id, limit: 200 });
  const said = messages.filter(({ sender_type: type }) => type !== 'system').map(({ id }) => id);
  if (!hasMore) assert.deepEqual(ids(said), ids(room.messages.keys()), 'messages');
  if (room.kind !== 'support') assert.equal(hasMore, room.messages.size > 200);
  if (room.kind !== 'support') assert.equal(rev, room.messages.size);
}

/** What is unread in one room is what was said there, whatever is said elsewhere. */
async function unread(operations, tenant) {
  const { model, company } = operations;
  const room = model.rooms.find((other) => other.tenant === tenant && other.kind === 'private' && !other.archived
    && other.participants().filter((principal) => !principal.isGone && chatting(principal)).length > 1);
  if (!room) return;
  const [reader, writer] = room.participants().filter((principal) => !principal.isGone).map(chatting).filter(Boolean);
  for (const actor of reader.principal.actors) if (actor.namespace === '/') await operations.leave(actor, room);
  const { rev } = await ok(operations, reader, 'get_messages', { room_id: room.id, limit: 1 });
  assert.equal((await ok(operations, reader, 'mark_read', { room_id: room.id, seq: rev })).unread_count, 0);
  for (let i = 0; i < 3; i += 1) await operations.say(writer, room);
  const { conversations: listed } = await ok(operations, reader, 'get_user_conversations', {});
  assert.equal(listed.find(({ room_id }) => room_id === room.id).unread_count, 3, `unread in ${room.id}`);
  assert.ok(company.actors.has(reader));
}
