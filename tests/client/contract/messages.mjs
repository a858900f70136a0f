// chat_message, new_message and get_messages.
import assert from 'node:assert/strict';
import { assertKeys, assertMessage } from '../support/shapes.mjs';

const HISTORY = 205;

export default {
  'chat_message is acknowledged with the message that everybody in the room hears, the sender included': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const ack = await alice.ok('chat_message', { room_id, message: 'hello' });
    assertKeys(ack, ['success', 'message']);
    assertMessage(ack.message, { room_id, user_id: 'alice', username: 'ALICE', message: 'hello', seq: 1, rev: 1 });
    assert.deepEqual(await bob.waitFor('new_message'), ack.message);
    assert.deepEqual(await alice.waitFor('new_message'), ack.message);
  },

  'every socket in the room hears a message once': async (w) => {
    const room_id = w.id();
    const [alice, phone, laptop] = await w.members(room_id, 'alice', 'bob', 'bob');
    const { id } = await alice.say(room_id, [alice, phone, laptop]);
    for (const socket of [alice, phone, laptop]) {
      await socket.barrier();
      assert.equal(socket.all('new_message', { id }).length, 1);
    }
  },

  'a message is heard in its room only': async (w) => {
    const [here, there] = [w.id('here'), w.id('there')];
    const [alice] = await w.members(here, 'alice');
    const [bob] = await w.members(there, 'bob');
    await alice.say(here, [alice]);
    await bob.none('new_message', { room_id: here }, { room: there });
  },

  'the time of a message is the time, in UTC': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const before = Date.now();
    const { timestamp } = await alice.say(room_id);
    const at = Date.parse(timestamp);
    assert.ok(at >= before - 1000 && at <= Date.now() + 1000, timestamp);
  },

  'seq and rev count 1, 2, 3 without holes over several senders': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const acks = await Promise.all(Array.from({ length: 20 }, (_, i) => (
      (i % 2 ? alice : bob).ok('chat_message', { room_id, message: `m${i}` })
    )));
    await bob.waitFor('new_message', { rev: 20 });
    const heard = bob.all('new_message');
    const counted = Array.from({ length: 20 }, (_, i) => i + 1);
    assert.deepEqual(heard.map(({ rev }) => rev), counted);
    assert.deepEqual(heard.map(({ seq }) => seq), counted);
    assert.deepEqual(acks.map(({ message }) => message.seq).sort((a, b) => a - b), counted);
    assert.equal(new Set(heard.map(({ id }) => id)).size, 20);
  },

  'a refused message takes no number': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    await alice.say(room_id);
    await alice.refused('invalid_payload', 'chat_message', { room_id, message: '' });
    assertMessage(await alice.say(room_id), { seq: 2, rev: 2 });
  },

  'the text is trimmed and otherwise kept to the letter': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const texts = ['a "quoted" \\ line\n\tand another', '<b>not markup</b> & co', 'שלום, 你好, Ünïcödé', '👩‍👩‍👧‍👦\u2028🇩🇪', '0', 'null'];
    for (const text of texts) {
      const message = await alice.say(room_id, [], ` \n${text}\t `);
      assert.equal(message.message, text.trim());
      assert.equal((await bob.waitFor('new_message', { id: message.id })).message, text.trim());
    }
    const { messages } = await bob.ok('get_messages', { room_id });
    assert.deepEqual(messages.map(({ message }) => message), texts.map((text) => text.trim()));
  },

  'unknown fields and arguments are ignored': async (w) => {
    const room_id = w.id();
    const alice = await w.user('alice');
    const ack = await alice.request('join_room', { room_id, colour: 'red' }, undefined);
    assert.equal(ack.success, true);
    await alice.waitFor('user_joined', { room_id });
    const said = await alice.request('chat_message', { room_id, message: 'hi', id: 'mine', user_id: 'eve', seq: 99 }, null, 'more', { x: 1 });
    assertMessage(said.message, { user_id: 'alice', message: 'hi', seq: 1 });
    assert.notEqual(said.message.id, 'mine');
  },

  'emit(event, data, undefined) without an ack works': async (w) => {
    const room_id = w.id();
    const alice = await w.user('alice');
    alice.emit('join_room', { room_id }, undefined);
    await alice.waitFor('user_joined', { room_id, user_id: 'alice' });
    alice.emit('chat_message', { room_id, message: 'the old way' }, undefined);
    assertMessage(await alice.waitFor('new_message'), { room_id, message: 'the old way' });
    await alice.none('error');
  },

  'a retry with the same client_id stores one message and gets the original back': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const client_id = w.id('attempt');
    const first = await alice.ok('chat_message', { room_id, message: 'once', client_id });
    assertMessage(first.message, { client_id, message: 'once' });
    const again = await alice.ok('chat_message', { room_id, message: 'once', client_id });
    assert.deepEqual(again, first);
    await bob.none('new_message', ({ id, client_id: known }) => known === client_id && id !== first.message.id, { room: room_id });
    assert.equal(bob.all('new_message', { client_id }).length, 1);
    assertMessage(bob.all('new_message').at(-1), { seq: 2 });
  },

  'two attempts in flight with one client_id store one message': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const laptop = await w.user('alice');
    const attempt = { room_id, message: 'once', client_id: w.id('attempt') };
    const acks = await Promise.all([alice, laptop, alice, laptop].map((socket) => socket.ok('chat_message', attempt)));
    for (const ack of acks) assert.deepEqual(ack, acks[0]);
    await alice.say(room_id, [bob]);
    assert.equal(bob.all('new_message', { client_id: attempt.client_id }).length, 1);
    assert.equal((await bob.ok('get_messages', { room_id })).messages.length, 2);
  },

  'the same client_id of two users makes two messages': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const one = await alice.ok('chat_message', { room_id, message: 'mine', client_id: '1' });
    const two = await bob.ok('chat_message', { room_id, message: 'mine too', client_id: '1' });
    assert.notEqual(one.message.id, two.message.id);
    assertMessage(two.message, { user_id: 'bob', message: 'mine too', seq: 2 });
  },

  'a client_id may be a number': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const first = await alice.ok('chat_message', { room_id, message: 'x', client_id: 1732147200123 });
    assert.deepEqual(await alice.ok('chat_message', { room_id, message: 'x', client_id: 1732147200123 }), first);
  },

  'reply_to names a message of the room and comes back': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const root = await alice.say(room_id, [bob], 'a question');
    const { message } = await bob.ok('chat_message', { room_id, message: 'an answer', reply_to: root.id });
    assertMessage(message, { reply_to: root.id });
    assertMessage(await alice.waitFor('new_message', { id: message.id }), { reply_to: root.id });
  },

  'reply_to of a message elsewhere is not found': async (w) => {
    const [here, there] = [w.id('here'), w.id('there')];
    const [alice] = await w.members(here, 'alice');
    await alice.ok('join_room', { room_id: there });
    const root = await alice.say(there);
    await alice.refused('not_found', 'chat_message', { room_id: here, message: 'an answer', reply_to: root.id });
    assert.equal((await alice.ok('get_messages', { room_id: here })).rev, 0);
  },

  'no attachments are fine and unknown ones are not found': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    await alice.ok('chat_message', { room_id, message: 'none', attachments: [] });
    await alice.refused('not_found', 'chat_message', { room_id, message: 'one', attachments: ['019aa0c4-0000-7000-8000-000000000000'] });
    assert.equal((await alice.ok('get_messages', { room_id })).rev, 1);
  },

  'a participant may write without having joined': async (w) => {
    const alice = await w.user('alice');
    const { room_id } = await alice.ok('create_room', { name: 'Notes' });
    assertMessage(await alice.say(room_id), { room_id, seq: 1 });
    await alice.none('new_message', { room_id });
  },

  'a room that does not exist is not found': async (w) => {
    const alice = await w.user('alice');
    const room_id = w.id('missing');
    await alice.refused('not_found', 'chat_message', { room_id, message: 'hello?' });
    await alice.refused('not_found', 'get_messages', { room_id });
    await alice.refused('not_found', 'get_room_participants', { room_id });
  },

  'get_messages of an empty room is an empty list': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    assert.deepEqual(await alice.ok('get_messages', { room_id }), { success: true, messages: [], has_more: false, rev: 0 });
  },

  'get_messages pages through the history in both directions': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const acks = await Promise.all(Array.from({ length: HISTORY }, (_, i) => (
      alice.ok('chat_message', { room_id, message: `m${i + 1}` })
    )));
    const page = async (from, to, has_more, query) => {
      const ack = await alice.ok('get_messages', { room_id, ...query });
      const wanted = { success: true, messages: acks.slice(from - 1, to).map(({ message }) => message), has_more, rev: HISTORY };
      assert.deepEqual(ack.messages.map(({ seq }) => seq), wanted.messages.map(({ seq }) => seq), JSON.stringify(query));
      assert.deepEqual(ack, wanted, JSON.stringify(query));
    };
    await page(156, 205, true, {});
    await page(203, 205, true, { limit: 3 });
    await page(6, 205, true, { limit: 200 });
    await page(6, 205, true, { limit: 1000 });
    await page(201, 202, true, { limit: 2, before: 203 });
    await page(106, 155, true, { before: 156 });
    await page(1, 2, false, { before: 3 });
    await page(1, 3, false, { before: 4, limit: 3 });
    await page(1, 0, false, { before: 1 });
    await page(201, 205, false, { after: 200 });
    await page(1, 10, true, { after: 0, limit: 10 });
    await page(11, 20, true, { after: 10, limit: 10 });
    await page(196, 205, false, { after: 195, limit: 10 });
    await page(206, 205, false, { after: 205 });
  },

  'what get_messages lists is what was heard': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    for (const text of ['one', 'two', 'three']) await alice.say(room_id, [bob], text);
    assert.deepEqual((await bob.ok('get_messages', { room_id })).messages, bob.all('new_message'));
  },

  'get_messages and the live stream meet without a seam': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const acks = Array.from({ length: 100 }, (_, i) => alice.ok('chat_message', { room_id, message: `m${i}` }));
    const lists = [];
    do lists.push(await bob.ok('get_messages', { room_id, limit: 200 }));
    while (bob.all('new_message').length < 50);
    await Promise.all(acks);
    await bob.waitFor('new_message', { rev: 100 });
    for (const list of lists) {
      const live = bob.after(list).filter(({ event }) => event === 'new_message').map(({ data }) => data);
      const revs = [...list.messages, ...live].map(({ rev }) => rev);
      assert.deepEqual(revs, Array.from({ length: 100 }, (_, i) => i + 1));
    }
  },
};
