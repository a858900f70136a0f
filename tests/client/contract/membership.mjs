// add_participant, remove_participant, set_role, rename_room, archive_room: who may, who hears of it, what follows.
import assert from 'node:assert/strict';
import { assertKeys, assertRoom } from '../support/shapes.mjs';

const DENIED = 'Access denied to this room';

export async function conversation(user, room_id) {
  const { conversations } = await user.ok('get_user_conversations', {});
  return conversations.find((known) => known.room_id === room_id);
}

async function roles(user, room_id) {
  const { participants } = await user.ok('get_room_participants', { room_id });
  return Object.fromEntries(participants.map(({ id, role }) => [id, role]));
}

/** A private room of the first user; the others are connected, and its members. */
export async function privateRoom(w, ...ids) {
  const users = [];
  for (const id of ids) users.push(await w.user(id));
  const { room_id } = await users[0].ok('create_room', { name: 'Team', private: true, participants: ids });
  for (const user of users) await user.ok('join_room', { room_id });
  await Promise.all(users.map((user) => user.waitFor('user_joined', { room_id, user_id: ids.at(-1) })));
  for (const user of users) user.mark();
  return [room_id, ...users];
}

/** Everything that a room is asked by one who is not let in. */
async function isShutOut(user, room_id) {
  for (const event of ['join_room', 'get_messages', 'get_room_participants']) {
    assert.equal((await user.refused('access_denied', event, { room_id })).message, DENIED);
  }
  await user.refused('access_denied', 'chat_message', { room_id, message: 'let me in' });
  await user.refused('access_denied', 'mark_read', { room_id, seq: 1 });
  await user.ok('typing', { room_id, is_typing: true });
  assert.equal(await conversation(user, room_id), undefined);
}

const adding = {
  'add_participant adds a member, and tells the room and all connections of the one who is added': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    const carol = [await w.user('carol'), await w.user('carol')];
    assert.deepEqual(await alice.ok('add_participant', { room_id, user_id: 'carol' }), { success: true });
    const added = { room_id, user_id: 'carol', username: 'CAROL', by: 'alice' };
    for (const user of [alice, bob, ...carol]) {
      assert.deepEqual(await user.waitFor('participant_added'), added);
      await user.barrier();
      assert.equal(user.all('participant_added').length, 1, user.name);
    }
    assert.deepEqual(await roles(carol[0], room_id), { alice: 'owner', bob: 'member', carol: 'member' });
    assert.equal((await conversation(carol[0], room_id)).unread_count, 0);
    await carol[0].ok('join_room', { room_id });
    await alice.say(room_id, [alice, bob, carol[0]]);
  },

  'one who is added is notified of what is said from then on': async (w) => {
    const [room_id, alice] = await privateRoom(w, 'alice');
    const carol = await w.user('carol');
    await alice.say(room_id, [alice], 'before');
    await alice.ok('add_participant', { room_id, user_id: 'carol' });
    await alice.say(room_id, [alice], 'after');
    assert.equal((await carol.waitFor('notification')).body, 'after');
    assert.equal((await conversation(carol, room_id)).unread_count, 1);
    assert.deepEqual((await carol.ok('get_messages', { room_id })).messages.map(({ message }) => message), ['before', 'after']);
  },

  'adding one who is there already changes nothing and is not told': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    await alice.ok('set_role', { room_id, user_id: 'bob', role: 'admin' });
    await alice.ok('add_participant', { room_id, user_id: 'bob' });
    await bob.none('participant_added');
    assert.equal((await roles(alice, room_id)).bob, 'admin');
  },

  'one whom nobody has seen yet can be added': async (w) => {
    const [room_id, alice] = await privateRoom(w, 'alice');
    await alice.ok('add_participant', { room_id, user_id: 12 });
    assert.deepEqual(await alice.waitFor('participant_added'), { room_id, user_id: 12, username: '12', by: 'alice' });
  },

  'members, outsiders and guests add nobody': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    const carol = await w.user('carol');
    await bob.refused('access_denied', 'add_participant', { room_id, user_id: 'carol' });
    assert.equal((await carol.refused('access_denied', 'add_participant', { room_id, user_id: 'carol' })).message, DENIED);
    assert.deepEqual(await roles(alice, room_id), { alice: 'owner', bob: 'member' });
    const guest = await w.guest();
    const own = await guest.ok('create_room', { name: 'Mine', private: true });
    await guest.refused('access_denied', 'add_participant', { room_id: own.room_id, user_id: 'bob' });
    await carol.none('participant_added');
  },

  'in a public room, too, only owners and admins add': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await bob.refused('access_denied', 'add_participant', { room_id, user_id: 'carol' });
    await alice.ok('add_participant', { room_id, user_id: 'carol' });
    assert.equal((await roles(bob, room_id)).carol, 'member');
  },
};

