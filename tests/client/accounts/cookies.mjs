// The refresh token as a cookie, for browsers: where no script can read it, and nowhere else.
import assert from 'node:assert/strict';
import { whoami } from '../connecting/tokens.mjs';
import {
  PASSWORD, account, ask, assertOk, assertRefused, assertShutOut, me, post, register, withCookie,
} from '../support/accounts.mjs';
import { assertSignedIn } from '../support/shapes.mjs';

const MONTH_SECONDS = 30 * 24 * 3600;
const CHAT = 'chat.example:8443';

/** What a page of this server, behind a proxy that speaks TLS, sends. */
const OVER_TLS = { Host: CHAT, Origin: `https://${CHAT}` };

function assertCookie(answer, { secure = false, status = 200 } = {}) {
  const body = assertOk(answer, status);
  assertSignedIn(body);
  assert.ok(!('refresh_token' in body), answer.body);
  const { value, attributes } = answer.cookie;
  assert.ok(!answer.body.includes(value));
  const named = [...attributes.keys()].filter((name) => name !== 'max-age' && name !== 'expires').sort();
  assert.deepEqual(named, secure ? ['httponly', 'path', 'samesite', 'secure'] : ['httponly', 'path', 'samesite']);
  assert.equal(attributes.get('samesite'), 'Strict');
  assert.equal(attributes.get('path'), '/api/auth');
  assert.ok(Number(attributes.get('max-age')) >= MONTH_SECONDS, attributes.get('max-age'));
  return value;
}

function assertForgotten({ cookie }) {
  assert.equal(cookie?.value, '');
  assert.equal(cookie.attributes.get('path'), '/api/auth');
  assert.equal(cookie.attributes.get('max-age'), '0');
}

export default {
  'with cookie: true the refresh token is in a cookie that no script reads, and not in the body': async (w) => {
    const credentials = { username: w.id('user'), password: PASSWORD, cookie: true };
    assertCookie(await post(w.server, 'register', credentials), { status: 201 });
    const value = assertCookie(await post(w.server, 'login', credentials));
    assertCookie(await post(w.server, 'refresh', {}, withCookie(value)));
  },

  'the cookie is kept to HTTPS where the page is': async (w) => {
    const credentials = { username: w.id('user'), password: PASSWORD, cookie: true };
    assertCookie(await post(w.server, 'register', credentials, OVER_TLS), { status: 201, secure: true });
    const value = assertCookie(await post(w.server, 'login', credentials, OVER_TLS), { secure: true });
    assertCookie(await post(w.server, 'refresh', {}, { ...OVER_TLS, ...withCookie(value) }), { secure: true });
    assertCookie(await post(w.server, 'login', credentials, { Origin: 'http://localhost:5173' }));
  },

  'without it the refresh token is in the body, and there is no cookie': async (w) => {
    const credentials = { username: w.id('user'), password: PASSWORD };
    const made = await post(w.server, 'register', credentials);
    const again = await post(w.server, 'login', { ...credentials, cookie: false });
    const next = await post(w.server, 'refresh', { refresh_token: made.json.refresh_token });
    for (const [answer, status] of [[made, 201], [again, 200], [next, 200]]) {
      assert.ok('refresh_token' in assertOk(answer, status), answer.body);
      assert.equal(answer.headers['set-cookie'], undefined);
    }
  },

  'who is refused is given no cookie': async (w) => {
    const { user } = await account(w);
    for (const what of ['register', 'login']) {
      const answer = await post(w.server, what, { username: user.username, password: 'a wrong one', cookie: true });
      assert.equal(answer.json.success, false);
      assert.equal(answer.headers['set-cookie'], undefined);
    }
  },

  'a token in the body goes before the cookie, and is answered in the body': async (w) => {
    const [alice, bob] = [await account(w), await account(w)];
    const answer = await post(w.server, 'refresh', { refresh_token: alice.refresh_token }, withCookie(bob.refresh_token));
    const { user, refresh_token } = assertOk(answer);
    assert.equal(user.id, alice.user.id);
    assert.equal(typeof refresh_token, 'string');
    assert.equal(answer.headers['set-cookie'], undefined);
    assertOk(await post(w.server, 'refresh', { refresh_token: bob.refresh_token }));
  },

  'a cookie that is good for nothing is taken away': async (w) => {
    const alice = await account(w);
    const garbage = await post(w.server, 'refresh', {}, withCookie('garbage'));
    assertRefused(garbage, 'unauthorized');
    assertForgotten(garbage);
    assertOk(await post(w.server, 'logout', { refresh_token: alice.refresh_token }));
    const ended = await post(w.server, 'refresh', {}, withCookie(alice.refresh_token));
    assertRefused(ended, 'signed_out');
    assertForgotten(ended);
  },

  'a cookie that was not looked at stays': async (w) => {
    const { refresh_token } = await account(w);
    for (const body of ['', '{"refresh_token":7}']) {
      const answer = await post(w.server, 'refresh', body, withCookie(refresh_token));
      assertRefused(answer, 'invalid_payload');
      assert.equal(answer.headers['set-cookie'], undefined);
    }
    assertOk(await post(w.server, 'refresh', {}, withCookie(refresh_token)));
  },

  'signing out with the cookie ends the session and takes the cookie away': async (w) => {
    const username = w.id('user');
    const { access_token } = await register(w.server, username);
    const signedIn = await post(w.server, 'login', { username, password: PASSWORD, cookie: true });
    const value = assertCookie(signedIn);
    const out = await post(w.server, 'logout', {}, withCookie(value));
    assertOk(out);
    assertForgotten(out);
    await assertShutOut(w, signedIn.json.access_token);
    assertRefused(await post(w.server, 'refresh', {}, withCookie(value)), 'signed_out');
    assertOk(await me(w.server, access_token));
  },

  'the cookie opens nothing but the refresh and the end of its session': async (w) => {
    const { refresh_token, user } = await account(w);
    const headers = withCookie(refresh_token);
    assertRefused(await ask(w.server, '/api/me', { headers }), 'unauthorized');
    for (const transports of [['websocket'], ['polling']]) {
      const guest = await w.connect({ transports, extraHeaders: headers });
      const session = await guest.waitFor('session');
      assert.notEqual(session.user_id, user.id);
      assert.equal((await whoami(guest)).user_id, session.user_id);
    }
  },
};
