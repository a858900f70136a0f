// private_message, the direct room of two, and get_user_conversations.
import assert from 'node:assert/strict';
import { assertConversation, assertFields, assertKeys, assertMessage, assertRoom } from '../support/shapes.mjs';
import { eventually } from '../support/world.mjs';

async function conversation(user, room_id) {
  const { conversations } = await user.ok('get_user_conversations', {});
  return conversations.find((known) => known.room_id === room_id);
}

/** Activity is ordered by time, so what has to be newer waits for the next millisecond. */
async function isPast({ timestamp }) {
  while (Date.now() <= Date.parse(timestamp)) await new Promise((resolve) => { setTimeout(resolve, 1); });
}

export default {
  'private_message reaches every socket of both, joined or not, each once': async (w) => {
    const alice = [await w.user('alice'), await w.user('alice')];
    const bob = [await w.user('bob'), await w.user('bob')];
    const ack = await alice[0].ok('private_message', { recipient_id: 'bob', message: 'psst' });
    assertKeys(ack, ['success', 'message', 'room_id']);
    assertMessage(ack.message, { room_id: ack.room_id, user_id: 'alice', username: 'ALICE', message: 'psst', seq: 1, rev: 1 });
    for (const socket of [...alice, ...bob]) {
      assert.deepEqual(await socket.waitFor('new_message'), ack.message);
      await socket.barrier();
      assert.equal(socket.all('new_message').length, 1, socket.name);
    }
  },

  'private_message reaches a socket that joined the direct room once': async (w) => {
    const [alice, phone, laptop] = [await w.user('alice'), await w.user('bob'), await w.user('bob')];
    const { room_id } = await alice.ok('private_message', { recipient_id: 'bob', message: 'first' });
    await alice.ok('join_room', { room_id });
    const joined = await phone.ok('join_room', { room_id });
    assertRoom(joined.room, { id: room_id, kind: 'direct', name: 'ALICE' });
    for (const socket of [alice, phone, laptop]) await socket.waitFor('new_message', { message: 'first' });
    const { message } = await alice.ok('private_message', { recipient_id: 'bob', message: 'second' });
    for (const socket of [alice, phone, laptop]) {
      await socket.waitFor('new_message', { id: message.id });
      await socket.barrier();
      assert.equal(socket.all('new_message', { id: message.id }).length, 1, socket.name);
    }
  },

  'private_message without an ack works': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    alice.emit('private_message', { recipient_id: 'bob', message: 'psst' }, undefined);
    assertMessage(await bob.waitFor('new_message'), { user_id: 'alice', message: 'psst' });
    await alice.waitFor('new_message');
  },

  'two users have one direct room, whoever writes first': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    const [there, back] = await Promise.all([
      alice.ok('private_message', { recipient_id: 'bob', message: 'hi' }),
      bob.ok('private_message', { recipient_id: 'alice', message: 'hi' }),
    ]);
    assert.strictEqual(there.room_id, back.room_id);
    assert.deepEqual([there.message.seq, back.message.seq].sort(), [1, 2]);
  },

  'a direct room is entered by its two only': async (w) => {
    const [alice, bob, carol] = [await w.user('alice'), await w.user('bob'), await w.user('carol')];
    const { room_id } = await alice.ok('private_message', { recipient_id: 'bob', message: 'hi' });
    await bob.ok('join_room', { room_id });
    for (const [event, more] of [['join_room', {}], ['get_messages', {}], ['get_room_participants', {}], ['chat_message', { message: 'x' }]]) {
      const refusal = await carol.refused('access_denied', event, { room_id, ...more });
      assert.equal(refusal.message, 'Access denied to this room');
    }
    await carol.none('new_message');
    assert.equal((await bob.ok('get_messages', { room_id })).rev, 1);
  },

  'the direct room answers like any room': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    const { room_id, message } = await alice.ok('private_message', { recipient_id: 'bob', message: 'hi' });
    await bob.ok('join_room', { room_id });
    await alice.ok('join_room', { room_id });
    const answer = await bob.say(room_id, [alice, bob], 'hello yourself');
    assert.deepEqual((await alice.ok('get_messages', { room_id })).messages, [message, answer]);
    const { participants } = await alice.ok('get_room_participants', { room_id });
    assert.deepEqual(new Set(participants.map(({ id }) => id)), new Set(['alice', 'bob']));
  },

  'a private_message to a user never seen before waits for that user': async (w) => {
    const alice = await w.user('alice');
    const { room_id, message } = await alice.ok('private_message', { recipient_id: 'newcomer', message: 'welcome' });
    assertConversation(await conversation(alice, room_id), { kind: 'direct', name: 'newcomer', last_message: message });
    const newcomer = await w.user('newcomer');
    assertConversation(await conversation(newcomer, room_id), { name: 'ALICE', unread_count: 1, last_message: message });
    assert.deepEqual((await newcomer.ok('get_messages', { room_id })).messages, [message]);
  },

  'the recipients 7 and "7" are two': async (w) => {
    const [alice, number, text] = [await w.user('alice'), await w.user(7), await w.user('7')];
    const one = await alice.ok('private_message', { recipient_id: 7, message: 'to the number' });
    const other = await alice.ok('private_message', { recipient_id: '7', message: 'to the text' });
    assert.notEqual(one.room_id, other.room_id);
    await number.waitFor('new_message', { message: 'to the number' });
    await text.waitFor('new_message', { message: 'to the text' });
    await number.none('new_message', { message: 'to the text' });
    await text.none('new_message', { message: 'to the number' });
    const back = await number.ok('private_message', { recipient_id: 'alice', message: 'got it' });
    assert.strictEqual(back.room_id, one.room_id);
    assertMessage(back.message, { user_id: 7 });
  },

  'nobody can write to themselves': async (w) => {
    const alice = await w.user('alice');
    await alice.refused('invalid_payload', 'private_message', { recipient_id: 'alice', message: 'note' });
    assert.deepEqual((await alice.ok('get_user_conversations', {})).conversations, []);
  },

  'a retried private_message is stored once': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    const attempt = { recipient_id: 'bob', message: 'once', client_id: w.id('attempt') };
    const first = await alice.ok('private_message', attempt);
    assertMessage(first.message, { client_id: attempt.client_id });
    assert.deepEqual(await alice.ok('private_message', attempt), first);
    await bob.waitFor('new_message');
    await bob.barrier();
    assert.equal(bob.all('new_message').length, 1);
  },

  'a user without conversations has an empty list': async (w) => {
    const alice = await w.user('alice');
    assert.deepEqual(await alice.request('get_user_conversations', {}), { success: true, conversations: [] });
    assert.deepEqual(await alice.request('get_user_conversations', {}, undefined), { success: true, conversations: [] });
  },

  'get_user_conversations lists rooms of every kind, newest activity first': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    const { room_id: open } = await alice.ok('create_room', { name: 'Open' });
    const { room_id: closed } = await alice.ok('create_room', { name: 'Closed', private: true, participants: ['bob'] });
    await bob.ok('join_room', { room_id: open });
    const { room_id: direct, message } = await alice.ok('private_message', { recipient_id: 'bob', message: 'psst' });
    await isPast(message);
    const inClosed = await alice.say(closed, [], 'in the closed room');
    await isPast(inClosed);
    const inOpen = await alice.say(open, [], 'in the open room');
    const ack = await bob.ok('get_user_conversations', {});
    assertKeys(ack, ['success', 'conversations']);
    assert.deepEqual(ack.conversations.map(({ room_id }) => room_id), [open, closed, direct]);
    const [first, second, third] = ack.conversations;
    assertConversation(first, { name: 'Open', kind: 'public', last_message: inOpen, last_message_at: inOpen.timestamp });
    assertConversation(second, { name: 'Closed', kind: 'private', last_message: inClosed, unread_count: 1 });
    assertConversation(third, { name: 'ALICE', kind: 'direct', unread_count: 1 });
    await isPast(inOpen);
    await alice.say(closed, [], 'once more');
    assert.equal((await bob.ok('get_user_conversations', {})).conversations[0].room_id, closed);
  },

  'a room without messages is a conversation without a last message': async (w) => {
    const alice = await w.user('alice');
    const { room_id } = await alice.ok('create_room', { name: 'Quiet' });
    const quiet = await conversation(alice, room_id);
    assertConversation(quiet, { name: 'Quiet', unread_count: 0 });
    assert.equal(quiet.last_message, null);
  },

  'unread_count counts what others said since one was last in the room': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    const { room_id } = await alice.ok('create_room', { name: 'Team', private: true, participants: ['bob'] });
    const unread = async (user, unread_count) => assertFields(await conversation(user, room_id), { unread_count });
    for (let i = 0; i < 3; i += 1) await alice.say(room_id);
    await unread(bob, 3);
    await unread(alice, 0);
    await bob.ok('join_room', { room_id });
    await unread(bob, 0);
    await bob.ok('leave_room', { room_id });
    await alice.say(room_id);
    await unread(bob, 1);
    await bob.say(room_id);
    await unread(bob, 0);
    await unread(alice, 1);
  },

  'what is said while one is in the room is read when the connection is lost': async (w) => {
    const alice = await w.user('alice');
    const phone = await w.user('bob');
    const laptop = await w.user('bob');
    const { room_id } = await alice.ok('create_room', { name: 'Team', private: true, participants: ['bob'] });
    await alice.ok('join_room', { room_id });
    await phone.ok('join_room', { room_id });
    await alice.say(room_id, [phone]);
    await phone.ok('typing', { room_id, is_typing: true });
    phone.drop();
    // The list is cleared by the lost connection: from here on the server knows of it.
    await alice.waitFor('typing_update', { is_typing: false });
    await eventually(async () => assertFields(await conversation(laptop, room_id), { unread_count: 0 }));
    await alice.say(room_id);
    assertFields(await conversation(laptop, room_id), { unread_count: 1 });
  },
};
