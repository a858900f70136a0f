// What nobody may come across: passwords and tokens, in the log or on the disk.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UNTHROTTLED, assertOk, assertRefused, login, logout, me, post, refresh, register, withCookie } from '../support/accounts.mjs';
import { connect } from '../support/clients.mjs';
import { startServer } from '../support/server.mjs';

const PASSWORD = 'correct-horse-battery-staple';
const WRONG = 'wrong-horse-battery-staple';

/** Everything that can be done with a password and a token, well and badly. Resolves to what must not be seen. */
async function live(server) {
  const secrets = new Set([PASSWORD, WRONG]);
  const keep = (signedIn) => {
    for (const token of [signedIn.access_token, signedIn.refresh_token]) if (token) secrets.add(token);
    return signedIn;
  };
  const first = keep(await register(server, 'alice', { password: PASSWORD }));
  const again = keep(await login(server, 'alice', { password: PASSWORD }));
  const inCookie = await post(server, 'login', { username: 'alice', password: PASSWORD, cookie: true });
  keep(assertOk(inCookie));
  secrets.add(inCookie.cookie.value);
  const { cookie } = await post(server, 'refresh', {}, withCookie(inCookie.cookie.value));
  secrets.add(cookie.value);
  assertRefused(await post(server, 'login', { username: 'alice', password: WRONG }), 'unauthorized');
  assertRefused(await post(server, 'register', { username: 'alice', password: WRONG }), 'username_taken');
  for (const body of [{ username: 'bob', password: [WRONG] }, { username: [WRONG], password: WRONG }, `{"password":"${WRONG}"`, WRONG, { [WRONG]: 7 }]) {
    for (const what of ['register', 'login']) assertRefused(await post(server, what, body), 'invalid_payload');
  }
  const client = await connect(server.url, { token: first.access_token });
  await client.ok('authenticate', { token: again.access_token });
  for (const place of [{ query: { token: first.refresh_token } }, { extraHeaders: { Authorization: `Bearer ${first.refresh_token}` } }]) {
    await assert.rejects(connect(server.url, place), /unauthorized/);
  }
  assertOk(await me(server, first.access_token));
  assertRefused(await me(server, first.refresh_token), 'unauthorized');
  const second = keep(await refresh(server, first.refresh_token));
  keep(await refresh(server, second.refresh_token));
  assertRefused(await post(server, 'refresh', { refresh_token: first.access_token }), 'unauthorized');
  assertRefused(await post(server, 'refresh', { refresh_token: first.refresh_token }), 'signed_out');
  await logout(server, again);
  await client.disconnected();
  client.close();
  return secrets;
}

/** All that is in the data folder, by file. */
const files = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name))]);

export default {
  'passwords and tokens are neither in the log, however much it says, nor on the disk': async () => {
    const server = await startServer({ jwt_secret: null, log: 'trace', ...UNTHROTTLED });
    const secrets = await live(server);
    assert.ok(secrets.size >= 11, `${secrets.size}`);
    // As it runs, with what is not in the database file yet, and with every line of the log after its end.
    const running = files(server.dataDir);
    assert.equal(await server.stop(), 0);
    const log = server.log().join('\n');
    assert.match(log, /"action":"register"/);
    assert.match(log, /unauthorized/);
    const kept = [...running, ...files(server.dataDir)];
    assert.ok(kept.some(([, bytes]) => bytes.includes('alice')) && kept.some(([, bytes]) => bytes.includes('$argon2id$')));
    for (const secret of secrets) {
      assert.ok(!log.includes(secret), `the log holds ${secret}`);
      for (const [name, bytes] of kept) assert.ok(!bytes.includes(secret), `${name} holds ${secret}`);
    }
  },
};
