// GET /api/rooms/{id}/changes: what changed, or an answer that waits until something does.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Caller, rest, restGuest } from '../support/rest.mjs';
import { assertKeys } from '../support/shapes.mjs';
import { eventually } from '../support/world.mjs';

const ROUNDS = 200;
const changes = (room_id, since, wait) => `/rooms/${room_id}/changes?since=${since}${wait === undefined ? '' : `&wait=${wait}`}`;

/** Answers that wait on the server. */
async function waiting(server) {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('confab_connections{') && line.includes('door="long_poll"'));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** For a server that no other list of facts uses. */
const waits = (server, count) => eventually(async () => assert.equal(await waiting(server), count));

export const reading = {
  'changes are what join_room since would give': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    for (let i = 0; i < 5; i += 1) await alice.say(room_id, [bob]);
    const caller = rest(w, 'alice');
    for (const since of [0, 3, 5, 9]) {
      const answer = await caller.ok('GET', changes(room_id, since));
      assertKeys(answer, ['success', 'changes', 'rev']);
      const joined = await bob.ok('join_room', { room_id, since });
      assert.deepEqual([answer.changes, answer.rev], [joined.changes, joined.rev], `since ${since}`);
    }
    assert.equal((await caller.ok('GET', `/rooms/${room_id}/changes`)).changes.length, 5);
    assert.deepEqual((await alice.ok('get_changes', { room_id, since: 3, wait: 60 })).changes.map(({ rev }) => rev), [4, 5]);
    for (const query of ['?since=-1', '?since=x', '?wait=-1', '?wait=x']) await caller.refused('invalid_payload', 'GET', `/rooms/${room_id}/changes${query}`);
  },

  'whoever has missed more than 1,000 changes is told to load the newest page': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    await Promise.all(Array.from({ length: 1001 }, (_, i) => alice.ok('chat_message', { room_id, message: `m${i}` })));
    const caller = rest(w, 'alice');
    assert.deepEqual(await caller.ok('GET', changes(room_id, 0, 60)), { success: true, changes: [], rev: 1001, reset: true });
    assert.equal((await caller.ok('GET', changes(room_id, 1))).changes.length, 1000);
  },

  'a socket is answered at once, whatever it asks for': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    assert.deepEqual(await alice.ok('get_changes', { room_id, wait: 60 }), { success: true, changes: [], rev: 0 });
  },
};

