// Where a token may stand, which claims are read, and which tokens are refused.
import assert from 'node:assert/strict';
import { now, token } from '../support/clients.mjs';
import { SECRET } from '../support/server.mjs';

/** Who the server takes this connection for. */
export async function whoami(client) {
  const { room_id } = await client.ok('create_room', { name: 'who am I', private: true });
  await client.ok('join_room', { room_id });
  const { user_id, username } = await client.waitFor('user_joined', { room_id });
  return { user_id, username };
}

/**
 * Connecting has to fail, and the client may not try again by itself. Resolves to the `connect_error`.
 * `other`: what a client that is let in connects with. `until`: what is waited for, with the refused client, before
 * it is looked at.
 */
export async function refusedConnect(w, options, other = { token: w.token(w.id('other')) }, until = async () => {}) {
  const client = w.open({ ...options, reconnection: true, reconnectionDelay: 1, reconnectionDelayMax: 1 });
  const attempts = [];
  client.socket.io.on('reconnect_attempt', (attempt) => attempts.push(attempt));
  const error = await client.ready.then(() => assert.fail('it was let in'), (refusal) => refusal);
  await until(client);
  // Time enough for a client that tries again after 1 ms: another one comes in and has its answers.
  const welcome = await w.connect(other);
  await welcome.barrier();
  assert.deepEqual(attempts, [], `it tried again after: ${error.message}`);
  assert.equal(client.connected, false);
  assert.deepEqual(client.events, []);
  client.close();
  welcome.close();
  return error;
}

const header = (accessToken) => ({ extraHeaders: { Authorization: `Bearer ${accessToken}` } });
const cookie = (accessToken) => ({ extraHeaders: { Cookie: `theme=dark; chat_token=${accessToken}; lang=en` } });

const places = {
  'auth.token': (accessToken) => ({ auth: { token: accessToken } }),
  'auth.token with a Bearer prefix': (accessToken) => ({ auth: { token: `Bearer ${accessToken}` } }),
  'auth.token from an auth function': (accessToken) => ({ auth: (send) => send({ token: accessToken }) }),
  '?token=': (accessToken) => ({ query: { token: accessToken } }),
  '?access=': (accessToken) => ({ query: { access: accessToken } }),
  'the Authorization header': header,
};

export const placesOfTheToken = {
  ...Object.fromEntries(Object.entries(places).map(([place, at]) => [`a token in ${place} connects its user`, async (w) => {
    const client = await w.connect(at(w.token('alice')));
    assert.deepEqual(await whoami(client), { user_id: 'alice', username: 'ALICE' });
  }])),

  'a cookie is ignored where none is configured': async (w) => {
    const client = await w.connect(cookie(w.token('alice')));
    const { user_id } = await client.waitFor('session');
    assert.equal((await whoami(client)).user_id, user_id);
  },

  'the first place that has a token counts': async (w) => {
    const [auth, first, second, third] = ['auth', 'first', 'second', 'third'].map((id) => w.token(id));
    const inOrder = [
      ['auth', { auth: { token: auth }, query: { token: first, access: second }, ...header(third) }],
      ['first', { query: { token: first, access: second }, ...header(third) }],
      ['second', { query: { access: second }, ...header(third) }],
    ];
    for (const [user_id, options] of inOrder) {
      assert.equal((await whoami(await w.connect(options))).user_id, user_id);
    }
  },

  'a bad token is not made good by another one': async (w) => {
    const good = w.token('alice');
    assert.match((await refusedConnect(w, { auth: { token: 'garbage' }, query: { token: good } })).message, /^unauthorized: ./);
    assert.match((await refusedConnect(w, { query: { token: 'garbage', access: good } })).message, /^unauthorized: ./);
  },

  'auth without a token leaves the other places to be looked at': async (w) => {
    const client = await w.connect({ auth: { token: null }, query: { token: w.token('alice') } });
    assert.equal((await whoami(client)).user_id, 'alice');
  },
};

/** For a server whose token_cookie is `chat_token`. */
export const cookies = {
  'a token in the configured cookie connects its user': async (w) => {
    const client = await w.connect(cookie(w.token('alice')));
    assert.deepEqual(await whoami(client), { user_id: 'alice', username: 'ALICE' });
  },

  'a cookie comes after every other place': async (w) => {
    const both = { extraHeaders: { ...header(w.token('header')).extraHeaders, ...cookie(w.token('cookie')).extraHeaders } };
    assert.equal((await whoami(await w.connect(both))).user_id, 'header');
    const query = { ...cookie(w.token('cookie')), query: { token: w.token('query') } };
    assert.equal((await whoami(await w.connect(query))).user_id, 'query');
  },

  'a bad token in the cookie is refused': async (w) => {
    assert.match((await refusedConnect(w, cookie('garbage'))).message, /^unauthorized: ./);
  },
};

