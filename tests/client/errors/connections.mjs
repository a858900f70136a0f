// Clients that are too old, messages that are too large, and ids that nobody may see.
import assert from 'node:assert/strict';
import { assertRefusal } from '../support/clients.mjs';
import { request, upgrade } from '../support/raw.mjs';
import { assertMessage } from '../support/shapes.mjs';

const TOO_LARGE = 300_000;

export const legacyRefused = {
  'Engine.IO 3 is refused by default': async ({ server }) => {
    for (const [ask, transport] of [[request, 'polling'], [upgrade, 'websocket']]) {
      const { status } = await ask(server, `/socket.io/?EIO=3&transport=${transport}`);
      assert.ok(status >= 400 && status < 500, `${transport}: ${status}`);
    }
  },

  'socket.io-client 2.x is not connected by default': async (w) => {
    for (const transports of [['websocket'], ['polling']]) {
      const client = w.open({ client: '2', transports, query: { token: w.token('alice') } });
      await assert.rejects(client.ready);
      assert.equal(client.connected, false);
    }
  },
};

/** For a server with legacy_clients=true. */
export const legacyAllowed = {
  'socket.io-client 2.x chats where it is allowed': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
      const old = await w.connect({ client: '2', transports, query: { token: w.token('old') }, label: 'old' });
      assert.equal(old.transport, transports.at(-1));
      await old.ok('join_room', { room_id }, undefined);
      const { message } = await old.ok('chat_message', { room_id, message: 'from the past' });
      assertMessage(message, { user_id: 'old', message: 'from the past' });
      assert.deepEqual(await bob.waitFor('new_message', { id: message.id }), message);
      assert.deepEqual(await old.waitFor('new_message', { id: message.id }), message);
      const answer = await bob.say(room_id, [old], 'from the present');
      assert.deepEqual((await old.ok('get_messages', { room_id, limit: 1 })).messages, [answer]);
      await old.refused('invalid_payload', 'chat_message', { room_id });
      old.close();
    }
  },

  'socket.io-client 2.x with a bad token is refused': async (w) => {
    for (const transports of [['websocket'], ['polling']]) {
      const old = w.open({ client: '2', transports, query: { token: 'garbage' } });
      await assert.rejects(old.ready, (error) => /unauthorized/.test(JSON.stringify(error?.message ?? error)));
    }
  },

  'newer clients are served beside it': async (w) => {
    for (const client of ['4.8', '4.0', '3.1']) {
      await (await w.user('alice', { client })).ok('join_room', { room_id: w.id() });
    }
  },
};

function tooLarge(transports) {
  return async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const alice = await w.user('alice', { transports });
    await alice.ok('join_room', { room_id });
    const message = 'x'.repeat(TOO_LARGE);
    // Either is a refusal: an answer, or a connection that ends.
    const outcome = await alice.request('chat_message', { room_id, message }).catch(() => alice.disconnected());
    if (typeof outcome !== 'string') assertRefusal(outcome, 'invalid_payload');
    await bob.none('new_message');
    await bob.say(room_id, [bob], 'all is well');
    assert.deepEqual(bob.disconnects, []);
    assert.equal((await bob.ok('get_messages', { room_id })).rev, 1);
    const again = await w.user('alice', { transports });
    await again.ok('join_room', { room_id });
    await again.say(room_id, [bob, again]);
  };
}

export const sizes = {
  'a websocket message that is too large is refused and only its sender suffers': tooLarge(['websocket']),
  'a polling request that is too large is refused and only its sender suffers': tooLarge(['polling']),

  'a polling body that is too large is answered with a refusal': async (w) => {
    const opened = await request(w.server, '/socket.io/?EIO=4&transport=polling');
    const { sid } = JSON.parse(opened.body.slice(1));
    const { status } = await request(w.server, `/socket.io/?EIO=4&transport=polling&sid=${sid}`, {
      method: 'POST', headers: { 'Content-Type': 'text/plain;charset=UTF-8' }, body: `42["chat_message","${'x'.repeat(TOO_LARGE)}"]`,
    });
    assert.ok(status >= 400 && status < 500, `${status}`);
  },
};

export const secrecy = {
  'no payload that anybody receives holds a socket id': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const polling = await w.user('carol', { transports: ['polling'] });
    const upgraded = await w.user('dave', { transports: ['polling', 'websocket'] });
    const guest = await w.guest();
    const all = [alice, bob, polling, upgraded, guest];
    for (const user of [polling, upgraded]) await user.ok('join_room', { room_id });
    await guest.request('create_room', { name: 'mine', private: true });
    for (const user of all) {
      await user.request('join_room', { room_id });
      await user.request('typing', { room_id, is_typing: true });
      await user.request('chat_message', { room_id, message: 'hello', client_id: 'once' });
      await user.request('private_message', { recipient_id: 'bob', message: 'psst' });
      await user.request('get_room_participants', { room_id });
      await user.request('get_messages', { room_id });
      await user.request('get_user_conversations', {});
      await user.request('authenticate', { token: w.token('alice') });
      await user.request('chat_message', { room_id });
      await user.request('no_such_event', {});
    }
    await upgraded.ok('leave_room', { room_id });
    polling.drop();
    await alice.waitFor('user_offline', { user_id: 'carol' });
    const ids = all.flatMap((client) => [...client.ids]);
    assert.ok(ids.length >= all.length && ids.every((id) => id.length >= 8), `${ids}`);
    for (const client of all) {
      assert.ok(client.trace.length > 10, client.name);
      const received = JSON.stringify(client.trace);
      for (const id of ids) assert.ok(!received.includes(id), `${client.name} was sent the socket id ${id}`);
    }
  },
};
