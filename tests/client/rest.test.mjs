// REST (contract §5): the same rooms, rules and limits as over sockets, for those who hold none.
import document from './rest/document.mjs';
import hangingUp from './rest/hanging-up.mjs';
import { keys, limits, parity } from './rest/parity.mjs';
import refusals, { cookies } from './rest/refusals.mjs';
import support from './rest/support.mjs';
import { draining, reading, waitingFacts } from './rest/waiting.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const unlimited = { rate_limit_messages: 0, max_guests_per_ip_per_minute: 0 };
const [server, usual, counted, cookied, mortal] = await Promise.all([
  startServer(unlimited),
  startServer(),
  startServer({ ...unlimited, max_connections_per_user: 3 }),
  startServer({ ...unlimited, token_cookie: 'confab_token', allowed_origins: ['https://app.example'] }),
  startServer({ drain_seconds: 2 }),
]);

facts('REST and sockets', server, parity);
facts('REST: keys', server, keys);
facts('REST: limits', usual, limits);
facts('REST: refusals', server, refusals);
facts('REST: cookies and origins', cookied, cookies);
facts('REST: support', server, support);
facts('REST: hanging up', server, hangingUp, { concurrency: 1 });
facts('REST: the document', server, document);
facts('REST: changes', server, reading);
// They look at what the whole server holds, so each has it to itself.
facts('REST: waiting', counted, waitingFacts, { concurrency: 1 });
facts('REST: a stop', mortal, draining);
