// Guests ask by guesswork who there is, where nobody is made by being named: existing and missing users answer alike.
import assert from 'node:assert/strict';
import { token } from '../support/clients.mjs';

/** The answer to each of two questions, which has to be the same. */
async function sameAnswer(client, event, ...payloads) {
  const [one, ...others] = await Promise.all(payloads.map((payload) => client.request(event, payload)));
  for (const other of others) assert.deepEqual(other, one, event);
  return one;
}

export const guessing = {
  'a guest cannot find out by asking whether there is a user': async (w) => {
    const [alice, owner] = [await w.user(w.id('alice')), await w.user(w.id('owner'))];
    const guest = await w.connect({ auth: { tenant: w.tenant } });
    const { room_id: own } = await guest.ok('create_room', { name: 'mine', private: true });
    const { room_id: theirs } = await owner.ok('create_room', { name: 'theirs', private: true });
    const ids = [alice.id, w.id('nobody')];
    for (const room_id of [own, theirs, w.id('missing')]) {
      for (const event of ['add_participant', 'remove_participant', 'set_role']) {
        const answer = await sameAnswer(guest, event, ...ids.map((user_id) => ({ room_id, user_id, role: 'member' })));
        assert.equal(answer.success, false);
      }
    }
    for (const event of ['block_user', 'unblock_user']) await sameAnswer(guest, event, ...ids.map((user_id) => ({ user_id })));
    await sameAnswer(guest, 'private_message', ...ids.map((recipient_id) => ({ recipient_id, message: 'hi' })));
    await sameAnswer(guest, 'create_room', ...ids.map((id) => ({ name: 'ours', participants: [id] })));
    assert.deepEqual((await guest.ok('get_blocked_users', {})).users, []);
  },

  'who may not enter a room cannot find out by asking in it whether there is a user': async (w) => {
    const [owner, stranger] = [await w.user(w.id('owner')), await w.user(w.id('stranger'))];
    const { room_id } = await owner.ok('create_room', { name: 'theirs', private: true });
    const elsewhere = await w.connect({ token: token({ user_id: 'x', tenant: w.id('tenant') }) });
    for (const client of [stranger, elsewhere]) {
      for (const event of ['add_participant', 'remove_participant', 'set_role']) {
        const questions = [owner.id, w.id('nobody')].map((user_id) => ({ room_id, user_id, role: 'member' }));
        assert.equal((await sameAnswer(client, event, ...questions)).success, false);
      }
    }
  },

  'a guest blocks whom they share a room with, and learns no other name': async (w) => {
    const [alice, bob] = [await w.user(w.id('alice')), await w.user(w.id('bob'))];
    const guest = await w.guest({ auth: { tenant: w.tenant } });
    await alice.ok('private_message', { recipient_id: guest.id, message: 'hi' });
    await guest.ok('block_user', { user_id: alice.id });
    await guest.refused('not_found', 'block_user', { user_id: bob.id });
    assert.deepEqual((await guest.ok('get_blocked_users', {})).users.map(({ id }) => id), [alice.id]);
    await alice.refused('blocked', 'private_message', { recipient_id: guest.id, message: 'hi' });
  },
};
