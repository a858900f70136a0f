// Who is typing: the room's full list whenever it changes.
import assert from 'node:assert/strict';
import { assertKeys } from '../support/shapes.mjs';

const typing = (room_id, user_id, is_typing, typing_users) => ({ room_id, typing_users, user_id, is_typing });

export default {
  'typing_update tells the room who types and who stopped': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    assert.deepEqual(await bob.ok('typing', { room_id, is_typing: true }), { success: true });
    assert.deepEqual(await alice.waitFor('typing_update'), typing(room_id, 'bob', true, ['bob']));
    alice.mark();
    assert.deepEqual(await bob.ok('typing', { room_id, is_typing: false }), { success: true });
    assert.deepEqual(await alice.waitFor('typing_update'), typing(room_id, 'bob', false, []));
  },

  'typing without an ack works and user ids keep their type': async (w) => {
    const room_id = w.id();
    const [alice, seven] = await w.members(room_id, 'alice', 7);
    seven.emit('typing', { room_id, is_typing: true }, undefined);
    assert.deepEqual(await alice.waitFor('typing_update'), typing(room_id, 7, true, [7]));
  },

  'the list holds everybody who types': async (w) => {
    const room_id = w.id();
    const [alice, bob, carol] = await w.members(room_id, 'alice', 'bob', 'carol');
    await bob.ok('typing', { room_id, is_typing: true });
    await carol.ok('typing', { room_id, is_typing: true });
    const both = await alice.waitFor('typing_update', { user_id: 'carol' });
    assertKeys(both, ['room_id', 'typing_users', 'user_id', 'is_typing']);
    assert.deepEqual([...both.typing_users].sort(), ['bob', 'carol']);
    await bob.ok('typing', { room_id, is_typing: false });
    assert.deepEqual(await alice.waitFor('typing_update', { is_typing: false }), typing(room_id, 'bob', false, ['carol']));
  },

  'typing that changes nothing is not told': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await bob.ok('typing', { room_id, is_typing: false });
    await bob.ok('typing', { room_id, is_typing: true });
    await bob.ok('typing', { room_id, is_typing: true });
    await alice.say(room_id, [alice]);
    assert.deepEqual(alice.all('typing_update').map(({ is_typing }) => is_typing), [true]);
  },

  'a message clears its sender from the list': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await bob.ok('typing', { room_id, is_typing: true });
    await alice.waitFor('typing_update', { is_typing: true });
    await bob.say(room_id, [alice]);
    assert.deepEqual(await alice.waitFor('typing_update', { is_typing: false }), typing(room_id, 'bob', false, []));
  },

  'leaving clears the list': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await bob.ok('typing', { room_id, is_typing: true });
    await bob.ok('leave_room', { room_id });
    assert.deepEqual(await alice.waitFor('typing_update', { is_typing: false }), typing(room_id, 'bob', false, []));
  },

  'a lost connection clears the list of every room': async (w) => {
    const rooms = [w.id('one'), w.id('two')];
    const [alice, bob] = await w.members(rooms[0], 'alice', 'bob');
    for (const user of [alice, bob]) await user.ok('join_room', { room_id: rooms[1] });
    for (const room_id of rooms) await bob.ok('typing', { room_id, is_typing: true });
    for (const room_id of rooms) await alice.waitFor('typing_update', { room_id, is_typing: true });
    bob.drop();
    for (const room_id of rooms) {
      assert.deepEqual(await alice.waitFor('typing_update', { room_id, is_typing: false }), typing(room_id, 'bob', false, []));
    }
  },

  'typing from a socket that is not in the room is ignored': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const outside = await w.user('bob');
    assert.deepEqual(await outside.ok('typing', { room_id, is_typing: true }), { success: true });
    await bob.ok('leave_room', { room_id });
    assert.deepEqual(await bob.ok('typing', { room_id, is_typing: true }), { success: true });
    await alice.none('typing_update', undefined, { room: room_id });
  },

  'typing stays in its room': async (w) => {
    const [here, there] = [w.id('here'), w.id('there')];
    const [alice, carol] = await w.members(here, 'alice', 'carol');
    const [bob] = await w.members(there, 'bob');
    await alice.ok('typing', { room_id: here, is_typing: true });
    await carol.waitFor('typing_update');
    await bob.none('typing_update', undefined, { room: there });
  },
};

/** For a server whose typing_timeout_seconds is 1. */
export const timeouts = {
  'who does not renew is cleared by time and who does is not': async (w) => {
    const room_id = w.id();
    const [alice, bob, carol] = await w.members(room_id, 'alice', 'bob', 'carol');
    await bob.ok('typing', { room_id, is_typing: true });
    await carol.ok('typing', { room_id, is_typing: true });
    const cleared = alice.waitFor('typing_update', { user_id: 'carol', is_typing: false });
    const renewal = setInterval(() => bob.emit('typing', { room_id, is_typing: true }), 200);
    try {
      assert.deepEqual(await cleared, typing(room_id, 'carol', false, ['bob']));
      await alice.none('typing_update', { user_id: 'bob', is_typing: false });
    } finally {
      clearInterval(renewal);
    }
    assert.deepEqual(await alice.waitFor('typing_update', { user_id: 'bob', is_typing: false }), typing(room_id, 'bob', false, []));
  },
};
