// Who may do what, by every door: all that the table in `access/table.mjs` says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { DOORS } from './access/doors.mjs';
import { guessing } from './access/guessing.mjs';
import { coming, guestless, matrix } from './access/matrix.mjs';
import { PAYLOADS } from './access/requests.mjs';
import { REST, ROUTED, SIGNING_IN } from './access/rest.mjs';
import { ROWS } from './access/table.mjs';
import { request } from './support/raw.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const settings = {
  rate_limit_messages: 0, guest_tenants: '*', max_guests_per_ip_per_minute: 0, max_pending_per_ip: 1000, create_rooms_on_join: false,
  // So that nobody stops typing by themselves while it is looked at who does.
  typing_timeout_seconds: 60,
};
const [server, closed, strict] = await Promise.all([
  startServer(settings),
  startServer({ ...settings, guests: false }),
  startServer({ ...settings, create_unknown_users: false }),
]);
const commands = JSON.parse(readFileSync(new URL('../../web-client/src/protocol/generated/commands.json', import.meta.url)));

it('every command has a row, and every row a command', () => {
  const named = (entries) => [...new Set(entries)].sort();
  const all = named(Object.entries(commands).flatMap(([namespace, names]) => names.map((name) => `${namespace} ${name}`)));
  const rows = ROWS.filter(({ namespace }) => namespace.startsWith('/'));
  assert.deepEqual(named(rows.map(({ namespace, command }) => `${namespace} ${command}`)), all);
  const asked = Object.entries(PAYLOADS).flatMap(([namespace, payloads]) => Object.keys(payloads).map((name) => `${namespace} ${name}`));
  assert.deepEqual(named(rows.map(({ namespace, command, way }) => `${namespace} ${command}${way && `:${way}`}`)), named(asked));
});

it('every request over HTTP stands for a command or has a row, and every row is one', async () => {
  const { paths } = JSON.parse((await request(server, '/api/openapi.json')).body);
  const of = ([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/^\/api/, '')}`);
  const served = Object.entries(paths).flatMap(of);
  const own = ROWS.filter(({ namespace }) => namespace === 'HTTP').map(({ command }) => command);
  assert.deepEqual([...new Set([...ROUTED, ...own, ...SIGNING_IN])].sort(), served.sort());
});

facts('access', server, Object.assign({}, ...[...DOORS, REST].map(matrix), ...DOORS.map(coming)));
facts('access without guests', closed, Object.assign({}, ...DOORS.map(guestless)));
facts('guessing', strict, guessing);
