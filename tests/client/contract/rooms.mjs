// create_room, join_room, leave_room and who hears of it.
import assert from 'node:assert/strict';
import { assertKeys, assertMessage, assertParticipant, assertRoom } from '../support/shapes.mjs';

export default {
  'create_room makes a public room and acknowledges it whole': async (w) => {
    const alice = await w.user('alice');
    const ack = await alice.ok('create_room', { name: 'General' });
    assertKeys(ack, ['success', 'room_id', 'room']);
    assert.equal(typeof ack.room_id, 'string');
    assertRoom(ack.room, {
      id: ack.room_id, name: 'General', kind: 'public', private: false, created_by: 'alice', rev: 0,
    });
  },

  'the creator of a room is its owner and participant': async (w) => {
    const alice = await w.user('alice');
    const { room_id } = await alice.ok('create_room', { name: 'General', private: false, participants: [] });
    const { participants } = await alice.ok('get_room_participants', { room_id });
    assert.equal(participants.length, 1);
    assertParticipant(participants[0], { id: 'alice', username: 'ALICE', online: true, role: 'owner' });
  },

  'two rooms of one name are two rooms': async (w) => {
    const alice = await w.user('alice');
    const first = await alice.ok('create_room', { name: 'General' });
    const second = await alice.ok('create_room', { name: 'General' });
    assert.notEqual(first.room_id, second.room_id);
  },

  'participants named at creation are members, those never seen before included': async (w) => {
    const [alice] = [await w.user('alice'), await w.user('bob')];
    const { room_id, room } = await alice.ok('create_room', { name: 'Team', private: true, participants: ['bob', 'newcomer', 12] });
    assertRoom(room, { kind: 'private', private: true });
    const { participants } = await alice.ok('get_room_participants', { room_id });
    assert.deepEqual(new Map(participants.map(({ id, role }) => [id, role])), new Map([
      ['alice', 'owner'], ['bob', 'member'], ['newcomer', 'member'], [12, 'member'],
    ]));
    assertParticipant(participants.find(({ id }) => id === 12), { username: '12', online: false });
  },

  'naming the creator among the participants leaves one owner': async (w) => {
    const alice = await w.user('alice');
    const { room_id } = await alice.ok('create_room', { name: 'Mine', participants: ['alice', 'alice'] });
    const { participants } = await alice.ok('get_room_participants', { room_id });
    assert.deepEqual(participants.map(({ id, role }) => [id, role]), [['alice', 'owner']]);
  },

  'join_room acknowledges the room and its revision': async (w) => {
    const alice = await w.user('alice');
    const { room_id } = await alice.ok('create_room', { name: 'General' });
    const bob = await w.user('bob');
    const ack = await bob.ok('join_room', { room_id });
    assertKeys(ack, ['success', 'room_id', 'room', 'rev']);
    assert.strictEqual(ack.room_id, room_id);
    assert.equal(ack.rev, 0);
    assertRoom(ack.room, { id: room_id, name: 'General', kind: 'public', private: false, created_by: 'alice' });
  },

  'joining the same room twice tells the room twice and delivers every message once': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await bob.ok('join_room', { room_id });
    await alice.waitFor('user_joined', { room_id, user_id: 'bob' });
    const { id } = await alice.say(room_id, [alice, bob]);
    await bob.barrier();
    assert.equal(bob.all('new_message', { id }).length, 1);
  },

  'user_joined tells the room and the one who joins': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const bob = await w.user('bob');
    await bob.ok('join_room', { room_id });
    const joined = { room_id, user_id: 'bob', username: 'BOB' };
    assert.deepEqual(await alice.waitFor('user_joined', { user_id: 'bob' }), joined);
    assert.deepEqual(await bob.waitFor('user_joined', { user_id: 'bob' }), joined);
  },

  'user_joined is not told outside of the room': async (w) => {
    const carol = await w.user('carol');
    await w.members(w.id(), 'alice', 'bob');
    await carol.none('user_joined');
  },

  'join_room of an id that does not exist makes a public room of that id': async (w) => {
    const alice = await w.user('alice');
    const room_id = w.id('lobby');
    const ack = await alice.ok('join_room', { room_id });
    assertRoom(ack.room, { id: room_id, name: room_id, kind: 'public', private: false });
    const bob = await w.user('bob');
    await bob.ok('join_room', { room_id });
    await bob.waitFor('user_joined', { room_id, user_id: 'bob' });
  },

  'an id of 128 characters and one of any script is an id': async (w) => {
    const alice = await w.user('alice');
    for (const room_id of ['x'.repeat(128), 'комната №7 / 房间 🦀', 'a:b*?[c]']) {
      assert.strictEqual((await alice.ok('join_room', { room_id })).room_id, room_id);
      await alice.say(room_id, [alice]);
    }
  },

  'the rooms 7 and "7" are two rooms and keep their types': async (w) => {
    const alice = await w.user('alice');
    const bob = await w.user('bob');
    const number = await alice.ok('join_room', { room_id: 7 });
    const text = await bob.ok('join_room', { room_id: '7' });
    assert.strictEqual(number.room_id, 7);
    assert.strictEqual(number.room.id, 7);
    assert.strictEqual(number.room.name, '7');
    assert.strictEqual(text.room_id, '7');
    assert.strictEqual(text.room.id, '7');
    const inNumber = await alice.say(7, [alice], 'to the number');
    const inText = await bob.say('7', [bob], 'to the text');
    assertMessage(inNumber, { room_id: 7, seq: 1 });
    assertMessage(inText, { room_id: '7', seq: 1 });
    await alice.none('new_message', ({ room_id }) => room_id !== 7);
    await bob.none('new_message', ({ room_id }) => room_id !== '7');
    assert.deepEqual((await alice.ok('get_messages', { room_id: 7 })).messages, [inNumber]);
    assert.deepEqual((await bob.ok('get_messages', { room_id: '7' })).messages, [inText]);
  },

  'the room 0 is a room like any other': async (w) => {
    const [alice, bob] = await w.members(0, 'alice', 'bob');
    const message = await alice.say(0, [alice, bob]);
    assertMessage(message, { room_id: 0 });
    assert.deepEqual((await bob.ok('leave_room', { room_id: 0 })), { success: true });
    await alice.waitFor('user_left', { room_id: 0, user_id: 'bob' });
  },

  'the users 7 and "7" are two users and keep their types': async (w) => {
    const room_id = w.id();
    const [number, text] = await w.members(room_id, 7, '7');
    assertMessage(await number.say(room_id, [text]), { user_id: 7 });
    assertMessage(await text.say(room_id, [number]), { user_id: '7' });
    const { participants } = await text.ok('get_room_participants', { room_id });
    assert.deepEqual(new Set(participants.map(({ id }) => id)), new Set([7, '7']));
    const heard = text.events.filter(({ event }) => event === 'user_joined' || event === 'user_online').map(({ data }) => data.user_id);
    assert.ok(heard.includes('7') && heard.every((id) => id === 7 || id === '7'), JSON.stringify(heard));
  },

  'join_room with since returns the changes after it, oldest first': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const said = [];
    for (const text of ['one', 'two', 'three']) said.push(await alice.say(room_id, [], text));
    const bob = await w.user('bob');
    const all = await bob.ok('join_room', { room_id, since: 0 });
    assertKeys(all, ['success', 'room_id', 'room', 'rev', 'changes']);
    assert.deepEqual(all.changes, said);
    assert.equal(all.rev, 3);
    assert.deepEqual((await bob.ok('join_room', { room_id, since: 2 })).changes, said.slice(2));
    assert.deepEqual((await bob.ok('join_room', { room_id, since: 3 })).changes, []);
  },

  'join_room of a new room with since has an empty list of changes': async (w) => {
    const alice = await w.user('alice');
    const ack = await alice.ok('join_room', { room_id: w.id(), since: 0 });
    assert.deepEqual(ack.changes, []);
    assert.equal(ack.rev, 0);
  },

  'the changes of join_room and the live stream meet without a seam': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const bob = await w.user('bob');
    const acks = Array.from({ length: 60 }, (_, i) => alice.ok('chat_message', { room_id, message: `m${i}` }));
    await alice.waitFor('new_message', { rev: 10 });
    const joined = await bob.ok('join_room', { room_id, since: 0 });
    await Promise.all(acks);
    if (joined.rev < 60) await bob.waitFor('new_message', { rev: 60 });
    const live = bob.after(joined).filter(({ event }) => event === 'new_message').map(({ data }) => data.rev);
    assert.deepEqual([...joined.changes.map(({ rev }) => rev), ...live], Array.from({ length: 60 }, (_, i) => i + 1));
  },

  'a private room is entered by its participants only': async (w) => {
    const [alice, bob, carol] = [await w.user('alice'), await w.user('bob'), await w.user('carol')];
    const { room_id } = await alice.ok('create_room', { name: 'Secret', private: true, participants: ['bob'] });
    await alice.ok('join_room', { room_id });
    await bob.ok('join_room', { room_id });
    const refusal = await carol.refused('access_denied', 'join_room', { room_id });
    assert.equal(refusal.message, 'Access denied to this room');
    await alice.say(room_id, [alice, bob], 'between us');
    await carol.none('new_message');
    await alice.none('user_joined', { user_id: 'carol' });
  },

  'a private room tells an outsider nothing and takes nothing': async (w) => {
    const [alice, carol] = [await w.user('alice'), await w.user('carol')];
    const { room_id } = await alice.ok('create_room', { name: 'Secret', private: true });
    await alice.ok('join_room', { room_id });
    await carol.refused('access_denied', 'get_messages', { room_id });
    await carol.refused('access_denied', 'get_room_participants', { room_id });
    await carol.refused('access_denied', 'chat_message', { room_id, message: 'let me in' });
    await carol.request('typing', { room_id, is_typing: true });
    await alice.none('new_message');
    await alice.none('typing_update');
    assert.equal((await alice.ok('get_messages', { room_id })).rev, 0);
    const { participants } = await alice.ok('get_room_participants', { room_id });
    assert.deepEqual(participants.map(({ id }) => id), ['alice']);
  },

  'joining a public room makes a participant that stays one after leaving': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await bob.ok('leave_room', { room_id });
    const { participants } = await alice.ok('get_room_participants', { room_id });
    assert.deepEqual(new Set(participants.map(({ id }) => id)), new Set(['alice', 'bob']));
  },

  'leave_room tells the room and ends the stream': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    assert.deepEqual(await bob.ok('leave_room', { room_id }), { success: true });
    assert.deepEqual(await alice.waitFor('user_left'), { room_id, user_id: 'bob', username: 'BOB' });
    await alice.say(room_id, [alice], 'bob is gone');
    await bob.none('new_message');
  },

  'leave_room without an ack leaves too': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    bob.emit('leave_room', { room_id });
    await alice.waitFor('user_left', { room_id, user_id: 'bob' });
  },

  'leaving a room that one is not in, or that is missing, is no error and is not told': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const bob = await w.user('bob');
    assert.deepEqual(await bob.ok('leave_room', { room_id }), { success: true });
    assert.deepEqual(await bob.ok('leave_room', { room_id: w.id('missing') }), { success: true });
    await alice.none('user_left', undefined, { room: room_id });
  },

  'user_left is told when the last socket of the user leaves, not before': async (w) => {
    const room_id = w.id();
    const [alice, phone] = await w.members(room_id, 'alice', 'bob');
    const laptop = await w.user('bob');
    await laptop.ok('join_room', { room_id });
    await phone.ok('leave_room', { room_id });
    await alice.none('user_left', undefined, { room: room_id });
    const { id } = await alice.say(room_id, [laptop]);
    await phone.none('new_message', { id });
    await laptop.ok('leave_room', { room_id });
    await alice.waitFor('user_left', { room_id, user_id: 'bob' });
  },

  'user_left of a user who is connected elsewhere is followed by user_online': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await w.user('bob');
    await bob.ok('leave_room', { room_id });
    const left = await alice.waitFor('user_left', { user_id: 'bob' });
    const online = await alice.waitFor('user_online', (user) => alice.after(left).some(({ data }) => data === user));
    assert.equal(online.user_id, 'bob');
  },

  'a client may be in many rooms, each with its own revisions': async (w) => {
    const rooms = Array.from({ length: 5 }, (_, i) => w.id(`room${i}`));
    const alice = await w.user('alice');
    for (const room_id of rooms) await alice.ok('join_room', { room_id });
    for (const [i, room_id] of rooms.entries()) {
      for (let n = 1; n <= i + 1; n += 1) assertMessage(await alice.say(room_id, [alice]), { room_id, seq: n, rev: n });
    }
  },
};