const removing = {
  'remove_participant tells the room and all connections of the one who is removed': async (w) => {
    const [room_id, alice, bob, phone] = await privateRoom(w, 'alice', 'bob', 'carol');
    const laptop = await w.user('carol');
    assert.deepEqual(await alice.ok('remove_participant', { room_id, user_id: 'carol' }), { success: true });
    const removed = { room_id, user_id: 'carol', username: 'CAROL', by: 'alice' };
    for (const user of [alice, bob, phone, laptop]) {
      assert.deepEqual(await user.waitFor('participant_removed'), removed);
      await user.barrier();
      assert.equal(user.all('participant_removed').length, 1, user.name);
    }
    // What clients know that have not heard of removals.
    assert.deepEqual(await bob.waitFor('user_left'), { room_id, user_id: 'carol', username: 'CAROL' });
    assert.deepEqual(await roles(bob, room_id), { alice: 'owner', bob: 'member' });
  },

  'one who is removed hears, reads and writes nothing from then on': async (w) => {
    const [room_id, alice, bob, carol] = await privateRoom(w, 'alice', 'bob', 'carol');
    await alice.ok('remove_participant', { room_id, user_id: 'carol' });
    const removed = await carol.waitFor('participant_removed');
    await isShutOut(carol, room_id);
    await alice.ok('typing', { room_id, is_typing: true });
    const { seq } = await alice.say(room_id, [alice, bob], 'carol is gone');
    await bob.ok('mark_read', { room_id, seq });
    await alice.ok('rename_room', { room_id, name: 'Without Carol' });
    await w.user('bob').then((again) => again.ok('join_room', { room_id }));
    await carol.barrier();
    const heard = carol.after(removed).filter(({ data }) => data.room_id === room_id || data.room?.id === room_id);
    assert.deepEqual(heard, []);
    await alice.none('typing_update', { user_id: 'carol' });
  },

  'one who is removed while typing types no more': async (w) => {
    const [room_id, alice, , carol] = await privateRoom(w, 'alice', 'bob', 'carol');
    await carol.ok('typing', { room_id, is_typing: true });
    await alice.waitFor('typing_update', { user_id: 'carol', is_typing: true });
    await alice.ok('remove_participant', { room_id, user_id: 'carol' });
    const update = await alice.waitFor('typing_update', { user_id: 'carol', is_typing: false });
    assert.deepEqual(update.typing_users, []);
  },

  'what was kept for one who is offline is not delivered after a removal': async (w) => {
    const [alice, carol] = [await w.user('alice'), await w.user('carol')];
    const { room_id } = await alice.ok('create_room', { name: 'Team', private: true, participants: ['carol'] });
    carol.close();
    await alice.waitFor('user_offline', { user_id: 'carol' });
    await alice.say(room_id, [], 'while carol is away');
    await alice.ok('remove_participant', { room_id, user_id: 'carol' });
    const back = await w.user('carol');
    await back.none('notification');
    await alice.ok('add_participant', { room_id, user_id: 'carol' });
    back.close();
    const again = await w.user('carol');
    await again.none('notification');
  },

  'one who comes back reads all of it': async (w) => {
    const [room_id, alice, , carol] = await privateRoom(w, 'alice', 'bob', 'carol');
    await alice.ok('remove_participant', { room_id, user_id: 'carol' });
    await alice.say(room_id, [alice], 'meanwhile');
    await alice.ok('add_participant', { room_id, user_id: 'carol' });
    const { changes } = await carol.ok('join_room', { room_id, since: 0 });
    assert.deepEqual(changes.map(({ message }) => message), ['meanwhile']);
    await alice.say(room_id, [carol]);
  },

  'whoever is removed from a public room is out of it, and may enter it again': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await alice.ok('remove_participant', { room_id, user_id: 'bob' });
    await bob.waitFor('participant_removed');
    await alice.say(room_id, [alice], 'bob is gone');
    await bob.none('new_message');
    await bob.none('notification');
    assert.equal(await conversation(bob, room_id), undefined);
    assert.deepEqual(await roles(alice, room_id), { alice: 'owner' });
    await bob.ok('join_room', { room_id });
    await alice.say(room_id, [bob], 'bob is back');
    assert.deepEqual(await roles(alice, room_id), { alice: 'owner', bob: 'member' });
  },

  'a guest who is removed from a room is out of it for good': async (w) => {
    // Guests belong to the default tenant.
    const alice = await w.connect({ token: w.token(w.id('alice'), { tenant: undefined }) });
    const guest = await w.guest();
    const { room_id } = await alice.ok('create_room', { name: 'Open', participants: [guest.id] });
    await guest.ok('join_room', { room_id });
    await alice.refused('access_denied', 'set_role', { room_id, user_id: guest.id, role: 'admin' });
    await alice.ok('remove_participant', { room_id, user_id: guest.id });
    await guest.waitFor('participant_removed', { room_id });
    await guest.refused('access_denied', 'join_room', { room_id });
    await guest.refused('access_denied', 'chat_message', { room_id, message: 'let me in' });
  },

  'removing one who does not belong to the room finds nobody': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    await alice.refused('not_found', 'remove_participant', { room_id, user_id: 'nobody' });
    await alice.refused('not_found', 'set_role', { room_id, user_id: 'nobody', role: 'admin' });
    await bob.none('participant_removed');
  },
};