export const waitingFacts = {
  'an answer that waits comes with the message, at once': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const held = rest(w, 'bob').hold('GET', changes(room_id, 0, 30));
    await waits(w.server, 1);
    const begun = Date.now();
    const message = await alice.say(room_id);
    const { json } = await held.answer;
    assert.ok(Date.now() - begun < 2000, `${Date.now() - begun} ms`);
    assert.deepEqual(json, { success: true, changes: [message], rev: 1 });
    await waits(w.server, 0);
  },

  'an answer that waits for nothing is empty when the time is over': async (w) => {
    const room_id = w.id();
    await w.members(room_id, 'alice');
    const begun = Date.now();
    assert.deepEqual(await rest(w, 'alice').ok('GET', changes(room_id, 0, 1)), { success: true, changes: [], rev: 0 });
    const took = Date.now() - begun;
    assert.ok(took >= 990 && took < 5000, `${took} ms`);
  },

  [`no wake-up is lost in ${ROUNDS} rounds of asking while it is being said`]: async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const bob = rest(w, 'bob');
    for (let since = 0; since < ROUNDS; since += 1) {
      const held = bob.hold('GET', changes(room_id, since, 30));
      const begun = Date.now();
      // Said before, while, or after the server looks.
      await held.sent;
      if (since % 4) await sleep(since % 4);
      const { message } = await alice.ok('chat_message', { room_id, message: `m${since}` });
      const { json } = await held.answer;
      assert.deepEqual(json.changes, [message]);
      assert.ok(Date.now() - begun < 5000, `round ${since}: ${Date.now() - begun} ms`);
    }
  },

  'whoever hangs up leaves nothing behind': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const bob = rest(w, 'bob');
    for (let round = 0; round < 5; round += 1) {
      const held = Array.from({ length: 3 }, () => bob.hold('GET', changes(room_id, 0, 60)));
      await waits(w.server, 3);
      // One more than a user may have here.
      await bob.refused('too_many_connections', 'GET', changes(room_id, 0, 60));
      for (const { hangUp } of held) hangUp();
      await waits(w.server, 0);
    }
    await alice.none('user_joined', { user_id: 'bob' }, { room: room_id });
    assert.deepEqual((await alice.ok('get_room_participants', { room_id })).participants.map(({ id }) => id), ['alice']);
    const log = w.server.log().filter((line) => line.includes('get_changes') && line.includes('internal'));
    assert.deepEqual(log, []);
  },

  'whoever loses access while they wait is told so at once': async (w) => {
    const alice = await w.user('alice');
    const bob = rest(w, 'bob');
    const { room_id } = await alice.ok('create_room', { name: 'x', private: true, participants: ['bob'] });
    const held = bob.hold('GET', changes(room_id, 0, 60));
    await waits(w.server, 1);
    await alice.ok('remove_participant', { room_id, user_id: 'bob' });
    const { status, json } = await held.answer;
    assert.deepEqual([status, json.code], [403, 'access_denied']);
  },

  'whoever is disabled or revoked while they wait is told so at once': async (w) => {
    const room_id = w.id();
    await w.members(room_id, 'alice');
    const staff = rest(w, 'agent', { is_staff: true });
    for (const [what, status, code] of [['revoke', 401, 'signed_out'], ['disable', 403, 'account_disabled']]) {
      const user = w.id('user');
      const held = rest(w, user).hold('GET', changes(room_id, 0, 60));
      await waits(w.server, 1);
      await staff.ok('POST', `/admin/users/${user}/${what}`);
      const answer = await held.answer;
      assert.deepEqual([answer.status, answer.json.code], [status, code], what);
    }
  },

  'an answer does not wait for longer than the token lasts': async (w) => {
    const room_id = w.id();
    await w.members(room_id, 'alice');
    const { status, json } = await rest(w, 'bob', { exp: Math.floor(Date.now() / 1000) - 3 }).ask('GET', changes(room_id, 0, 60));
    assert.deepEqual([status, json.code], [401, 'token_expired']);
  },

  'a guest waits in their own room, and in no other': async (w) => {
    const guest = await restGuest(w);
    const { room_id } = await guest.made('/rooms', { name: 'Mine', private: true });
    const held = guest.hold('GET', changes(room_id, 0, 30));
    await waits(w.server, 1);
    const { message } = await guest.made(`/rooms/${room_id}/messages`, { message: 'to myself' });
    assert.deepEqual((await held.answer).json.changes, [message]);
    await (await restGuest(w)).refused('access_denied', 'GET', changes(room_id, 0, 30));
    await new Caller(w.server).refused('unauthorized', 'GET', changes(room_id, 0, 30));
  },

  'two who wait for a private conversation hear of it, joined or not': async (w) => {
    const alice = rest(w, 'alice');
    const { room_id } = await alice.made('/private-messages', { recipient_id: 'bob', message: 'one' });
    const held = rest(w, 'bob').hold('GET', changes(room_id, 1, 30));
    await waits(w.server, 1);
    const { message } = await alice.made('/private-messages', { recipient_id: 'bob', message: 'two' });
    assert.deepEqual((await held.answer).json.changes, [message]);
  },
};

export const draining = {
  'a stop ends every answer that waits': async (w) => {
    const room_id = w.id();
    await w.members(room_id, 'alice');
    const held = ['bob', 'carol'].map((id) => rest(w, id).hold('GET', changes(room_id, 0, 60)));
    await waits(w.server, 2);
    const stopped = w.server.stop();
    for (const { answer } of held) {
      const { status, json } = await answer;
      assert.deepEqual([status, json.code], [503, 'restarting']);
    }
    assert.equal(await stopped, 0);
    await w.server.restart();
  },
};
