// Users who are shut out.
import assert from 'node:assert/strict';
import { account, ask, assertLetIn, assertOk, assertRefused, bearer, login, me, post } from '../support/accounts.mjs';
import { TRANSPORTS, assertRefusal, token } from '../support/clients.mjs';
import { TIME, assertFields, assertKeys } from '../support/shapes.mjs';
import { eventually } from '../support/world.mjs';
import { AT_ONCE_MS, DESKS, DOORS } from './doors.mjs';
import { act, disable, enable, inPath, look, record, refusedEverywhere, revoke, staff } from './staff.mjs';

const RECORD = ['id', 'tenant', 'username', 'is_guest', 'created_at', 'online', 'connections', 'last_seen', 'token_version', 'disabled_at'];

/** Guests and accounts are of the tenant `default`, and so are those who look after them. */
const agent = (claims = {}) => token({ user_id: 'agent', username: 'AGENT', is_staff: true, ...claims });

/** Three connections in each of some doors. */
const openAll = (w, doors, accessToken) => Promise.all(doors.flatMap((door) => [1, 2, 3].map(async () => ({
  door, ...await door.open(w, accessToken),
}))));

async function closedAtOnce(connections, begun) {
  await Promise.all(connections.map(async (connection) => {
    assertRefusal(await connection.told(), 'account_disabled');
    connection.door.ends(await connection.closed(), 'account_disabled');
    const ms = Date.now() - begun;
    assert.ok(ms < AT_ONCE_MS, `${connection.door.name}: closed after ${ms} ms`);
  }));
}

export const disabled = {
  'a user with three connections in every door is disabled, and within a second all are closed and told why': async (w) => {
    const alice = w.token('alice');
    const connections = await openAll(w, DOORS, alice);
    const bob = await w.user('bob');
    const begun = Date.now();
    await disable(w, 'alice');
    await closedAtOnce(connections, begun);
    for (const door of DOORS) await door.refuses(w, alice, 'account_disabled');
    assertRefused(await me(w.server, alice), 'account_disabled');
    await bob.none('error');
    assert.deepEqual(bob.disconnects, []);
  },

  'staff who are disabled lose their desk as fast': async (w) => {
    const colleague = w.token('colleague', { is_staff: true });
    const connections = await openAll(w, DESKS, colleague);
    const begun = Date.now();
    await disable(w, 'colleague');
    await closedAtOnce(connections, begun);
    for (const door of DESKS) await door.refuses(w, colleague, 'account_disabled');
    await enable(w, 'colleague');
    await revoke(w, 'colleague');
    for (const door of DESKS) await door.refuses(w, colleague, 'unauthorized');
  },

  'who is disabled hears and says nothing more, though the connection still closes': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await disable(w, 'alice');
    alice.emit('chat_message', { room_id, message: 'one more' });
    await bob.say(room_id, [bob]);
    await alice.disconnected();
    await bob.none('new_message', { user_id: 'alice' }, { room: room_id });
    assert.deepEqual(alice.all('new_message'), []);
    await bob.waitFor('user_offline', { user_id: 'alice' });
  },

  'who is enabled again gets in with the token that they had': async (w) => {
    const alice = w.token('alice');
    await w.connect({ token: alice });
    const since = (await disable(w, 'alice')).disabled_at;
    assert.match(since, TIME);
    assert.equal((await disable(w, 'alice')).disabled_at, since, 'the first time counts');
    assertRefused(await me(w.server, alice), 'account_disabled');
    assert.equal((await enable(w, 'alice')).disabled_at, null);
    assertOk(await me(w.server, alice));
    for (const door of DOORS) await (await door.open(w, alice)).barrier();
  },

  'no connection outlives it that is being made meanwhile': async (w) => {
    const alice = w.token('alice');
    const early = await w.connect({ token: alice });
    const clients = Array.from({ length: 21 }, (_, i) => w.open({ token: alice, transports: TRANSPORTS[i % 3] }));
    await disable(w, 'alice');
    await early.disconnected();
    for (const client of clients) {
      await client.ready.catch(() => {});
      if (client.connected) await client.disconnected();
    }
  },

  'a token that authenticate is given is of no use to who is disabled': async (w) => {
    const client = await w.user('alice');
    await disable(w, 'alice');
    const ack = await client.request('authenticate', { token: w.token('alice') }).catch(() => undefined);
    if (ack) assertRefusal(ack, 'account_disabled');
    await client.disconnected();
  },

  'one who has never connected can be shut out, and staff see them': async (w) => {
    await disable(w, 7);
    assertRefused(await me(w.server, w.token(7)), 'account_disabled');
    assertOk(await me(w.server, w.token('7')));
    assertFields(await record(w, 7), { id: 7, tenant: w.tenant, online: false, connections: 0 });
  },

  'nobody shuts out themselves': async (w) => {
    assertOk(await me(w.server, staff(w)));
    assertRefused(await act(w, 'disable', 'agent'), 'access_denied');
    assert.equal((await record(w, 'agent')).disabled_at, null);
  },
};