const leaving = {
  'whoever belongs to a room may leave it for good': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    await bob.ok('remove_participant', { room_id, user_id: 'bob' });
    const left = { room_id, user_id: 'bob', username: 'BOB', by: 'bob' };
    for (const user of [alice, bob]) assert.deepEqual(await user.waitFor('participant_removed'), left);
    await isShutOut(bob, room_id);
    const open = w.id();
    const [, carol] = await w.members(open, 'alice', 'carol');
    await carol.ok('remove_participant', { room_id: open, user_id: 'carol' });
    assert.equal(await conversation(carol, open), undefined);
  },

  'the last owner passes ownership on before leaving': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    await alice.refused('last_owner', 'remove_participant', { room_id, user_id: 'alice' });
    await alice.refused('last_owner', 'set_role', { room_id, user_id: 'alice', role: 'member' });
    await alice.ok('set_role', { room_id, user_id: 'bob', role: 'owner' });
    await alice.ok('remove_participant', { room_id, user_id: 'alice' });
    assert.deepEqual(await roles(bob, room_id), { bob: 'owner' });
    await bob.refused('last_owner', 'remove_participant', { room_id, user_id: 'bob' });
  },

  'of two owners who leave at once one stays': async (w) => {
    for (let i = 0; i < 10; i += 1) {
      const [room_id, alice, bob] = await privateRoom(w, `alice${i}`, `bob${i}`);
      await alice.ok('set_role', { room_id, user_id: bob.id, role: 'owner' });
      const acks = await Promise.all([alice, bob].map((user) => user.request('remove_participant', { room_id, user_id: user.id })));
      assert.deepEqual(acks.map(({ success, code }) => (success ? 'gone' : code)).sort(), ['gone', 'last_owner']);
    }
  },
};

