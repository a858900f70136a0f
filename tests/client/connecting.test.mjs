// The table "Connecting" of the contract: who is let in, as whom, and for how long.
import { after, describe, it } from 'node:test';
import guests, { closed } from './connecting/guests.mjs';
import { ALGORITHMS, keyFiles, keySet, publicKey } from './connecting/keys.mjs';
import { expiry, limits } from './connecting/sessions.mjs';
import tenants from './connecting/tenants.mjs';
import { afterTheTimeout, claims, cookies, placesOfTheToken, refusals, validity } from './connecting/tokens.mjs';
import { CLIENTS } from './support/clients.mjs';
import { startServer } from './support/server.mjs';
import { World, facts } from './support/world.mjs';

const keys = keyFiles();
after(keys.remove);

const [open, withCookie, withoutGuests, withLimit, withTimeout, withKeySet, ...withKey] = await Promise.all([
  startServer({ rate_limit_messages: 0 }),
  startServer({ token_cookie: 'chat_token' }),
  startServer({ guests: false }),
  startServer({ max_connections_per_user: 2 }),
  startServer({ connect_timeout_seconds: 1 }),
  startServer({ jwt_secret: null, jwt_jwks: keys.jwks }),
  ...ALGORITHMS.map((algorithm) => startServer({ jwt_secret: null, jwt_public_key: keys.pem[algorithm] })),
]);

for (const transports of [['websocket'], ['polling']]) {
  facts(`tokens over ${transports}`, open, placesOfTheToken, { transports });
  facts(`cookies over ${transports}`, withCookie, cookies, { transports });
}
facts('claims', open, claims);
facts('validity', open, { ...validity, ...refusals });
facts('guests', open, guests);
facts('without guests', withoutGuests, closed);
facts('tenants', open, tenants);
facts('expiry', open, expiry);
facts('limited connections', withLimit, limits);
for (const [i, algorithm] of ALGORITHMS.entries()) facts(`public key for ${algorithm}`, withKey[i], publicKey(algorithm, keys));
facts('key set', withKeySet, keySet(keys));

describe('after the connect timeout', () => {
  for (const client of CLIENTS) {
    // These keep the transport of a refused connection open, and reconnect when the server closes it for being idle.
    // A DISCONNECT packet after the CONNECT_ERROR makes them stop, and means nothing to newer ones.
    it(`a refused socket.io-client ${client} stays away`, { timeout: 60_000 }, (t) => (
      afterTheTimeout(client)(new World(t, withTimeout))
    ));
  }
});
