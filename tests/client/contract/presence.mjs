// user_online, user_offline and get_room_participants. For a server whose presence_grace_seconds is 1.
import assert from 'node:assert/strict';
import { assertKeys, assertParticipant, assertPresence } from '../support/shapes.mjs';

/** Lets a grace period pass that began after this call: by the fact that somebody who went now is told to be gone. */
async function graceIsOver(w, watcher) {
  const id = w.id('witness');
  const witness = await w.user(id);
  witness.drop();
  await watcher.waitFor('user_offline', { user_id: id });
}

export default {
  'user_online is told to everybody when a user comes, the user included': async (w) => {
    const alice = await w.user('alice');
    const bob = await w.user('bob');
    assertPresence(await alice.waitFor('user_online', { user_id: 'bob' }), { username: 'BOB' });
    assertPresence(await bob.waitFor('user_online', { user_id: 'bob' }), { username: 'BOB' });
  },

  'user_online keeps the type of the id': async (w) => {
    const alice = await w.user('alice');
    await w.user(7);
    assertPresence(await alice.waitFor('user_online', { user_id: 7 }));
  },

  'user_online is told once, however many connections a user has': async (w) => {
    const alice = await w.user('alice');
    for (let i = 0; i < 3; i += 1) await w.user('bob');
    // Somebody who came later was told, so all of bob's was.
    await w.user('carol');
    await alice.waitFor('user_online', { user_id: 'carol' });
    await alice.barrier();
    assert.equal(alice.all('user_online', { user_id: 'bob' }).length, 1);
  },

  'user_offline is told once, when the last connection is gone': async (w) => {
    const alice = await w.user('alice');
    const [phone, laptop] = [await w.user('bob'), await w.user('bob')];
    phone.drop();
    await graceIsOver(w, alice);
    assert.deepEqual(alice.all('user_offline', { user_id: 'bob' }), []);
    laptop.close();
    assertPresence(await alice.waitFor('user_offline', { user_id: 'bob' }), { username: 'BOB' });
    await graceIsOver(w, alice);
    assert.equal(alice.all('user_offline', { user_id: 'bob' }).length, 1);
  },

  'who comes back within the grace period was never gone': async (w) => {
    const alice = await w.user('alice');
    const bob = await w.user('bob');
    await alice.waitFor('user_online', { user_id: 'bob' });
    alice.mark();
    bob.drop();
    await w.user('bob');
    await graceIsOver(w, alice);
    assert.deepEqual(alice.all('user_offline', { user_id: 'bob' }), []);
    assert.deepEqual(alice.all('user_online', { user_id: 'bob' }), []);
  },

  'who comes back after it is online again': async (w) => {
    const alice = await w.user('alice');
    const bob = await w.user('bob');
    await alice.waitFor('user_online', { user_id: 'bob' });
    bob.drop();
    await alice.waitFor('user_offline', { user_id: 'bob' });
    alice.mark();
    await w.user('bob');
    await alice.waitFor('user_online', { user_id: 'bob' });
  },

  'a lost connection is no user_left': async (w) => {
    const room_id = w.id();
    const [alice, bob, carol] = await w.members(room_id, 'alice', 'bob', 'carol');
    bob.drop();
    carol.close();
    await alice.waitFor('user_offline', { user_id: 'bob' });
    await alice.waitFor('user_offline', { user_id: 'carol' });
    await alice.none('user_left', undefined, { room: room_id });
  },

  'get_room_participants says who is there, and who is online': async (w) => {
    const room_id = w.id();
    const [alice, bob, carol] = await w.members(room_id, 'alice', 'bob', 'carol');
    carol.drop();
    await alice.waitFor('user_offline', { user_id: 'carol' });
    for (const user of [alice, bob]) user.mark();
    const ack = await alice.ok('get_room_participants', { room_id });
    assertKeys(ack, ['success', 'participants']);
    const known = Object.fromEntries(ack.participants.map((participant) => [participant.id, participant]));
    assert.equal(ack.participants.length, 3);
    assertParticipant(known.alice, { username: 'ALICE', online: true });
    assertParticipant(known.bob, { username: 'BOB', online: true, role: 'member' });
    assertParticipant(known.carol, { username: 'CAROL', online: false, role: 'member' });
    assert.equal(typeof known.carol.last_seen, 'string');
    // Old frontends start everyone as offline and read this burst.
    await alice.waitFor('user_online', { user_id: 'alice' });
    await alice.waitFor('user_online', { user_id: 'bob' });
    await alice.barrier();
    const burst = alice.after(ack).filter(({ event }) => event === 'user_online').map(({ data }) => data);
    assert.deepEqual(burst.map(({ user_id }) => user_id).sort(), ['alice', 'bob']);
    for (const presence of burst) assertPresence(presence);
    await bob.none('user_online');
  },

  'get_room_participants without an ack still tells who is online': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice', 'bob');
    await alice.barrier();
    alice.mark();
    alice.emit('get_room_participants', { room_id }, undefined);
    await alice.waitFor('user_online', { user_id: 'bob' });
  },
};
