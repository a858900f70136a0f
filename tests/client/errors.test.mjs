// What is refused: how it is answered, and that nothing comes of it.
import { legacyAllowed, legacyRefused, secrecy, sizes } from './errors/connections.mjs';
import malformed, { binary, limits, unknownEvents } from './errors/malformed.mjs';
import { LISTED, byDefault, everyOrigin, listed } from './errors/origins.mjs';
import { cookie, strays } from './errors/strays.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const [server, withLegacy, withList, withAll, left, sticky] = await Promise.all([
  startServer({ rate_limit_messages: 0 }),
  startServer({ rate_limit_messages: 0, legacy_clients: true }),
  startServer({ allowed_origins: LISTED }),
  startServer({ allowed_origins: '*', accounts: 'off' }),
  startServer({ node_name: 'left' }),
  startServer({ node_name: 'left', sticky_cookie: 'at', allowed_origins: 'https://app.example' }),
]);

for (const transports of [['websocket'], ['polling']]) {
  const refused = { ...malformed, ...unknownEvents, ...binary, ...limits };
  facts(`refusals over ${transports}`, server, refused, { transports });
}
for (const client of ['4.0', '3.1']) facts(`binary from socket.io-client ${client}`, server, binary, { client });
facts('sizes', server, sizes);
facts('secrecy', server, secrecy);
facts('clients 2.x', server, legacyRefused);
facts('clients 2.x, allowed', withLegacy, legacyAllowed);
facts('origins', server, byDefault);
facts('origins, listed', withList, listed);
facts('origins, all', withAll, everyOrigin);
facts('sessions of another node', left, strays, { concurrency: 1 });
facts('the cookie of a node', sticky, cookie);
