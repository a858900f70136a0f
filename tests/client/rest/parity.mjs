// What is asked by HTTP is the same as what is asked by a socket: heard at once, in order, under the same limits.
import assert from 'node:assert/strict';
import { Caller, rest, written } from '../support/rest.mjs';
import { assertConversation, assertFields, assertKeys, assertMessage, assertParticipant, assertRoom } from '../support/shapes.mjs';

export const parity = {
  'what is posted is answered with 201 and heard in the room at once, as the same message': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const answer = await rest(w, 'carol').made(`/rooms/${room_id}/messages`, { message: ' hello ' });
    assertKeys(answer, ['success', 'message']);
    assertMessage(answer.message, { room_id, user_id: 'carol', username: 'CAROL', message: 'hello', seq: 1 });
    for (const hearer of [alice, bob]) assert.deepEqual(await hearer.waitFor('new_message'), answer.message);
  },

  'messages of sockets and of requests count on in one order': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const carol = rest(w, 'carol');
    for (let i = 1; i <= 10; i += 1) {
      const text = `m${i}`;
      const { message } = i % 2
        ? await carol.made(`/rooms/${room_id}/messages`, { message: text })
        : await alice.ok('chat_message', { room_id, message: text });
      assertMessage(message, { seq: i, message: text });
    }
    await bob.waitFor('new_message', { seq: 10 });
    const heard = bob.all('new_message');
    assert.deepEqual(heard.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.deepEqual((await carol.ok('GET', `/rooms/${room_id}/messages`)).messages, heard);
  },

  'a room that is made by a request is entered by a socket, and looked at either way': async (w) => {
    const alice = rest(w, 'alice');
    const bob = await w.user('bob');
    const made = await alice.made('/rooms', { name: 'Plans', private: true, participants: ['bob'] });
    assertRoom(made.room, { id: made.room_id, name: 'Plans', kind: 'private', private: true, created_by: 'alice' });
    await bob.ok('join_room', { room_id: made.room_id });
    assert.deepEqual((await alice.ok('GET', `/rooms/${made.room_id}`)).room, made.room);
    assert.deepEqual((await bob.ok('get_room', { room_id: made.room_id })).room, made.room);
    assert.deepEqual((await alice.ok('GET', '/rooms')).rooms, [made.room]);
    assert.deepEqual((await bob.ok('get_user_rooms', {})).rooms, [made.room]);
    const { participants } = await alice.ok('GET', `/rooms/${made.room_id}/participants`);
    for (const participant of participants) assertParticipant(participant);
    assert.deepEqual(participants.map(({ id, role }) => [id, role]), [['alice', 'owner'], ['bob', 'member']]);
  },

  'a room says its newest revision, however long it has been open': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    for (let i = 0; i < 3; i += 1) await alice.say(room_id);
    assertRoom((await rest(w, 'alice').ok('GET', `/rooms/${room_id}`)).room, { rev: 3 });
  },

  'a history is paged by the query': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    for (let i = 0; i < 5; i += 1) await alice.say(room_id);
    const caller = rest(w, 'alice');
    const page = async (query, seqs, has_more) => {
      const answer = await caller.ok('GET', `/rooms/${room_id}/messages${query}`);
      assertKeys(answer, ['success', 'messages', 'has_more', 'rev']);
      assert.deepEqual(answer.messages.map(({ seq }) => seq), seqs, query);
      assert.deepEqual([answer.has_more, answer.rev], [has_more, 5], query);
    };
    await page('', [1, 2, 3, 4, 5], false);
    await page('?limit=2', [4, 5], true);
    await page('?limit=2&before=4', [2, 3], true);
    await page('?after=3', [4, 5], false);
    await page('?limit=2&limit=4&unknown=1', [4, 5], true);
    for (const query of ['?limit=two', '?limit=0', '?limit=', '?before=-1', '?before=1&after=1', '?after=1.5']) {
      await caller.refused('invalid_payload', 'GET', `/rooms/${room_id}/messages${query}`);
    }
  },

  'ids keep their type in paths, queries and bodies': async (w) => {
    const ids = [7, '7', '#7', '##7', '7/8?#%', 'größe', -3];
    const alice = await w.user('alice');
    const caller = rest(w, 'alice');
    for (const room_id of ids) {
      await alice.ok('join_room', { room_id });
      const { message } = await caller.made(`/rooms/${written(room_id)}/messages`, { message: String(room_id) });
      assert.strictEqual(message.room_id, room_id);
      assert.strictEqual((await alice.waitFor('new_message', { id: message.id })).room_id, room_id);
    }
    for (const user_id of ids) {
      await caller.ok('POST', '/blocks', { user_id });
      assert.deepEqual((await caller.ok('GET', '/blocks')).users.map(({ id }) => id), [user_id]);
      await caller.ok('DELETE', `/blocks/${written(user_id)}`);
    }
    await caller.refused('invalid_payload', 'GET', '/rooms/%23seven');
    await caller.refused('invalid_payload', 'GET', `/rooms/${'x'.repeat(129)}`);
    await caller.refused('invalid_payload', 'GET', '/rooms/%ff');
  },

  'the path goes before a body that names another room': async (w) => {
    const [here, there] = [w.id('here'), w.id('there')];
    const [alice] = await w.members(here, 'alice');
    await alice.ok('join_room', { room_id: there });
    const { message } = await rest(w, 'alice').made(`/rooms/${here}/messages`, { room_id: there, message: 'where?' });
    assert.equal(message.room_id, here);
  },

  'whoever asks by HTTP is neither online nor in a room': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const alice = rest(w, 'alice');
    const { message } = await alice.made(`/rooms/${room_id}/messages`, { message: 'here?' });
    await alice.ok('GET', `/rooms/${room_id}/messages`);
    await alice.ok('GET', `/rooms/${room_id}/changes?since=0&wait=1`);
    await bob.waitFor('new_message', { id: message.id });
    for (const event of ['user_online', 'user_offline', 'user_joined', 'user_left']) await bob.none(event, { user_id: 'alice' }, { room: room_id });
    const { participants } = await bob.ok('get_room_participants', { room_id });
    assert.deepEqual(participants.map(({ id, online }) => [id, online]), [['bob', true]]);
  },

  'a private message finds or makes the room of two, and both hear it': async (w) => {
    const bob = await w.user('bob');
    const alice = rest(w, 'alice');
    const first = await alice.made('/private-messages', { recipient_id: 'bob', message: 'psst' });
    assertKeys(first, ['success', 'message', 'room_id']);
    assert.deepEqual(await bob.waitFor('new_message'), first.message);
    const second = await alice.made('/private-messages', { recipient_id: 'bob', message: 'again' });
    assert.equal(second.room_id, first.room_id);
    assert.deepEqual(await bob.waitFor('new_message', { id: second.message.id }), second.message);
    const [conversation] = (await alice.ok('GET', '/conversations')).conversations;
    assertConversation(conversation, { room_id: first.room_id, name: 'BOB', kind: 'direct' });
    assert.equal((await alice.ok('GET', '/rooms')).rooms[0].name, 'BOB');
  },

  'people and rooms are found': async (w) => {
    const room_id = w.id();
    await w.members(room_id, 'alice', 'bob');
    const caller = rest(w, 'alice');
    const { users } = await caller.ok('GET', '/search?users=BO');
    assert.deepEqual(users.map(({ id }) => id), ['bob']);
    const { rooms } = await caller.ok('GET', `/search?rooms=${room_id}&limit=1`);
    assert.deepEqual(rooms.map(({ room }) => room.id), [room_id]);
    for (const query of ['', '?users=a&rooms=b', '?users=a&limit=0', '?users=a&limit=x']) {
      await caller.refused('invalid_payload', 'GET', `/search${query}`);
    }
  },

  'a room is renamed, its participants come and go, and it is archived': async (w) => {
    const alice = rest(w, 'alice');
    const bob = await w.user('bob');
    const { room_id } = await alice.made('/rooms', { name: 'Before', private: true });
    await alice.ok('POST', `/rooms/${room_id}/participants`, { user_id: 'bob' });
    await bob.waitFor('participant_added', { room_id, user_id: 'bob' });
    await bob.ok('join_room', { room_id });
    assertFields((await alice.ok('PATCH', `/rooms/${room_id}`, { name: 'After' })).room, { name: 'After' });
    assertFields((await bob.waitFor('room_updated')).room, { name: 'After' });
    await alice.refused('last_owner', 'DELETE', `/rooms/${room_id}/participants?user_id=alice`);
    await alice.refused('invalid_payload', 'DELETE', `/rooms/${room_id}/participants`);
    await alice.ok('DELETE', `/rooms/${room_id}/participants?user_id=bob`);
    await bob.waitFor('participant_removed', { room_id, user_id: 'bob' });
    await rest(w, 'bob').refused('access_denied', 'GET', `/rooms/${room_id}`);
    await alice.ok('DELETE', `/rooms/${room_id}`);
    await alice.refused('room_archived', 'POST', `/rooms/${room_id}/messages`, { message: 'too late' });
    assertFields((await alice.ok('GET', `/rooms/${room_id}`)).room, { archived: true });
  },

  'how far one has read is said and told': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    for (let i = 0; i < 3; i += 1) await alice.say(room_id, [bob]);
    await rest(w, 'carol').made(`/rooms/${room_id}/messages`, { message: 'me too' });
    const read = await rest(w, 'bob').ok('POST', `/rooms/${room_id}/read`, { seq: 2 });
    assertKeys(read, ['success', 'seq', 'unread_count']);
    assert.deepEqual([read.seq, read.unread_count], [2, 2]);
    await alice.waitFor('read_receipt', { room_id, user_id: 'bob', seq: 2 });
  },
};

