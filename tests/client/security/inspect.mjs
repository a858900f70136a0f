// `confab token inspect`: what this server would make of a token, in words.
import assert from 'node:assert/strict';
import { account, logout } from '../support/accounts.mjs';
import { now, token } from '../support/clients.mjs';
import { SECRET } from '../support/server.mjs';
import { disable, revoke } from './staff.mjs';

const CHECKS = ['form', 'signature', 'issuer', 'kind', 'time', 'user', 'access'];

/** Resolves to `{code, stderr, first, checks}`: the first line, and for each check its mark and its text. */
async function inspect(w, accessToken, options) {
  const { code, stdout, stderr } = await w.server.command(['token', 'inspect', '--', accessToken], options);
  const [first, , ...lines] = stdout.trimEnd().split('\n');
  assert.ok(!stdout.includes(accessToken) && !stderr.includes(accessToken), 'it repeats the token');
  const checks = Object.fromEntries(lines.map((line) => {
    const [, mark, check, text] = line.match(/^ {2}(ok|no|--) {2}(\w+) +(.+)$/) ?? assert.fail(line);
    return [check, { mark, text }];
  }));
  assert.deepEqual(Object.keys(checks), CHECKS);
  return { code, stderr, first, checks };
}

/** It is refused at one check, those before it are passed, those behind it not looked at. */
async function refusedAt(w, check, why, accessToken, options) {
  const { code, stderr, first, checks } = await inspect(w, accessToken, options);
  assert.equal(code, 1);
  assert.equal(first, 'This server refuses the token.');
  const at = CHECKS.indexOf(check);
  assert.deepEqual(CHECKS.map((name) => checks[name].mark), CHECKS.map((_, i) => (i < at ? 'ok' : i === at ? 'no' : '--')), JSON.stringify(checks));
  assert.match(checks[check].text, why);
  assert.match(stderr, why);
}

export const inspecting = {
  'a token that is taken: as whom, until when, by which key': async (w) => {
    const { code, stderr, first, checks } = await inspect(w, w.token(7, { is_staff: true, token_version: 2 }));
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(first, `This server takes the token, as user 7 (a number) of tenant ${w.tenant}.`);
    for (const check of CHECKS) assert.equal(checks[check].mark, 'ok', check);
    assert.match(checks.form.text, /HS256/);
    assert.equal(checks.signature.text, 'made by jwt_secret');
    assert.match(checks.issuer.text, /nobody asks/);
    assert.match(checks.time.text, /^good until \d{4}-.*Z, which is in (59|60) minutes$/);
    assert.equal(checks.user.text, `user 7 (a number), called "7", of tenant ${w.tenant}, staff, token version 2`);
    assert.equal(checks.access.text, 'a user who has not come before');
    assert.match((await inspect(w, w.token('7'))).first, /user "7" \(a text\)/);
  },

  'a token that is refused: at which check, and why': async (w) => {
    const other = 'another-secret-0123456789-0123456789';
    await refusedAt(w, 'form', /is not a JWT/, 'garbage');
    await refusedAt(w, 'signature', /not signed by a key that is accepted/, token({ user_id: 1 }, { secret: other }));
    await refusedAt(w, 'signature', /signed in a way that is not accepted/, token({ user_id: 1 }, { algorithm: 'HS512' }));
    await refusedAt(w, 'kind', /not an access token/, w.token('a', { token_type: 'refresh' }));
    await refusedAt(w, 'time', /has expired/, w.token('a', { exp: now() - 60 }));
    await refusedAt(w, 'time', /not valid yet/, w.token('a', { nbf: now() + 60 }));
    await refusedAt(w, 'time', /has no exp/, w.token('a', { exp: undefined }));
    await refusedAt(w, 'user', /names no user/, w.token(undefined, {}));
    const issuer = { settings: { jwt_issuer: 'us', jwt_audience: 'chat' } };
    await refusedAt(w, 'issuer', /another issuer/, w.token('a', { iss: 'them', aud: 'chat' }), issuer);
    await refusedAt(w, 'issuer', /another audience/, w.token('a', { iss: 'us', aud: 'mail' }), issuer);
    await refusedAt(w, 'issuer', /names no/, w.token('a'), issuer);
    const { checks } = await inspect(w, w.token('a', { iss: 'us', aud: 'chat' }), issuer);
    assert.match(checks.issuer.text, /issuer "us", audience "chat"/);
  },

  'while the server runs it knows of revoked tokens and disabled users': async (w) => {
    const alice = w.token('alice');
    await w.connect({ token: alice });
    assert.match((await inspect(w, alice)).checks.access.text, /^not revoked: the user's version is 0/);
    await revoke(w, 'alice');
    await refusedAt(w, 'access', /was revoked/, alice);
    const newer = w.token('alice', { token_version: 1 });
    assert.equal((await inspect(w, newer)).code, 0);
    await disable(w, 'alice');
    await refusedAt(w, 'access', /account is disabled/, newer);
  },

  'it reads the token from standard input, with Bearer or without': async (w) => {
    for (const input of [w.token('a'), `Bearer ${w.token('a')}\n`]) {
      const { code, stdout } = await w.server.command(['token', 'inspect', '-'], { input });
      assert.equal(code, 0);
      assert.match(stdout, /^This server takes the token, as user "a"/);
    }
  },

  'a key of before is named as such': async (w) => {
    const secret = 'another-secret-0123456789-0123456789';
    const settings = { jwt_previous_secrets: [secret] };
    const { checks } = await inspect(w, token({ user_id: 1 }, { secret }), { settings });
    assert.equal(checks.signature.text, 'made by number 1 of jwt_previous_secrets');
    await refusedAt(w, 'signature', /not signed by a key/, token({ user_id: 1 }), { settings: { ...settings, jwt_secret: `${SECRET}x` } });
  },

  'where the database cannot be asked it says so': async (w) => {
    const { code, checks } = await inspect(w, w.token('a'), { settings: { database_url: `sqlite://${w.server.dataDir}/none.db` } });
    assert.equal(code, 0);
    assert.match(checks.access.text, /^not known whether it was revoked: there is no database/);
  },

  'it makes no secret where there is none': async (w) => {
    const data_dir = `${w.server.dataDir}/${w.id('empty')}`;
    const { code, stderr } = await w.server.command(['token', 'inspect', w.token('a')], { settings: { jwt_secret: null, data_dir } });
    assert.equal(code, 1);
    assert.match(stderr, /there is no key yet/);
    assert.match((await w.server.command(['token'], {})).stderr, /--user-id/);
  },
};

/** For a server with accounts. */
export const accounts = {
  'a token of an account is of its session': async (w) => {
    const alice = await account(w);
    const { code, checks } = await inspect(w, alice.access_token);
    assert.equal(code, 0);
    assert.match(checks.signature.text, /as it signs for built-in accounts$/);
    assert.match(checks.user.text, /signed in to an account of this server$/);
    await refusedAt(w, 'kind', /not an access token/, alice.refresh_token);
    await logout(w.server, alice);
    await refusedAt(w, 'access', /session has ended/, alice.access_token);
  },
};