export const staffOnly = {
  'staff see who a user is, and whether they are there': async (w) => {
    const alice = await w.user('alice');
    const seen = await record(w, 'alice');
    assertKeys(seen, RECORD);
    assert.match(seen.created_at, TIME);
    assertFields(seen, {
      id: 'alice', tenant: w.tenant, username: 'ALICE', is_guest: false, online: true, connections: 1, last_seen: null, token_version: 0, disabled_at: null,
    });
    alice.close();
    await eventually(async () => assert.equal((await record(w, 'alice')).online, false));
    assert.match((await record(w, 'alice')).last_seen, TIME);
  },

  'nobody else may': async (w) => {
    await w.user('alice');
    await refusedEverywhere(w, 'alice', 'unauthorized', { as: null });
    await refusedEverywhere(w, 'alice', 'forbidden', { as: w.token('bob') });
    await refusedEverywhere(w, 'alice', 'forbidden', { as: w.token('alice') });
    const guest = await w.guest();
    const headers = { 'X-Guest-Session': guest.session.guest_session };
    assertRefused(await ask(w.server, `/api/admin/users/${inPath('alice')}`, { headers }), 'forbidden');
    assert.equal((await record(w, 'alice')).token_version, 0);
  },

  'staff of another tenant find nobody, and shut out nobody here': async (w) => {
    const alice = await w.user('alice');
    const stranger = token({ user_id: 'agent', username: 'AGENT', tenant: w.id('tenant'), is_staff: true });
    assertRefused(await look(w, 'alice', { as: stranger }), 'not_found');
    // An alice of their own.
    for (const what of ['revoke', 'disable']) assertOk(await act(w, what, 'alice', { as: stranger }));
    await alice.none('error');
    assertOk(await me(w.server, w.token('alice')));
    assertFields(await record(w, 'alice'), { token_version: 0, disabled_at: null });
  },

  'ids keep their type in addresses': async (w) => {
    for (const id of [7, '7', '#7', '##', 'a/b', 'ä ?&%']) {
      await w.connect({ token: w.token(id) });
      assert.deepStrictEqual((await record(w, id)).id, id);
    }
    assertRefused(await ask(w.server, '/api/admin/users/%23x', { headers: bearer(staff(w)) }), 'invalid_payload');
    assertRefused(await look(w, 'nobody'), 'not_found');
    assertRefused(await act(w, 'enable', 'nobody'), 'not_found');
  },

  'staff who lose their access lose this too': async (w) => {
    const old = staff(w, { token_version: 1 });
    assertOk(await look(w, 'agent', { as: old }));
    await revoke(w, 'agent', { as: staff(w, { token_version: 1 }) });
    assertRefused(await look(w, 'agent', { as: old }), 'unauthorized');
  },
};

/** For a server that makes nobody who has not connected. */
export const unknown = {
  'who has never connected is not found': async (w) => {
    for (const what of ['revoke', 'disable', 'enable']) assertRefused(await act(w, what, 'nobody'), 'not_found', what);
    assertOk(await me(w.server, w.token('nobody')));
  },
};

/** For a server with accounts. */
export const accounts = {
  'a guest who is disabled is not let in with their session, over HTTP neither': async (w) => {
    const guest = await w.guest();
    const { guest_session } = guest.session;
    await disable(w, guest.id, { as: agent() });
    assertRefusal(await guest.waitFor('error'), 'account_disabled');
    await guest.disconnected();
    await assert.rejects(w.connect({ guest_session }), /^Error: account_disabled: ./);
    assertRefused(await ask(w.server, '/api/me', { headers: { 'X-Guest-Session': guest_session } }), 'account_disabled');
    assertRefused(await act(w, 'revoke', guest.id, { as: agent() }), 'invalid_payload');
  },

  'an account that is disabled cannot be signed in to, and only its owner is told': async (w) => {
    const alice = await account(w);
    const client = await w.connect({ token: alice.access_token });
    await disable(w, alice.user.id, { as: agent() });
    assertRefusal(await client.waitFor('error'), 'account_disabled');
    const { username } = alice.user;
    assertRefused(await post(w.server, 'login', { username, password: 'wrong horse battery' }), 'unauthorized');
    assertRefused(await post(w.server, 'login', { username, password: 'correct horse battery' }), 'account_disabled');
    assertRefused(await post(w.server, 'refresh', { refresh_token: alice.refresh_token }), 'signed_out');
    assert.notEqual((await me(w.server, alice.access_token)).status, 200);
    await enable(w, alice.user.id, { as: agent() });
    // The sessions are gone for good, the account is not.
    assertRefused(await me(w.server, alice.access_token), 'unauthorized');
    const again = await login(w.server, username);
    await assertLetIn(w, again.access_token, alice.user);
  },
};
