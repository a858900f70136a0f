// The staff's console for people who use another device than eyes and a mouse.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { assertAccessible } from './axe.mjs';
import { KIM, SAM, setDesk } from './desk-stage.mjs';
import { customer, openDesk } from './desk.mjs';
import { tapSockets } from './sockets.mjs';
import { eventually, makeAccount, named, openAs, startSite } from './support.mjs';

const CALM = { reducedMotion: 'reduce' };
const PHONE = { ...CALM, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

let server;
let stage;
before(async () => {
  server = await startSite();
  stage = await setDesk(server);
});

/** Every screen by name, as a function that opens it. */
const SCREENS = {
  'the list': (t) => openDesk(t, server, SAM, '/staff', CALM),
  async 'a conversation in which much is going on'(t) {
    const { lena, kim, marco } = stage;
    const window = await openDesk(t, server, SAM, '/staff', CALM);
    await window.open('Lena Fischer');
    await kim.ok('view_room', { room_id: lena.room });
    await kim.ok('typing', { room_id: lena.room, is_typing: true });
    await marco.ok('typing', { is_typing: true });
    await window.activity.getByText('Kim Osei is writing an answer…').waitFor();
    return window;
  },
  async 'an answer that came too late'(t) {
    let tap;
    const window = await openDesk(t, server, SAM, '/staff', {
      ...CALM, beforeVisit: async ({ page }) => { tap = await tapSockets(page); },
    });
    const name = named('Ada');
    const ada = await customer(t, server, name, { message: 'Hello?' });
    await window.open(name);
    tap.hold(({ event }) => event === 'new_customer_message');
    await ada.writes('Is anybody there?');
    await window.send('Hello.');
    tap.release();
    await window.button('Send anyway').waitFor();
    return window;
  },
  async 'who looks after it'(t) {
    const window = await openDesk(t, server, KIM, '/staff', CALM);
    await window.open('Priya Raman');
    await window.button('Assigned to You').click();
    await window.dialog.waitFor();
    return window;
  },
  async 'the question whether to close'(t) {
    const window = await openDesk(t, server, SAM, '/staff', CALM);
    await window.open('Marco Bellini');
    await window.button('Close conversation').click();
    await window.dialog.waitFor();
    return window;
  },
  async 'a closed conversation'(t) {
    const window = await openDesk(t, server, SAM, '/staff', CALM);
    await window.show('Closed');
    await window.open('Tom Becker');
    await window.reads('This conversation is closed.');
    return window;
  },
  async 'a console without customers'(t) {
    const window = await openDesk(t, await startSite(), SAM, '/staff', CALM);
    await window.heading('Nobody is waiting').waitFor();
    return window;
  },
  async 'a conversation that there is not'(t) {
    const window = await openDesk(t, server, SAM, '/staff/rooms/none', CALM);
    await window.heading('There is no such conversation').waitFor();
    return window;
  },
  async 'the page for those who are not of the staff'(t) {
    const window = await openAs(t, server, await makeAccount(server, 'alice'), '/', CALM);
    await window.visit('/staff');
    await window.heading('This page is for staff').waitFor();
    return window;
  },
  'the list on a phone': (t) => openDesk(t, server, SAM, '/staff', PHONE),
  async 'a conversation on a phone'(t) {
    const window = await openDesk(t, server, SAM, '/staff', PHONE);
    await window.row('Lena Fischer').tap();
    await window.inRoom('Lena Fischer');
    return window;
  },
};
for (const [name, open] of Object.entries(SCREENS)) {
  test(`${name}: nothing serious to say against it, in light and dark`, async (t) => {
    await assertAccessible(t, await open(t));
  });
}

test('the focus is never lost', async (t) => {
  const name = named('Ada');
  await customer(t, server, name, { message: 'Hello?' });
  const window = await openDesk(t, server, SAM, '/staff', CALM);
  const focused = (text) => eventually(async () => assert.match(
    await window.page.evaluate(() => {
      const { activeElement, body } = document;
      return activeElement === body ? 'nothing' : activeElement.textContent || activeElement.ariaLabel;
    }), text));
  await window.open(name);
  await focused(/Message/);
  await window.button('Unassigned').click();
  await window.button('Assign to me', window.dialog).click();
  await focused(/You/);
  await window.button('Close conversation').click();
  await focused(/Close conversation/);
  await window.page.keyboard.press('Escape');
  await window.dialog.waitFor({ state: 'detached' });
  await window.inRoom(name);
  await focused(/Close/);
  await window.page.keyboard.press('Enter');
  await focused(/Close conversation/);
  await window.page.keyboard.press('Enter');
  await focused(/This conversation is closed/);
  await window.page.keyboard.press('Escape');
  // It has another status by now.
  await eventually(async () => assert.equal(await window.page.evaluate(() => document.activeElement.name), 'status'));
});
