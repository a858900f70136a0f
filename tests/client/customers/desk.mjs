// The staff's desk.
import assert from 'node:assert/strict';
import { token } from '../support/clients.mjs';
import { STAFF, customer, deskBarrier, guest, staff, texts } from './support.mjs';

const refusal = async (w, auth) => {
  const client = w.open({ namespace: '/admin', auth });
  return client.ready.then(() => assert.fail('was let in'), (error) => error.message);
};

export default {
  'only staff come to the desk, and the refusal begins with its code': async (w) => {
    assert.match(await refusal(w, {}), /^4401 unauthorized: /);
    assert.match(await refusal(w, { token: 'nonsense' }), /^4401 unauthorized: /);
    assert.match(await refusal(w, { token: w.token(w.id(), { exp: 1 }) }), /^4401 unauthorized: /);
    assert.match(await refusal(w, { token: w.token(w.id(), { ...STAFF, token_type: 'refresh' }) }), /^4401 unauthorized: /);
    assert.match(await refusal(w, { token: w.token(w.id()) }), /^4403 forbidden: /);
    assert.match(await refusal(w, { guest_session: 'x' }), /^4401 unauthorized: /);
    for (const claims of [{ is_staff: true }, { is_superuser: true }, { role: 'staff' }, { roles: ['x', 'admin'] }]) {
      await w.connect({ namespace: '/admin', token: w.token(w.id(), claims) });
    }
  },

  'who comes is told which rooms are open, newest activity first, then what happens': async (w) => {
    const [one, two, three] = [await guest(w), await guest(w), await customer(w)];
    const rooms = [];
    for (const visitor of [one, two, three]) {
      rooms.push((await visitor.ok('chat_message', { content: `I am ${visitor.id}` })).message.room_id);
    }
    await one.ok('chat_message', { content: 'again' });
    await two.ok('close_room', {});
    const agent = await staff(w);
    assert.deepEqual(agent.status.rooms.map(({ id }) => id), [rooms[0], rooms[2]]);
    assert.equal(agent.status.active_customers, 2);
    const [room] = agent.status.rooms;
    assert.deepEqual(
      [room.customer_id, room.customer_name, room.is_guest, room.status, room.unread_count, room.is_online, room.assigned_to, room.rev],
      [one.id, one.username, true, 'waiting', 2, true, null, 2],
    );
    assert.equal(room.last_message.content, 'again');
    const { message } = await three.ok('chat_message', { content: 'news' });
    assert.equal((await agent.waitFor('new_customer_message', { room_id: rooms[2] })).message.id, message.id);
  },

  'rooms are listed by status, page by page': async (w) => {
    const open = [];
    for (let i = 0; i < 5; i += 1) {
      const visitor = await guest(w);
      open.push((await visitor.ok('open_room', {})).room_id);
      if (i % 2) await visitor.ok('close_room', {});
    }
    const agent = await staff(w);
    const closed = await agent.ok('get_rooms', { status: 'closed' });
    assert.deepEqual(closed.rooms.map(({ id }) => id), [open[3], open[1]]);
    assert.equal(closed.next_cursor, null);
    const seen = [];
    for (let cursor; ;) {
      const page = await agent.ok('get_rooms', { limit: 1, ...(cursor ? { cursor } : {}) });
      seen.push(...page.rooms.map(({ id }) => id));
      cursor = page.next_cursor;
      if (!cursor) break;
    }
    assert.deepEqual(seen, [open[4], open[2], open[0]]);
    await agent.refused('invalid_payload', 'get_rooms', { cursor: 'nonsense' });
    await agent.refused('invalid_payload', 'get_rooms', { status: 'lost' });
  },

  'a reply makes the room active and its writer look after it; the customer makes it wait again': async (w) => {
    const [visitor, agent, colleague] = [await guest(w), await staff(w), await staff(w)];
    const { message } = await visitor.ok('chat_message', { content: 'hello?' });
    const room_id = message.room_id;
    const { message: answer } = await agent.ok('admin_message', { room_id, content: 'hello' });
    for (const client of [agent, colleague]) {
      assert.deepEqual((await client.waitFor('admin_message_sent', { room_id })).message, answer);
      const update = await client.waitFor('room_status_update', { room_id, status: 'active' });
      assert.deepEqual([update.assigned_to, update.assigned_name], [agent.id, agent.username]);
    }
    const update = await visitor.waitFor('room_status_update', { room_id, status: 'active' });
    assert.deepEqual(Object.keys(update).sort(), ['room_id', 'status'], 'who looks after it is the staff\'s business');
    await visitor.ok('chat_message', { content: 'thanks' });
    await colleague.waitFor('room_status_update', { room_id, status: 'waiting' });
  },

  'every console hears every message of a room once, in order, and get_messages fits what follows': async (w) => {
    const [visitor, agent, colleague] = [await guest(w), await staff(w), await staff(w)];
    const { message } = await visitor.ok('chat_message', { content: '0' });
    const room_id = message.room_id;
    await Promise.all(Array.from({ length: 15 }, async (_, i) => {
      await visitor.ok('chat_message', { content: `c${i}` });
      await agent.ok('admin_message', { room_id, content: `s${i}` });
    }));
    const { messages } = await colleague.ok('get_messages', { room_id });
    assert.equal(messages.length, 31);
    assert.deepEqual(messages.map(({ seq }) => seq), Array.from({ length: 31 }, (_, i) => i + 1));
    for (const client of [agent, colleague]) {
      await deskBarrier(client);
      const heard = client.events.filter(({ event }) => /new_customer_message|admin_message_sent/.test(event));
      assert.deepEqual(heard.map(({ data }) => data.message.seq), messages.map(({ seq }) => seq));
    }
  },

  'an answer to what is no longer the newest message is refused': async (w) => {
    const [visitor, agent, colleague] = [await guest(w), await staff(w), await staff(w)];
    const { message } = await visitor.ok('chat_message', { content: 'may I?' });
    const room_id = message.room_id;
    await agent.ok('admin_message', { room_id, content: 'yes', if_rev: message.rev });
    await colleague.refused('stale_reply', 'admin_message', { room_id, content: 'no', if_rev: message.rev });
    await colleague.ok('admin_message', { room_id, content: 'as she says', if_rev: 2 });
    assert.deepEqual(texts((await agent.ok('get_messages', { room_id })).messages), ['may I?', 'yes', 'as she says']);
  },

  'of a hundred answers to the same message one is sent': async (w) => {
    const visitor = await guest(w);
    const agents = await Promise.all(Array.from({ length: 10 }, () => staff(w)));
    const { message } = await visitor.ok('chat_message', { content: 'who is first?' });
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => agents[i % 10].request(
      'admin_message', { room_id: message.room_id, content: `I (${i})`, if_rev: message.rev },
    )));
    assert.equal(answers.filter(({ success }) => success).length, 1);
    assert.ok(answers.every(({ success, code }) => success || code === 'stale_reply'));
  },

  'a room is assigned to oneself, to a colleague, to nobody': async (w) => {
    const [visitor, agent, colleague] = [await guest(w), await staff(w), await staff(w)];
    const { room_id } = await visitor.ok('open_room', {});
    const assign = async (payload) => {
      const { room } = await agent.ok('assign_room', { room_id, ...payload });
      const told = await colleague.waitFor('room_status_update', { room_id, assigned_to: room.assigned_to });
      assert.equal(told.assigned_name, room.assigned_name);
      colleague.mark();
      return [room.assigned_to, room.assigned_name];
    };
    assert.deepEqual(await assign({}), [agent.id, agent.username]);
    assert.deepEqual(await assign({ user_id: colleague.id }), [colleague.id, colleague.username]);
    assert.deepEqual(await assign({ user_id: null }), [null, null]);
    await agent.refused('not_found', 'assign_room', { room_id, user_id: w.id('nobody') });
    await agent.refused('not_found', 'assign_room', { room_id, user_id: visitor.id });
    await agent.ok('close_room', { room_id });
    await agent.refused('room_closed', 'assign_room', { room_id });
  },

  'colleagues see who looks at which room, also those who come later': async (w) => {
    const [visitor, agent, colleague] = [await guest(w), await staff(w), await staff(w)];
    const { room_id } = await visitor.ok('open_room', {});
    const { viewers } = await agent.ok('view_room', { room_id });
    assert.deepEqual(viewers, [{ room_id, user_id: agent.id, username: agent.username }]);
    await colleague.waitFor('room_activity', { room_id, action: 'viewing', user_id: agent.id, is_staff: true });
    const third = await staff(w);
    assert.deepEqual(third.status.viewers, viewers);
    const elsewhere = await staff(w, agent.id);
    await elsewhere.ok('view_room', { room_id });
    await elsewhere.ok('view_room', {});
    await agent.ok('view_room', { room_id: null });
    await colleague.waitFor('room_activity', { room_id, action: 'left', user_id: agent.id });
    await deskBarrier(colleague);
    const told = colleague.all('room_activity', ({ action }) => ['viewing', 'left'].includes(action));
    assert.deepEqual(told.map(({ action }) => action), ['viewing', 'left'], 'two windows of one colleague are one');
    await agent.ok('view_room', { room_id });
    colleague.mark();
    agent.close();
    await colleague.waitFor('room_activity', { room_id, action: 'left', user_id: agent.id });
  },

  'staff see customers come and go': async (w) => {
    const [visitor, agent] = [await guest(w), await staff(w)];
    const { room_id } = await visitor.ok('open_room', {});
    visitor.close();
    await agent.waitFor('room_activity', { room_id, action: 'offline', user_id: visitor.id });
    await guest(w, { auth: { guest_session: visitor.session.guest_session } });
    await agent.waitFor('room_activity', { room_id, action: 'online', user_id: visitor.id });
  },

  'staff of another tenant see nothing of it, and its rooms are missing for them': async (w) => {
    const visitor = await guest(w);
    const { message } = await visitor.ok('chat_message', { content: 'secret' });
    const room_id = message.room_id;
    const other = await w.connect({
      namespace: '/admin', token: token({ user_id: 'spy', tenant: w.id('tenant'), ...STAFF }),
    });
    assert.deepEqual((await other.waitFor('room_status')).rooms, []);
    await other.refused('not_found', 'get_messages', { room_id });
    await other.refused('not_found', 'admin_message', { room_id, content: 'x' });
    await other.refused('not_found', 'mark_read', { room_id, seq: 1 });
    await other.refused('not_found', 'view_room', { room_id });
    await other.refused('not_found', 'typing', { room_id, is_typing: true });
    await other.refused('not_found', 'assign_room', { room_id });
    await other.refused('not_found', 'close_room', { room_id });
    assert.deepEqual((await other.ok('get_rooms', {})).rooms, []);
    await visitor.ok('chat_message', { content: 'more' });
    await deskBarrier(other);
    assert.deepEqual(other.events.map(({ event }) => event), ['room_status']);
  },

  'the desk has nothing to say about rooms of the chat': async (w) => {
    const [user, agent] = [await w.user(w.id('user')), await staff(w)];
    const { room_id } = await user.ok('create_room', { name: 'ours', private: true });
    await agent.refused('access_denied', 'get_messages', { room_id });
    await agent.refused('access_denied', 'admin_message', { room_id, content: 'x' });
    await agent.refused('access_denied', 'close_room', { room_id });
  },
};
