// Tokens that are worth nothing before they end: the user's version has gone up.
import assert from 'node:assert/strict';
import { account, assertLetIn, assertOk, assertRefused, assertShutOut, login, me, post } from '../support/accounts.mjs';
import { TRANSPORTS, assertRefusal, token } from '../support/clients.mjs';
import { AT_ONCE_MS, DOORS } from './doors.mjs';
import { record, revoke } from './staff.mjs';

const version = (w, id, token_version, claims = {}) => w.token(id, { token_version, ...claims });

/** The signed-in session of an account is of the tenant `default`; its staff are too. */
const agent = () => token({ user_id: 'agent', username: 'AGENT', is_staff: true });

/** All of them have to be told and closed, soon after `begun`. */
async function signedOutAtOnce(connections, begun, ends = () => {}) {
  await Promise.all(connections.map(async (connection) => {
    assertRefusal(await connection.told(), 'signed_out');
    ends(await connection.closed(), 'signed_out');
    const ms = Date.now() - begun;
    assert.ok(ms < AT_ONCE_MS, `closed after ${ms} ms`);
  }));
}

/** For each door. */
export const versions = ({ open, refuses, ends }) => ({
  'a token of a higher version ends what older ones gave, at once, and they get nobody in again': async (w) => {
    const older = [version(w, 'alice', 1), version(w, 'alice', undefined)];
    const connections = [await open(w, older[1]), await open(w, older[0]), await open(w, older[0])];
    // The first of version 1 ended the one without a version.
    await connections[0].closed();
    const begun = Date.now();
    const newer = await open(w, version(w, 'alice', 2));
    await signedOutAtOnce(connections.slice(1), begun, ends);
    await newer.barrier();
    for (const old of older) {
      await refuses(w, old, 'unauthorized');
      assertRefused(await me(w.server, old), 'unauthorized');
    }
    assertOk(await me(w.server, version(w, 'alice', 2)));
  },

  'staff revoke all tokens that a user has, and newer ones are taken': async (w) => {
    const [alice, bob] = [version(w, 'alice', 5), version(w, 'bob', 0)];
    const [hers, his] = [await open(w, alice), await open(w, bob)];
    const begun = Date.now();
    const user = await revoke(w, 'alice');
    await signedOutAtOnce([hers], begun, ends);
    assert.equal(user.token_version, 6);
    await his.barrier();
    await refuses(w, alice, 'unauthorized');
    await (await open(w, version(w, 'alice', 6))).barrier();
  },
});

export const everywhere = {
  'a higher version in any door ends the connections in all': async (w) => {
    const older = version(w, 'alice', 1);
    const connections = await Promise.all(DOORS.map((door) => door.open(w, older)));
    const begun = Date.now();
    assertOk(await me(w.server, version(w, 'alice', 2)));
    await signedOutAtOnce(connections, begun);
    for (const door of DOORS) await door.refuses(w, older, 'unauthorized');
  },

  'authenticate with a higher version keeps this connection and ends the others': async (w) => {
    const [kept, lost] = [await w.user('alice'), await w.user('alice')];
    await kept.ok('authenticate', { token: version(w, 'alice', 1) });
    assertRefusal(await lost.waitFor('error'), 'signed_out');
    await lost.disconnected();
    await kept.none('error');
    assert.deepEqual(kept.disconnects, []);
    await revoke(w, 'alice');
    assertRefusal(await kept.waitFor('error'), 'signed_out');
    await kept.disconnected();
  },

  'authenticate with a token that was revoked is refused and changes nothing': async (w) => {
    const client = await w.connect({ token: version(w, 'alice', 2) });
    await client.refused('unauthorized', 'authenticate', { token: version(w, 'alice', 1) });
    await client.barrier();
    assert.deepEqual(client.disconnects, []);
  },

  'a user of the same id in another tenant, and one of the same digits, keep their tokens': async (w) => {
    const others = [w.token('7'), token({ user_id: 7, username: 'x', tenant: w.id('tenant') })];
    const connections = await Promise.all(others.map((other) => w.connect({ token: other })));
    await w.connect({ token: version(w, 7, 3) });
    await revoke(w, 7);
    for (const client of connections) {
      await client.none('error');
      assert.deepEqual(client.disconnects, []);
    }
    for (const other of others) assertOk(await me(w.server, other));
    assert.equal((await record(w, 7)).token_version, 4);
    assert.equal((await record(w, '7')).token_version, 0);
  },

  'no connection outlives a revocation that comes while it is being made': async (w) => {
    const alice = version(w, 'alice', 1);
    const early = await w.connect({ token: alice });
    const clients = Array.from({ length: 21 }, (_, i) => w.open({ token: alice, transports: TRANSPORTS[i % 3] }));
    await revoke(w, 'alice');
    await early.disconnected();
    for (const client of clients) {
      // Refused or closed, whichever came first.
      await client.ready.catch(() => {});
      if (client.connected) await client.disconnected();
    }
  },

  'a version that is not a whole number is refused': async (w) => {
    for (const wrong of [-1, 1.5, '2', 2 ** 53, true, [1]]) {
      assertRefused(await me(w.server, version(w, 'alice', wrong)), 'unauthorized', JSON.stringify(wrong));
    }
    assertOk(await me(w.server, version(w, 'alice', null)));
    assertOk(await me(w.server, version(w, 'alice', 2 ** 53 - 1)));
  },

  'who is revoked can be so before they ever came': async (w) => {
    const user = await revoke(w, 'newcomer');
    assert.equal(user.token_version, 1);
    assertRefused(await me(w.server, version(w, 'newcomer', 0)), 'unauthorized');
    assertOk(await me(w.server, version(w, 'newcomer', 1)));
  },
};

/** For a server with accounts. */
export const accounts = {
  'revoking ends the sessions of an account, and the next one carries the new version': async (w) => {
    const first = await account(w);
    const client = await w.connect({ token: first.access_token });
    await revoke(w, first.user.id, { as: agent() });
    assertRefusal(await client.waitFor('error'), 'signed_out');
    await client.disconnected();
    await assertShutOut(w, first.access_token);
    assertRefused(await post(w.server, 'refresh', { refresh_token: first.refresh_token }), 'signed_out');
    const again = await login(w.server, first.user.username);
    const { token_version } = JSON.parse(Buffer.from(again.access_token.split('.')[1], 'base64url'));
    assert.equal(token_version, 1);
    await assertLetIn(w, again.access_token, first.user);
  },
};
