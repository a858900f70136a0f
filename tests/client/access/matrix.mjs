// Asks the server every cell of the table by one door, and looks at what nobody may have been told.
import assert from 'node:assert/strict';
import { assertRefusal } from '../support/clients.mjs';
import { CALLERS, Cast, SHUT_OUT, nameOf, wordsOf } from './cast.mjs';
import { MARKER, refusal } from './doors.mjs';
import { REST } from './rest.mjs';
import { CHANGING, PAYLOADS, ROOMS, first } from './requests.mjs';
import { CODES, ROWS, cell } from './table.mjs';

const NOT_THERE = { success: false, code: 'not_found', message: 'Room not found' };
const NOT_YOURS = { success: false, code: 'access_denied', message: 'Access denied to this room' };
const STAFF = ['staff', 'clerk'];
/** Whom the guests meet, and who meets them: in the room to which `guest` was added, and as customers. */
const MEETS = {
  guest: ['owner', 'member', 'subject', ...STAFF],
  other: STAFF,
  'linked guest': ['linked', ...STAFF],
  visitor: ['stranger', 'linked', 'member', 'owner', 'blocked', 'removed', 'foreign', ...STAFF],
};

/** The facts of one door. */
export const matrix = (door) => ({
  [`everybody may do what the table says, and nobody is told more: ${door.name}`]: async (w) => {
    const cast = await Cast.assemble(w, door);
    const wrong = [];
    for (const row of ROWS.filter((one) => door.asks(one))) wrong.push(...await asked(cast, row));
    await cast.settle();
    wrong.push(...told(cast));
    assert.deepEqual(wrong, []);
  },
});

/** For doors by which one comes in. */
export const coming = (door) => ({
  [`who comes in, and who does not: ${door.name}`]: async (w) => {
    const cast = await Cast.assemble(w, door);
    await comeIn(w, door, [...CALLERS, 'disabled'], (caller) => cast.credentials(caller));
  },
});

/** For a server where guests are off. */
export const guestless = (door) => ({
  [`nobody comes in without a token: ${door.name}`]: async (w) => {
    const credentials = { nobody: {}, expired: { token: w.token('alice', { exp: 1, is_staff: true }) } };
    await comeIn(w, door, ['nobody', 'expired'], (caller) => credentials[caller]);
  },
});

async function comeIn(w, door, callers, credentials) {
  for (const { command: namespace, cells } of ROWS.filter((row) => row.namespace === 'connect')) {
    for (const caller of callers) {
      const client = door.open(w, namespace, credentials(caller));
      const came = await client.ready.then(() => 'ok', refusal);
      assert.equal(came, CODES[cells.get(caller)], `${caller} at ${namespace}`);
    }
  }
}

/** Asks one row. Resolves to a sentence for each cell that came out otherwise. */
async function asked(cast, row) {
  const about = await whatAbout(cast, row);
  const name = `${row.namespace} ${row.command}${row.way && `:${row.way}`} ${row.target}`;
  const wrong = [];
  const ask = async ([caller, code]) => {
    const why = await wrongCell(cast, row, about, caller, code).catch((error) => error.message);
    if (why) wrong.push(`${name}, ${caller}: ${why}`);
  };
  const cells = [...row.cells, ...(row.namespace === 'HTTP' ? [] : shutOut(cast.door, row.namespace))];
  const allowed = cells.filter(([, code]) => code === 'ok');

  about.hearer?.mark();
  const before = await about.look?.();
  await Promise.all(cells.filter(([, code]) => code !== 'ok').map(ask));
  const between = await about.look?.();
  if (!same(before, between)) wrong.push(`${name}: refused, and yet there is ${JSON.stringify(between)} after ${JSON.stringify(before)}`);
  for (const cell of allowed) await ask(cell);
  if (CHANGING.includes(`${row.namespace} ${row.command}`) && allowed.length > 0 && about.look && same(between, await about.look())) {
    wrong.push(`${name}: allowed, and yet nothing changed`);
  }
  if (row.command === 'typing' && about.hearer) wrong.push(...await heardTyping(cast, name, about, allowed));
  return wrong;
}

