// Clients of both doors in the same rooms: what one says the other hears, in the same order.
import assert from 'node:assert/strict';

const SOCKETIO = { client: '4.8', transports: ['websocket'] };

/** A raw client and one of Socket.IO in a room, each having heard the other come in. */
async function both(w, room_id) {
  const raw = await w.user('raw', { path: `/ws/chat/${room_id}/` });
  const sio = await w.user('sio', SOCKETIO);
  await raw.waitFor('user_joined', { room_id, user_id: 'raw' });
  await sio.ok('join_room', { room_id });
  for (const client of [raw, sio]) await client.waitFor('user_joined', { room_id, user_id: 'sio' });
  return [raw, sio];
}

export default {
  'both hear the same messages in the same order': async (w) => {
    const room_id = w.id();
    const [raw, sio] = await both(w, room_id);
    await Promise.all([raw, sio].flatMap((client) => (
      Array.from({ length: 200 }, (_, i) => client.ok('chat_message', { room_id, message: `${client.id} ${i}` }))
    )));
    for (const client of [raw, sio]) await client.waitFor('new_message', { seq: 400 });
    assert.deepEqual(raw.all('new_message'), sio.all('new_message'));
    assert.deepEqual(raw.all('new_message').map(({ rev }) => rev), Array.from({ length: 400 }, (_, i) => i + 1));
    for (const { id } of [raw, sio]) {
      const own = raw.all('new_message', { user_id: id }).map(({ message }) => message);
      assert.deepEqual(own, own.map((_, i) => `${id} ${i}`));
    }
  },

  'the answer of get_messages and the live stream meet without a seam': async (w) => {
    const room_id = w.id();
    const [raw, sio] = await both(w, room_id);
    const sending = Promise.all(Array.from({ length: 150 }, (_, i) => sio.ok('chat_message', { room_id, message: `${i}` })));
    for (let i = 0; i < 10; i += 1) {
      const page = await raw.ok('get_messages', { room_id, limit: 200 });
      await raw.barrier();
      const later = raw.after(page).filter(({ event }) => event === 'new_message').map(({ data }) => data);
      const seqs = [...page.messages, ...later].map(({ seq }) => seq);
      assert.deepEqual(seqs, seqs.map((_, index) => index + 1));
    }
    await sending;
  },

  'presence goes both ways': async (w) => {
    const sio = await w.user('sio', SOCKETIO);
    const raw = await w.user('raw');
    await sio.waitFor('user_online', { user_id: 'raw' });
    const third = await w.user('third', SOCKETIO);
    await raw.waitFor('user_online', { user_id: 'third' });
    third.close();
    await raw.waitFor('user_offline', { user_id: 'third' });
    raw.close();
    await sio.waitFor('user_offline', { user_id: 'raw' });
  },

  'one user on both doors is online until both are gone': async (w) => {
    const witness = await w.user('witness', SOCKETIO);
    const raw = await w.user('alice');
    const sio = await w.user('alice', SOCKETIO);
    raw.close();
    await witness.none('user_offline');
    sio.close();
    await witness.waitFor('user_offline', { user_id: 'alice' });
    assert.equal(witness.all('user_online', { user_id: 'alice' }).length, 1);
  },

  'typing goes both ways': async (w) => {
    const room_id = w.id();
    const [raw, sio] = await both(w, room_id);
    for (const [one, other] of [[raw, sio], [sio, raw]]) {
      await one.ok('typing', { room_id, is_typing: true });
      await other.waitFor('typing_update', { user_id: one.id, is_typing: true });
      await one.ok('typing', { room_id, is_typing: false });
      await other.waitFor('typing_update', { user_id: one.id, is_typing: false });
    }
  },

  'private messages and notifications reach both doors of a user': async (w) => {
    const raw = await w.user('alice');
    const sio = await w.user('alice', SOCKETIO);
    const bob = await w.user('bob', SOCKETIO);
    const { message } = await bob.ok('private_message', { recipient_id: 'alice', message: 'psst' });
    for (const client of [raw, sio]) assert.deepEqual(await client.waitFor('new_message'), message);
  },

  'a client_id that was sent by one door is known at the other': async (w) => {
    const room_id = w.id();
    const raw = await w.user('alice', { path: `/ws/chat/${room_id}/` });
    const sio = await w.user('alice', SOCKETIO);
    const { message } = await raw.ok('chat_message', { content: 'once', client_id: 'c' });
    assert.deepEqual((await sio.ok('chat_message', { room_id, message: 'once', client_id: 'c' })).message, message);
    assert.equal((await raw.ok('get_messages')).rev, 1);
  },

  'what leaves a room by one door is heard at the other': async (w) => {
    const room_id = w.id();
    const [raw, sio] = await both(w, room_id);
    await raw.ok('leave_room', { room_id });
    await sio.waitFor('user_left', { room_id, user_id: 'raw' });
    await sio.say(room_id, [sio]);
    await raw.none('new_message');
  },
};

/** For a server with the limit of 20 messages a minute, which no staff come to. */
export const limited = {
  'both doors share the limit of a user': async (w) => {
    const room_id = w.id();
    const raw = await w.user('alice', { path: `/ws/chat/${room_id}/` });
    const sio = await w.user('alice', SOCKETIO);
    for (let i = 0; i < 10; i += 1) {
      await raw.ok('chat_message', { content: `${i}` });
      await sio.ok('chat_message', { room_id, message: `${i}` });
    }
    for (const client of [raw, sio]) {
      const { retry_after_ms } = await client.refused('rate_limited', 'chat_message', { room_id, message: 'one more' });
      assert.ok(retry_after_ms > 0 && retry_after_ms <= 60_000);
    }
    raw.socket.send({ type: 'chat_message', content: 'one more' });
    const { type, ...body } = await raw.socket.frame((frame) => frame.type === 'error');
    assert.equal(body.code, 'rate_limited');
  },

  'the connections of this door are counted as such': async (w) => {
    await w.user('alice');
    await (await w.guest({ query: { token: 'garbage' } })).ok('get_user_conversations');
    const metrics = await (await fetch(`${w.server.url}/metrics`)).text();
    assert.match(metrics, /^confab_refusals_total\{code="unauthorized",event="connect",door="websocket"\} [1-9]/m);
    assert.doesNotMatch(metrics, /^confab_connects_total\{door="websocket",outcome="unauthorized"\}/m, 'it came in as a guest');
    assert.match(metrics, /^confab_connections\{[^}]*door="websocket"[^}]*\} [1-9]/m);
  },
};
