// Who gets in by the raw WebSocket door: tokens and guest sessions in the request, or in the first frame.
import assert from 'node:assert/strict';
import { assertRefusal, now, token } from '../support/clients.mjs';
import { upgrade } from '../support/raw.mjs';
import { closed, refused } from './ends.mjs';

/** Who the server says that a client is. */
async function whoami(client) {
  const { room_id } = await client.ok('create_room', { name: 'who', private: true });
  await client.ok('join_room', { room_id });
  return (await client.waitFor('user_joined', { room_id })).user_id;
}

const bad = (w) => ({
  garbage: 'garbage',
  expired: w.token('alice', { exp: now() - 100 }),
  'not yet valid': w.token('alice', { nbf: now() + 100 }),
  'a refresh token': w.token('alice', { token_type: 'refresh' }),
  'of another issuer': token({ user_id: 'alice' }, { secret: 'another-secret-0123456789-0123456789' }),
  unsigned: token({ user_id: 'alice' }, { secret: '', algorithm: 'none' }),
});

const introduction = (fields) => ({ first: { type: 'auth', ...fields } });

export default {
  'a token counts from the query, a header and the first frame': async (w) => {
    const alice = w.token('alice');
    const ways = [
      { query: { token: alice } }, { query: { access: alice } },
      { extraHeaders: { Authorization: `Bearer ${alice}` } },
      introduction({ token: alice }),
    ];
    for (const way of ways) {
      const client = await w.connect(way);
      assert.equal(await whoami(client), 'alice');
      await client.none('session');
    }
  },

  'the first frame is acknowledged with who it made of the client': async (w) => {
    const alice = await w.connect(introduction({ token: w.token(7), ack: [1, { a: null }] }));
    const answer = await alice.socket.frame(({ type }) => type === 'ack');
    assert.deepEqual(answer, { type: 'ack', ack: [1, { a: null }], success: true, user_id: 7, username: '7' });
    assert.equal(alice.socket.frames[0], answer);
  },

  'the room in the address is joined by whom the first frame shows': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const alice = await w.connect({ path: `/ws/chat/${room_id}/`, ...introduction({ token: w.token('alice') }) });
    await bob.waitFor('user_joined', { room_id, user_id: 'alice' });
    await alice.say(room_id, [bob]);
    assert.deepEqual(bob.all('user_joined').map(({ user_id }) => user_id), ['alice']);
  },

  'one who shows nothing and speaks is a guest at once': async (w) => {
    const guest = await w.guest();
    assert.equal(await whoami(guest), guest.id);
    for (const first of ['garbage', Buffer.from('bytes'), { type: 'no_such_event' }]) {
      const other = await w.guest({ first });
      await other.waitFor('error', ({ code }) => ['invalid_payload', 'unknown_event'].includes(code));
    }
  },

  'auth without a token makes a guest at once, and so does an empty guest_session': async (w) => {
    for (const way of [introduction({}), introduction({ token: null }), { first: null, path: '/ws/chat/?guest_session=' }]) {
      const guest = w.open(way);
      assert.match((await guest.waitFor('session')).user_id, /^guest_/);
    }
  },

  'a guest session is resumed from the query and from the first frame, and not told again': async (w) => {
    const first = await w.guest();
    const { guest_session } = first.session;
    for (const way of [{ guest_session }, introduction({ guest_session })]) {
      const again = await w.connect(way);
      assert.equal(await whoami(again), first.id);
      await again.none('session');
    }
  },

  'a customer whose token is bad is taken for a guest': async (w) => {
    for (const [what, shown] of Object.entries(bad(w))) {
      for (const path of ['/ws/chat/', '/ws/support/']) {
        for (const way of [{ query: { token: shown } }, introduction({ token: shown })]) {
          const guest = await w.connect({ path, ...way });
          assert.match((await guest.waitFor('session')).user_id, /^guest_/, what);
        }
      }
    }
    for (const odd of [7, {}, [], true]) await (await w.connect(introduction({ token: odd }))).waitFor('session');
  },

  'a bad token resumes the guest session beside it': async (w) => {
    const guest = await w.guest();
    const { guest_session } = guest.session;
    const again = await w.connect({ query: { token: 'garbage', guest_session } });
    assert.equal(await whoami(again), guest.id);
  },

  'where a guest may not enter, a bad token is what is wrong': async (w) => {
    const room_id = w.id();
    await w.members(room_id, 'bob');
    for (const room of [room_id, w.id()]) {
      const path = `/ws/chat/${room}/`;
      await closed(w.open({ path, query: { token: 'garbage' } }), 4401, 'unauthorized');
      await closed(w.open({ path, query: { token: w.token('alice', { exp: now() - 100 }) } }), 4401, 'unauthorized');
    }
  },

  'the staff door lets staff in, by every way': async (w) => {
    const staff = w.token('boss', { is_staff: true });
    for (const way of [{ query: { token: staff } }, { query: { access: staff } }, introduction({ token: staff })]) {
      for (const path of ['/ws/admin/chat', '/ws/admin/chat/']) {
        const boss = await w.connect({ path, ...way });
        await boss.refused('unknown_event', 'no_such_event');
      }
    }
  },

  'the staff door refuses everybody else': async (w) => {
    const path = '/ws/admin/chat/';
    for (const shown of Object.values(bad(w))) {
      for (const way of [{ query: { token: shown } }, introduction({ token: shown })]) {
        await refused(w.open({ path, ...way }), 4401, 'unauthorized');
      }
    }
    const { guest_session } = (await w.guest()).session;
    await refused(w.open({ path, guest_session }), 4401, 'unauthorized');
    await refused(w.open({ path, ...introduction({}) }), 4401, 'unauthorized');
    await refused(w.open({ path, first: { type: 'ping' } }), 4401, 'unauthorized');
    await refused(w.open({ path, query: { token: w.token('alice') } }), 4403, 'forbidden');
    await refused(w.open({ path, ...introduction({ token: w.token('alice') }) }), 4403, 'forbidden');
  },

  'a first frame that is refused and asked for an ack gets one': async (w) => {
    const client = w.open({ path: '/ws/admin/chat/', ...introduction({ token: 'garbage', ack: 'a' }) });
    const { code } = await client.socket.end();
    assert.equal(code, 4401);
    const { type, ack, ...body } = client.socket.frames.at(-1);
    assert.deepEqual([type, ack], ['ack', 'a']);
    assertRefusal(body, 'unauthorized');
  },

  'auth later on renews the session, as authenticate': async (w) => {
    const alice = await w.user('alice');
    const { expires_at } = await alice.ok('auth', { token: w.token('alice', { exp: now() + 1000 }) });
    assert.match(expires_at, /Z$/);
    await alice.refused('unauthorized', 'auth', { token: w.token('bob') });
  },

  'a page of another origin is refused before the upgrade': async ({ server }) => {
    for (const path of ['/ws/chat/', '/ws/chat/lobby/', '/ws/support', '/ws/admin/chat/']) {
      const foreign = await upgrade(server, path, { headers: { Origin: 'https://evil.example' } });
      assert.equal(foreign.status, 403);
      assertRefusal(JSON.parse(foreign.body), 'origin_not_allowed');
      assert.equal((await upgrade(server, path, { headers: { Origin: server.url } })).status, 101);
    }
  },

  'what is no websocket is refused with an error body': async ({ server }) => {
    for (const [path, method, status] of [['/ws/chat/', 'GET', 400], ['/ws/chat/lobby', 'GET', 400], ['/ws/chat/', 'POST', 405], ['/ws/other', 'GET', 404]]) {
      const answer = await fetch(`${server.url}${path}`, { method });
      assert.equal(answer.status, status, path);
      assert.equal((await answer.json()).success, false);
    }
  },
};

