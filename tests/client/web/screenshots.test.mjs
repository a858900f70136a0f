// Pictures of the web client, for README and for people to look at: only with SCREENSHOTS=folder.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { KIM, SAM, SCRIPT, setDesk } from './desk-stage.mjs';
import { onDesk } from './desk.mjs';
import { MAYA, MAYAS_SHARE, NEWCOMER, setStage, stopTheClock, tokenOf } from './stage.mjs';
import { openProfile, startSite } from './support.mjs';

const folder = process.env.SCREENSHOTS;
const skip = !folder;
const DESK = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

let stage;
let desk;
before(async () => {
  if (skip) return;
  mkdirSync(folder, { recursive: true });
  stage = await setStage(await startSite({ rate_limit_messages: MAYAS_SHARE }));
});

/** A window on the morning of the stage, in English, in UTC. */
async function openWindow(t, path, options = DESK) {
  const profile = await openProfile(t, stage.server, { locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', ...options });
  const window = await profile.newTab();
  await stopTheClock(window.page);
  await window.visit(path);
  return window;
}

async function openAsMaya(t, room, options) {
  const window = await openWindow(t, `${room ? `/rooms/${room.id}` : '/'}#token=${tokenOf(MAYA)}`, options);
  await window.live();
  if (room) await window.list.getByTestId('message').last().waitFor();
  return window;
}

async function picture(window, name) {
  await window.page.mouse.move(0, 0);
  await window.page.evaluate(() => document.fonts.ready);
  await window.page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', caret: 'hide' });
}

/** They type until the picture is taken. */
async function typing(t, room, ...names) {
  const tell = async (is_typing) => {
    for (const name of names) await stage.clients[name].ok('typing', { room_id: room.id, is_typing });
  };
  t.after(() => tell(false));
  await tell(true);
}

test('signing in', { skip }, async (t) => {
  const window = await openWindow(t, '/');
  await window.isSignedOut();
  await picture(window, 'sign-in');
});

test('nothing there yet', { skip }, async (t) => {
  const window = await openWindow(t, `/#token=${tokenOf(NEWCOMER)}`);
  await window.heading('No conversations yet').waitFor();
  await window.live();
  await picture(window, 'empty');
});

test('a busy room, light and dark', { skip }, async (t) => {
  const { festival } = stage.rooms;
  const window = await openAsMaya(t, festival);
  await window.ready(festival.name);
  await window.seesPerson('Émile', 'Last seen');
  await typing(t, festival, 'Noor Haddad', 'Clara Weiss');
  await window.reads('Noor Haddad and Clara Weiss are typing…');
  await window.conversation('General').getByText('2 unread messages').waitFor();
  await picture(window, 'busy-room');
  await window.page.emulateMedia({ colorScheme: 'dark' });
  await picture(window, 'dark');
});

test('a private conversation', { skip }, async (t) => {
  const window = await openAsMaya(t, stage.rooms.withNoor);
  await window.heading('Noor Haddad').waitFor();
  await window.composer.fill('It reads well! I would only add until when');
  await typing(t, stage.rooms.withNoor, 'Noor Haddad');
  await window.reads('Noor Haddad is typing…');
  await picture(window, 'private-message');
});

test('finding a room or somebody', { skip }, async (t) => {
  const window = await openAsMaya(t, stage.rooms.festival);
  await window.ready(stage.rooms.festival.name);
  await window.button('Find').click();
  await window.dialog.getByRole('link').nth(3).waitFor();
  await picture(window, 'find');
});

test('a phone', { skip }, async (t) => {
  const window = await openAsMaya(t, null, PHONE);
  await window.conversation('Summer festival').waitFor();
  await picture(window, 'phone-list');
  await window.conversation('Summer festival').tap();
  await window.list.getByTestId('message').last().waitFor();
  await typing(t, stage.rooms.festival, 'Noor Haddad');
  await window.reads('Noor Haddad is typing…');
  await picture(window, 'phone-room');
});

test('no network', { skip }, async (t) => {
  const window = await openAsMaya(t, stage.rooms.festival);
  window.profile.mayLoseConnections();
  await window.ready(stage.rooms.festival.name);
  await window.profile.context.setOffline(true);
  await window.phase('offline');
  await window.composer.fill('I am on the train to the meadow, back in a quarter of an hour.');
  await window.composer.press('Enter');
  await window.page.locator('[data-state=sending]').waitFor();
  await picture(window, 'offline');
});

test('more messages than the limit allows', { skip }, async (t) => {
  const { festival } = stage.rooms;
  const window = await openAsMaya(t, festival);
  await window.ready(festival.name);
  await window.composer.fill('Ben, which day would suit you for the trip to the timber yard?');
  await window.composer.press('Enter');
  await window.page.locator('[data-state=waiting]').waitFor();
  await window.composer.fill('And do we need the trailer');
  await picture(window, 'rate-limited');
});

/** The staff's console on the same morning. */
async function openConsole(t, member, path = '/staff', options = DESK) {
  const profile = await openProfile(t, desk.server, { locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', ...options });
  const window = await profile.newTab();
  window.tap = await stopTheClock(window.page, SCRIPT);
  await window.visit(`${path}#token=${member.token}`);
  return onDesk(window, member);
}

test('the console', { skip }, async (t) => {
  desk = await startSite();
  const { lena, kim, priya, marco } = await setDesk({ url: desk.url });
  desk = { server: desk };
  await kim.ok('view_room', { room_id: priya.room });
  const window = await openConsole(t, SAM);
  await window.row('Marco Bellini').waitFor();
  await picture(window, 'console-list');
  await window.open('Lena Fischer');
  await kim.ok('view_room', { room_id: lena.room });
  await marco.ok('typing', { is_typing: true });
  await lena.ok('typing', { is_typing: true });
  await window.composer.fill('Good morning Lena, it can: give your sister’s');
  await window.activity.getByText('Kim Osei is looking').waitFor();
  await window.activity.getByText('Lena Fischer is typing…').waitFor();
  await picture(window, 'console');
  await window.page.emulateMedia({ colorScheme: 'dark' });
  await picture(window, 'console-dark');
  await window.page.emulateMedia({ colorScheme: 'light' });
  await window.composer.fill('');

  window.tap.hold(({ event }) => event === 'admin_message_sent');
  await kim.ok('admin_message', { room_id: lena.room, content: 'Names are not checked, she can simply take it along.' });
  await window.composer.fill('Good morning Lena, it can: give your sister’s ticket to whoever comes in her place.');
  await window.composer.press('Enter');
  await window.page.locator('[data-state=sending]').waitFor();
  window.tap.release();
  await window.button('Send anyway').waitFor();
  await picture(window, 'console-stale');

  await window.show('Closed');
  await window.open('Tom Becker');
  await window.reads('This conversation is closed.');
  await picture(window, 'console-closed');
  const phone = await openConsole(t, KIM, '/staff', PHONE);
  await phone.row('Marco Bellini').waitFor();
  await picture(phone, 'console-phone-list');
  await phone.show('Open');
  await phone.row('Lena Fischer').tap();
  await phone.inRoom('Lena Fischer');
  await picture(phone, 'console-phone');
});
