// The audit: every refusal and every act that concerns who may do what, and nothing that it must not hold.
import assert from 'node:assert/strict';
import {
  account, ask, assertOk, assertRefused, bearer, login, logout, me, post, refresh,
} from '../support/accounts.mjs';
import { token } from '../support/clients.mjs';
import { request } from '../support/raw.mjs';
import { TIME, UUID7, assertFields, assertKeys } from '../support/shapes.mjs';
import { disable, enable, look, revoke, staff } from './staff.mjs';

const ENTRY = [
  'id', 'at', 'action', 'outcome', 'actor', 'actor_kind', 'room_id', 'subject', 'address', 'door', 'count', 'detail',
];
const HERE = '127.0.0.1';

/** Staff of the tenant `default`, which has all that belongs to no other. */
const agent = () => token({ user_id: 'agent', username: 'AGENT', is_staff: true });

const page = async (w, query = {}, as = staff(w)) => (
  assertOk(await ask(w.server, `/api/admin/audit?${new URLSearchParams(query)}`, { headers: bearer(as) }))
);

const entries = async (w, query, as) => (await page(w, query, as)).entries;

/** The only entry of the kind. */
async function only(w, query, as) {
  const found = await entries(w, query, as);
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0];
}

/** The newest entry of the kind that is about some user. */
async function about(w, subject, query) {
  const found = (await entries(w, { limit: 200, ...query }, agent())).filter((entry) => entry.subject === subject);
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0];
}

const sum = (found) => found.reduce((count, entry) => count + entry.count, 0);