/** For a server without guests. */
export const withoutGuests = {
  'whoever has no good token is refused': async (w) => {
    for (const path of ['/ws/chat/', '/ws/chat/lobby/', '/ws/support/']) {
      await refused(w.open({ path }), 4401, 'unauthorized');
      await refused(w.open({ path, query: { token: 'garbage' } }), 4401, 'unauthorized');
      await refused(w.open({ path, ...introduction({ token: 'garbage' }) }), 4401, 'unauthorized');
      await refused(w.open({ path, guest_session: 'unknown' }), 4401, 'unauthorized');
    }
    await w.user('alice');
  },
};

/** For a server whose token_cookie is chat_token. */
export const withCookie = {
  'a token counts from the cookie': async (w) => {
    const client = await w.connect({ extraHeaders: { Cookie: `a=b; chat_token=${w.token('alice')}` } });
    assert.equal(await whoami(client), 'alice');
  },
};

/** For a server that waits for 1 s. */
export const afterTheTimeout = {
  'one who shows nothing and says nothing becomes a guest after the timeout': async (w) => {
    const started = Date.now();
    const guest = w.open({ first: null });
    assert.match((await guest.waitFor('session')).user_id, /^guest_/);
    assert.ok(Date.now() - started > 900, 'it was not waited for');
    const room_id = w.id();
    const visitor = w.open({ first: null, path: `/ws/chat/${room_id}/` });
    assert.ok([4403, 4404].includes((await visitor.socket.end()).code));
  },

  'staff who say nothing are refused after the timeout': async (w) => {
    const started = Date.now();
    await refused(w.open({ path: '/ws/admin/chat/', first: null }), 4401, 'unauthorized');
    assert.ok(Date.now() - started > 900, 'it was not waited for');
  },
};
