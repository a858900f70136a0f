// Making an account and signing in to it: who one is then, which names are one, and which bodies are refused.
import assert from 'node:assert/strict';
import { whoami } from '../connecting/tokens.mjs';
import {
  PASSWORD, account, ask, assertLetIn, assertOk, assertRefused, login, me, post, register,
} from '../support/accounts.mjs';
import { assertUser } from '../support/shapes.mjs';

const SIX_HOURS_MS = 6 * 3600 * 1000;

const wide = (text) => text.replace(/[!-~]/g, (char) => String.fromCodePoint(char.codePointAt(0) + 0xfee0));

export const accounts = {
  'who registers is signed in, and the token connects them': async (w) => {
    const username = w.id('Zoë');
    const { access_token, expires_at, user } = await register(w.server, username);
    assertUser(user, { username, is_guest: false });
    const lasts = Date.parse(expires_at) - Date.now();
    assert.ok(lasts > SIX_HOURS_MS - 60_000 && lasts <= SIX_HOURS_MS + 1000, expires_at);
    const client = await w.connect({ token: access_token });
    assert.deepEqual(await whoami(client), { user_id: user.id, username });
    assert.deepEqual(assertOk(await me(w.server, access_token)), { success: true, user });
  },

  'who signs in again is the same user, in another session': async (w) => {
    const first = await account(w);
    const second = await login(w.server, first.user.username);
    assert.deepEqual(second.user, first.user);
    assert.notEqual(second.access_token, first.access_token);
    assert.notEqual(second.refresh_token, first.refresh_token);
    for (const { access_token, user } of [first, second]) await assertLetIn(w, access_token, user);
  },

  'two accounts are two users, who find each other and talk': async (w) => {
    const [alice, bob] = [await account(w), await account(w)];
    assert.notEqual(alice.user.id, bob.user.id);
    const [from, to] = [await w.connect({ token: alice.access_token }), await w.connect({ token: bob.access_token })];
    // Whose request is answered is online.
    await to.barrier();
    const { users } = await from.ok('search_users', { query: bob.user.username });
    assert.deepEqual(users.map(({ id, username, online }) => [id, username, online]), [[bob.user.id, bob.user.username, true]]);
    const { message } = await from.ok('private_message', { recipient_id: bob.user.id, message: 'hello' });
    assert.deepEqual(await to.waitFor('new_message', { id: message.id }), message);
    assert.equal(message.username, alice.user.username);
  },

  'a user who has an account is found before their first connection': async (w) => {
    const [alice, bob] = [await account(w), await account(w)];
    const client = await w.connect({ token: alice.access_token });
    const { users } = await client.ok('search_users', { query: bob.user.username });
    assert.deepEqual(users, [{ id: bob.user.id, username: bob.user.username, online: false, last_seen: null }]);
  },

  'a password is taken as it is: nothing is trimmed, folded or cut off': async (w) => {
    const username = w.id();
    const password = ` Pässword ${'x'.repeat(900)} 1 `;
    await register(w.server, username, { password });
    const others = [password.trim(), password.toLowerCase(), password.normalize('NFD'), `${password.slice(0, -2)}2 `, password.slice(0, 72)];
    for (const other of others) assertRefused(await post(w.server, 'login', { username, password: other }), 'unauthorized', other);
    await login(w.server, username, { password });
  },

  'passwords of 8 and of 1,000 characters are passwords, in any script': async (w) => {
    for (const password of ['12345678', '🦀'.repeat(8), '密'.repeat(1000), '\0\n\t\u200b    ']) {
      const { user } = await account(w, { password });
      assert.deepEqual((await login(w.server, user.username, { password })).user, user);
    }
  },

  'a wrong password and an unknown name are answered alike': async (w) => {
    const { user } = await account(w);
    const wrong = await post(w.server, 'login', { username: user.username, password: `${PASSWORD}!` });
    const unknown = await post(w.server, 'login', { username: w.id('user'), password: PASSWORD });
    assertRefused(wrong, 'unauthorized');
    assert.equal(unknown.status, wrong.status);
    assert.equal(unknown.body, wrong.body);
    assert.deepEqual(Object.keys(unknown.headers), Object.keys(wrong.headers));
  },
};

