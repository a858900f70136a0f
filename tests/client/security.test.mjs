// What keeps people out: revocation, disabled users, and what staff see and do about it.
import { audit, operators, signIns } from './security/audit.mjs';
import { accounts as accountsDisabled, disabled, staffOnly, unknown } from './security/disabled.mjs';
import { DOORS } from './security/doors.mjs';
import { accounts as accountsInspected, inspecting } from './security/inspect.mjs';
import { SECRETS, accounts as accountsRotated, files, issuer, secrets } from './security/rotation.mjs';
import { accounts as accountsRevoked, everywhere, versions } from './security/versions.mjs';
import { UNTHROTTLED } from './support/accounts.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const [server, withAccounts, strict, own, rotated, ours] = await Promise.all([
  startServer(),
  startServer({ accounts: 'open', ...UNTHROTTLED }),
  startServer({ create_unknown_users: false }),
  startServer(),
  startServer({ accounts: 'open', jwt_previous_secrets: SECRETS.slice(0, -1) }),
  startServer({ jwt_issuer: 'us', jwt_audience: 'chat' }),
]);

for (const door of DOORS) facts(`versions of tokens: ${door.name}`, server, versions(door));
facts('versions of tokens', server, everywhere);
facts('versions of tokens, with accounts', withAccounts, accountsRevoked);
facts('disabled users', server, disabled);
facts('disabled users, with accounts', withAccounts, accountsDisabled);
facts('disabled users, unknown', strict, unknown);
facts('staff only', server, staffOnly);
facts('audit', server, audit);
facts('audit, with accounts', withAccounts, signIns);
for (const [fact, check] of Object.entries(operators)) facts('audit, of one server', own, { [fact]: check });
facts('secrets of before', rotated, secrets);
facts('secrets that are replaced', server, accountsRotated);
facts('keys in files', server, files);
facts('issuer and audience', ours, issuer);
facts('inspecting tokens', server, inspecting);
facts('inspecting tokens of accounts', withAccounts, accountsInspected);
