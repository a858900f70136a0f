// Whole consoles to look at: the festival's ticket desk on Saturday morning.
import { customer, staffMember } from './desk.mjs';
import { connect } from '../support/clients.mjs';

export const SAM = staffMember('Sam Reyes');
export const KIM = staffMember('Kim Osei');

/** `[who, when, what]`; a minus before the time means the day before. `S` is Sam, `K` Kim, `C` the customer. */
const LENA = ['Lena Fischer', 'lena.fischer@example.org', [
  ['C', '-17:31', 'Hello! I have bought two tickets for Saturday and got a mail with only one.'],
  ['C', '-17:32', 'The order is 20418.'],
  ['S', '-17:40', 'Hello Lena, thank you for telling us. I can see both tickets in the order.'],
  ['S', '-17:41', 'I have sent the mail again, both are attached now. Does it arrive?'],
  ['C', '-18:02', 'It does, thank you 🙏'],
  ['C', '10:16', 'Good morning, me again. My sister cannot come after all.'],
  ['C', '10:17', 'Can her ticket be passed on to a friend, or is the name on it checked at the gate?'],
]];
const OTHERS = [
  ['Marco Bellini', 'marco@example.org', [['C', '10:21', 'The page with the bus times does not open on my phone.']]],
  ['', undefined, [['C', '10:09', 'Are dogs allowed on the meadow?']]],
  ['Priya Raman', 'priya.raman@example.org', [
    ['C', '09:48', 'Is there a place for wheelchairs near the stage?'],
    ['K', '09:55', 'Yes, to the left of it, with a ramp. Shall I reserve one for you?'],
    ['C', '10:02', 'That would be wonderful, for my father and me.'],
  ]],
];
const OPEN = [
  ['Jonas Petersen', 'jonas@example.org', [
    ['C', '09:10', 'I need an invoice with our company’s address, please.'],
    ['S', '09:24', 'Of course. To which address should it go?'],
  ]],
  ['Aylin', undefined, [
    ['C', '08:52', 'How late is the kitchen open?'],
    ['K', '08:58', 'Until ten, and there is soup until it is gone.'],
  ]],
];
const CLOSED = [['Tom Becker', 'tom@example.org', [
  ['C', '-14:20', 'Where can I park?'],
  ['K', '-14:31', 'At the school, it is five minutes on foot from there.'],
]]];

const ALL = [LENA, ...OTHERS, ...OPEN, ...CLOSED];
export const SCRIPT = [...ALL.flatMap(([, , said]) => said), [null, '-14:33', 'Kim Osei closed the conversation']];

/** Fills a server. Resolves to `{lena, sam, kim}`: the customer's client, and plain clients of the staff. */
export async function setDesk(server, t) {
  const [sam, kim] = await Promise.all([SAM, KIM].map(({ token }) => connect(server.url, { namespace: '/admin', token })));
  const play = async ([name, email, said]) => {
    const client = await customer(t, server, name, { email });
    for (const [who, , content] of said) {
      if (who === 'C') await client.writes(content);
      else await (who === 'S' ? sam : kim).ok('admin_message', { room_id: client.room, content });
    }
    return client;
  };
  const read = async ({ room }, seq) => sam.ok('mark_read', { room_id: room, seq });
  for (const script of CLOSED) await kim.ok('close_room', { room_id: (await play(script)).room });
  for (const script of OPEN.toReversed()) await read(await play(script), 9);
  const [priya, guest] = [await play(OTHERS[2]), await play(OTHERS[1])];
  const lena = await play(LENA);
  await lena.ok('mark_read', { seq: 5 });
  await read(lena, 5);
  await read(priya, 1);
  const marco = await play(OTHERS[0]);
  guest.close();
  await sam.waitFor('room_activity', { action: 'offline', room_id: guest.room });
  return { lena, priya, marco, sam, kim };
}
