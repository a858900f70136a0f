// A customer's own conversation.
import assert from 'node:assert/strict';
import { assertSupportMessage, customer, customerBarrier, deskBarrier, guest, staff, texts } from './support.mjs';

export default {
  'a guest opens a room, and opening it again finds it': async (w) => {
    const visitor = await guest(w);
    const first = await visitor.ok('open_room', {});
    assert.equal(first.created, true);
    assert.equal(first.room.id, first.room_id);
    assert.equal(first.room.status, 'waiting');
    assert.equal(first.room.customer_name, visitor.username);
    const again = await visitor.ok('open_room', {});
    assert.equal(again.created, false);
    assert.equal(again.room_id, first.room_id);
  },

  'a customer is called by name, else by the local part of the e-mail address, else Guest and four digits': async (w) => {
    const [named, mailed, nobody, user] = [await guest(w), await guest(w), await guest(w), await customer(w)];
    const name = async (client, payload) => (await client.ok('open_room', payload)).room.customer_name;
    assert.equal(await name(named, { name: ' Ada ', email: 'a@b.example' }), 'Ada');
    assert.equal(await name(mailed, { email: 'grace@navy.example' }), 'grace');
    assert.match(await name(nobody, {}), /^Guest [0-9a-f]{4}$/);
    assert.equal(await name(user, { name: 'Somebody Else' }), user.username, 'a user has a name');
    assert.equal(await name(mailed, { name: 'Grace' }), 'Grace', 'who says it later is called so');
  },

  'the first message opens the room, and every message says whose it is': async (w) => {
    const [visitor, agent] = [await guest(w), await staff(w)];
    const { message } = await visitor.ok('chat_message', { content: ' help ' });
    assertSupportMessage(message, { content: 'help', sender_type: 'customer', sender_name: visitor.username, is_read: false, seq: 1 });
    const heard = await agent.waitFor('new_customer_message', { room_id: message.room_id });
    assert.deepEqual(heard.message, message);
    assert.equal(heard.unread_count, 1);
    const { message: answer } = await agent.ok('admin_message', { room_id: message.room_id, content: 'yes?' });
    assertSupportMessage(answer, { content: 'yes?', sender_type: 'staff', sender_name: agent.username, seq: 2 });
    assert.deepEqual(await visitor.waitFor('new_message', { id: answer.id }), answer);
    const { messages, has_more, rev } = await visitor.ok('get_messages', {});
    assert.deepEqual(texts(messages), ['help', 'yes?']);
    assert.equal(has_more, false);
    assert.equal(rev, 2);
  },

  'there is nothing to read before the first message': async (w) => {
    const visitor = await guest(w);
    const page = await visitor.ok('get_messages', {});
    assert.deepEqual([page.messages, page.has_more, page.rev], [[], false, 0]);
    assert.equal((await visitor.ok('get_room', {})).room, null);
    await visitor.refused('not_found', 'mark_read', { seq: 1 });
    await visitor.refused('not_found', 'close_room', {});
  },

  'all tabs of a customer hear the conversation, and nobody else does': async (w) => {
    const first = await guest(w);
    await first.ok('open_room', {});
    const second = await guest(w, { auth: { guest_session: first.session.guest_session } });
    const [stranger, user] = [await guest(w), await customer(w)];
    const { message } = await first.ok('chat_message', { content: 'only for me' });
    await second.waitFor('new_message', { id: message.id });
    await stranger.ok('chat_message', { content: 'mine' });
    await user.ok('chat_message', { content: 'mine too' });
    for (const other of [stranger, user]) {
      await customerBarrier(other);
      assert.deepEqual(texts(other.all('new_message')).filter((text) => text === 'only for me'), []);
      await other.refused('access_denied', 'get_messages', { room_id: message.room_id });
      await other.refused('access_denied', 'chat_message', { room_id: message.room_id, content: 'let me in' });
      await other.refused('access_denied', 'typing', { room_id: message.room_id, is_typing: true });
      await other.refused('access_denied', 'mark_read', { room_id: message.room_id, seq: 1 });
      await other.refused('access_denied', 'close_room', { room_id: message.room_id });
    }
  },

  'a missing room answers as another customer\'s does': async (w) => {
    const [visitor, other] = [await guest(w), await guest(w)];
    const { room_id } = await other.ok('open_room', {});
    const [missing, denied] = [
      await visitor.refused('access_denied', 'get_messages', { room_id: w.id() }),
      await visitor.refused('access_denied', 'get_messages', { room_id }),
    ];
    assert.deepEqual(missing, denied);
  },

  'a hundred simultaneous calls of open_room end in one room and a hundred equal answers': async (w) => {
    const user = w.id('customer');
    const tabs = await Promise.all(Array.from({ length: 5 }, () => customer(w, user)));
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => tabs[i % 5].ok('open_room', {})));
    const [one] = answers;
    for (const { room_id, room } of answers) assert.deepEqual([room_id, room], [one.room_id, one.room]);
    assert.equal(answers.filter(({ created }) => created).length, 1);
    const agent = await staff(w);
    assert.equal(agent.status.rooms.filter(({ customer_id }) => customer_id === user).length, 1);
  },

  'a room closed is kept, and the next message opens another': async (w) => {
    const [visitor, agent] = [await guest(w), await staff(w)];
    const { message } = await visitor.ok('chat_message', { content: 'first' });
    const { room } = await agent.ok('close_room', { room_id: message.room_id });
    assert.equal(room.status, 'closed');
    assert.equal((await visitor.waitFor('room_status_update', { status: 'closed' })).room_id, message.room_id);
    const word = await visitor.waitFor('new_message', { sender_type: 'system' });
    assert.equal(word.content, `${agent.username} closed the conversation`);
    await agent.refused('room_closed', 'admin_message', { room_id: message.room_id, content: 'too late' });
    await visitor.refused('room_closed', 'chat_message', { room_id: message.room_id, content: 'too late' });
    assert.deepEqual(texts((await visitor.ok('get_messages', {})).messages), ['first', word.content]);
    const { message: next } = await visitor.ok('chat_message', { content: 'again' });
    assert.notEqual(next.room_id, message.room_id);
    assert.equal(next.seq, 1);
    assert.deepEqual(texts((await visitor.ok('get_messages', {})).messages), ['again']);
    const before = await visitor.ok('get_messages', { room_id: message.room_id });
    assert.deepEqual(texts(before.messages), ['first', word.content]);
  },

  'a customer closes the conversation; closing it twice says so once': async (w) => {
    const [visitor, agent] = [await guest(w), await staff(w)];
    const { room_id } = await visitor.ok('open_room', { name: 'Ada' });
    assert.equal((await visitor.ok('close_room', {})).room.status, 'closed');
    assert.equal((await visitor.ok('close_room', { room_id })).room.status, 'closed');
    await agent.waitFor('room_status_update', { room_id, status: 'closed' });
    const { messages } = await agent.ok('get_messages', { room_id });
    assert.deepEqual(texts(messages), ['Ada closed the conversation']);
  },

  'a message is read when the other side says so, and both are told': async (w) => {
    const [visitor, agent] = [await guest(w), await staff(w)];
    const { message } = await visitor.ok('chat_message', { content: 'one' });
    const room_id = message.room_id;
    await visitor.ok('chat_message', { content: 'two' });
    await agent.waitFor('new_customer_message', ({ unread_count }) => unread_count === 2);
    assert.deepEqual(
      await agent.ok('mark_read', { room_id, seq: 1 }), { success: true, seq: 1, unread_count: 1 },
    );
    const receipt = await visitor.waitFor('read_receipt', { room_id, seq: 1 });
    assert.equal(receipt.user_id, agent.id);
    const page = await visitor.ok('get_messages', {});
    assert.deepEqual(page.messages.map(({ is_read }) => is_read), [true, false]);
    assert.deepEqual(await agent.ok('mark_read', { room_id, seq: 99 }), { success: true, seq: 2, unread_count: 0 });
    assert.equal((await agent.ok('mark_read', { room_id, seq: 1 })).seq, 2, 'it never moves back');
    const { message: answer } = await agent.ok('admin_message', { room_id, content: 'three' });
    await visitor.waitFor('new_message', { id: answer.id });
    assert.equal((await visitor.ok('get_room', {})).room.unread_count, 1);
    assert.deepEqual(await visitor.ok('mark_read', { seq: answer.seq }), { success: true, seq: 3, unread_count: 0 });
    await agent.waitFor('room_activity', { room_id, action: 'read', seq: 3 });
    assert.deepEqual((await agent.ok('get_messages', { room_id })).messages.map(({ is_read }) => is_read), [true, true, true]);
  },

  'a retry under the same client_id is the same message': async (w) => {
    const visitor = await guest(w);
    const send = () => visitor.ok('chat_message', { content: 'once', client_id: 'c1' });
    const [first, second] = [await send(), await send()];
    assert.deepEqual(first.message.id, second.message.id);
    assert.equal((await visitor.ok('get_messages', {})).messages.length, 1);
  },

  'typing is seen on the other side, and ends with the message': async (w) => {
    const [visitor, agent] = [await guest(w), await staff(w)];
    const { room_id } = await visitor.ok('open_room', {});
    await visitor.ok('typing', { is_typing: true });
    const seen = await agent.waitFor('room_activity', { room_id, action: 'typing', is_typing: true });
    assert.deepEqual([seen.user_id, seen.is_staff], [visitor.id, false]);
    await visitor.ok('chat_message', { content: 'done' });
    await agent.waitFor('room_activity', { room_id, action: 'typing', is_typing: false });
    await agent.ok('view_room', { room_id });
    await agent.ok('typing', { room_id, is_typing: true });
    await visitor.waitFor('typing_update', { room_id, is_typing: true, user_id: agent.id });
    await agent.ok('admin_message', { room_id, content: 'answer' });
    await visitor.waitFor('typing_update', { room_id, is_typing: false, user_id: agent.id });
  },

  'a customer hears nothing of the chat, and staff at the desk neither': async (w) => {
    const id = w.id('both');
    const [inWidget, inChat, agent] = [await customer(w, id), await w.user(id), await staff(w)];
    const other = await w.user(w.id('other'));
    const room = w.id();
    await inChat.ok('join_room', { room_id: room });
    await other.ok('join_room', { room_id: room });
    await other.ok('private_message', { recipient_id: id, message: 'private' });
    await other.ok('private_message', { recipient_id: agent.id, message: 'private' });
    await inChat.waitFor('new_message', { message: 'private' });
    await customerBarrier(inWidget);
    await deskBarrier(agent);
    assert.deepEqual(inWidget.events, []);
    assert.deepEqual(agent.events.map(({ event }) => event), ['room_status']);
  },

  'commands of one namespace are unknown in another': async (w) => {
    const [visitor, agent, user] = [await guest(w), await staff(w), await w.user(w.id('user'))];
    await visitor.refused('unknown_event', 'join_room', { room_id: w.id() });
    await visitor.refused('unknown_event', 'admin_message', { room_id: w.id(), content: 'x' });
    await agent.refused('unknown_event', 'join_room', { room_id: w.id() });
    await agent.refused('unknown_event', 'chat_message', { content: 'x' });
    await user.refused('unknown_event', 'admin_message', { room_id: w.id(), content: 'x' });
    await user.refused('unknown_event', 'open_room', {});
  },
};
