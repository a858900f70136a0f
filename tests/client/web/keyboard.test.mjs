// Everything by keyboard: what Tab reaches in which order, dialogs, and that one sees where one is.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { MAYA, setStage, tokenOf } from './stage.mjs';
import { eventually, makeAccount, openProfile, startSite } from './support.mjs';

const CALM = { reducedMotion: 'reduce' };
/** More than any screen has. */
const MANY = 60;

let stage;
before(async () => { stage = await setStage(await startSite()); });

async function open(t, path, options = {}) {
  const profile = await openProfile(t, stage.server, { ...CALM, ...options });
  return profile.open(path);
}

async function openFestival(t, options) {
  const window = await open(t, `/rooms/${stage.rooms.festival.id}#token=${tokenOf(MAYA)}`, options);
  await window.live();
  await window.list.getByTestId('message').last().waitFor();
  return window;
}

/** What has the focus, as somebody would call it: its name, or what it says first. */
const focused = ({ page }) => page.evaluate(() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const labels = Array.from(element.labels ?? [], (label) => label.textContent);
  const bdi = element.querySelector('bdi');
  return element.getAttribute('aria-label') ?? labels[0] ?? bdi?.textContent ?? element.textContent;
});

const isIn = (locator) => locator.evaluate((element) => element.contains(document.activeElement));

