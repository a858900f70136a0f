// Whole screens to look at: the people of a summer festival, their rooms, and what they have written by Saturday morning.
import { after } from 'node:test';
import { connect, token } from '../support/clients.mjs';
import { tapSockets } from './sockets.mjs';

export const MAYA = 'Maya Lund';
const TOMAS = 'Tomás Rivera';
const AIKO = 'Aiko Tanaka';
const BEN = 'Ben Okafor';
const CLARA = 'Clara Weiss';
const NOOR = 'Noor Haddad';
const EMILE = 'Émile Laurent';
const PEOPLE = [MAYA, TOMAS, AIKO, BEN, CLARA, NOOR, EMILE];
/** Has never been here. */
export const NEWCOMER = 'Jonas Petersen';

const idOf = (name) => [...PEOPLE, NEWCOMER].indexOf(name) + 1;

/** `[who, when, what]`; a minus before the time means the day before. */
const FESTIVAL = [
  [TOMAS, '-16:42', 'The stage company confirmed: they can bring the small roof on Thursday.'],
  [TOMAS, '-16:43', 'We only need to tell them by Monday how many metres of cable they should pack.'],
  [AIKO, '-16:58', 'I measured 140 m from the school to the meadow. With some slack I would say 200.'],
  [MAYA, '-17:05', 'Then 200 it is. I will write to them tonight.'],
  [BEN, '-17:06', '🎉🎪'],
  [CLARA, '09:12', 'Morning! The poster is at the printer’s, the proof is here: https://print.example.org/orders/2281/proof'],
  [CLARA, '09:12', 'Please look at the dates once more, I have read them too often to see anything.'],
  [NOOR, '09:20', 'Dates are right. Only the bus at the bottom has changed, it is the 14 now.'],
  [CLARA, '09:21', 'Good catch, thank you 🙏 Fixed.'],
  [EMILE, '09:40', 'For the kitchen I have so far:\nsoup for 120, 200 flatbreads, 80 l of lemonade.\nIs that enough?'],
  [MAYA, '09:44', 'Last year the soup was gone by nine, so I would make a bit more.'],
  [MAYA, '09:45', 'And something without gluten, please. Somebody asks every time.'],
  [AIKO, '09:51', 'I can bring rice and my big pot 🍚'],
  [TOMAS, '10:02', 'The band sent what they need, www.example.org/stage-plan.pdf. Two microphones and nothing wild.'],
  [BEN, '10:03', 'I have all of that in the van.'],
];
const READ = [
  [TOMAS, '-12:10', 'Who has the ladder?'],
  [MAYA, '-12:18', 'It is in the shed behind the school.'],
];
const UNREAD = [
  [CLARA, '10:05', 'The new keys are in the blue box by the door.'],
  [AIKO, '10:08', 'And the old ones do not open anything any more.'],
];
const KITCHEN = [
  [EMILE, '08:31', 'I will be at the market at seven on Friday. Who comes along?'],
  [AIKO, '08:40', 'Me, with the cargo bike.'],
];
const SOUND = [[TOMAS, '-18:20', 'Sound check on Thursday at five.']];
const WITH_NOOR = [
  [NOOR, '09:30', 'Did you hear back from the town about the permit?'],
  [MAYA, '09:33', 'Yes, this morning! Until 11 at night on both days.'],
  [NOOR, '09:33', '🥳'],
  [NOOR, '09:34', 'Then I will tell the neighbours. I have written a note for their letterboxes, may I send it to you first?'],
  [MAYA, '09:36', 'Of course, I will read it over lunch.'],
  [NOOR, '09:37', 'Thank you. It is short, promised.'],
];
const FROM_BEN = [[BEN, '10:11', 'Do you have five minutes after lunch? It is about the van.']];
/** Whoever has to wait. */
const WAIT_MS = 42_000;
const LAST_SEEN = { [EMILE]: '08:55', [BEN]: '10:15' };

const DAY_MS = 24 * 3600_000;
/** Midnight of a day on which 10:24 is over: what the server has just given must not look as if it had ended. */
const MIDNIGHT = Math.floor((Date.now() - 10.5 * 3600_000) / DAY_MS) * DAY_MS;
const NOW = at('10:24');
const SCRIPT = [FESTIVAL, READ, UNREAD, KITCHEN, SOUND, WITH_NOOR, FROM_BEN].flat();
const WRITTEN = new Map(SCRIPT.map(([, when, text]) => [text, at(when)]));
/** As a rate limit it lets everybody say what the script says, and Maya nothing more. */
export const MAYAS_SHARE = SCRIPT.filter(([who]) => who === MAYA).length;