/** By whom, to whom, what: and whether it is done. Two owners, so that nothing is refused for the last one. */
const RANKS = [
  ...['owner', 'admin', 'member'].flatMap((role) => [
    { by: 'owner', event: 'remove_participant', to: role, done: true },
    { by: 'admin', event: 'remove_participant', to: role, done: role !== 'owner' },
    { by: 'member', event: 'remove_participant', to: role, done: false },
    ...['owner', 'admin', 'member'].flatMap((given) => [
      { by: 'owner', event: 'set_role', to: role, role: given, done: true },
      { by: 'admin', event: 'set_role', to: role, role: given, done: role !== 'owner' && given !== 'owner' },
      { by: 'member', event: 'set_role', to: role, role: given, done: false },
    ]),
  ]),
];

const ranks = {
  'owners do what they like, admins touch no owner and make none, members do nothing': async (w) => {
    const [top, admin, member] = [await w.user('top'), await w.user('admin'), await w.user('member')];
    const by = { owner: top, admin, member };
    for (const { by: actor, event, to, role, done } of RANKS) {
      const { room_id } = await top.ok('create_room', { name: 'Ranks', private: true, participants: ['admin', 'member', 'subject'] });
      await top.ok('set_role', { room_id, user_id: 'admin', role: 'admin' });
      await top.ok('set_role', { room_id, user_id: 'subject', role: to });
      const payload = { room_id, user_id: 'subject', ...(role ? { role } : {}) };
      if (done) await by[actor].ok(event, payload);
      else await by[actor].refused('access_denied', event, payload);
      const expected = done ? role : to;
      assert.equal((await roles(top, room_id)).subject, expected, JSON.stringify({ actor, event, to, role }));
    }
  },

  'set_role tells the room whose role it is': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    assert.deepEqual(await alice.ok('set_role', { room_id, user_id: 'bob', role: 'admin' }), { success: true });
    for (const user of [alice, bob]) {
      const update = await user.waitFor('room_updated');
      assertKeys(update, ['room', 'by', 'user_id', 'role']);
      assertRoom(update.room, { id: room_id, name: 'Team' });
      assert.deepEqual([update.by, update.user_id, update.role], ['alice', 'bob', 'admin']);
    }
    await alice.ok('set_role', { room_id, user_id: 'bob', role: 'admin' });
    await bob.barrier();
    assert.equal(bob.all('room_updated').length, 1);
  },

  'an admin adds and renames, and may step down': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    await alice.ok('set_role', { room_id, user_id: 'bob', role: 'admin' });
    await bob.ok('add_participant', { room_id, user_id: 'carol' });
    await bob.ok('rename_room', { room_id, name: 'Renamed' });
    await bob.ok('set_role', { room_id, user_id: 'bob', role: 'member' });
    await bob.refused('access_denied', 'rename_room', { room_id, name: 'Again' });
  },
};

