// Signing out: what ends with a session, and what does not.
import assert from 'node:assert/strict';
import {
  account, assertLetIn, assertOk, assertRefused, assertShutOut, login, logout, post, refresh, withCookie,
} from '../support/accounts.mjs';
import { assertRefusal } from '../support/clients.mjs';

/** For each transport. */
export const connections = {
  'a connection whose session is ended hears why, is closed, and does not get in again': async (w) => {
    const alice = await account(w);
    const attempts = [];
    const client = await w.connect({ token: alice.access_token, reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 10 });
    const refused = new Promise((resolve) => { client.socket.on('connect_error', resolve); });
    await client.ok('join_room', { room_id: w.id() });
    client.socket.io.on('reconnect_attempt', (attempt) => attempts.push(attempt));
    await logout(w.server, alice);
    assertRefusal(await client.waitFor('error'), 'signed_out');
    const reason = await client.disconnected();
    assert.ok(['transport close', 'transport error'].includes(reason), reason);
    // It comes back by itself as from any other gap, and is told that this is over.
    assert.match((await refused).message, /^unauthorized: ./);
    assert.equal(client.connected, false);
    assert.equal(client.all('error').length, 1);
    assert.equal(attempts.length, 1);
  },

  'another session of the same user goes on, and so do other users': async (w) => {
    const room_id = w.id();
    const phone = await account(w);
    const laptop = await login(w.server, phone.user.username);
    const bob = await account(w);
    const [lost, ...others] = await Promise.all([phone, laptop, bob].map(({ access_token }) => w.connect({ token: access_token })));
    for (const client of [lost, ...others]) await client.ok('join_room', { room_id });
    await logout(w.server, phone);
    await lost.disconnected();
    await others[0].say(room_id, others);
    for (const client of others) {
      await client.none('error');
      assert.deepEqual(client.disconnects, []);
    }
    for (const session of [laptop, bob]) {
      await assertLetIn(w, session.access_token, session.user);
      await refresh(w.server, session.refresh_token);
    }
  },

  'all connections of a session end with it': async (w) => {
    const alice = await account(w);
    const next = await refresh(w.server, alice.refresh_token);
    const tokens = [alice.access_token, next.access_token, alice.access_token, next.access_token];
    const clients = await Promise.all(tokens.map((token) => w.connect({ token })));
    await logout(w.server, next);
    for (const client of clients) {
      assertRefusal(await client.waitFor('error'), 'signed_out');
      await client.disconnected();
    }
  },

  'a connection that moved to another session by authenticate ends with that one': async (w) => {
    const first = await account(w);
    const second = await login(w.server, first.user.username);
    const client = await w.connect({ token: first.access_token });
    await client.ok('authenticate', { token: second.access_token });
    await logout(w.server, first);
    await client.none('error');
    assert.deepEqual(client.disconnects, []);
    await logout(w.server, second);
    assertRefusal(await client.waitFor('error'), 'signed_out');
    await client.disconnected();
  },

  'authenticate refuses the token of a session that has ended': async (w) => {
    const first = await account(w);
    const second = await login(w.server, first.user.username);
    const client = await w.connect({ token: first.access_token });
    await logout(w.server, second);
    await client.refused('unauthorized', 'authenticate', { token: second.access_token });
    await client.barrier();
  },

  'the reason reaches a client that is busy, however often one looks': async (w) => {
    for (let i = 0; i < 10; i += 1) {
      const alice = await account(w);
      const client = await w.connect({ token: alice.access_token });
      // Right behind an answer a client of long-polling has no request under way.
      await client.ok('join_room', { room_id: w.id() });
      await logout(w.server, alice);
      await client.disconnected();
      assert.deepEqual(client.all('error').map(({ code }) => code), ['signed_out'], `of sign-out ${i + 1}`);
    }
  },

  'no connection outlives a sign-out that comes while it is being made': async (w) => {
    const alice = await account(w);
    const early = await w.connect({ token: alice.access_token });
    const clients = Array.from({ length: 20 }, () => w.open({ token: alice.access_token }));
    await logout(w.server, alice);
    await early.disconnected();
    for (const client of clients) {
      // Refused or closed, whichever came first.
      await client.ready.catch(() => {});
      if (client.connected) await client.disconnected();
    }
  },
};

export const tokens = {
  'who signs out leaves no token that works': async (w) => {
    const alice = await account(w);
    const next = await refresh(w.server, alice.refresh_token);
    const answer = await post(w.server, 'logout', { refresh_token: next.refresh_token });
    assert.deepEqual(assertOk(answer), { success: true });
    for (const { access_token, refresh_token } of [alice, next]) {
      await assertShutOut(w, access_token);
      assertRefused(await post(w.server, 'refresh', { refresh_token }), 'signed_out');
    }
  },

  'any token of the session ends it': async (w) => {
    const first = await account(w);
    const second = await refresh(w.server, first.refresh_token);
    const third = await refresh(w.server, second.refresh_token);
    await logout(w.server, first);
    await assertShutOut(w, third.access_token);
    assertRefused(await post(w.server, 'refresh', { refresh_token: third.refresh_token }), 'signed_out');
  },

  'signing out twice, or without a session, is no error': async (w) => {
    const alice = await account(w);
    for (let i = 0; i < 3; i += 1) await logout(w.server, alice);
    for (const body of [{}, { refresh_token: null }, { refresh_token: 'garbage' }]) assertOk(await post(w.server, 'logout', body));
    assertOk(await post(w.server, 'logout', {}, withCookie('garbage')));
    assertOk(await post(w.server, 'logout', {}, withCookie(alice.refresh_token)));
  },

  'who has signed out signs in again as the same user': async (w) => {
    const alice = await account(w);
    await logout(w.server, alice);
    const again = await login(w.server, alice.user.username);
    await assertLetIn(w, again.access_token, alice.user);
    await assertShutOut(w, alice.access_token);
  },
};
