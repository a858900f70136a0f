// search_users and search_rooms: people to write to and rooms to enter, by a part of their name.
import assert from 'node:assert/strict';
import { token } from '../support/clients.mjs';
import { assertKeys, assertRoomFound, assertUserFound } from '../support/shapes.mjs';

/** A user called `username`, connected. */
const named = (w, username, id = w.id('user')) => (
  w.connect({ token: w.token(id, { username }), label: username }).then((client) => Object.assign(client, { id, username }))
);

/** Users called so, whom the server knows by their visit. */
async function visited(w, ...usernames) {
  for (const username of usernames) (await named(w, username)).close();
}

async function users(client, query, rest = {}) {
  const ack = await client.ok('search_users', { query, ...rest });
  assertKeys(ack, ['success', 'users']);
  for (const user of ack.users) assertUserFound(user);
  return ack.users;
}

async function rooms(client, query, rest = {}) {
  const ack = await client.ok('search_rooms', { query, ...rest });
  assertKeys(ack, ['success', 'rooms']);
  for (const found of ack.rooms) assertRoomFound(found);
  return ack.rooms;
}

const userNames = async (...search) => (await users(...search)).map(({ username }) => username);
const roomNames = async (...search) => (await rooms(...search)).map(({ room }) => room.name);

const publicRoom = async (client, name) => (await client.ok('create_room', { name })).room_id;

/** Says something that is newer, by the clock that orders, than what was said or made at `time`. */
async function sayLater(client, room_id, time) {
  for (;;) {
    const { timestamp } = await client.say(room_id);
    if (timestamp > time) return timestamp;
  }
}

const UNUSUAL = ['100% sure', '1000 sure', 'a_b', 'axb', 'back\\slash', 'backslash', '[abc]*?', 'it\'s "quoted"'];

/** What is to be found, and by what: names of users and of rooms alike. */
const MATCHES = [
  ['Zoë Ångström', ['zoë', 'ZOË', 'Zoe\u0308', 'ｚｏë', 'ÅNG', 'a\u030angstr', ' ström ', 'oë å']],
  ['Ольга Иванова', ['ольга', 'ОЛЬГА', 'иван', 'га и']],
  ['Ελένη Παπαδοπούλου', ['ελένη', 'ΕΛΈΝΗ', 'παπα']],
  ['田中 太郎', ['田中', '太郎', '中 太']],
  ['Ｆｕｌｌ ﬁsh №1', ['full', 'FISH', 'no1', '№1']],
  ['🦀 crab', ['🦀', 'CRAB']],
];

const MISSES = ['zoe', 'angstrom', 'ольгa', '太中', 'crab🦀', 'x'.repeat(100)];