export const keys = {
  'a retry with the same Idempotency-Key stores one message and gets the original back': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const alice = rest(w, 'alice');
    const key = { 'Idempotency-Key': w.id('key') };
    const first = await alice.made(`/rooms/${room_id}/messages`, { message: 'once' }, key);
    assertMessage(first.message, { client_id: key['Idempotency-Key'] });
    const attempts = await Promise.all(Array.from({ length: 5 }, () => alice.made(`/rooms/${room_id}/messages`, { message: 'once' }, key)));
    for (const again of attempts) assert.deepEqual(again, first);
    assert.equal((await bob.ok('get_messages', { room_id })).messages.length, 1);
  },

  'the key is the client_id of all doors': async (w) => {
    const room_id = w.id();
    const [socket] = await w.members(room_id, 'alice');
    const client_id = w.id('key');
    const { message } = await socket.ok('chat_message', { room_id, message: 'once', client_id });
    const caller = rest(w, 'alice');
    assert.deepEqual((await caller.made(`/rooms/${room_id}/messages`, { message: 'once' }, { 'Idempotency-Key': client_id })).message, message);
    assert.deepEqual((await caller.made(`/rooms/${room_id}/messages`, { message: 'once', client_id })).message, message);
  },

  'a key and a client_id that differ are refused': async (w) => {
    const room_id = w.id();
    await w.members(room_id, 'alice');
    const alice = rest(w, 'alice');
    const key = { 'Idempotency-Key': '7' };
    for (const client_id of ['8', 7]) {
      await alice.refused('invalid_payload', 'POST', `/rooms/${room_id}/messages`, { message: 'which?', client_id }, key);
    }
    await alice.made(`/rooms/${room_id}/messages`, { message: 'this', client_id: '7' }, key);
    await alice.refused('invalid_payload', 'POST', `/rooms/${room_id}/messages`, { message: 'x' }, { 'Idempotency-Key': 'k'.repeat(129) });
  },
};

