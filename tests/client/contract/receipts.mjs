// mark_read: how far somebody has read, and who hears of it.
import assert from 'node:assert/strict';
import { assertKeys, TIME } from '../support/shapes.mjs';
import { conversation, privateRoom } from './membership.mjs';

export default {
  'mark_read moves forward only, and tells the room where it has moved': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    for (const text of ['one', 'two', 'three']) await alice.say(room_id, [bob], text);
    assert.deepEqual(await bob.ok('mark_read', { room_id, seq: 2 }), { success: true, seq: 2, unread_count: 1 });
    const receipt = await alice.waitFor('read_receipt');
    assertKeys(receipt, ['room_id', 'user_id', 'seq', 'at']);
    assert.deepEqual([receipt.room_id, receipt.user_id, receipt.seq], [room_id, 'bob', 2]);
    assert.match(receipt.at, TIME);
    assert.deepEqual(await bob.ok('mark_read', { room_id, seq: 1 }), { success: true, seq: 2, unread_count: 1 });
    await alice.barrier();
    assert.equal(alice.all('read_receipt').length, 1);
  },

  'mark_read beyond the newest message is up to it, and what follows is unread': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    const { room_id } = await alice.ok('create_room', { name: 'Team', private: true, participants: ['bob'] });
    await alice.say(room_id);
    assert.deepEqual(await bob.ok('mark_read', { room_id, seq: 1_000_000 }), { success: true, seq: 1, unread_count: 0 });
    assert.equal((await conversation(bob, room_id)).unread_count, 0);
    await alice.say(room_id);
    assert.equal((await conversation(bob, room_id)).unread_count, 1);
  },

  'mark_read takes a message in place of a seq': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    const first = await alice.say(room_id, [bob], 'one');
    await alice.say(room_id, [bob], 'two');
    assert.deepEqual(await bob.ok('mark_read', { room_id, message_id: first.id }), { success: true, seq: 1, unread_count: 1 });
    const { room_id: other } = await bob.ok('create_room', { name: 'Other' });
    await bob.refused('not_found', 'mark_read', { room_id: other, message_id: first.id });
  },

  'a visitor of a public room has no read mark in it': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    await alice.say(room_id, [alice]);
    const carol = await w.user('carol');
    await carol.refused('access_denied', 'mark_read', { room_id, seq: 1 });
    await alice.none('read_receipt');
  },
};
