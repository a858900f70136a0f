// Guests: without a token, with a session of their own.
import assert from 'node:assert/strict';
import { token } from '../support/clients.mjs';
import { assertKeys } from '../support/shapes.mjs';
import { refusedConnect, whoami } from './tokens.mjs';

/** Guests are of the tenant `default`, so who meets one is too. */
async function signedIn(w, id = w.id('user')) {
  const client = await w.connect({ token: token({ user_id: id, username: 'Alice' }), label: id });
  return Object.assign(client, { id });
}

export default {
  'who has no token is a guest and is told the session': async (w) => {
    const guest = await w.guest();
    assertKeys(guest.session, ['guest_session', 'user_id', 'username']);
    assert.match(guest.session.user_id, /^guest_./);
    assert.match(guest.session.username, /^Guest ./);
    assert.equal(typeof guest.session.guest_session, 'string');
    assert.ok(!guest.session.user_id.includes(guest.session.guest_session), 'the id tells the secret');
    assert.deepEqual(await whoami(guest), { user_id: guest.id, username: guest.username });
  },

  'a token that is null is no token': async (w) => {
    assert.match((await w.guest({ auth: { token: null } })).id, /^guest_./);
  },

  'two guests are two': async (w) => {
    const [one, two] = [await w.guest(), await w.guest()];
    assert.notEqual(one.id, two.id);
    assert.notEqual(one.session.guest_session, two.session.guest_session);
  },

  'a guest session is resumed from auth and from the query, and not told again': async (w) => {
    const first = await w.guest();
    const { guest_session } = first.session;
    const { room_id } = await first.ok('create_room', { name: 'mine', private: true });
    first.close();
    for (const options of [{ guest_session }, { query: { guest_session } }]) {
      const again = await w.connect(options);
      assert.deepEqual(await whoami(again), { user_id: first.id, username: first.username });
      await again.ok('join_room', { room_id });
      await again.none('session');
    }
  },

  'an unknown guest session makes a new guest': async (w) => {
    const unknown = w.id('session');
    const guest = await w.guest({ guest_session: unknown });
    assert.notEqual(guest.session.guest_session, unknown);
    assert.match(guest.id, /^guest_./);
  },

  'the id of a guest is not the key to the session': async (w) => {
    const guest = await w.guest();
    assert.notEqual((await w.guest({ guest_session: guest.id })).id, guest.id);
  },

  'a token counts more than a guest session': async (w) => {
    const guest = await w.guest();
    const client = await w.connect({ auth: { token: w.token('alice'), guest_session: guest.session.guest_session } });
    assert.equal((await whoami(client)).user_id, 'alice');
  },

  'an invalid token is refused, not made a guest': async (w) => {
    const { guest_session } = (await w.guest()).session;
    const error = await refusedConnect(w, { auth: { token: 'garbage', guest_session } });
    assert.match(error.message, /^unauthorized: ./);
  },

  'a guest chats in a room of their own': async (w) => {
    const guest = await w.guest();
    const { room_id } = await guest.ok('create_room', { name: 'mine', private: true });
    await guest.ok('join_room', { room_id });
    const message = await guest.say(room_id, [guest]);
    assert.deepEqual([message.user_id, message.username], [guest.id, guest.username]);
  },

  'a guest enters no public room and makes none by joining': async (w) => {
    const alice = await signedIn(w);
    const { room_id } = await alice.ok('create_room', { name: 'Public' });
    const guest = await w.guest();
    await guest.refused('access_denied', 'join_room', { room_id });
    await guest.refused('access_denied', 'get_messages', { room_id });
    await guest.refused('access_denied', 'chat_message', { room_id, message: 'hi' });
    const missing = w.id('missing');
    await guest.refused('not_found', 'join_room', { room_id: missing });
    await alice.refused('not_found', 'get_messages', { room_id: missing });
  },

  'a guest opens no private conversation': async (w) => {
    const alice = await signedIn(w);
    const guest = await w.guest();
    await guest.refused('access_denied', 'private_message', { recipient_id: alice.id, message: 'psst' });
    await alice.none('new_message');
    assert.deepEqual((await alice.ok('get_user_conversations', {})).conversations, []);
  },

  'a guest enters a room that they were added to': async (w) => {
    const alice = await signedIn(w);
    const guest = await w.guest();
    const { room_id } = await alice.ok('create_room', { name: 'For you', private: true, participants: [guest.id] });
    await alice.ok('join_room', { room_id });
    await guest.ok('join_room', { room_id });
    const message = await guest.say(room_id, [alice, guest]);
    assert.equal(message.user_id, guest.id);
    await (await w.guest()).refused('access_denied', 'join_room', { room_id });
  },

  'guests and users without a room in common do not hear of each other': async (w) => {
    const alice = await signedIn(w);
    const guest = await w.guest();
    const bob = await signedIn(w);
    await alice.waitFor('user_online', { user_id: bob.id });
    await alice.none('user_online', { user_id: guest.id });
    await guest.none('user_online', ({ user_id }) => user_id !== guest.id);
  },
};

/** For a server with guests=false. */
export const closed = {
  'where guests are not allowed, who has no token is refused for good': async (w) => {
    for (const options of [{}, { auth: { token: null } }, { guest_session: 'x' }]) {
      assert.match((await refusedConnect(w, options)).message, /^unauthorized: ./);
    }
  },

  'where guests are not allowed, users are': async (w) => {
    assert.equal((await whoami(await w.user('alice'))).user_id, 'alice');
  },
};
