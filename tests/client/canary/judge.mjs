// Looks through all tapes for what their holders could not know: words, ids, fields, presence.
import { wordsOf } from './model.mjs';

/** What is for staff at their desk alone, whatever it says. */
const DESK_ONLY = /"(assigned_to|assigned_name|viewers|active_customers|next_cursor|customer_id|is_online)":/;
/** What only those in a room's live stream hear. */
const LIVE = ['new_message', 'typing_update', 'user_joined', 'user_left', 'read_receipt', 'room_updated'];

/** A sentence for every leak, at most so many. */
export function judge({ model, tapes, named }, most = 20) {
  for (const tape of tapes) for (const { data } of tape.entries) learnIds(model, tape, data);
  const leaks = [];
  for (const tape of tapes) {
    for (const entry of tape.entries) {
      for (const leak of [...words(model, named, tape, entry), ...fields(tape, entry), ...pushed(model, tape, entry)]) {
        leaks.push(describe(tape, entry, leak));
        if (leaks.length === most) return leaks;
      }
    }
  }
  return leaks;
}

/** Messages whose sender was not told the id: those of the system, and those whose sender was gone. */
function learnIds(model, tape, data) {
  for (const [, object] of walk(data)) {
    if (typeof object?.id !== 'string' || object.room_id === undefined || object.seq === undefined || model.secrets.has(object.id)) continue;
    const room = model.rooms.find(({ id, tenant }) => id === object.room_id && tenant === tape.tenant);
    if (room) model.name(object.id, { kind: 'message', room, said: 0 });
  }
}

function* words(model, named, tape, { data, at, isOffice }) {
  if (data === undefined) return;
  for (const word of wordsOf(data)) {
    const secret = model.secrets.get(word);
    // Staff look after whoever is in their tenant and read what was done there. The audit numbers its entries.
    if (isOffice && (secret === undefined || sameTenant(secret, tape) || named.get(tape.tenant).has(word))) continue;
    if (secret === undefined) yield { word, why: 'nobody was given this id' };
    else if (!model.mayKnow(secret, tape, at)) yield { word, why: `it belongs to ${name(secret)}` };
  }
}

const sameTenant = (secret, tape) => (secret.tenant ?? secret.room?.tenant ?? secret.principal?.tenant) === tape.tenant;

function* fields(tape, { data }) {
  if (tape.isDesk || data === undefined) return;
  const found = DESK_ONLY.exec(JSON.stringify(data));
  if (found) yield { word: found[0], why: 'it is for staff at their desk' };
}

/** Events that come unasked. */
function* pushed(model, tape, { event, data, at }) {
  if (!event) return;
  const { tenant } = tape;
  const person = (id) => model.principals.find((principal) => principal.tenant === tenant && principal.id === id);
  if (event === 'user_online' || event === 'user_offline') {
    const seen = person(data.user_id);
    if (!seen || !model.mayWatch(tape, seen, at)) yield { word: data.user_id, why: 'whether they are there is not for this client' };
    return;
  }
  if (data?.room_id === undefined) return;
  const room = model.rooms.find(({ id, tenant: of }) => of === tenant && id === data.room_id);
  if (!room) return;
  for (const id of data.typing_users ?? []) {
    const typist = person(id);
    if (!typist || !model.entered(room, [{ principal: typist }], at, 0)) yield { word: id, why: 'they may not enter the room where they type' };
  }
  const said = model.secrets.get(data.id)?.said ?? 0;
  const isHeardAnyway = event === 'new_message' && room.kind === 'direct';
  if (tape.isChat && LIVE.includes(event) && !isHeardAnyway && !tape.live.get(room)?.covers(at, said)) {
    yield { word: room.id, why: 'the connection was not in the room' };
  }
  if (event === 'notification') {
    const secret = model.secrets.get(data.message_id);
    const isMember = tape.holders.some(({ principal }) => room.members.get(principal)?.covers(at, secret?.said ?? 0));
    if (!isMember) yield { word: room.id, why: 'no participant is notified' };
  }
}

/** Every value in a payload, with its path. */
function* walk(value, path = '$') {
  yield [path, value];
  if (value === null || typeof value !== 'object') return;
  for (const [key, part] of Object.entries(value)) yield* walk(part, `${path}${Array.isArray(value) ? `[${key}]` : `.${key}`}`);
}

function describe(tape, { how, data, at }, { word, why }) {
  const path = [...walk(data)].find(([, value]) => typeof value !== 'object' && String(value).includes(word))?.[0] ?? '$';
  const payload = JSON.stringify(data);
  return `${tape.name} was told ${JSON.stringify(word)} at ${at} by ${how}, in ${path}: ${why}\n    ${payload.slice(0, 600)}`;
}

function name({ kind, room, principal, author, said, stored, tenant }) {
  if (kind === 'message') {
    const refused = stored === false ? ' that was refused' : '';
    return `a message${refused} of ${author?.name ?? 'the system'} in ${nameOf(room)}, said at ${said}`;
  }
  if (kind === 'room') return `${nameOf(room)}${said ? `, so called since ${said}` : ''}`;
  return `${kind} of ${principal?.name ?? tenant}`;
}

const nameOf = (room) => (room ? `the ${room.kind} room ${room.id} of ${room.tenant}` : 'no room');