async function tabTo(window, name) {
  for (let steps = 0; steps < MANY; steps += 1) {
    if (await focused(window) === name) return;
    await window.page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not lead to ${name}`);
}

/** All that Tab reaches from here on, until it comes around or leaves the page. */
async function tabThrough(window) {
  const stops = [];
  for (let steps = 0; steps < MANY; steps += 1) {
    await window.page.keyboard.press('Tab');
    const isNew = await window.page.evaluate(() => {
      globalThis.stops ??= new Map();
      const element = document.activeElement;
      if (element === document.body || globalThis.stops.has(element)) return false;
      globalThis.stops.set(element, globalThis.looks(element));
      return true;
    });
    if (!isNew) return stops;
    stops.push(await focused(window));
  }
  return assert.fail(`Tab does not come around: ${stops}`);
}

/** Makes the page keep how each stop looked with the focus. To be called before `tabThrough`. */
const watchLooks = ({ page }) => page.evaluate(() => {
  globalThis.looks = (element) => {
    const looks = [];
    for (let at = element, depth = 0; at && depth < 3; at = at.parentElement, depth += 1) {
      const { outlineStyle, outlineWidth, boxShadow, borderColor, transform } = getComputedStyle(at);
      looks.push([outlineStyle, outlineWidth, boxShadow, borderColor, transform].join(' '));
    }
    return looks.join(' / ');
  };
});

/** Every stop looked otherwise than it does without the focus. */
async function assertSeen({ page }) {
  const unseen = await page.evaluate(async () => {
    document.activeElement.blur();
    await Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {})));
    return [...globalThis.stops].filter(([element, look]) => globalThis.looks(element) === look)
      .map(([{ outerHTML }]) => outerHTML.slice(0, 200));
  });
  assert.deepEqual(unseen, []);
}

test('one signs in, finds a room, writes there and comes back to it by keyboard alone', async (t) => {
  const account = await makeAccount(stage.server, 'Kim');
  const window = await open(t, '/');
  const { keyboard } = window.page;
  await window.isSignedOut();
  await tabTo(window, 'Name');
  await keyboard.type(account.username);
  await tabTo(window, 'Password');
  await keyboard.type(account.password);
  await keyboard.press('Enter');
  await window.isSignedInAs(account.username);
  await window.live();

  await tabTo(window, 'Find');
  await keyboard.press('Enter');
  await eventually(async () => assert.equal(await focused(window), 'Find rooms and people'));
  await keyboard.type('lost');
  await window.dialog.getByRole('link').first().waitFor();
  await eventually(async () => assert.equal(await window.dialog.getByRole('link').count(), 1));
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await window.ready('Lost and found');
  await eventually(async () => assert.equal(await focused(window), 'Message'));
  await keyboard.type('Has anybody found a blue scarf?');
  await keyboard.press('Enter');
  await window.sees('Has anybody found a blue scarf?');

  await window.visit('/');
  await window.conversation('Lost and found').waitFor();
  await tabTo(window, 'Lost and found');
  await keyboard.press('Enter');
  await window.sees('Has anybody found a blue scarf?');
});

test('Tab goes through a room from left to right and one sees where one is', async (t) => {
  const window = await openFestival(t);
  await window.ready('Summer festival');
  await watchLooks(window);
  await window.page.evaluate(() => document.activeElement.blur());
  await window.button('Find').evaluate((button) => button.focus());
  await window.page.keyboard.press('Shift+Tab');
  const stops = [await focused(window), ...await tabThrough(window)];
  assert.deepEqual(stops, [
    'Skip to messages', 'Find', 'New room',
    'Ben Okafor', 'General', 'Summer festival', 'Noor Haddad', 'Kitchen', 'Sound and light',
    `${MAYA}, menu`,
    'People', 'Messages',
    // What one can do with a message is there while the focus is in it.
    'https://print.example.org/orders/2281/proof', 'Copy text', 'www.example.org/stage-plan.pdf', 'Copy text',
    'Message', 'Emoji',
    'Aiko Tanaka', 'Clara Weiss', 'Noor Haddad', 'Tomás Rivera', 'Ben Okafor', 'Émile Laurent',
  ]);
  await assertSeen(window);
});

test('Tab goes through the sign-in screen and one sees where one is', async (t) => {
  const window = await open(t, '/');
  await window.isSignedOut();
  await watchLooks(window);
  await window.page.evaluate(() => document.activeElement.blur());
  assert.deepEqual(await tabThrough(window), ['Name', 'Password', 'Show password', 'Sign in', 'Make one', 'Continue as a guest']);
  await assertSeen(window);
});

test('the skip link leads to where one writes', async (t) => {
  const window = await openFestival(t);
  await window.page.getByRole('link', { name: 'Skip to messages' }).evaluate((link) => link.focus());
  await window.page.keyboard.press('Enter');
  await eventually(async () => assert.equal(await focused(window), 'Message'));
});

test('the arrow keys go from message to message and from conversation to conversation', async (t) => {
  const window = await openFestival(t);
  const { keyboard } = window.page;
  await window.list.focus();
  await keyboard.press('ArrowUp');
  await eventually(async () => assert.match(await focused(window), /^Ben Okafor, /));
  await keyboard.press('ArrowUp');
  await eventually(async () => assert.match(await focused(window), /^Tomás Rivera, /));
  await keyboard.press('Tab');
  await eventually(async () => assert.match(await focused(window), /stage-plan/));

  await window.conversation('General').focus();
  await keyboard.press('ArrowUp');
  assert.equal(await focused(window), 'Ben Okafor');
});

describe('a dialog keeps the focus, closes with Esc and gives the focus back', () => {
  const dialogs = {
    'Find': {},
    'New room': {},
    [`${MAYA}, menu`]: {},
    'Emoji': {},
    'People': { viewport: { width: 900, height: 700 } },
  };
  for (const [name, options] of Object.entries(dialogs)) {
    test(`which ${name.replace(`${MAYA}, menu`, 'the menu of oneself')} opens`, async (t) => {
      const window = await openFestival(t, options);
      const { keyboard } = window.page;
      const opener = window.button(name);
      await opener.focus();
      await keyboard.press('Enter');
      await window.dialog.waitFor();
      await window.dialog.locator('a, button, input').nth(1).waitFor();
      await eventually(async () => assert.ok(await isIn(window.dialog)));
      await watchLooks(window);
      const stops = await tabThrough(window);
      assert.ok(stops.length > 1, `${stops}`);
      for (let steps = 0; steps < stops.length + 2; steps += 1) {
        await keyboard.press('Tab');
        assert.ok(await isIn(window.dialog), `Tab left it for ${await focused(window)}`);
      }
      for (let steps = 0; steps < stops.length + 2; steps += 1) {
        await keyboard.press('Shift+Tab');
        assert.ok(await isIn(window.dialog), `Shift + Tab left it for ${await focused(window)}`);
      }
      t.diagnostic(`Tab goes to ${stops.map((stop) => stop.slice(0, 30)).join(', ')}`);
      // It closes what is on top, which a button's tooltip can be.
      if (await window.page.getByRole('tooltip').isVisible()) await keyboard.press('Escape');
      await keyboard.press('Escape');
      await window.dialog.waitFor({ state: 'detached' });
      await eventually(async () => assert.equal(await focused(window), name));
    });
  }
});