/** For a server with nothing else to do: so many passwords are all that it lets wait. */
export const crowds = {
  '100 registrations of one name at the same time make one account': async (w) => {
    const username = w.id('user');
    const passwords = Array.from({ length: 100 }, (_, i) => `${PASSWORD} ${i}`);
    const answers = await Promise.all(passwords.map((password) => post(w.server, 'register', { username, password })));
    const made = answers.findIndex(({ status }) => status === 201);
    const { user } = assertOk(answers[made], 201);
    for (const [i, answer] of answers.entries()) if (i !== made) assertRefused(answer, 'username_taken');
    assert.deepEqual((await login(w.server, username, { password: passwords[made] })).user, user);
    const other = passwords[(made + 1) % passwords.length];
    assertRefused(await post(w.server, 'login', { username, password: other }), 'unauthorized');
    const searcher = await w.connect({ token: (await account(w)).access_token });
    const { users } = await searcher.ok('search_users', { query: username });
    assert.deepEqual(users.map(({ id }) => id), [user.id]);
  },
};

export const names = {
  'a name is trimmed, and otherwise kept as it was written': async (w) => {
    const username = `Zoë  ${w.id('Ärger')} 🦀`;
    const { user } = await register(w.server, `  ${username}\n`);
    assert.equal(user.username, username);
    assert.equal((await login(w.server, ` ${username.toUpperCase()}`)).user.username, username);
  },

  'names that differ in case, width or normal form only are one': async (w) => {
    const username = w.id('Zoë');
    const { user } = await register(w.server, username);
    const same = [username, username.toUpperCase(), username.toLowerCase(), username.normalize('NFD'), wide(username), ` ${username} `];
    for (const name of same) {
      const taken = await post(w.server, 'register', { username: name, password: 'another password' });
      assert.equal(assertRefused(taken, 'username_taken', name).message, 'This name is taken');
      assert.deepEqual((await login(w.server, name)).user, user);
    }
  },

  'names that people can tell apart are two': async (w) => {
    const end = w.id('');
    const users = [];
    for (const name of ['zoe', 'zoë', 'zoe.', 'z oe', 'зое']) users.push((await register(w.server, `${name}${end}`)).user.id);
    assert.equal(new Set(users).size, users.length);
  },

  'a name of 100 characters is one, counted as people do': async (w) => {
    const end = w.id('');
    const username = `${'🦀'.repeat(100 - end.length)}${end}`;
    assert.equal((await register(w.server, username)).user.username, username);
  },

  'a name with characters that are controls, formats or odd spaces is refused': async (w) => {
    for (const char of ['\u0007', '\n', '\u0085', '\u00a0', '\u00ad', '\u061c', '\u200b', '\u200d', '\u202e', '\u2028', '\u2066', '\u3000', '\ue000', '\ufeff', '\u{e0041}']) {
      const answer = await post(w.server, 'register', { username: `al${char}ice`, password: PASSWORD });
      const code = char.codePointAt(0).toString(16);
      assert.match(assertRefused(answer, 'invalid_payload', code).message, /invisible/, code);
    }
  },

  'no name looks like another one, or like nothing, by characters that are not drawn': async (w) => {
    const { user } = await account(w);
    const drawn = [];
    // Fillers, joiners and variation selectors: letters, marks and symbols to Unicode, nothing to the eye.
    for (const char of ['\u034f', '\u115f', '\u1160', '\u17b4', '\u180b', '\u2800', '\u3164', '\ufe0f', '\uffa0', '\u{e0100}']) {
      for (const username of [`${user.username}${char}`, char]) {
        const { status } = await post(w.server, 'register', { username, password: PASSWORD });
        if (status !== 400 && status !== 409) drawn.push(`${char.codePointAt(0).toString(16)}: ${status}`);
      }
    }
    assert.deepEqual(drawn, []);
  },
};

const MISSING = Symbol('missing');

