// Accounts that are open, closed or off, and sessions over a crash. Each fact has servers of its own.
import assert from 'node:assert/strict';
import { keyFiles } from '../connecting/keys.mjs';
import { whoami } from '../connecting/tokens.mjs';
import {
  PASSWORD, UNTHROTTLED, ask, assertOk, assertRefused, login, logout, me, post, refresh, register,
} from '../support/accounts.mjs';
import { connect, token } from '../support/clients.mjs';
import { startServer } from '../support/server.mjs';

const ALICE = { username: 'alice', password: PASSWORD };

const waysIn = async (server) => assertOk(await ask(server, '/api/auth'));

async function connects(server, options) {
  const client = await connect(server.url, options);
  try {
    return await whoami(client);
  } finally {
    client.close();
  }
}

async function refusesAccounts(server) {
  assert.equal((await waysIn(server)).accounts, false);
  for (const what of ['register', 'login']) assertRefused(await post(server, what, ALICE), 'access_denied', what);
}

/** Those of the other application, and visitors. */
async function admitsOthers(server) {
  assert.deepEqual(await connects(server, { token: token({ user_id: 7, username: 'HOST' }) }), { user_id: 7, username: 'HOST' });
  assert.equal(assertOk(await me(server, token({ user_id: 7, username: 'HOST' }))).user.id, 7);
  assert.match((await connects(server)).user_id, /^guest_./);
}

export const modes = {
  'accounts are open where no other application signs tokens': async () => {
    const server = await startServer({ jwt_secret: null });
    assert.deepEqual(await waysIn(server), { success: true, accounts: true, registration: true, guests: true });
    const { access_token, user } = await register(server, 'alice');
    assert.deepEqual(await connects(server, { token: access_token }), { user_id: user.id, username: 'alice' });
    await server.stop();
  },

  'accounts are off where another application signs tokens, and all else works': async () => {
    const keys = keyFiles();
    try {
      const [secret, key] = await Promise.all([startServer(), startServer({ jwt_secret: null, jwt_public_key: keys.pem.ES256 })]);
      for (const server of [secret, key]) await refusesAccounts(server);
      assert.deepEqual(await waysIn(secret), { success: true, accounts: false, registration: false, guests: true });
      await admitsOthers(secret);
      await Promise.all([secret.stop(), key.stop()]);
    } finally {
      keys.remove();
    }
  },

  'accounts that are switched off are refused everywhere, and are there when they are switched on again': async () => {
    const server = await startServer({ accounts: 'open' });
    const alice = await register(server, 'alice');
    await server.restart({ accounts: 'off' });
    await refusesAccounts(server);
    assertRefused(await post(server, 'refresh', { refresh_token: alice.refresh_token }), 'access_denied');
    assertRefused(await me(server, alice.access_token), 'access_denied');
    await assert.rejects(connects(server, { token: alice.access_token }), /^Error: access_denied: ./);
    await admitsOthers(server);
    await server.restart({ accounts: 'open' });
    assert.deepEqual((await refresh(server, alice.refresh_token)).user, alice.user);
    await server.stop();
  },

  'closed accounts take no new ones, and let in those who have one': async () => {
    const server = await startServer({ accounts: 'open' });
    const alice = await register(server, 'alice');
    await server.restart({ accounts: 'closed' });
    assert.deepEqual(await waysIn(server), { success: true, accounts: true, registration: false, guests: true });
    // Whether the name is taken is not told.
    const refusals = [await post(server, 'register', { ...ALICE, username: 'bob' }), await post(server, 'register', ALICE)];
    for (const answer of refusals) assertRefused(answer, 'access_denied');
    assert.equal(refusals[0].body, refusals[1].body);
    assertRefused(await post(server, 'login', { ...ALICE, username: 'bob' }), 'unauthorized');
    const again = await login(server, 'alice');
    const next = await refresh(server, alice.refresh_token);
    for (const { access_token } of [alice, again, next]) {
      assert.deepEqual(await connects(server, { token: access_token }), { user_id: alice.user.id, username: 'alice' });
    }
    await logout(server, again);
    assertRefused(await me(server, again.access_token), 'unauthorized');
    await server.stop();
  },

  'the ways in say whether there are guests': async () => {
    const server = await startServer({ accounts: 'open', guests: false });
    assert.deepEqual(await waysIn(server), { success: true, accounts: true, registration: true, guests: false });
    await register(server, 'alice');
    await server.stop();
  },

  'accounts that nobody could sign tokens for stop the start': async () => {
    const keys = keyFiles();
    try {
      for (const accounts of ['open', 'closed']) {
        const starting = startServer({ accounts, jwt_secret: null, jwt_public_key: keys.pem.ES256 });
        await assert.rejects(starting, /accounts: need a jwt_secret beside the public key/);
      }
      await assert.rejects(startServer({ accounts: 'perhaps' }), /accounts: .*perhaps/);
    } finally {
      keys.remove();
    }
  },
};

export const crashes = {
  'an account and its session are there after a crash right behind the answer': async () => {
    const server = await startServer({ jwt_secret: null, ...UNTHROTTLED });
    const alice = await register(server, 'alice');
    await server.kill();
    await server.restart();
    assert.deepEqual(assertOk(await me(server, alice.access_token)).user, alice.user);
    assert.deepEqual(await connects(server, { token: alice.access_token }), { user_id: alice.user.id, username: 'alice' });
    const next = await refresh(server, alice.refresh_token);
    await server.kill();
    await server.restart();
    assert.equal((await refresh(server, alice.refresh_token)).refresh_token, next.refresh_token);
    const newest = await refresh(server, next.refresh_token);
    assert.deepEqual((await login(server, 'alice')).user, alice.user);
    await logout(server, newest);
    await server.kill();
    await server.restart();
    for (const { refresh_token, access_token } of [alice, next, newest]) {
      assertRefused(await me(server, access_token), 'unauthorized');
      assertRefused(await post(server, 'refresh', { refresh_token }), 'signed_out');
    }
    assertRefused(await post(server, 'register', ALICE), 'username_taken');
    await server.stop();
  },

  'a session that a stolen token has ended stays ended after a crash': async () => {
    const server = await startServer({ jwt_secret: null });
    const first = await register(server, 'alice');
    const second = await refresh(server, first.refresh_token);
    const third = await refresh(server, second.refresh_token);
    assertRefused(await post(server, 'refresh', { refresh_token: first.refresh_token }), 'signed_out');
    await server.kill();
    await server.restart();
    assertRefused(await post(server, 'refresh', { refresh_token: third.refresh_token }), 'signed_out');
    assertRefused(await me(server, third.access_token), 'unauthorized');
    await server.stop();
  },
};
