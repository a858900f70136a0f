// Which pages may sign people in, and what browsers are told about the answers.
import assert from 'node:assert/strict';
import { PASSWORD, account, ask, assertOk, assertRefused, bearer, me, post, register, withCookie } from '../support/accounts.mjs';

const FOREIGN = ['https://evil.example', 'http://localhost.evil.example', 'null'];
const ROUTES = [
  ['GET', '/api/auth'], ['POST', '/api/auth/register'], ['POST', '/api/auth/login'], ['POST', '/api/auth/refresh'],
  ['POST', '/api/auth/logout'], ['GET', '/api/me'],
];
const NO_STORE = 'no-store';

/** For a server whose allowed_origins are these. */
export const LISTED = ['https://app.example', 'http://other.example:8080'];

/** Every route with a body that is good for it. */
function askEach(w, { username, refresh_token, access_token, headers }) {
  const body = JSON.stringify({ username, password: PASSWORD, refresh_token });
  return Promise.all(ROUTES.map(async ([method, path]) => {
    const whole = { 'Content-Type': 'application/json', ...bearer(access_token), ...headers };
    return [path, await ask(w.server, path, { method, headers: whole, ...(method === 'POST' ? { body } : {}) })];
  }));
}

export const byDefault = {
  'a page of another site is refused everything, and nothing comes of it': async (w) => {
    const alice = await account(w);
    const username = w.id('user');
    for (const Origin of FOREIGN) {
      for (const [path, answer] of await askEach(w, { username, ...alice, headers: { Origin, ...withCookie(alice.refresh_token) } })) {
        assertRefused(answer, 'origin_not_allowed', `${path} from ${Origin}`);
        for (const header of ['access-control-allow-origin', 'set-cookie']) assert.equal(answer.headers[header], undefined, path);
      }
    }
    await register(w.server, username);
    assertOk(await me(w.server, alice.access_token));
    assertOk(await post(w.server, 'refresh', { refresh_token: alice.refresh_token }));
  },

  'pages of the server itself and of this machine are admitted, and so are programs': async (w) => {
    const sources = [{}, { Origin: w.server.url }, { Origin: 'http://localhost:5173' }, { Host: 'chat.example', Origin: 'https://chat.example' }];
    for (const headers of sources) {
      const { access_token } = await account(w, { headers });
      assertOk(await ask(w.server, '/api/me', { headers: { ...headers, ...bearer(access_token) } }));
    }
  },

  'no answer of a route is kept by a cache, whatever it says': async (w) => {
    const alice = await account(w);
    const username = w.id('user');
    const rounds = [{ username, ...alice }, { username, refresh_token: 'garbage', access_token: 'garbage' }, { username: '' }];
    for (const round of rounds) {
      for (const [path, { status, headers }] of await askEach(w, round)) {
        assert.equal(headers['cache-control'], NO_STORE, `${path}: ${status}`);
        assert.equal(headers['x-content-type-options'], 'nosniff', path);
      }
    }
  },

  'no refusal below /api is kept by a cache either: of a foreign page, of a wrong path or method': async (w) => {
    const refusals = [
      ['/api/me', { headers: { Origin: FOREIGN[0] } }], ['/api/auth/login', { method: 'POST', headers: { Origin: FOREIGN[0] } }],
      ['/api/nothing-here', {}], ['/api/auth/login', { method: 'GET' }],
    ];
    const kept = [];
    for (const [path, options] of refusals) {
      const { status, headers } = await ask(w.server, path, options);
      if (headers['cache-control'] !== NO_STORE) kept.push(`${path}: ${status}`);
    }
    assert.deepEqual(kept, []);
  },
};

export const listed = {
  'a listed page reads every answer, refusals included': async (w) => {
    const alice = await account(w);
    for (const Origin of LISTED) {
      const good = await askEach(w, { username: w.id('user'), ...alice, headers: { Origin } });
      const bad = await askEach(w, { username: '', refresh_token: 7, access_token: 'garbage', headers: { Origin } });
      for (const [path, { status, headers }] of [...good, ...bad]) {
        assert.equal(headers['access-control-allow-origin'], Origin, `${path}: ${status}`);
        assert.equal(headers['access-control-allow-credentials'], 'true', path);
        assert.match(headers.vary ?? '', /origin/i, path);
      }
    }
  },

  'the preflight of a listed page is granted for every route and header': async ({ server }) => {
    const wanted = ['authorization', 'x-guest-session', 'content-type'];
    for (const [method, path] of ROUTES) {
      const answer = await ask(server, path, {
        method: 'OPTIONS',
        headers: { Origin: LISTED[0], 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': wanted.join(',') },
      });
      assert.ok([200, 204].includes(answer.status), `${path}: ${answer.status}`);
      assert.equal(answer.headers['access-control-allow-origin'], LISTED[0]);
      assert.equal(answer.headers['access-control-allow-credentials'], 'true');
      const list = (header) => (answer.headers[header] ?? '').toLowerCase().split(/\s*,\s*/);
      for (const header of wanted) assert.ok(list('access-control-allow-headers').includes(header), `${path}: ${header}`);
      assert.ok(list('access-control-allow-methods').includes(method.toLowerCase()), path);
    }
  },

  'the preflight of a page that is not listed is refused': async ({ server }) => {
    for (const Origin of [...FOREIGN, 'http://app.example', 'https://app.example:8443', 'https://app.example.evil.example']) {
      const headers = { Origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' };
      const answer = await ask(server, '/api/auth/login', { method: 'OPTIONS', headers });
      assertRefused(answer, 'origin_not_allowed', Origin);
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
    }
  },

  'a listed page signs people in, without a cookie': async (w) => {
    const headers = { Origin: LISTED[0] };
    const { access_token, user } = await account(w, { headers });
    const client = await w.connect({ token: access_token, extraHeaders: headers });
    await client.barrier();
    assert.deepEqual(assertOk(await ask(w.server, '/api/me', { headers: { ...headers, ...bearer(access_token) } })).user, user);
  },
};