export const limits = {
  'sockets and requests share the 20 messages of a user': async (w) => {
    const room_id = w.id();
    const [socket] = await w.members(room_id, 'alice');
    const caller = rest(w, 'alice');
    for (let i = 0; i < 10; i += 1) {
      await socket.ok('chat_message', { room_id, message: `s${i}` });
      await caller.made(`/rooms/${room_id}/messages`, { message: `r${i}` });
    }
    await socket.refused('rate_limited', 'chat_message', { room_id, message: 'no' });
    const { headers, json } = await caller.refused('rate_limited', 'POST', `/rooms/${room_id}/messages`, { message: 'no' });
    assert.ok(json.retry_after_ms > 0 && json.retry_after_ms <= 60_000, String(json.retry_after_ms));
    assert.equal(headers['retry-after'], String(Math.ceil(json.retry_after_ms / 1000)));
    await caller.refused('rate_limited', 'POST', '/private-messages', { recipient_id: 'bob', message: 'no' });
    assert.equal((await caller.ok('GET', `/rooms/${room_id}/messages`)).rev, 20);
  },

  'a caller who asks for more than is served is told when to come back, and others are not': async (w) => {
    const alice = rest(w, 'alice');
    const answers = [];
    do answers.push(...await Promise.all(Array.from({ length: 50 }, () => alice.ask('GET', '/me'))));
    while (answers.length < 3000 && !answers.some(({ status }) => status === 429));
    const refused = answers.find(({ status }) => status === 429);
    assert.ok(refused, `${answers.length} requests were served`);
    assert.ok(answers.filter(({ status }) => status === 200).length >= 1024);
    assert.equal(refused.json.code, 'rate_limited');
    assert.equal(refused.headers['retry-after'], '1');
    await rest(w, 'bob').ok('GET', '/me');
    await new Caller(w.server).ok('GET', '/auth');
  },
};