export const claims = {
  'the user id is the first of user_id, id, sub, identity': async (w) => {
    const ids = ['user_id', 'id', 'sub', 'identity'];
    for (let i = 0; i < ids.length; i += 1) {
      const given = Object.fromEntries(ids.slice(i).map((claim) => [claim, `by-${claim}`]));
      const client = await w.connect({ token: token({ ...given, username: 'Alice', tenant: w.tenant }) });
      assert.equal((await whoami(client)).user_id, `by-${ids[i]}`);
    }
  },

  'the name is the first of username, name, preferred_username, email': async (w) => {
    const names = ['username', 'name', 'preferred_username', 'email'];
    for (let i = 0; i < names.length; i += 1) {
      const given = Object.fromEntries(names.slice(i).map((claim) => [claim, `by ${claim}`]));
      const client = await w.connect({ token: token({ ...given, user_id: w.id('user'), tenant: w.tenant }) });
      assert.equal((await whoami(client)).username, `by ${names[i]}`);
    }
  },

  'a token without a name still names its user': async (w) => {
    const client = await w.connect({ token: token({ user_id: 'nameless', tenant: w.tenant }) });
    const { user_id, username } = await whoami(client);
    assert.equal(user_id, 'nameless');
    assert.ok(typeof username === 'string' && username !== '', JSON.stringify(username));
  },

  'a user id keeps the type it has in the token': async (w) => {
    assert.strictEqual((await whoami(await w.connect({ token: w.token(7) }))).user_id, 7);
    assert.strictEqual((await whoami(await w.connect({ token: w.token('7') }))).user_id, '7');
    assert.strictEqual((await whoami(await w.connect({ token: token({ sub: 7, name: 'x', tenant: w.tenant }) }))).user_id, 7);
  },

  'a new name in a new token is the name from then on': async (w) => {
    await whoami(await w.user('alice'));
    const renamed = await w.connect({ token: w.token('alice', { username: 'Alice Liddell' }) });
    assert.deepEqual(await whoami(renamed), { user_id: 'alice', username: 'Alice Liddell' });
  },

  'the claims of staff are read in every form they come in': async (w) => {
    const forms = [{ is_staff: true }, { is_superuser: true }, { role: 'staff' }, { roles: ['admin', 'x'] }, { roles: 'admin' }, { is_staff: false, roles: [] }];
    for (const form of forms) {
      const client = await w.connect({ token: w.token('agent', form) });
      assert.equal((await whoami(client)).user_id, 'agent', JSON.stringify(form));
    }
  },
};

export const validity = {
  'an access token says so or says nothing': async (w) => {
    for (const kind of [{}, { token_type: 'access' }, { type: 'access' }]) {
      assert.equal((await whoami(await w.connect({ token: w.token('alice', kind) }))).user_id, 'alice');
    }
  },

  'times are read with a leeway of 5 seconds': async (w) => {
    assert.equal((await whoami(await w.connect({ token: w.token('late', { exp: now() - 2 }) }))).user_id, 'late');
    assert.equal((await whoami(await w.connect({ token: w.token('early', { nbf: now() + 3 }) }))).user_id, 'early');
  },
};

const refused = {
  'an expired token': (w) => w.token('alice', { exp: now() - 10 }),
  'a token without exp': (w) => w.token('alice', { exp: undefined }),
  'a token that is not valid yet': (w) => w.token('alice', { nbf: now() + 60 }),
  'a refresh token by token_type': (w) => w.token('alice', { token_type: 'refresh' }),
  'a refresh token by type': (w) => w.token('alice', { type: 'refresh' }),
  'a token of another secret': (w) => token({ user_id: 'alice', tenant: w.tenant }, { secret: `${SECRET}x` }),
  'a token of algorithm none': (w) => token({ user_id: 'alice', tenant: w.tenant }, { secret: '', algorithm: 'none' }),
  'a token of an algorithm that is not configured': (w) => token({ user_id: 'alice', tenant: w.tenant }, { algorithm: 'HS512' }),
  'a token whose claims were changed': (w) => {
    const [head, , signature] = w.token('alice').split('.');
    return [head, w.token('admin', { is_staff: true }).split('.')[1], signature].join('.');
  },
  'a token without a user': (w) => token({ username: 'Nobody', tenant: w.tenant }),
  'a token that is no token': () => 'garbage',
  'a token of dots': () => '..',
};

export const refusals = {
  ...Object.fromEntries(Object.entries(refused).map(([what, make]) => [`${what} is refused for good`, async (w) => {
    const error = await refusedConnect(w, { token: make(w) });
    assert.match(error.message, /^unauthorized: ./);
  }])),

  'no client tries again when it is refused': async (w) => {
    for (const client of ['4.8', '4.0', '3.1']) {
      for (const transports of [['websocket'], ['polling']]) {
        const error = await refusedConnect(w, { client, transports, token: 'garbage' });
        assert.match(error.message, /^unauthorized: ./);
      }
    }
  },

  'a refusal does not repeat the token': async (w) => {
    const bad = w.token('alice', { exp: now() - 10 });
    const error = await refusedConnect(w, { token: bad });
    for (const part of bad.split('.')) assert.ok(!JSON.stringify([error.message, error.data]).includes(part));
  },
};

/** For a server whose connect_timeout_seconds is 1: a refused connection is closed by the server some time later. */
export const afterTheTimeout = (client) => async (w) => {
  const closed = ({ socket: { io: { engine } } }) => (
    engine.readyState === 'closed' ? undefined : new Promise((resolve) => { engine.once('close', resolve); })
  );
  const error = await refusedConnect(w, { client, token: 'garbage' }, undefined, closed);
  assert.match(error.message, /^unauthorized: ./);
};