export default {
  'users are found by any part of their name, whatever its case, width and normal form': async (w) => {
    const alice = await w.user('alice');
    await visited(w, ...MATCHES.map(([name]) => name));
    for (const [name, queries] of MATCHES) {
      for (const query of queries) assert.deepEqual(await userNames(alice, query), [name], query);
    }
    for (const query of MISSES) assert.deepEqual(await users(alice, query), [], query);
  },

  'rooms are found by any part of their name, whatever its case, width and normal form': async (w) => {
    const alice = await w.user('alice');
    for (const [name] of MATCHES) await publicRoom(alice, name);
    for (const [name, queries] of MATCHES) {
      for (const query of queries) assert.deepEqual(await roomNames(alice, query), [name], query);
    }
    for (const query of MISSES) assert.deepEqual(await rooms(alice, query), [], query);
  },

  'the beginning of a word in capitals finds it, also where it ends in a sigma': async (w) => {
    const alice = await w.user('alice');
    await visited(w, 'Νικόλαος Σοφός', 'Ιωσήφ');
    await publicRoom(alice, 'Οδοσήμανση');
    for (const query of ['ΝΙΚΌΛΑΟΣ', 'νικόλαος', 'ΣΟΦΌΣ']) assert.deepEqual(await userNames(alice, query), ['Νικόλαος Σοφός'], query);
    for (const query of ['ΙΩΣ', 'ιωσ']) assert.deepEqual(await userNames(alice, query), ['Ιωσήφ'], query);
    for (const query of ['ΟΔΟΣ', 'οδοσ']) assert.deepEqual(await roomNames(alice, query), ['Οδοσήμανση'], query);
  },

  'what means something in a pattern means itself': async (w) => {
    const alice = await w.user('alice');
    await visited(w, ...UNUSUAL);
    for (const name of UNUSUAL) await publicRoom(alice, name);
    const expected = {
      '%': ['100% sure'], '_': ['a_b'], '\\': ['back\\slash'], '0% s': ['100% sure'], 'a_': ['a_b'], 'k\\s': ['back\\slash'],
      '%%': [], '__': [], '\\\\': [], '%_': [], '\\%': [], '\\_': [], '*': ['[abc]*?'], '?': ['[abc]*?'], '[abc]': ['[abc]*?'], "'": ['it\'s "quoted"'],
    };
    for (const [query, found] of Object.entries(expected)) {
      assert.deepEqual(await userNames(alice, query), found, query);
      assert.deepEqual(await roomNames(alice, query), found, query);
    }
  },

  'names that begin with the text come first, each part in alphabetical order': async (w) => {
    const alice = await w.user('alice');
    await visited(w, 'Joanna', 'Hannah', 'anna b', 'Zanna', 'ANNA A', 'Anna');
    assert.deepEqual(await userNames(alice, 'ANNA'), ['Anna', 'ANNA A', 'anna b', 'Hannah', 'Joanna', 'Zanna']);
    assert.deepEqual(await userNames(alice, 'anna', { limit: 4 }), ['Anna', 'ANNA A', 'anna b', 'Hannah']);
  },

  'the searcher is not found, and the others of that name are': async (w) => {
    const [one, other] = [await named(w, 'Namesake'), await named(w, 'Namesake')];
    assert.deepEqual((await users(one, 'namesake')).map(({ id }) => id), [other.id]);
    assert.deepEqual((await users(other, '')).map(({ id }) => id), [one.id]);
  },

  'users keep the type of their ids': async (w) => {
    const alice = await w.user('alice');
    await named(w, 'Seven', 7);
    await named(w, 'Seven', '7');
    assert.deepEqual(new Set((await users(alice, 'seven')).map(({ id }) => id)), new Set([7, '7']));
    const seven = await w.user(7);
    assert.deepEqual((await users(seven, 'seven')).map(({ id }) => id), ['7']);
  },

  'a user is found under the name of their latest token': async (w) => {
    const alice = await w.user('alice');
    const id = w.id('user');
    (await named(w, 'Maiden Name', id)).close();
    (await named(w, 'Married', id)).close();
    assert.deepEqual((await users(alice, 'married')).map((user) => user.id), [id]);
    assert.deepEqual(await users(alice, 'maiden'), []);
  },

  'who is online is said to be, and of who has left when they were last seen': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    const online = { id: 'bob', username: 'BOB', online: true, last_seen: null };
    await alice.waitFor('user_online', { user_id: 'bob' });
    alice.mark();
    assert.deepEqual(await users(alice, 'bob'), [online]);
    bob.close();
    const { last_seen } = await alice.waitFor('user_offline', { user_id: 'bob' });
    assert.deepEqual(await users(alice, 'bob'), [{ ...online, online: false, last_seen }]);
    alice.mark();
    await w.user('bob');
    await alice.waitFor('user_online', { user_id: 'bob' });
    assert.deepEqual(await users(alice, 'bob'), [online]);
  },

  'who has never connected is found without a time': async (w) => {
    const alice = await w.user('alice');
    await alice.ok('create_room', { name: 'Team', private: true, participants: ['newcomer'] });
    assert.deepEqual(await users(alice, 'newcomer'), [{ id: 'newcomer', username: 'newcomer', online: false, last_seen: null }]);
  },

  'guests are not found, and guests find nothing': async (w) => {
    const guest = await w.guest();
    await publicRoom(guest, w.id('of a guest'));
    const searcher = await w.connect({ token: token({ user_id: w.id('user'), username: 'Searcher' }) });
    assert.deepEqual((await users(searcher, guest.username)).filter(({ id }) => id === guest.id), []);
    for (const event of ['search_users', 'search_rooms']) {
      for (const query of ['', 'Searcher']) await guest.refused('access_denied', event, { query });
    }
  },

  'users and rooms of another tenant are not found': async (w) => {
    const alice = await w.user('alice');
    const elsewhere = { tenant: w.id('tenant') };
    const there = await w.connect({ token: w.token('there', elsewhere) });
    await w.connect({ token: w.token('bob', elsewhere) });
    await publicRoom(there, 'Theirs');
    await publicRoom(alice, 'Ours');
    assert.deepEqual([await userNames(alice, ''), await roomNames(alice, '')], [[], ['Ours']]);
    assert.deepEqual([await userNames(there, ''), await roomNames(there, '')], [['BOB'], ['Theirs']]);
    assert.deepEqual([await users(alice, 'bob'), await rooms(alice, 'theirs')], [[], []]);
  },

  'private and direct rooms are not found, by nobody': async (w) => {
    const [alice, bob, carol] = [await w.user('alice'), await w.user('bob'), await w.user('carol')];
    await alice.ok('create_room', { name: 'Secret plans', private: true, participants: ['bob'] });
    await alice.ok('private_message', { recipient_id: 'bob', message: 'psst' });
    const open = await publicRoom(alice, 'No secret');
    for (const user of [alice, bob, carol]) {
      for (const query of ['', 'secret']) assert.deepEqual((await rooms(user, query)).map(({ room }) => room.id), [open]);
      for (const query of ['plans', 'alice', 'bob']) assert.deepEqual(await rooms(user, query), [], query);
    }
  },

  'a room is found whole, with who is in it and whether the searcher is': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    const { room_id, room } = await alice.ok('create_room', { name: 'General', participants: ['carol', 'dave'] });
    assert.deepEqual(await rooms(alice, 'general'), [{ room, participant_count: 3, is_participant: true }]);
    assert.deepEqual(await rooms(bob, 'general'), [{ room, participant_count: 3, is_participant: false }]);
    await bob.ok('join_room', { room_id });
    await alice.ok('join_room', { room_id });
    await bob.say(room_id, [alice]);
    for (const user of [alice, bob]) assertRoomFound((await rooms(user, 'gen'))[0], { participant_count: 4, is_participant: true }, { rev: 1 });
    await bob.ok('leave_room', { room_id });
    assertRoomFound((await rooms(bob, 'gen'))[0], { participant_count: 4, is_participant: true });
  },

  'a room that was made by joining it is found by its id, which keeps its type': async (w) => {
    const alice = await w.user('alice');
    for (const room_id of [4711, 'x4711']) await alice.ok('join_room', { room_id });
    const found = await rooms(alice, '4711');
    assert.deepEqual(new Set(found.map(({ room }) => room.id)), new Set([4711, 'x4711']));
    for (const { participant_count } of found) assert.equal(participant_count, 1);
  },

  'rooms with the newest activity come first': async (w) => {
    const alice = await w.user('alice');
    const ids = [];
    for (const name of ['Room one', 'Room two', 'Room three']) ids.push(await publicRoom(alice, name));
    for (const room_id of ids) await alice.ok('join_room', { room_id });
    let last = (await rooms(alice, 'room three'))[0].room.created_at;
    for (const i of [1, 0, 2, 0]) last = await sayLater(alice, ids[i], last);
    assert.deepEqual(await roomNames(alice, 'room'), ['Room one', 'Room three', 'Room two']);
    assert.deepEqual(await roomNames(alice, 'room', { limit: 2 }), ['Room one', 'Room three']);
    // One that was made just now is as new as one in which somebody spoke just now.
    for (let made = ''; made <= last;) made = (await alice.ok('create_room', { name: 'Room four' })).room.created_at;
    assert.equal((await roomNames(alice, 'room'))[0], 'Room four');
  },

  'an empty text lists all, 20 unless told and 50 at the most': async (w) => {
    const alice = await w.user('alice');
    const participants = Array.from({ length: 60 }, (_, i) => `user ${String(i).padStart(2, '0')}`);
    await alice.ok('create_room', { name: 'All', private: true, participants });
    for (let i = 0; i < 21; i += 1) await publicRoom(alice, `Room ${i}`);
    for (const query of ['', '   ']) {
      assert.deepEqual(await userNames(alice, query), participants.slice(0, 20));
      assert.equal((await rooms(alice, query)).length, 20);
    }
    assert.deepEqual(await userNames(alice, '', { limit: null }), participants.slice(0, 20));
    assert.deepEqual(await userNames(alice, '', { limit: 1 }), participants.slice(0, 1));
    for (const limit of [50, 51, 1000, 2 ** 40]) assert.deepEqual(await userNames(alice, '', { limit }), participants.slice(0, 50));
    for (const limit of [21, 50, 1000]) assert.equal((await rooms(alice, '', { limit })).length, 21);
  },
};
