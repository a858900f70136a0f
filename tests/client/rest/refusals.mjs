// Who gets what answer: the same refusals as at every door, with the status that belongs to them.
import assert from 'node:assert/strict';
import { assertRefusal } from '../support/clients.mjs';
import { Caller, rest, restGuest } from '../support/rest.mjs';
import { assertKeys, assertUser } from '../support/shapes.mjs';

const ROOM = '/rooms/a-room';
/** Every request that needs somebody, with a body that is good for it. */
const ASKED = [
  ['GET', '/me'], ['GET', '/rooms'], ['POST', '/rooms', { name: 'x' }], ['GET', ROOM], ['PATCH', ROOM, { name: 'x' }], ['DELETE', ROOM],
  ['GET', `${ROOM}/messages`], ['POST', `${ROOM}/messages`, { message: 'x' }], ['GET', `${ROOM}/changes`], ['POST', `${ROOM}/read`, { seq: 1 }],
  ['GET', `${ROOM}/participants`], ['POST', `${ROOM}/participants`, { user_id: 'x' }], ['DELETE', `${ROOM}/participants?user_id=x`],
  ['POST', '/private-messages', { recipient_id: 'x', message: 'x' }], ['GET', '/conversations'], ['GET', '/search?users=x'],
  ['GET', '/blocks'], ['POST', '/blocks', { user_id: 'x' }], ['DELETE', '/blocks/x'], ['GET', '/support/room'], ['POST', '/support/room', {}],
  ['POST', '/guest-sessions/link', { guest_session: 'x' }],
];
const STAFF = [
  ['GET', '/admin/rooms'], ['POST', '/admin/rooms/x/messages', { content: 'x' }], ['POST', '/admin/rooms/x/close', {}],
  ['POST', '/admin/rooms/x/assign', {}],
];

