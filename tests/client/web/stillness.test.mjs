// Nothing on the screen jumps: what the browser counts as layout shifts, also those that follow a click at once.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { MAYA, setStage, tokenOf } from './stage.mjs';
import { eventually, openProfile, startSite } from './support.mjs';

/** What counts as good is 0.1. */
const MAX_SHIFT = 0.05;

let stage;
let room;
before(async () => {
  stage = await setStage(await startSite());
  room = stage.rooms.festival;
});

async function openWatched(t, path) {
  const profile = await openProfile(t, stage.server);
  const window = await profile.newTab();
  await window.page.addInitScript(() => {
    const shifts = [];
    const box = ({ x, y, width, height }) => [x, y, width, height].map(Math.round);
    const note = (entries) => shifts.push(...entries.map(({ value, sources }) => ({
      value,
      places: sources.map(({ node, previousRect, currentRect }) =>
        `${node?.nodeName}.${node?.className} ${box(previousRect)} → ${box(currentRect)}`),
    })));
    const observer = new PerformanceObserver((list) => note(list.getEntries()));
    observer.observe({ type: 'layout-shift', buffered: true });
    globalThis.takeShifts = () => {
      note(observer.takeRecords());
      return shifts.splice(0);
    };
  });
  await window.visit(`${path}#token=${tokenOf(MAYA)}`);
  await window.live();
  return window;
}

/** Nothing, or next to nothing, has moved since the last call. */
async function assertStill(t, { page }, what) {
  const shifts = await page.evaluate(() => new Promise((resolve) => {
    // What is on its way to the screen counts too.
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(globalThis.takeShifts())));
  }));
  const sum = shifts.reduce((total, { value }) => total + value, 0);
  t.diagnostic(`${what}: ${sum.toFixed(4)}`);
  const places = shifts.map(({ value, places }) => `${value.toFixed(4)}: ${places.join('; ')}`);
  assert.ok(sum < MAX_SHIFT, `${what}: ${sum}\n${places.join('\n')}`);
}

test('nothing jumps while the page loads and a room is opened', async (t) => {
  const window = await openWatched(t, '/');
  await window.conversation('General').waitFor();
  await assertStill(t, window, 'loading the page');
  await window.conversation(room.name).click();
  await window.ready(room.name);
  await window.list.getByTestId('message').last().waitFor();
  await assertStill(t, window, 'opening a room');
  await window.conversation('Sound and light').click();
  await window.ready('Sound and light');
  await assertStill(t, window, 'opening another one');
  await window.conversation(room.name).click();
  await window.ready(room.name);
  await assertStill(t, window, 'coming back');
});

test('nothing jumps while a room is loaded by its address', async (t) => {
  const window = await openWatched(t, `/rooms/${room.id}`);
  await window.ready(room.name);
  await window.list.getByTestId('message').last().waitFor();
  await assertStill(t, window, 'loading a room');
});

test('nothing jumps while messages come in and others type', async (t) => {
  const clara = stage.clients['Clara Weiss'];
  const window = await openWatched(t, `/rooms/${room.id}`);
  await window.ready(room.name);
  await window.list.getByTestId('message').last().waitFor();
  await window.page.evaluate(() => globalThis.takeShifts());
  for (const is_typing of [true, false]) {
    await clara.ok('typing', { room_id: room.id, is_typing });
    await eventually(async () => assert.equal(/is typing/.test(await window.typing.textContent()), is_typing));
  }
  await assertStill(t, window, 'the line about who types');
  for (let number = 1; number <= 20; number += 1) {
    const text = `${number}. ${'A thought about the festival. '.repeat(number % 6)}`.trim();
    await clara.ok('chat_message', { room_id: room.id, message: text });
    await window.sees(text);
  }
  await assertStill(t, window, '20 messages');
});

test('nothing jumps when the connection is lost and comes back', async (t) => {
  const window = await openWatched(t, `/rooms/${room.id}`);
  window.profile.mayLoseConnections();
  await window.ready(room.name);
  await window.page.evaluate(() => globalThis.takeShifts());
  await window.profile.context.setOffline(true);
  await window.reads('You are offline.');
  await assertStill(t, window, 'the network is gone');
  await window.profile.context.setOffline(false);
  await window.live();
  await assertStill(t, window, 'the network is back');
});
