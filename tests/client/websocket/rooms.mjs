// `/ws/chat/{room_id}/`: the room in the address is joined before anything else, and is meant where none is named.
import assert from 'node:assert/strict';
import { assertMessage } from '../support/shapes.mjs';

const joined = ({ socket }) => socket.frame(({ type, ack }) => type === 'ack' && ack === 'join_room');

/** A user whose address names a room, and what they were told of it. */
async function inRoom(w, id, room, query = '') {
  const user = await w.user(id, { path: `/ws/chat/${encodeURIComponent(room)}/${query}` });
  return Object.assign(user, { room: await joined(user) });
}

export default {
  'the room in the address is joined, as by join_room': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const alice = await inRoom(w, 'alice', room_id);
    const { type, ack, ...answer } = alice.room;
    assert.deepEqual([type, ack], ['ack', 'join_room']);
    assert.deepEqual(await bob.ok('join_room', { room_id }), answer);
    await bob.waitFor('user_joined', { room_id, user_id: 'alice' });
    const message = await bob.say(room_id, [alice]);
    assert.deepEqual(alice.all('new_message'), [message]);
  },

  'the slash at the end may be left out': async (w) => {
    for (const path of ['/ws/chat', '/ws/support']) await w.user('alice', { path });
    const alice = await w.user('alice', { path: `/ws/chat/${w.id()}` });
    assert.equal((await joined(alice)).success, true);
  },

  'a room in the address is a text, and a number where it is written as one is stored': async (w) => {
    const users = [];
    for (const [path, id] of [['7', '7'], ['%237', 7], ['%23%237', '#7'], ['a%2Fb%20%C3%A4', 'a/b ä']]) {
      const user = await w.user('alice', { path: `/ws/chat/${path}/` });
      assert.strictEqual((await joined(user)).room_id, id);
      users.push(user);
    }
    await users[1].say(7, [users[1]]);
    await users[0].none('new_message');
  },

  'what names no room is about the one in the address': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const alice = await inRoom(w, 'alice', room_id);
    const { message } = await alice.ok('chat_message', { content: ' hello ' });
    assertMessage(message, { room_id, user_id: 'alice', message: 'hello' });
    assert.deepEqual(await bob.waitFor('new_message'), message);
    await alice.ok('typing', { is_typing: true });
    await bob.waitFor('typing_update', { room_id, user_id: 'alice', is_typing: true });
    assert.deepEqual((await alice.ok('get_messages')).messages, [message]);
    assert.equal((await alice.ok('get_room_participants')).participants.length, 2);
    await alice.ok('leave_room');
    await bob.waitFor('user_left', { room_id, user_id: 'alice' });
    await alice.ok('join_room');
  },

  'another room can be named, and others joined beside it': async (w) => {
    const [here, there] = [w.id(), w.id()];
    const [bob] = await w.members(there, 'bob');
    const alice = await inRoom(w, 'alice', here);
    await alice.ok('join_room', { room_id: there });
    await alice.say(there, [alice, bob]);
    await bob.say(there, [alice]);
    await alice.say(here, [alice]);
    await bob.none('new_message', { room_id: here });
  },

  'without a room in the address one has to be named': async (w) => {
    const alice = await w.user('alice');
    await alice.refused('invalid_payload', 'chat_message', { content: 'hello' });
    await alice.refused('invalid_payload', 'typing', { is_typing: true });
  },

  'since in the address brings what was missed': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const messages = [];
    for (const text of ['one', 'two', 'three']) messages.push(await bob.say(room_id, [], text));
    const alice = await inRoom(w, 'alice', room_id, '?since=1');
    assert.equal(alice.room.rev, 3);
    assert.deepEqual(alice.room.changes, messages.slice(1));
    const later = await bob.say(room_id, [alice]);
    assert.deepEqual(alice.all('new_message'), [later]);
  },

  'nothing is handled before the room is joined': async (w) => {
    const room_id = w.id();
    const path = `/ws/chat/${room_id}/?token=${w.token('alice')}`;
    const alice = await w.connect({ path, first: { type: 'chat_message', content: 'at once', ack: 'first' } });
    const { frames } = alice.socket;
    await alice.socket.frame(({ ack }) => ack === 'first');
    const order = frames.map(({ type, ack }) => ack ?? type).filter((what) => ['join_room', 'chat_message', 'first'].includes(what));
    assert.deepEqual(order, ['join_room', 'chat_message', 'first']);
  },
};