export default {
  'nobody gets nothing': async (w) => {
    for (const caller of [new Caller(w.server), new Caller(w.server, { token: 'garbage' }), rest(w, 'alice', { exp: 1 })]) {
      for (const [method, path, body] of [...ASKED, ...STAFF]) await caller.refused('unauthorized', method, path, body);
    }
  },

  'a guest session that is not known is nobody, and none is made': async (w) => {
    const caller = new Caller(w.server, { guest_session: 'f'.repeat(64) });
    for (const [method, path, body] of ASKED) await caller.refused('unauthorized', method, path, body);
  },

  // Apart from other ids: nginx refuses this one itself.
  'an id in the path holds no NUL': async (w) => {
    await rest(w, 'alice').refused('invalid_payload', 'GET', '/rooms/%00');
  },

  'the staff routes are for staff': async (w) => {
    for (const [method, path, body] of STAFF) {
      await rest(w, 'alice').refused('forbidden', method, path, body);
      await (await restGuest(w)).refused('unauthorized', method, path, body);
    }
  },

  'another tenant\'s room answers as a missing one, and one that may not be entered is denied': async (w) => {
    const room_id = w.id();
    await rest(w, 'alice').made('/rooms', { name: 'x', private: true }).then(({ room_id: id }) => { w.secret = id; });
    const elsewhere = rest(w, 'alice', { tenant: w.id('tenant') });
    const asked = (id) => ASKED.filter(([, path]) => path.startsWith(ROOM)).map(([method, path, body]) => [method, path.replace('a-room', id), body]);
    for (const [method, path, body] of asked(w.secret)) {
      const there = await elsewhere.refused('not_found', method, path, body);
      const missing = await elsewhere.refused('not_found', method, path.replace(w.secret, room_id), body);
      assert.deepEqual(there.json, missing.json, `${method} ${path}`);
      await rest(w, 'bob').refused('access_denied', method, path, body);
    }
  },

  'bad bodies are refused with the reason': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const caller = rest(w, 'alice');
    const path = `/rooms/${room_id}/messages`;
    const bad = [{}, { message: '' }, { message: ' \n' }, { message: 7 }, { message: 'x'.repeat(10_001) }, { message: 'a\0b' }, { message: 'x', client_id: {} },
      { message: 'x', reply_to: 'x' }, '', 'null', '[]', '7', '{', '{"message":"x"', `{"message":"${'x'.repeat(300_000)}"}`];
    for (const body of bad) await caller.refused('invalid_payload', 'POST', path, body);
    await caller.refused('invalid_payload', 'POST', path, '{"message":"x"}', { 'Content-Type': 'text/plain' });
    assert.equal((await alice.ok('get_messages', { room_id })).rev, 0);
    await caller.made(path, '{"message":"x"}', { 'Content-Type': 'Application/JSON; charset=utf-8' });
    // The longest message, with every character escaped.
    const { message } = await caller.made(path, `{"message":"${'\\ud83e\\udd80'.repeat(10_000)}"}`);
    assert.equal(message.message, '🦀'.repeat(10_000));
  },

  'an unknown path is not found, a method that is none of a path\'s is refused and says which are': async (w) => {
    const caller = rest(w, 'alice');
    assertRefusal((await caller.ask('GET', '/nothing')).json, 'not_found');
    const answer = await caller.ask('PUT', '/rooms');
    assert.equal(answer.status, 405);
    assertRefusal(answer.json, 'method_not_allowed');
    assert.deepEqual(answer.headers.allow.split(',').sort(), ['GET', 'HEAD', 'POST']);
  },

  'a refusal is in the audit, by this door': async (w) => {
    await rest(w, 'bob').refused('not_found', 'GET', '/rooms/nowhere');
    const { entries } = await rest(w, 'agent', { is_staff: true }).ok('GET', '/admin/audit?action=get_room');
    assert.deepEqual(entries.map(({ actor, outcome, door, address }) => [actor, outcome, door, address]), [['bob', 'not_found', 'rest', '127.0.0.1']]);
  },

  'a guest is made when asked for, and is the same over every door': async (w) => {
    const { session, ...guest } = await restGuest(w);
    assertKeys(session, ['success', 'guest_session', 'user_id', 'username']);
    const caller = Object.assign(new Caller(w.server, { guest_session: session.guest_session }), guest);
    assertUser((await caller.ok('GET', '/me')).user, { id: session.user_id, username: session.username, is_guest: true });
    const socket = await w.connect({ guest_session: session.guest_session });
    const { room_id } = await caller.made('/rooms', { name: 'Mine', private: true });
    await socket.ok('join_room', { room_id });
    const { message } = await caller.made(`/rooms/${room_id}/messages`, { message: 'me' });
    assert.deepEqual(await socket.waitFor('new_message'), message);
    await caller.refused('access_denied', 'GET', '/search?users=');
  },

  'requests are counted by route, method and status': async (w) => {
    await rest(w, 'alice').ok('GET', '/rooms');
    await rest(w, 'alice').ask('GET', `/rooms/${w.id()}`);
    const metrics = await (await fetch(`${w.server.url}/metrics`)).text();
    const counted = (route, status) => metrics.split('\n').some((line) => line.startsWith('confab_http_requests_total{')
      && [`route="${route}"`, 'method="GET"', `status="${status}"`].every((label) => line.includes(label)));
    assert.ok(counted('/api/rooms', 200) && counted('/api/rooms/{room_id}', 404), metrics);
    assert.ok(!metrics.includes(w.tenant));
  },
};

export const cookies = {
  'a cookie signs requests in, but no form that another page could send': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const caller = new Caller(w.server, { headers: { Cookie: `a=b; confab_token=${w.token('alice')}` } });
    await caller.ok('GET', '/rooms');
    await caller.made(`/rooms/${room_id}/messages`, { message: 'by cookie' });
    await caller.refused('invalid_payload', 'POST', '/support/room');
    await caller.refused('invalid_payload', 'POST', `/rooms/${room_id}/messages`, '{"message":"x"}', { 'Content-Type': 'text/plain' });
    await caller.ok('POST', '/support/room', {});
    const foreign = await caller.ask('POST', `/rooms/${room_id}/messages`, { message: 'x' }, { Origin: 'https://evil.example' });
    assert.deepEqual([foreign.status, foreign.json.code], [403, 'origin_not_allowed']);
    assert.equal((await alice.ok('get_messages', { room_id })).rev, 1);
  },

  'a listed page may use every method, and read when to come back': async (w) => {
    const Origin = 'https://app.example';
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
      const asked = { Origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'authorization,content-type,idempotency-key' };
      const preflight = await fetch(`${w.server.url}/api/rooms/x`, { method: 'OPTIONS', headers: asked });
      assert.equal(preflight.status, 204);
      assert.ok(preflight.headers.get('access-control-allow-methods').split(', ').includes(method), method);
      assert.equal(preflight.headers.get('access-control-allow-headers'), asked['Access-Control-Request-Headers']);
    }
    const { headers } = await rest(w, 'alice').ask('GET', '/rooms', undefined, { Origin });
    assert.equal(headers['access-control-expose-headers'], 'Retry-After');
  },
};
