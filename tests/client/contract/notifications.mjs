// notification: for participants who are not looking.
import assert from 'node:assert/strict';
import { assertNotification } from '../support/shapes.mjs';

const withBob = async (w) => {
  const alice = await w.user('alice');
  const { room_id } = await alice.ok('create_room', { name: 'Team', private: true, participants: ['bob'] });
  return { alice, room_id };
};

export default {
  'a participant who is not in the room is notified on every socket': async (w) => {
    const { alice, room_id } = await withBob(w);
    const sockets = [await w.user('bob'), await w.user('bob')];
    const message = await alice.say(room_id, [], 'are you there?');
    for (const socket of sockets) {
      const fields = { kind: 'message', room_id, message_id: message.id, title: 'Team', body: 'are you there?', unread_count: 1 };
      assertNotification(await socket.waitFor('notification'), fields);
      await socket.none('new_message');
      assert.equal(socket.all('notification').length, 1);
    }
    await alice.none('notification');
  },

  'unread_count of notifications counts up': async (w) => {
    const { alice, room_id } = await withBob(w);
    const bob = await w.user('bob');
    for (let i = 1; i <= 3; i += 1) {
      const { id } = await alice.say(room_id);
      assertNotification(await bob.waitFor('notification', { message_id: id }), { unread_count: i });
    }
  },

  'of a user who is in the room, the sockets that are not are notified, and nothing is kept': async (w) => {
    const { alice, room_id } = await withBob(w);
    const [phone, laptop] = [await w.user('bob'), await w.user('bob')];
    await phone.ok('join_room', { room_id });
    const seen = await alice.say(room_id, [phone]);
    assertNotification(await laptop.waitFor('notification', { message_id: seen.id }), { unread_count: 0 });
    await phone.none('notification');
    await phone.ok('leave_room', { room_id });
    const { id } = await alice.say(room_id);
    await laptop.waitFor('notification', { message_id: id });
    await phone.waitFor('notification', { message_id: id });
    await (await w.user('bob')).none('notification');
  },

  'nobody but participants is notified': async (w) => {
    const { alice, room_id } = await withBob(w);
    const [bob, carol] = [await w.user('bob'), await w.user('carol')];
    await alice.say(room_id);
    await bob.waitFor('notification');
    await carol.none('notification');
  },

  'a private message is notified by the name of its sender': async (w) => {
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    const { room_id, message } = await alice.ok('private_message', { recipient_id: 'bob', message: 'psst' });
    assertNotification(await bob.waitFor('notification'), {
      kind: 'private_message', room_id, message_id: message.id, title: 'ALICE', body: 'psst', unread_count: 1,
    });
    await alice.none('notification');
    await bob.none('notification', ({ message_id }) => message_id !== message.id);
  },

  'a long text is cut at 140 characters, between characters': async (w) => {
    const { alice, room_id } = await withBob(w);
    const bob = await w.user('bob');
    await alice.say(room_id, [], '🦀'.repeat(1000));
    const body = [...(await bob.waitFor('notification')).body];
    assert.ok(body.length > 100 && body.length <= 141, `${body.length} characters`);
    assert.ok(body.slice(0, -1).every((character) => character === '🦀'));
  },

  'a text of 140 characters is not cut': async (w) => {
    const { alice, room_id } = await withBob(w);
    const bob = await w.user('bob');
    await alice.say(room_id, [], 'é'.repeat(140));
    assert.equal((await bob.waitFor('notification')).body, 'é'.repeat(140));
  },

  'notifications of an offline user are kept, delivered on return oldest first, and once': async (w) => {
    const { alice, room_id } = await withBob(w);
    const said = [];
    for (const text of ['one', 'two', 'three']) said.push(await alice.say(room_id, [], text));
    const bob = await w.user('bob');
    await bob.waitFor('notification', { message_id: said[2].id });
    await bob.barrier();
    assert.deepEqual(bob.all('notification').map(({ message_id }) => message_id), said.map(({ id }) => id));
    for (const notification of bob.all('notification')) assertNotification(notification, { kind: 'message', room_id, title: 'Team' });
    const again = await w.user('bob');
    await again.none('notification');
  },

  'a private message to an offline user is notified on return': async (w) => {
    const alice = await w.user('alice');
    const { room_id, message } = await alice.ok('private_message', { recipient_id: 12, message: 'welcome' });
    const twelve = await w.user(12);
    assertNotification(await twelve.waitFor('notification'), {
      kind: 'private_message', room_id, message_id: message.id, title: 'ALICE', body: 'welcome',
    });
  },
};
