// Tokens that expire while connected, `authenticate`, and how many connections a user may have.
import assert from 'node:assert/strict';
import { assertRefusal, now, token } from '../support/clients.mjs';
import { TIME, assertKeys } from '../support/shapes.mjs';
import { eventually } from '../support/world.mjs';
import { whoami } from './tokens.mjs';

/** With the leeway of 5 s such a token ends a connection in about 2 s. */
const endsSoon = () => ({ exp: now() - 3 });

function comesBack(client, transports) {
  return async (w) => {
    const tokens = [w.token('alice', endsSoon()), w.token('alice')];
    let handed = 0;
    const auth = (send) => {
      send({ token: tokens[Math.min(handed, 1)] });
      handed += 1;
    };
    const alice = await w.connect({ client, transports, auth, reconnection: true, reconnectionDelay: 10 });
    assert.equal((await whoami(alice)).user_id, 'alice');
    assertRefusal(await alice.waitFor('error'), 'token_expired');
    const reason = await alice.disconnected();
    // "io server disconnect" would tell the client not to come back.
    assert.ok(['transport close', 'transport error'].includes(reason), reason);
    await alice.reconnected();
    assert.equal((await whoami(alice)).user_id, 'alice');
    assert.equal(handed, 2);
    assert.equal(alice.all('error').length, 1);
  };
}

export const expiry = {
  'a token that expires ends the connection and a fresh one brings the client back': comesBack('4.8', ['websocket']),
  'the same over polling': comesBack('4.8', ['polling']),
  'the same with socket.io-client 4.0': comesBack('4.0', ['websocket']),
  'the same with socket.io-client 3.1': comesBack('3.1', ['polling', 'websocket']),

  'authenticate with a fresh token extends the session': async (w) => {
    const soon = endsSoon();
    const witness = await w.connect({ token: w.token('witness', soon) });
    const alice = await w.connect({ token: w.token('alice', soon) });
    const exp = now() + 1000;
    const ack = await alice.ok('authenticate', { token: w.token('alice', { exp }) });
    assertKeys(ack, ['success', 'expires_at']);
    assert.match(ack.expires_at, TIME);
    // With the leeway or without.
    const beyond = Date.parse(ack.expires_at) - exp * 1000;
    assert.ok(beyond >= 0 && beyond <= 5000, ack.expires_at);
    await witness.waitFor('error', { code: 'token_expired' });
    await witness.disconnected();
    await alice.none('error');
    assert.equal(alice.connected, true);
  },

  'authenticate refuses the token of another user and leaves the session as it is': async (w) => {
    const soon = endsSoon();
    const alice = await w.connect({ token: w.token('alice', soon) });
    await alice.refused('unauthorized', 'authenticate', { token: w.token('bob') });
    await alice.refused('unauthorized', 'authenticate', { token: token({ user_id: 'alice', tenant: w.id('tenant') }) });
    assert.equal((await whoami(alice)).user_id, 'alice');
    await alice.waitFor('error', { code: 'token_expired' });
    await alice.disconnected();
  },

  'authenticate refuses the user "7" where 7 is connected': async (w) => {
    const seven = await w.user(7);
    await seven.refused('unauthorized', 'authenticate', { token: w.token('7') });
  },

  'authenticate refuses what connecting refuses': async (w) => {
    const alice = await w.user('alice');
    const bad = [
      'garbage', w.token('alice', { exp: now() - 10 }), w.token('alice', { token_type: 'refresh' }),
      token({ user_id: 'alice', tenant: w.tenant }, { secret: '', algorithm: 'none' }),
    ];
    for (const refused of bad) await alice.refused('unauthorized', 'authenticate', { token: refused });
    assert.equal((await whoami(alice)).user_id, 'alice');
  },
};

/** For a server whose max_connections_per_user is 2. */
export const limits = {
  'a user has so many connections and no more, and others have theirs': async (w) => {
    const first = await w.user('alice');
    const second = await w.user('alice', { transports: ['polling'] });
    await assert.rejects(w.user('alice'), (error) => /too.many.connections/i.test(error.message));
    await assert.rejects(w.user('alice', { transports: ['polling'] }), (error) => /too.many.connections/i.test(error.message));
    await w.user('bob');
    for (const client of [first, second]) assert.equal((await whoami(client)).user_id, 'alice');
  },

  'a connection that ends makes room for another': async (w) => {
    const alice = [await w.user('alice'), await w.user('alice')];
    alice[0].close();
    await eventually(() => w.user('alice'));
    await assert.rejects(w.user('alice'));
  },

  'a refused connection leaves nothing behind': async (w) => {
    const alice = await w.user('alice');
    await w.user('alice');
    for (let i = 0; i < 5; i += 1) await assert.rejects(w.user('alice'));
    await alice.barrier();
    assert.equal(alice.all('user_online', { user_id: 'alice' }).length, 1);
    await alice.none('user_offline');
  },
};