export const audit = {
  'a refusal is entered: who, what, why, from where': async (w) => {
    const room_id = w.id();
    const [alice, bob] = [await w.user('alice'), await w.user('bob')];
    await alice.ok('create_room', { name: room_id, private: true });
    const { room_id: hers } = await alice.ok('create_room', { name: 'hers', private: true });
    await bob.refused('access_denied', 'chat_message', { room_id: hers, message: 'let me in' });
    const entry = await only(w, { actor: 'bob' });
    assertKeys(entry, ENTRY);
    assert.match(entry.id, UUID7);
    assert.match(entry.at, TIME);
    assertFields(entry, {
      action: 'chat_message', outcome: 'access_denied', actor: 'bob', actor_kind: 'user', address: HERE, door: 'socketio', count: 1,
      detail: 'Access denied to this room', subject: null,
    });
    assert.deepEqual(await entries(w, { actor: 'alice' }), [], 'what succeeds is no refusal');
  },

  'refusals of every step are entered': async (w) => {
    const bob = await w.user('bob');
    await bob.refused('not_found', 'get_messages', { room_id: w.id('missing') });
    await bob.refused('unknown_event', 'nonsense', {});
    await bob.refused('invalid_payload', 'typing', { room_id: [] });
    assertRefused(await look(w, 'alice', { as: w.token('bob') }), 'forbidden');
    const found = await entries(w, { actor: 'bob' });
    assert.deepEqual(found.map(({ action, outcome, door }) => [action, outcome, door]), [
      ['user.show', 'forbidden', 'rest'],
      ['typing', 'invalid_payload', 'socketio'],
      ['unknown', 'unknown_event', 'socketio'],
      ['get_messages', 'not_found', 'socketio'],
    ]);
    assert.equal(found[0].subject, 'alice');
  },

  'who is not let in is entered with the reason, and by name where the token was good': async (w) => {
    const { tenant } = w;
    await w.user('alice');
    const old = w.token('alice');
    await revoke(w, 'alice');
    await assert.rejects(w.connect({ token: old }), /unauthorized/);
    assertRefused(await me(w.server, old), 'unauthorized');
    for (const entry of await entries(w, { actor: 'alice' })) {
      assertFields(entry, { outcome: 'unauthorized', actor_kind: 'user', detail: 'the token was revoked', address: HERE });
    }
    const before = await entries(w, { action: 'connect', limit: 200 }, agent());
    await assert.rejects(w.connect({ token: token({ user_id: 'alice', tenant }, { secret: 'of somebody else, and long enough' }) }), /unauthorized/);
    const [newest] = await entries(w, { action: 'connect' }, agent());
    assert.ok(!before.some(({ id }) => id === newest.id));
    assertFields(newest, { outcome: 'unauthorized', actor: null, actor_kind: 'stranger', door: 'socketio' });
  },

  'a page that may not connect is entered with its origin': async (w) => {
    const origin = `https://${w.id('evil')}.example`;
    for (const path of ['/socket.io/?EIO=4&transport=polling', '/api/me']) {
      assert.equal((await request(w.server, path, { headers: { Origin: origin } })).status, 403);
    }
    const found = await entries(w, { outcome: 'origin_not_allowed', limit: 200 }, agent());
    const ours = found.filter(({ detail }) => detail === `origin: ${origin}`);
    assert.equal(sum(ours), 2, JSON.stringify(ours));
    assertFields(ours[0], { actor: null, actor_kind: 'stranger', address: HERE });
  },

  'what staff do is entered: by whom, about whom': async (w) => {
    await w.user('alice');
    await revoke(w, 'alice');
    await disable(w, 'alice');
    await enable(w, 'alice');
    const found = await entries(w, { outcome: 'ok' });
    assert.deepEqual(found.map(({ action }) => action), ['user.enable', 'user.disable', 'user.revoke']);
    for (const entry of found) assertFields(entry, { actor: 'agent', actor_kind: 'staff', subject: 'alice', count: 1 });
  },

  'a token that revokes older ones is entered': async (w) => {
    assertOk(await me(w.server, w.token('alice', { token_version: 3 })));
    assertFields(await only(w, { action: 'user.revoke' }), {
      actor: 'alice', actor_kind: 'user', subject: 'alice', detail: 'a token of version 3 came in',
    });
  },

  'it is read page by page, newest first': async (w) => {
    const bob = await w.user('bob');
    const events = ['get_messages', 'leave_room', 'typing', 'chat_message', 'join_room', 'private_message', 'create_room'];
    for (const event of events) await bob.refused('invalid_payload', event, { room_id: [], name: [] });
    const whole = await page(w);
    assert.equal(whole.has_more, false);
    assert.deepEqual(whole.entries.map(({ action }) => action), [...events].reverse());
    const read = [];
    for (let before; ;) {
      const part = await page(w, { limit: 3, ...(before ? { before } : {}) });
      read.push(...part.entries);
      before = part.entries.at(-1).id;
      if (!part.has_more) break;
      assert.equal(part.entries.length, 3);
    }
    assert.deepEqual(read, whole.entries);
    for (const [query, count] of [[{ action: 'typing' }, 1], [{ action: '' }, 7], [{ outcome: 'ok' }, 0], [{ actor: 'nobody' }, 0], [{ action: 'typing', actor: 'bob', outcome: 'invalid_payload' }, 1]]) {
      assert.equal((await entries(w, query)).length, count, JSON.stringify(query));
    }
  },

  'actors keep the type of their id': async (w) => {
    for (const id of [7, '7']) await (await w.user(id)).refused('unknown_event', 'x', {});
    assert.strictEqual((await only(w, { actor: '#7' })).actor, 7);
    assert.strictEqual((await only(w, { actor: '7' })).actor, '7');
  },

  'only staff read it, and only that of their tenant': async (w) => {
    await (await w.user('bob')).refused('unknown_event', 'x', {});
    const read = (headers) => ask(w.server, '/api/admin/audit', { headers });
    assertRefused(await read({}), 'unauthorized');
    assertRefused(await read(bearer(w.token('bob'))), 'forbidden');
    const guest = await w.guest();
    assertRefused(await read({ 'X-Guest-Session': guest.session.guest_session }), 'forbidden');
    const stranger = token({ user_id: 'agent', username: 'x', tenant: w.id('tenant'), is_staff: true });
    assert.deepEqual(await entries(w, {}, stranger), []);
    // Reading it makes no entries, being refused does.
    assert.deepEqual((await entries(w)).map(({ action }) => action), ['audit.read', 'unknown']);
  },

  'a question that makes no sense is refused': async (w) => {
    for (const query of ['limit=0', 'limit=x', 'before=x', 'actor=%23x', `actor=${'x'.repeat(129)}`]) {
      const answer = await ask(w.server, `/api/admin/audit?${query}`, { headers: bearer(staff(w)) });
      assertRefused(answer, 'invalid_payload', query);
    }
  },

  'neither the audit nor the log holds a message, a token or a name that somebody signed in with': async (w) => {
    const secret = w.id('canary');
    const bob = await w.user('bob');
    const attempts = [
      ['chat_message', { room_id: 'x', message: [secret] }], ['chat_message', { room_id: w.id(), message: secret, reply_to: 7 }],
      ['chat_message', { room_id: w.id('missing'), message: secret }], ['authenticate', { token: secret }], [secret, { secret }],
      ['create_room', { name: { [secret]: secret } }], ['private_message', { recipient_id: 'bob', message: '', client_id: { secret } }],
    ];
    for (const [event, payload] of attempts) assert.equal((await bob.request(event, payload)).success, false, event);
    await assert.rejects(w.connect({ token: secret }), /unauthorized/);
    await assert.rejects(w.connect({ token: `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from(JSON.stringify(secret)).toString('base64url')}.x` }), /unauthorized/);
    await post(w.server, 'login', { username: secret, password: secret });
    assertRefused(await post(w.server, 'refresh', { refresh_token: secret }), 'unauthorized');
    const all = JSON.stringify([await entries(w, { limit: 200 }), await entries(w, { limit: 200 }, agent()), w.server.log()]);
    assert.ok(!all.includes(secret));
    assert.ok((await entries(w)).length >= 6);
  },
};

