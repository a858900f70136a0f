// Built-in accounts: who can make one and sign in, what ends with a session, and what nobody gets to see.
import cookies from './accounts/cookies.mjs';
import { doors, shared } from './accounts/doors.mjs';
import { crashes, modes } from './accounts/modes.mjs';
import { LISTED, byDefault, listed } from './accounts/origins.mjs';
import { accounts, crowds, malformed, names } from './accounts/registering.mjs';
import rotation from './accounts/rotation.mjs';
import secrecy from './accounts/secrecy.mjs';
import { connections, tokens } from './accounts/signing-out.mjs';
import { PER_ACCOUNT, PER_ADDRESS, byAccount, byAddress } from './accounts/throttling.mjs';
import { UNTHROTTLED } from './support/accounts.mjs';
import { TRANSPORTS } from './support/clients.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const [server, idle, sharing, listing, slowly, anywhere] = await Promise.all([
  startServer({ jwt_secret: null, ...UNTHROTTLED }),
  startServer({ jwt_secret: null, ...UNTHROTTLED }),
  startServer({ accounts: 'open', ...UNTHROTTLED }),
  startServer({ accounts: 'open', allowed_origins: LISTED, ...UNTHROTTLED }),
  startServer({ accounts: 'open', ...UNTHROTTLED, max_sign_ins_per_account_per_minute: PER_ACCOUNT }),
  startServer({ accounts: 'open', ...UNTHROTTLED, max_sign_ins_per_ip_per_minute: PER_ADDRESS }),
]);

facts('accounts', server, accounts);
facts('crowds', idle, crowds);
facts('names', server, names);
facts('bad bodies', server, malformed);
facts('cookies', server, cookies);
facts('rotation', server, rotation);
facts('signing out', server, tokens);
for (const transports of TRANSPORTS) facts(`signing out over ${transports.join(', then ')}`, server, connections, { transports });
facts('doors', sharing, { ...doors, ...shared });
facts('origins', server, byDefault);
facts('origins, listed', listing, listed);
facts('throttled by account', slowly, byAccount);
facts('throttled by address', anywhere, byAddress);
facts('open, closed, off', server, modes);
facts('crashes', server, crashes);
facts('secrecy', server, secrecy);