const rooms = {
  'rename_room tells the room, and everybody finds the new name': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const ack = await alice.ok('rename_room', { room_id, name: '  Kitchen  ' });
    assertKeys(ack, ['success', 'room']);
    assertRoom(ack.room, { id: room_id, name: 'Kitchen' });
    const update = await bob.waitFor('room_updated');
    assertKeys(update, ['room', 'by']);
    assert.deepEqual(update.room, ack.room);
    assert.equal((await bob.ok('join_room', { room_id })).room.name, 'Kitchen');
    assert.equal((await conversation(bob, room_id)).name, 'Kitchen');
    const found = await bob.ok('search_rooms', { query: 'kitch' });
    assert.deepEqual(found.rooms.map(({ room }) => room.id), [room_id]);
    assert.deepEqual((await bob.ok('search_rooms', { query: room_id })).rooms, []);
    await bob.refused('access_denied', 'rename_room', { room_id, name: 'Mine now' });
  },

  'nobody writes to an archived room, everybody reads it, nobody finds it': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const said = await bob.say(room_id, [alice], 'the last word');
    assert.deepEqual(await alice.ok('archive_room', { room_id }), { success: true, archived: true });
    const { room } = await bob.waitFor('room_updated');
    assert.equal(room.archived, true);
    for (const user of [alice, bob]) await user.refused('room_archived', 'chat_message', { room_id, message: 'one more' });
    await alice.refused('room_archived', 'rename_room', { room_id, name: 'Old' });
    await alice.refused('room_archived', 'add_participant', { room_id, user_id: 'carol' });
    await bob.ok('typing', { room_id, is_typing: true });
    await alice.barrier();
    await alice.none('typing_update');
    const carol = await w.user('carol');
    const joined = await carol.ok('join_room', { room_id, since: 0 });
    assert.equal(joined.room.archived, true);
    assert.deepEqual(joined.changes, [said]);
    assert.equal((await conversation(bob, room_id)).archived, true);
    assert.deepEqual((await carol.ok('search_rooms', { query: room_id })).rooms, []);
    await bob.ok('remove_participant', { room_id, user_id: 'bob' });
  },

  'archive_room with archived false undoes it': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await alice.ok('archive_room', { room_id });
    assert.deepEqual(await alice.ok('archive_room', { room_id, archived: false }), { success: true, archived: false });
    await bob.waitFor('room_updated', ({ room }) => !('archived' in room));
    await bob.say(room_id, [alice], 'again');
    assert.equal((await bob.ok('search_rooms', { query: room_id })).rooms.length, 1);
  },

  'a message that was stored before is acknowledged again in an archived room': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice', 'bob');
    const sent = { room_id, message: 'once', client_id: 'c1' };
    const { message } = await alice.ok('chat_message', sent);
    await alice.ok('archive_room', { room_id });
    assert.deepEqual((await alice.ok('chat_message', sent)).message, message);
  },

  'archiving is for owners, admins and the staff of the tenant': async (w) => {
    const [room_id, alice, bob] = await privateRoom(w, 'alice', 'bob');
    const carol = await w.user('carol');
    await bob.refused('access_denied', 'archive_room', { room_id });
    assert.equal((await carol.refused('access_denied', 'archive_room', { room_id })).message, DENIED);
    const staff = await w.connect({ token: w.token('sue', { is_staff: true }) });
    assert.deepEqual(await staff.ok('archive_room', { room_id }), { success: true, archived: true });
    await staff.refused('access_denied', 'get_messages', { room_id });
    await staff.refused('access_denied', 'rename_room', { room_id, name: 'Mine' });
    await alice.refused('room_archived', 'chat_message', { room_id, message: 'one more' });
    const elsewhere = await w.connect({ token: w.token('sue', { is_staff: true, tenant: w.id('tenant') }) });
    await elsewhere.refused('not_found', 'archive_room', { room_id });
  },

  'a private conversation has the participants that it has': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    const { room_id } = await alice.ok('private_message', { recipient_id: 'bob', message: 'psst' });
    for (const user of [alice, bob]) {
      await user.refused('access_denied', 'add_participant', { room_id, user_id: 'carol' });
      await user.refused('access_denied', 'remove_participant', { room_id, user_id: 'alice' });
      await user.refused('access_denied', 'set_role', { room_id, user_id: 'bob', role: 'owner' });
      await user.refused('access_denied', 'rename_room', { room_id, name: 'Ours' });
      await user.refused('access_denied', 'archive_room', { room_id });
    }
    await bob.none('participant_added');
    await bob.none('room_updated');
  },

  'a room of another tenant is missing for every one of these': async (w) => {
    const [room_id] = await privateRoom(w, 'alice', 'bob');
    const stranger = await w.connect({ token: w.token('alice', { tenant: w.id('tenant') }) });
    await stranger.refused('not_found', 'add_participant', { room_id, user_id: 'carol' });
    await stranger.refused('not_found', 'remove_participant', { room_id, user_id: 'bob' });
    await stranger.refused('not_found', 'set_role', { room_id, user_id: 'bob', role: 'owner' });
    await stranger.refused('not_found', 'rename_room', { room_id, name: 'Mine' });
    await stranger.refused('not_found', 'archive_room', { room_id });
    await stranger.refused('not_found', 'mark_read', { room_id, seq: 1 });
  },
};

export default { ...adding, ...removing, ...leaving, ...ranks, ...rooms };
