// Each tenant, room, user, guest and message carries a secret word of its own. After a random mix of all commands by all kinds
// of callers by all doors, no client was told a word, an id, a count or a presence that is not its own to know.
//
// CONFAB_CANARY_SEED makes another mix; CONFAB_CANARY_AT_ONCE does more at the same time, to search for what no mix shows.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Company } from './canary/company.mjs';
import { miscounted } from './canary/counts.mjs';
import { Driver } from './canary/driver.mjs';
import { judge } from './canary/judge.mjs';
import { Model } from './canary/model.mjs';
import { Operations } from './canary/operations.mjs';
import { random as chance } from './canary/random.mjs';
import { UNTHROTTLED } from './support/accounts.mjs';
import { startServer } from './support/server.mjs';
import { World } from './support/world.mjs';

const ROUNDS = 4;
const OPERATIONS = 500;
/** One after the other it is known exactly who could know what; with more at once the model is unsure now and then. */
const AT_ONCE = Number(process.env.CONFAB_CANARY_AT_ONCE ?? 1);
const TENANTS = ['default', 'west', 'east'];

/** The same mix each time; another with another seed. */
const seed = Number(process.env.CONFAB_CANARY_SEED ?? 20_261_121);
const commands = JSON.parse(readFileSync(new URL('../../web-client/src/protocol/generated/commands.json', import.meta.url)));
const server = await startServer({
  ...UNTHROTTLED, accounts: 'open', guest_tenants: '*', max_guests_per_ip_per_minute: 0, max_pending_per_ip: 1000, rate_limit_messages: 0,
  // Whoever names what another tenant has must not make it here.
  create_rooms_on_join: false, create_unknown_users: false,
  presence_grace_seconds: 1, typing_timeout_seconds: 1,
});

test('no client is told what is not its own to know', { timeout: 120_000 }, async (t) => {
  const random = chance(seed);
  const model = new Model(random);
  const company = new Company(new World(t, server), model, random);
  const operations = new Operations(company);
  const driver = new Driver(operations);
  const failed = (what, list) => {
    if (list.length > 0) assert.fail(`${what}; CONFAB_CANARY_SEED=${seed}\n${list.join('\n')}`);
  };
  try {
    for (const tenant of TENANTS) await settle(tenant, operations, driver);
    for (let round = 0; round < ROUNDS; round += 1) {
      await driver.run(OPERATIONS, AT_ONCE);
      failed(`counted otherwise after round ${round}`, await miscounted(operations));
      failed(`told after round ${round}`, judge(company));
    }
    // Chance leaves something out now and then.
    for (let more = 0; more < 20 && notGranted(company).length > 0; more += 1) await driver.run(OPERATIONS / 10, AT_ONCE);
    failed('never granted', notGranted(company));
    failed('told at last', judge(company));
    failed('what must not happen', company.faults);
  } finally {
    const received = company.tapes.reduce((sum, { entries }) => sum + entries.length, 0);
    const what = `${model.principals.length} callers, ${model.rooms.length} rooms, ${model.secrets.size} secrets`;
    t.diagnostic(`seed ${seed}: ${what}, ${received} payloads on ${company.tapes.length} tapes`);
  }
});

/** The people of a tenant, and what they have before anybody else comes. */
async function settle(tenant, operations, driver) {
  const { company, random } = operations;
  const people = [company.user(tenant, { isStaff: true }), company.user(tenant, { isStaff: true }), company.user(tenant, { id: 7 })];
  for (let i = 0; i < 3; i += 1) people.push(tenant === 'default' ? await company.account() : company.user(tenant));
  people.push(company.user(tenant));
  for (const principal of people) {
    await company.connect(principal, { namespace: '/' });
    await company.connect(principal, principal.isStaff ? { namespace: '/admin' } : {});
  }
  // Tokens are renewed seldom, and staff are few.
  for (const actor of [...company.actors].filter(({ principal }) => principal.tenant === tenant && !principal.sessions)) {
    await operations.ask(actor, 'authenticate', { token: company.token(actor.principal) });
  }
  for (let i = 0; i < 3; i += 1) await company.guest(tenant);
  for (const actor of [...company.actors].filter(({ principal, namespace }) => principal.tenant === tenant && namespace === '/')) {
    if (actor.principal.isGuest) continue;
    const invited = [driver.person(actor, (other) => other.tenant === tenant), driver.person(actor, (other) => other.tenant === tenant && other.isGuest)];
    await operations.createRoom(actor, { isPrivate: random.chance(0.6), invited: [...new Set(invited)] });
  }
}

/** Commands that nobody has been granted yet. */
function notGranted({ asked }) {
  const all = Object.entries(commands).flatMap(([namespace, names]) => names.map((name) => `${namespace} ${name}`));
  return all.filter((command) => !(asked.get(command)?.granted > 0));
}
