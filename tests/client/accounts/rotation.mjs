// Refresh tokens: each is good for one use, and one that is used twice gives its thief away.
import assert from 'node:assert/strict';
import { account, assertLetIn, assertOk, assertRefused, assertShutOut, login, post, refresh } from '../support/accounts.mjs';
import { assertRefusal } from '../support/clients.mjs';

const refused = async (w, refresh_token, code) => assertRefused(await post(w.server, 'refresh', { refresh_token }), code);

export default {
  'each refresh gives the next token, and an access token of the same user': async (w) => {
    const first = await account(w);
    const seen = new Set([first.refresh_token]);
    let latest = first;
    for (let i = 0; i < 5; i += 1) {
      latest = await refresh(w.server, latest.refresh_token);
      assert.deepEqual(latest.user, first.user);
      seen.add(latest.refresh_token);
    }
    assert.equal(seen.size, 6);
    await assertLetIn(w, latest.access_token, first.user);
  },

  'the token before the newest, used again at once, gives the newest again, and both go on': async (w) => {
    const first = await account(w);
    const second = await refresh(w.server, first.refresh_token);
    assert.equal((await refresh(w.server, first.refresh_token)).refresh_token, second.refresh_token);
    const third = await refresh(w.server, second.refresh_token);
    assert.notEqual(third.refresh_token, second.refresh_token);
    assert.equal((await refresh(w.server, second.refresh_token)).refresh_token, third.refresh_token);
    await refresh(w.server, third.refresh_token);
  },

  'tabs that refresh at the same moment are all given one token': async (w) => {
    const { refresh_token } = await account(w);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(w.server, refresh_token)));
    const given = new Set(answers.map((answer) => answer.refresh_token));
    assert.equal(given.size, 1);
    assert.ok(!given.has(refresh_token));
    await refresh(w.server, [...given][0]);
  },

  'a token that is older ends the session, with all of its tokens and connections': async (w) => {
    const first = await account(w);
    const other = await login(w.server, first.user.username);
    const second = await refresh(w.server, first.refresh_token);
    const third = await refresh(w.server, second.refresh_token);
    const inSession = await Promise.all([['websocket'], ['polling'], ['polling', 'websocket']].map((transports, i) => (
      w.connect({ transports, token: [first, second, third][i].access_token })
    )));
    const elsewhere = await w.connect({ token: other.access_token });
    await refused(w, first.refresh_token, 'signed_out');
    for (const client of inSession) {
      assertRefusal(await client.waitFor('error'), 'signed_out', client.name);
      await client.disconnected();
    }
    for (const { refresh_token, access_token } of [first, second, third]) {
      await refused(w, refresh_token, 'signed_out');
      await assertShutOut(w, access_token);
    }
    await elsewhere.none('error');
    assert.deepEqual(elsewhere.disconnects, []);
    await refresh(w.server, other.refresh_token);
  },

  'a refresh leaves connections and access tokens as they are': async (w) => {
    const first = await account(w);
    const client = await w.connect({ token: first.access_token });
    const second = await refresh(w.server, first.refresh_token);
    const third = await refresh(w.server, second.refresh_token);
    await client.ok('authenticate', { token: third.access_token });
    await client.none('error');
    assert.deepEqual(client.disconnects, []);
    for (const { access_token } of [first, second, third]) await assertLetIn(w, access_token, first.user);
  },

  'the sessions of a user have tokens of their own': async (w) => {
    const first = await account(w);
    const other = await login(w.server, first.user.username);
    const second = await refresh(w.server, first.refresh_token);
    await refresh(w.server, second.refresh_token);
    await refused(w, first.refresh_token, 'signed_out');
    await refresh(w.server, other.refresh_token);
  },

  'without a token there is nothing to refresh': async ({ server }) => {
    for (const body of [{}, { refresh_token: null }]) {
      assertRefused(await post(server, 'refresh', body), 'unauthorized', JSON.stringify(body));
    }
  },

  'an access token is refused where a refresh token is wanted, and harms nothing': async (w) => {
    const { access_token, refresh_token, user } = await account(w);
    await refused(w, access_token, 'unauthorized');
    await refused(w, `Bearer ${refresh_token}`, 'unauthorized');
    await assertLetIn(w, access_token, user);
    assertOk(await post(w.server, 'refresh', { refresh_token }));
  },
};