function at(when) {
  const [, isYesterday, hours, minutes] = /^(-?)(\d\d):(\d\d)$/.exec(when);
  return new Date(MIDNIGHT - (isYesterday ? DAY_MS : 0) + (Number(hours) * 60 + Number(minutes)) * 60_000);
}

const opened = [];
after(() => { for (const client of opened) client.close(); });

/** Signs in by the address: `/rooms/general#token=…`. */
export const tokenOf = (name) => token({ user_id: idOf(name), username: name });

/** Fills a server. Resolves to `{server, clients, rooms}`; Émile and Ben have left, Maya is yet to come. */
export async function setStage(server) {
  const clients = {};
  for (const name of PEOPLE) {
    clients[name] = await connect(server.url, { token: tokenOf(name) });
    opened.push(clients[name]);
  }
  const say = async (room_id, script) => {
    for (const [who, , message] of script) await clients[who].ok('chat_message', { room_id, message });
  };
  const make = async (owner, name, isPrivate, people, script) => {
    const participants = people.filter((each) => each !== owner).map(idOf);
    const { room } = await clients[owner].ok('create_room', { name, private: isPrivate, participants });
    await clients[MAYA].ok('join_room', { room_id: room.id });
    await say(room.id, script);
    return room;
  };
  const write = async (other, script) => {
    let room_id;
    for (const [who, , message] of script) {
      const recipient_id = idOf(who === MAYA ? other : MAYA);
      ({ room_id } = await clients[who].ok('private_message', { recipient_id, message }));
    }
    return { id: room_id };
  };

  const sound = await make(TOMAS, 'Sound and light', false, [MAYA, BEN], SOUND);
  const general = await make(CLARA, 'General', false, PEOPLE, READ);
  const kitchen = await make(EMILE, 'Kitchen', true, [AIKO, MAYA], KITCHEN);
  const withNoor = await write(NOOR, WITH_NOOR);
  const festival = await make(TOMAS, 'Summer festival', true, PEOPLE, FESTIVAL);
  await clients[NOOR].ok('create_room', { name: 'Lost and found' });
  await clients[MAYA].ok('leave_room', { room_id: general.id });
  await say(general.id, UNREAD);
  await write(BEN, FROM_BEN);
  // Being in a room is having read it; and typing is told by those who are in it.
  await clients[MAYA].ok('join_room', { room_id: withNoor.id });
  await clients[NOOR].ok('join_room', { room_id: withNoor.id });
  for (const name of [NOOR, CLARA]) await clients[name].ok('join_room', { room_id: festival.id });
  const leaving = [MAYA, BEN, EMILE];
  for (const name of leaving) clients[name].close();
  // For some seconds they are still taken for being there.
  await Promise.all(leaving.map((name) => clients[NOOR].waitFor('user_offline', { user_id: idOf(name) })));
  return { server, clients, rooms: { sound, general, kitchen, festival, withNoor } };
}

/** In this window it is always 10:24, and everything was written when the script, or another one, says so. */
export async function stopTheClock(page, script = []) {
  for (const [, when, text] of script) WRITTEN.set(text, at(when));
  await page.clock.setFixedTime(NOW);
  const tap = await tapSockets(page);
  tap.change = ({ data }) => redate(data);
  return tap;
}

function redate(value) {
  if (Array.isArray(value)) return value.map(redate);
  if (typeof value !== 'object' || value === null) return value;
  const dated = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redate(inner)]));
  const written = WRITTEN.get(dated.message);
  if (written) dated.timestamp = written.toISOString();
  else if ('timestamp' in dated) dated.timestamp = NOW.toISOString();
  if (dated.last_message) dated.last_message_at = dated.last_message.timestamp;
  if (dated.retry_after_ms) dated.retry_after_ms = WAIT_MS;
  if (dated.last_seen) dated.last_seen = at(LAST_SEEN[dated.username] ?? '10:20').toISOString();
  return dated;
}
