// Tenants share a server and nothing else.
import assert from 'node:assert/strict';
import { token } from '../support/clients.mjs';

async function two(w, id = 'alice') {
  const other = { token: token({ user_id: id, username: 'ELSEWHERE', tenant: w.id('tenant') }), label: 'of the other tenant' };
  return [await w.user(id), await w.connect(other)];
}

export default {
  'one room id in two tenants is two rooms': async (w) => {
    const room_id = w.id();
    const [here, there] = await two(w);
    await here.ok('join_room', { room_id });
    await there.ok('join_room', { room_id });
    const message = await here.say(room_id, [here], 'ours');
    const other = await there.say(room_id, [there], 'theirs');
    assert.deepEqual([message.seq, other.seq], [1, 1]);
    assert.deepEqual((await here.ok('get_messages', { room_id })).messages, [message]);
    assert.deepEqual((await there.ok('get_messages', { room_id })).messages, [other]);
    await here.none('new_message', { message: 'theirs' });
    await there.none('new_message', { message: 'ours' });
  },

  'one user id in two tenants is two users': async (w) => {
    const room_id = w.id();
    const [here, there] = await two(w);
    for (const user of [here, there]) await user.ok('join_room', { room_id });
    assert.equal((await here.say(room_id)).username, 'ALICE');
    assert.equal((await there.say(room_id)).username, 'ELSEWHERE');
    const { participants } = await here.ok('get_room_participants', { room_id });
    assert.deepEqual(participants.map(({ username }) => username), ['ALICE']);
  },

  'one client_id in two tenants is two messages': async (w) => {
    const room_id = w.id();
    const users = await two(w);
    const texts = [];
    for (const [i, user] of users.entries()) {
      await user.ok('join_room', { room_id });
      texts.push((await user.ok('chat_message', { room_id, message: `text ${i}`, client_id: 'same' })).message.message);
    }
    assert.deepEqual(texts, ['text 0', 'text 1']);
  },

  'a room of another tenant is missing': async (w) => {
    const [here, there] = await two(w);
    const { room_id } = await here.ok('create_room', { name: 'Ours' });
    await there.refused('not_found', 'get_messages', { room_id });
    await there.refused('not_found', 'chat_message', { room_id, message: 'hi' });
    await there.refused('not_found', 'get_room_participants', { room_id });
    const { room } = await there.ok('join_room', { room_id });
    assert.equal(room.name, room_id, 'joining it makes a room of that id, of their own');
  },

  'presence and typing are not heard in another tenant': async (w) => {
    const room_id = w.id();
    const [here, there] = await two(w);
    for (const user of [here, there]) await user.ok('join_room', { room_id });
    const bob = await w.user('bob');
    await bob.ok('join_room', { room_id });
    await bob.ok('typing', { room_id, is_typing: true });
    await here.waitFor('typing_update');
    await bob.ok('leave_room', { room_id });
    await here.waitFor('user_left');
    for (const event of ['user_online', 'user_joined', 'typing_update', 'user_left']) {
      await there.none(event, ({ user_id }) => user_id === 'bob');
    }
  },

  'a private message stays in its tenant': async (w) => {
    const [here, there] = await two(w, 'bob');
    const alice = await w.user('alice');
    const { message } = await alice.ok('private_message', { recipient_id: 'bob', message: 'psst' });
    await here.waitFor('new_message', { id: message.id });
    await there.none('new_message');
    await there.none('notification');
    assert.deepEqual((await there.ok('get_user_conversations', {})).conversations, []);
  },

  'tenant_id names the tenant as tenant does': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const bob = await w.connect({ token: token({ user_id: 'bob', username: 'BOB', tenant_id: w.tenant }) });
    await bob.ok('join_room', { room_id });
    await alice.waitFor('user_joined', { user_id: 'bob' });
  },

  'a token without a tenant is of the tenant default': async (w) => {
    const room_id = w.id();
    const [one, other] = [w.id('user'), w.id('user')];
    const named = await w.connect({ token: token({ user_id: one, username: 'One', tenant: 'default' }) });
    const unnamed = await w.connect({ token: token({ user_id: other, username: 'Other' }) });
    for (const user of [named, unnamed]) await user.ok('join_room', { room_id });
    await named.waitFor('user_joined', { room_id, user_id: other });
  },
};
