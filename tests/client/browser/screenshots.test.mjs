// Pictures of the example frontend, for people to look at: only with SCREENSHOTS=folder.
import { before, test } from 'node:test';
import { connect, token } from '../support/clients.mjs';
import { openWindow, startSite } from './support.mjs';

const PEOPLE = { 1: 'Alice', 2: 'Bob Marsh', 3: 'Chidi', 4: 'Daria Novak', 5: 'Émile' };
const REMARKS = [
  [2, 'Morning! I put the new harbour plan into the shared folder.'],
  [2, 'The east pier is the part I am least sure about, so please look at that first.'],
  [4, 'Looking now. The depth survey says 4.2 m at low tide, so the ferry fits.'],
  [1, 'Good. Then we keep the pier where it is.'],
  [1, 'I will redo the drawing this afternoon and send it round before five.'],
  [3, 'Could someone check the numbers?\n\n  berths: 14 → 18\n  cranes: 2\n\nhttps://example.org/harbour/2026/plan'],
  [2, 'On it.'],
];
const LIMIT = 12;

const of = (id) => token({ user_id: Number(id), username: PEOPLE[id] });
const clients = {};
let server;
let room;

before(async () => {
  if (!process.env.SCREENSHOTS) return;
  server = await startSite({ rate_limit_messages: LIMIT });
  for (const id of Object.keys(PEOPLE)) clients[id] = await connect(server.url, { token: of(id) });

  const make = async (id, name) => {
    const participants = Object.keys(PEOPLE).map(Number).filter((each) => each !== id);
    return (await clients[id].ok('create_room', { name, private: true, participants })).room_id;
  };
  room = await make(1, 'Harbour redesign');
  for (const id of [2, 3, 4]) await clients[id].ok('join_room', { room_id: room });
  for (const [id, message] of REMARKS) await clients[id].ok('chat_message', { room_id: room, message });
  await clients[4].ok('chat_message', { room_id: await make(4, 'Ops night shift'), message: 'Quiet so far, backups done.' });
  await clients[2].ok('chat_message', { room_id: await make(2, 'Lunch'), message: 'Noodles at 12:30?' });
  await clients[4].ok('private_message', { recipient_id: 1, message: 'Do you have five minutes after the meeting?' });
  clients[5].close();
});

const skip = !process.env.SCREENSHOTS;

test('pictures_of_a_busy_room', { skip }, async (t) => {
  const window = await openWindow(t, server, { token: of(1), room });
  await window.sees('On it.');
  await window.seesPerson('Émile', 'offline');
  for (const id of [3, 4]) await clients[id].ok('typing', { room_id: room, is_typing: true });
  await window.typing.getByText('Chidi and Daria Novak are typing…').waitFor();
  await window.conversation('five minutes').getByLabel('1 unread').waitFor();
  await window.screenshot('busy-room');
  await window.page.emulateMedia({ colorScheme: 'dark' });
  await window.screenshot('dark');
});

test('pictures_of_a_phone', { skip }, async (t) => {
  const phone = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
  const window = await openWindow(t, server, { token: of(1), room, context: phone });
  await window.sees('On it.');
  await window.screenshot('phone');
  await window.page.getByRole('button', { name: 'People' }).click();
  await window.seesPerson('Chidi', 'online');
  await window.screenshot('phone-people');
  await window.page.getByRole('link', { name: 'Back to conversations' }).click();
  await window.conversation('Harbour redesign').waitFor();
  await window.screenshot('phone-conversations');
});

test('pictures_of_a_guest', { skip }, async (t) => {
  const window = await openWindow(t, server);
  await window.live();
  await window.page.getByRole('heading', { name: 'Welcome, guest' }).waitFor();
  await window.page.getByText('New room', { exact: true }).click();
  await window.screenshot('guest');
});

test('picture_of_being_rate_limited', { skip }, async (t) => {
  const window = await openWindow(t, server, { token: of(1), room });
  await window.sees('On it.');
  for (let number = 3; number <= LIMIT; number += 1) {
    await clients[1].request('chat_message', { room_id: room, message: `Thought no. ${number}` });
  }
  await window.send('And one thought more');
  await window.page.getByText('You can send again in').waitFor();
  await window.composer.fill('This is still being written');
  await window.screenshot('rate-limited');
});

test('picture_of_reconnecting', { skip }, async (t) => {
  const window = await openWindow(t, server, { token: of(2), room });
  await window.sees('On it.');
  await server.kill();
  await window.reconnecting();
  await window.page.getByText('Connection lost').waitFor();
  await window.send('This one goes out when we are back.');
  await window.composer.fill('And this is being written');
  await window.screenshot('reconnecting');
});