function whatAbout(cast, { namespace, target }) {
  if (ROOMS.includes(target)) return cast.room(target);
  return namespace === 'HTTP' && target === 'subject' ? cast.record(target) : { target };
}

/** Where every request says who sends it, those who are not let in ask too. */
function shutOut(door, namespace) {
  if (door !== REST) return [];
  const { cells } = ROWS.find((row) => row.namespace === 'connect' && row.command === namespace);
  return SHUT_OUT.map((caller) => [caller, cells.get(caller)]);
}

async function wrongCell(cast, { namespace, command, way, target }, about, caller, expected) {
  const code = CODES[expected];
  const body = await answer(cast, { namespace, command, way, target }, about, caller);
  const got = body?.success === true ? 'ok' : body?.code;
  if (got !== code) return `expected ${code}, got ${JSON.stringify(body)}`;
  if (got === 'ok') return undefined;
  assertRefusal(body, code);
  // What is not there, is another tenant's or is closed to the caller says nothing of itself.
  if (code === 'not_found' && (target === 'missing' || caller === 'foreign') && ROOMS.includes(target)) assert.deepEqual(body, NOT_THERE);
  if (code === 'access_denied' && ROOMS.includes(target) && !maySee(caller, target)) assert.deepEqual(body, NOT_YOURS);
  return undefined;
}

async function answer(cast, row, about, caller) {
  const { namespace, command, way } = row;
  if (namespace === 'HTTP') {
    const client = await cast.client(caller, '/');
    return client.send(...command.split(' '), command.startsWith('POST') && !about.id ? { guest_session: 'nothing' } : { user_id: about.id });
  }
  const isPassing = command === 'authenticate';
  const client = await (isPassing ? cast.passing(caller, namespace) : cast.client(caller, namespace));
  const before = first(row, about);
  if (before) await client.request(...before);
  const body = await client.request(command, PAYLOADS[namespace][way ? `${command}:${way}` : command](about, cast, caller));
  if (isPassing) client.close();
  return body;
}

/** Those who type are heard, those of whom it is ignored are not. */
async function heardTyping(cast, name, { id, hearer }, allowed) {
  for (let i = 0; i < 2; i += 1) await hearer.ok(...MARKER['/']);
  const heard = new Set(hearer.all('typing_update', { room_id: id }).filter((update) => update.is_typing).map(({ user_id }) => user_id));
  const typed = new Set(allowed.map(([caller]) => cast.id(caller)));
  return same([...heard].sort(), [...typed].sort()) ? [] : [`${name}: heard ${[...heard]}, allowed ${[...typed]}`];
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** A sentence for everything that somebody was told of what is not theirs, by events and by answers. */
function told(cast) {
  const wrong = [];
  for (const client of cast.clients()) {
    for (const { event, ack, data } of client.trace) {
      if (['participant_added', 'participant_removed'].includes(event) && data.user_id === cast.id(client.caller)) continue;
      const text = JSON.stringify(data);
      const leaks = wordsOf(text).filter((word) => !mayKnow(client.caller, cast.words.get(word)));
      for (const word of new Set(leaks)) {
        wrong.push(`${client.caller} at ${client.namespace} was told of ${cast.words.get(word)} by ${event ?? `the ack of ${ack}`}: ${text}`);
      }
    }
  }
  return wrong;
}

/** Whoever may read a room may know of it. */
const maySee = (caller, target) => cell('/', 'get_messages', target, STAFF.includes(caller) ? 'staff' : caller) === 'ok';

function mayKnow(caller, target) {
  if (target === undefined || target === caller || target === nameOf(caller) || target === `own ${caller}`) return true;
  if (ROOMS.includes(target)) return maySee(caller, target);
  if (target.startsWith('own ')) return STAFF.includes(caller) && target !== 'own foreign';
  // Whom the table has staff of another tenant name, these know the id of.
  if (caller === 'foreign') return ['owner', 'visitor', 'subject'].includes(target);
  if (target === 'foreign' || target === nameOf('foreign')) return false;
  const person = [...Object.keys(MEETS), caller].find((guest) => guest in MEETS && (guest === target || guest === caller));
  if (person === undefined) return true;
  return person === caller ? MEETS[person].some((met) => target === met || target === nameOf(met)) : MEETS[person].includes(caller);
}