/** For a server with accounts. */
export const signIns = {
  'an account that is made, signed in to and out of is entered': async (w) => {
    const alice = await account(w);
    const { id } = alice.user;
    await logout(w.server, await login(w.server, alice.user.username));
    const found = await entries(w, { actor: id }, agent());
    assert.deepEqual(found.map(({ action, outcome }) => [action, outcome]), [['logout', 'ok'], ['login', 'ok'], ['register', 'ok']]);
    for (const entry of found) assertFields(entry, { actor: id, actor_kind: 'user', address: HERE });
  },

  'an attempt with a wrong password is entered with the account that it was for': async (w) => {
    const alice = await account(w);
    for (let i = 0; i < 2; i += 1) {
      assertRefused(await post(w.server, 'login', { username: alice.user.username, password: 'wrong horse battery' }), 'unauthorized');
    }
    const found = (await entries(w, { action: 'login', outcome: 'unauthorized', limit: 200 }, agent())).filter(({ subject }) => subject === alice.user.id);
    assert.equal(sum(found), 2);
    assertFields(found[0], { actor: null, actor_kind: 'stranger', address: HERE, door: 'rest' });
  },

  'a refresh token that was stolen is entered, and so is the end of its session': async (w) => {
    const alice = await account(w);
    const next = await refresh(w.server, alice.refresh_token);
    await refresh(w.server, next.refresh_token);
    assertRefused(await post(w.server, 'refresh', { refresh_token: alice.refresh_token }), 'signed_out');
    assertFields(await about(w, alice.user.id, { action: 'session.stolen' }), {
      outcome: 'ok', actor: null, actor_kind: 'system', address: HERE,
    });
  },

  'a guest who is made is entered': async (w) => {
    const guest = await w.guest();
    assertFields(await only(w, { actor: guest.id }, agent()), {
      action: 'guest.make', outcome: 'ok', actor_kind: 'guest', address: HERE, subject: null,
    });
    await guest.refused('access_denied', 'search_users', { query: '' });
    assert.equal((await entries(w, { actor: guest.id }, agent()))[0].actor_kind, 'guest');
  },
};

/** For a server of its own: whoever reads it ends the moment. */
export const operators = {
  'equal refusals of a moment are one entry that counts them': async (w) => {
    const room_id = w.id('missing');
    const bob = await w.user('bob');
    const refusals = Array.from({ length: 300 }, () => bob.refused('not_found', 'get_messages', { room_id }));
    await Promise.all(refusals);
    const found = await entries(w, { actor: 'bob', action: 'get_messages' });
    assert.equal(sum(found), 300);
    assert.ok(found.length < 20, `${found.length} rows`);
  },

  'operators see it in the log and in the metrics': async (w) => {
    const bob = await w.user('bob');
    await bob.refused('unknown_event', 'x', {});
    await disable(w, 'bob');
    const lines = w.server.log().filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    const audit = lines.filter(({ target }) => target === 'audit').map(({ fields }) => fields);
    const [refused] = audit.filter(({ action }) => action === 'unknown');
    assertFields(refused, { outcome: 'unknown_event', tenant: w.tenant, actor: 'bob', address: HERE, door: 'socketio' });
    const [done] = audit.filter(({ action }) => action === 'user.disable');
    assertFields(done, { outcome: 'ok', actor: 'agent', subject: 'bob' });
    const { body } = await request(w.server, '/metrics');
    assert.match(body, /^confab_audit_total\{action="user\.disable"\} 1$/m);
    assert.match(body, /^confab_refusals_total\{code="unknown_event",event="unknown",door="socketio"\} 1$/m);
  },

  'what was noted before a stop is there after it': async (w) => {
    const bob = await w.user('bob');
    for (const event of ['x', 'typing', 'leave_room']) await bob.request(event, []);
    const noted = ['leave_room', 'typing', 'unknown'];
    assert.equal(await w.server.stop(), 0);
    await w.server.restart();
    assert.deepEqual((await entries(w, { actor: 'bob' })).map(({ action }) => action), noted);
  },

  'the oldest refusals make room, acts stay': async (w) => {
    await w.server.restart({ audit_max_rows: 5 });
    await disable(w, 'bob');
    const carol = await w.user('carol');
    for (const event of ['x', 'typing', 'leave_room', 'join_room', 'create_room', 'get_messages', 'search_users']) {
      await carol.request(event, []);
    }
    assert.equal((await entries(w)).length, 8);
    // The sweep is done at the start.
    await w.server.restart();
    const left = await eventuallyFewer(w, 5);
    assert.ok(left.some(({ action }) => action === 'user.disable'));
    assert.deepEqual(left.slice(0, 2).map(({ action }) => action), ['search_users', 'get_messages']);
  },
};

async function eventuallyFewer(w, most) {
  for (;;) {
    const left = await entries(w, { limit: 200 });
    if (left.length <= most) return left;
  }
}
