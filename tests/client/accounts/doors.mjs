// Which token opens which door: refresh tokens none, tokens of a session only as long as it goes on, in its tenant.
import assert from 'node:assert/strict';
import jwt from 'jsonwebtoken';
import { whoami } from '../connecting/tokens.mjs';
import { ACCOUNTS_SECRET, account, ask, assertLetIn, assertOk, assertRefused, assertShutOut, bearer, me, post, refresh } from '../support/accounts.mjs';
import { now, token } from '../support/clients.mjs';
import { SECRET } from '../support/server.mjs';
import { assertKeys, assertUser } from '../support/shapes.mjs';

const SESSION = 'confab_session';

/** The same token with other claims, signed as the server does. */
const altered = (signed, claims) => token({ ...jwt.decode(signed), ...claims }, { secret: ACCOUNTS_SECRET });

export const doors = {
  'a refresh token opens no door': async (w) => {
    const { access_token, refresh_token } = await account(w);
    assertRefused(await me(w.server, refresh_token), 'unauthorized');
    const places = [
      { token: refresh_token }, { query: { token: refresh_token } }, { query: { access: refresh_token } }, { extraHeaders: bearer(refresh_token) },
    ];
    for (const transports of [['websocket'], ['polling']]) {
      for (const place of places) await assert.rejects(w.connect({ transports, ...place }), /^Error: unauthorized: ./);
    }
    const client = await w.connect({ token: access_token });
    await client.refused('unauthorized', 'authenticate', { token: refresh_token });
    await client.barrier();
  },

  'who asks /api/me is told who they are': async (w) => {
    const signedIn = await account(w);
    const answer = assertOk(await me(w.server, signedIn.access_token));
    assertKeys(answer, ['success', 'user']);
    assertUser(answer.user, { id: signedIn.user.id, username: signedIn.user.username, is_guest: false });
  },

  '/api/me knows a guest by their session': async (w) => {
    const guest = await w.guest();
    const headers = { 'X-Guest-Session': guest.session.guest_session };
    const { user } = assertOk(await ask(w.server, '/api/me', { headers }));
    assertUser(user, { id: guest.id, username: guest.username, is_guest: true });
  },

  'an access token goes before a guest session, good or bad': async (w) => {
    const { access_token, user } = await account(w);
    const guest = await w.guest();
    const session = { 'X-Guest-Session': guest.session.guest_session };
    const both = await ask(w.server, '/api/me', { headers: { ...session, ...bearer(access_token) } });
    assert.deepEqual(assertOk(both).user, user);
    assertRefused(await ask(w.server, '/api/me', { headers: { ...session, ...bearer('garbage') } }), 'unauthorized');
  },

  '/api/me tells nothing to who shows nothing good': async (w) => {
    const { access_token } = await account(w);
    const bad = [
      {}, { 'X-Guest-Session': 'garbage' }, { 'X-Guest-Session': '' }, { Authorization: '' }, bearer(''), bearer('garbage'),
      { Authorization: `Basic ${access_token}` }, bearer(`${access_token}x`), bearer(token({ user_id: 'alice', exp: now() - 10 })),
      bearer(token({ user_id: 'alice' }, { secret: 'another secret, as long as the right one' })),
      bearer(token({ user_id: 'alice' }, { secret: '', algorithm: 'none' })),
    ];
    for (const headers of bad) assertRefused(await ask(w.server, '/api/me', { headers }), 'unauthorized', JSON.stringify(headers));
  },
};

/** For a server whose secret is known to another application too. */
export const shared = {
  'tokens of the other application work beside those of accounts': async (w) => {
    const room_id = w.id();
    const { access_token, user } = await account(w);
    const host = token({ user_id: 7, username: 'HOST' });
    assertUser(assertOk(await me(w.server, host)).user, { id: 7, username: 'HOST', is_guest: false });
    const [seven, own] = [await w.connect({ token: host }), await w.connect({ token: access_token })];
    for (const client of [seven, own]) await client.ok('join_room', { room_id });
    const message = await seven.say(room_id, [own]);
    assert.deepEqual([message.user_id, message.username], [7, 'HOST']);
    assert.equal((await own.say(room_id, [seven])).user_id, user.id);
  },

  'an account cannot be reached under a name that the other application gives': async (w) => {
    const { user } = await account(w);
    const impostor = await w.connect({ token: token({ user_id: w.id(), username: user.username }) });
    assert.notEqual((await whoami(impostor)).user_id, user.id);
  },

  'a session does not work in another tenant, for another user, or under another id': async (w) => {
    const { access_token, refresh_token, user } = await account(w);
    const other = await account(w);
    const forged = [
      { tenant: w.tenant }, { user_id: other.user.id }, { [SESSION]: jwt.decode(other.access_token)[SESSION] },
      { [SESSION]: '01234567-89ab-7cde-8f01-23456789abcd' }, { [SESSION]: 'x' }, { [SESSION]: '' }, { [SESSION]: 7 },
    ];
    for (const claims of forged) await assertShutOut(w, altered(access_token, claims));
    await assertLetIn(w, altered(access_token, {}), user);
    for (const claims of [{ tenant: w.tenant }, { user_id: other.user.id }, { session: jwt.decode(other.refresh_token).session }]) {
      assertRefused(await post(w.server, 'refresh', { refresh_token: altered(refresh_token, claims) }), 'signed_out', JSON.stringify(claims));
      assertOk(await post(w.server, 'logout', { refresh_token: altered(refresh_token, claims) }));
    }
    for (const session of [{ refresh_token }, other]) await refresh(w.server, session.refresh_token);
  },

  'a refresh token that is not quite one is refused, and harms nothing': async (w) => {
    const { access_token, refresh_token, user } = await account(w);
    const claims = jwt.decode(refresh_token);
    const bad = [
      'garbage', '', `${refresh_token}x`, altered(refresh_token, { exp: now() - 1 }), altered(refresh_token, { token_type: 'access' }),
      altered(refresh_token, { token_type: undefined }), altered(refresh_token, { generation: 'one' }),
      token(claims, { secret: 'another secret, as long as the right one' }), token(claims, { secret: '', algorithm: 'none' }),
      jwt.sign(claims, SECRET, { algorithm: 'HS512', noTimestamp: true }),
    ];
    for (const wrong of bad) assertRefused(await post(w.server, 'refresh', { refresh_token: wrong }), 'unauthorized', wrong);
    for (const wrong of bad) assertOk(await post(w.server, 'logout', { refresh_token: wrong }));
    await assertLetIn(w, access_token, user);
    await refresh(w.server, refresh_token);
  },
};
