// block_user, unblock_user, get_blocked_users: two users who want nothing to do with each other.
import assert from 'node:assert/strict';
import { assertKeys, TIME } from '../support/shapes.mjs';

/** Alice and Bob with a private conversation, in which Alice has blocked Bob. */
async function blocked(w) {
  const [alice, bob] = [await w.user('alice'), await w.user('bob')];
  const { room_id } = await alice.ok('private_message', { recipient_id: 'bob', message: 'hello' });
  await bob.waitFor('notification', { room_id });
  await alice.ok('block_user', { user_id: 'bob' });
  for (const user of [alice, bob]) user.mark();
  return { alice, bob, room_id };
}

const other = { alice: 'bob', bob: 'alice' };

export default {
  'neither sends the other a private message, and neither is told who blocked whom': async (w) => {
    const { alice, bob, room_id } = await blocked(w);
    const refusals = [];
    for (const user of [alice, bob]) {
      refusals.push(await user.refused('blocked', 'private_message', { recipient_id: other[user.id], message: 'psst' }));
      refusals.push(await user.refused('blocked', 'chat_message', { room_id, message: 'psst' }));
    }
    for (const refusal of refusals) assert.deepEqual(refusal, refusals[0]);
    for (const user of [alice, bob]) {
      await user.none('new_message');
      await user.none('notification');
      const { messages, rev } = await user.ok('get_messages', { room_id });
      assert.deepEqual([rev, messages.map(({ message }) => message)], [1, ['hello']]);
    }
  },

  'the conversation stays readable for both': async (w) => {
    const { alice, bob, room_id } = await blocked(w);
    for (const user of [alice, bob]) {
      await user.ok('join_room', { room_id, since: 0 });
      const { conversations } = await user.ok('get_user_conversations', {});
      assert.deepEqual(conversations.map((known) => known.room_id), [room_id]);
      await user.ok('get_room_participants', { room_id });
    }
    await bob.ok('mark_read', { room_id, seq: 1 });
  },

  'typing is not told between them': async (w) => {
    const { alice, bob, room_id } = await blocked(w);
    for (const user of [alice, bob]) await user.ok('join_room', { room_id });
    await bob.ok('typing', { room_id, is_typing: true });
    await alice.ok('typing', { room_id, is_typing: true });
    for (const user of [alice, bob]) await user.none('typing_update');
  },

  'a first message that is refused leaves no conversation behind': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    await alice.ok('block_user', { user_id: 'bob' });
    for (const user of [alice, bob]) await user.refused('blocked', 'private_message', { recipient_id: other[user.id], message: 'psst' });
    for (const user of [alice, bob]) assert.deepEqual((await user.ok('get_user_conversations', {})).conversations, []);
  },

  'neither adds the other to a room': async (w) => {
    const { alice, bob, room_id: direct } = await blocked(w);
    for (const user of [alice, bob]) {
      const participants = ['carol', other[user.id]];
      await user.refused('blocked', 'create_room', { name: 'Team', private: true, participants });
      const { room_id } = await user.ok('create_room', { name: 'Team', private: true });
      await user.refused('blocked', 'add_participant', { room_id, user_id: other[user.id] });
      const { conversations } = await user.ok('get_user_conversations', {});
      assert.deepEqual(conversations.map((known) => known.room_id).sort(), [direct, room_id].sort());
    }
    for (const user of [alice, bob]) await user.none('participant_added');
  },

  'in rooms of others they meet as before': async (w) => {
    const { alice, bob } = await blocked(w);
    const carol = await w.user('carol');
    const { room_id } = await carol.ok('create_room', { name: 'Team', private: true, participants: ['alice', 'bob'] });
    for (const user of [alice, bob]) await user.ok('join_room', { room_id });
    await alice.say(room_id, [bob]);
    await bob.say(room_id, [alice]);
  },

  'the one who is blocked is told nothing': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    await alice.ok('private_message', { recipient_id: 'bob', message: 'hello' });
    await bob.waitFor('notification');
    await bob.barrier();
    const before = bob.events.length;
    assert.deepEqual(await alice.ok('block_user', { user_id: 'bob' }), { success: true });
    await bob.barrier();
    assert.deepEqual(await bob.ok('get_blocked_users', {}), { success: true, users: [] });
    assert.deepEqual(await alice.ok('unblock_user', { user_id: 'bob' }), { success: true });
    await bob.barrier();
    assert.deepEqual(bob.events.slice(before), []);
  },

  'get_blocked_users lists whom the caller has blocked, each once, the first one first': async (w) => {
    const [alice] = [await w.user('alice'), await w.user('bob')];
    for (const user_id of ['bob', 12, 'bob']) await alice.ok('block_user', { user_id });
    const { users } = await alice.ok('get_blocked_users', {});
    assert.deepEqual(users.map(({ id, username }) => [id, username]), [['bob', 'BOB'], [12, '12']]);
    for (const user of users) {
      assertKeys(user, ['id', 'username', 'blocked_at']);
      assert.match(user.blocked_at, TIME);
    }
    await alice.ok('unblock_user', { user_id: 'bob' });
    assert.deepEqual((await alice.ok('get_blocked_users', {})).users.map(({ id }) => id), [12]);
  },

  'what is unblocked works again, unless the other has blocked as well': async (w) => {
    const { alice, bob, room_id } = await blocked(w);
    await bob.ok('block_user', { user_id: 'alice' });
    await alice.ok('unblock_user', { user_id: 'bob' });
    await alice.refused('blocked', 'chat_message', { room_id, message: 'psst' });
    await bob.ok('unblock_user', { user_id: 'alice' });
    await alice.ok('private_message', { recipient_id: 'bob', message: 'again' });
    await bob.waitFor('new_message', { message: 'again' });
    await bob.say(room_id, [alice]);
    for (const user of [alice, bob]) await user.ok('join_room', { room_id });
    await bob.ok('typing', { room_id, is_typing: true });
    await alice.waitFor('typing_update', { user_id: 'bob', is_typing: true });
  },

  'unblocking one who is not blocked is no error': async (w) => {
    const alice = await w.user('alice');
    assert.deepEqual(await alice.ok('unblock_user', { user_id: 'bob' }), { success: true });
  },

  'a block is of one tenant': async (w) => {
    const [alice] = [await w.user('alice')];
    await alice.ok('block_user', { user_id: 'bob' });
    const tenant = w.id('tenant');
    const elsewhere = await w.connect({ token: w.token('alice', { tenant }) });
    assert.deepEqual((await elsewhere.ok('get_blocked_users', {})).users, []);
    await elsewhere.ok('private_message', { recipient_id: 'bob', message: 'psst' });
  },

  'after a block is acknowledged nothing that was sent before it comes through': async (w) => {
    const { alice, bob, room_id } = await blocked(w);
    for (let i = 0; i < 20; i += 1) {
      await alice.ok('unblock_user', { user_id: 'bob' });
      const sent = Array.from({ length: 20 }, () => bob.request('chat_message', { room_id, message: 'spam' }));
      await alice.ok('block_user', { user_id: 'bob' });
      const { rev } = await alice.ok('get_messages', { room_id, limit: 1 });
      const acks = await Promise.all(sent);
      for (const ack of acks) assert.ok(ack.success ? ack.message.seq <= rev : ack.code === 'blocked', JSON.stringify({ rev, ack }));
    }
  },
};