/** Body by body: `[body, what the reason says]`. */
function badBodies(username) {
  const valid = { username, password: PASSWORD };
  const spoiled = (field, values, reason) => values.map((value) => {
    const body = { ...valid, [field]: value };
    if (value === MISSING) delete body[field];
    return [body, reason];
  });
  return [
    ...spoiled('username', [MISSING], /username/),
    ...spoiled('username', [null, 7, true, {}, ['alice']], /string/),
    ...spoiled('username', ['', '   ', '\n\t'], /empty/),
    ...spoiled('username', ['x'.repeat(101), '🦀'.repeat(101)], /longer than 100/),
    ...spoiled('username', ['a\0b'], /NUL/),
    ...spoiled('password', [MISSING], /password/),
    ...spoiled('password', [null, 12_345_678, true, {}, [PASSWORD]], /string/),
    ...spoiled('password', ['', '1234567', '🦀'.repeat(7), 'x'.repeat(1001)], /8 to 1,?000 characters/),
    ...spoiled('cookie', ['yes', 1, {}], /boolean/),
    ...[[], 7, true, [username, PASSWORD]].map((body) => [body, /object/]),
    [JSON.stringify('text'), /object/],
    ['null', /object|username/],
    ...['', 'text', `username=${username}&password=${PASSWORD}`, JSON.stringify(valid).slice(0, -1), `${JSON.stringify(valid)}x`]
      .map((body) => [body, /not JSON/]),
    [Buffer.concat([Buffer.from('{"username":"'), Buffer.from([0xff, 0xfe]), Buffer.from(`","password":"${PASSWORD}"}`)]), /not JSON|UTF-8/i],
    [{ ...valid, padding: 'x'.repeat(70_000) }, /too large/],
  ];
}

export const malformed = {
  'a bad body is refused with the reason, and makes nothing': async (w) => {
    const username = w.id('user');
    for (const [body, reason] of badBodies(username)) {
      for (const what of ['register', 'login']) {
        const answer = await post(w.server, what, body);
        const context = `${what} ${answer.body} for ${JSON.stringify(body).slice(0, 100)}`;
        assert.match(assertRefused(answer, 'invalid_payload', context).message, reason, context);
        assert.equal(answer.cookie, undefined);
      }
    }
    await register(w.server, username);
  },

  'what is not said to be JSON is not read: another site could send it unasked': async (w) => {
    const username = w.id('user');
    const form = 'application/x-www-form-urlencoded';
    for (const type of [null, '', 'text/plain', form, 'multipart/form-data; boundary=x', 'application/jsonp', 'text/json', `${form}; application/json`]) {
      for (const what of ['register', 'login', 'refresh', 'logout']) {
        const answer = await post(w.server, what, { username, password: PASSWORD }, { 'Content-Type': type });
        assert.match(assertRefused(answer, 'invalid_payload', `${what} as ${type}`).message, /content type/);
      }
    }
    await register(w.server, username);
  },

  'JSON is JSON with a charset, in capitals, with fields that nobody knows': async (w) => {
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/json ;charset="UTF-8"']) {
      const body = { username: w.id('user'), password: PASSWORD, padding: 'x'.repeat(60_000), is_staff: true, tenant: 'other' };
      assertOk(await post(w.server, 'register', body, { 'Content-Type': type }), 201);
    }
  },

  'a bad refresh token is a bad body where it is no text': async (w) => {
    for (const what of ['refresh', 'logout']) {
      for (const body of [{ refresh_token: 7 }, { refresh_token: ['x'] }, [], '', 'text', '"text"']) {
        assertRefused(await post(w.server, what, body), 'invalid_payload', `${what} ${JSON.stringify(body)}`);
      }
    }
  },

  'a wrong method is refused as everything is, in JSON': async ({ server }) => {
    for (const [method, path] of [['GET', '/api/auth/login'], ['POST', '/api/auth'], ['DELETE', '/api/me'], ['PUT', '/api/auth/register']]) {
      const answer = await ask(server, path, { method });
      assert.ok(answer.status === 404 || answer.status === 405, `${method} ${path}: ${answer.status}`);
      assert.equal(answer.json?.success, false, `${method} ${path} is answered with: ${JSON.stringify(answer.body)}`);
    }
  },
};
