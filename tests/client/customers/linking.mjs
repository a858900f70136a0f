// Guests who turn out to be users.
import assert from 'node:assert/strict';
import { customer, customerBarrier, guest, staff, texts } from './support.mjs';

const refusal = async (client) => client.ready.then(() => assert.fail('was let in'), (error) => error.message);

export default {
  'a guest who signs in keeps the conversation, as the user': async (w) => {
    const [visitor, agent] = [await guest(w), await staff(w)];
    const { message } = await visitor.ok('chat_message', { content: 'as a guest' });
    const { guest_session } = visitor.session;
    const user = await customer(w, w.id('user'), { auth: { guest_session } });
    const { room } = await user.ok('get_room', {});
    assert.equal(room.id, message.room_id);
    assert.equal(room.customer_name, user.username);
    const { message: next } = await user.ok('chat_message', { content: 'as a user' });
    assert.equal(next.room_id, message.room_id);
    assert.deepEqual(texts((await user.ok('get_messages', {})).messages), ['as a guest', 'as a user']);
    const told = await agent.waitFor('room_activity', { action: 'linked' });
    assert.deepEqual([told.room.customer_id, told.room.is_guest, told.room.customer_name], [user.id, false, user.username]);
    assert.equal((await visitor.waitFor('error', { code: 'guest_linked' })).success, false);
    await visitor.disconnected();
  },

  'a session linked to one user is never linked to another': async (w) => {
    const visitor = await guest(w);
    const { message } = await visitor.ok('chat_message', { content: 'mine' });
    const { guest_session } = visitor.session;
    const id = w.id('user');
    await customer(w, id, { auth: { guest_session } });
    await customer(w, id, { auth: { guest_session } });
    const thief = w.open({ namespace: '/support', auth: { token: w.token(w.id('thief')), guest_session } });
    assert.match(await refusal(thief), /^guest_already_linked: /);
    const other = await customer(w, w.id('other'));
    await other.refused('access_denied', 'get_messages', { room_id: message.room_id });
  },

  'a session that was linked opens nothing by itself: its browser becomes another guest': async (w) => {
    const visitor = await guest(w);
    const { message } = await visitor.ok('chat_message', { content: 'mine' });
    const { guest_session } = visitor.session;
    const user = await customer(w, w.id('user'), { auth: { guest_session } });
    await user.ok('chat_message', { content: 'the user\'s' });
    const after = await w.connect({ namespace: '/support', auth: { guest_session, tenant: w.tenant } });
    const session = await after.waitFor('session');
    assert.notEqual(session.user_id, visitor.id);
    assert.notEqual(session.guest_session, guest_session);
    assert.equal((await after.ok('get_room', {})).room, null);
    await after.refused('access_denied', 'get_messages', { room_id: message.room_id });
    await user.ok('chat_message', { content: 'more of it' });
    await customerBarrier(after);
    assert.deepEqual(after.all('new_message'), []);
  },

  'signing in on the same connection goes on as the user, and loses nothing that is being sent': async (w) => {
    const [visitor, agent] = [await guest(w), await staff(w)];
    const id = w.id('user');
    const { room_id } = await visitor.ok('open_room', {});
    const sent = Array.from({ length: 5 }, (_, i) => visitor.ok('chat_message', { content: `before ${i}`, client_id: `b${i}` }));
    const signedIn = visitor.ok('authenticate', { token: w.token(id) });
    const later = Array.from({ length: 5 }, (_, i) => visitor.ok('chat_message', { content: `after ${i}`, client_id: `a${i}` }));
    await Promise.all([...sent, signedIn, ...later]);
    const { messages } = await visitor.ok('get_messages', {});
    assert.deepEqual(texts(messages), [0, 1, 2, 3, 4].map((i) => `before ${i}`).concat([0, 1, 2, 3, 4].map((i) => `after ${i}`)));
    assert.deepEqual(messages.map(({ user_id }) => user_id), [...Array(5).fill(visitor.id), ...Array(5).fill(id)]);
    await agent.ok('admin_message', { room_id, content: 'welcome' });
    await visitor.waitFor('new_message', { content: 'welcome' });
    assert.deepEqual(visitor.disconnects, []);
  },

  'what the guest sent is not stored again when the user retries it': async (w) => {
    const visitor = await guest(w);
    const { message } = await visitor.ok('chat_message', { content: 'once', client_id: 'c1' });
    const user = await customer(w, w.id('user'), { auth: { guest_session: visitor.session.guest_session } });
    const retry = await user.ok('chat_message', { content: 'once', client_id: 'c1' });
    assert.equal(retry.message.id, message.id);
    assert.equal((await user.ok('get_messages', {})).messages.length, 1);
  },

  'of two open rooms the one with the newest activity stays open': async (w) => {
    const agent = await staff(w);
    const id = w.id('user');
    const before = await customer(w, id);
    const old = (await before.ok('chat_message', { content: 'yesterday' })).message.room_id;
    const visitor = await guest(w);
    const { message } = await visitor.ok('chat_message', { content: 'today' });
    const user = await customer(w, id, { auth: { guest_session: visitor.session.guest_session } });
    assert.equal((await user.ok('get_room', {})).room.id, message.room_id);
    await agent.waitFor('room_status_update', { room_id: old, status: 'closed' });
    assert.deepEqual(texts((await user.ok('get_messages', { room_id: old })).messages), ['yesterday']);
    // The tab that was open before hears the conversation that goes on.
    await agent.ok('admin_message', { room_id: message.room_id, content: 'answer' });
    await before.waitFor('new_message', { content: 'answer' });
  },

  'the rooms of the chat go along, and their members see one person': async (w) => {
    const visitor = await w.connect({ auth: { tenant: w.tenant } });
    const session = await visitor.waitFor('session');
    const { room_id } = await visitor.ok('create_room', { name: 'ours', private: true });
    await visitor.ok('chat_message', { room_id, message: 'hello' });
    const id = w.id('user');
    const user = await w.connect({ auth: { token: w.token(id), guest_session: session.guest_session } });
    await user.ok('join_room', { room_id });
    const { participants } = await user.ok('get_room_participants', { room_id });
    assert.deepEqual(participants.map((each) => [each.id, each.role]), [[id, 'owner']]);
  },

  'a guest of one tenant is no guest of another': async (w) => {
    const visitor = await guest(w);
    const { message } = await visitor.ok('chat_message', { content: 'mine' });
    const elsewhere = await w.connect({
      namespace: '/support',
      auth: { token: w.token(w.id('user'), { tenant: w.id('tenant') }), guest_session: visitor.session.guest_session },
    });
    assert.equal((await elsewhere.ok('get_room', {})).room, null);
    await elsewhere.refused('access_denied', 'get_messages', { room_id: message.room_id });
    await visitor.ok('chat_message', { content: 'still a guest' });
  },
};
