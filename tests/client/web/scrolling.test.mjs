// A room with a very long history: nothing is missing, nothing jumps, and it stays quick.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { noted, scrollSmoothly, statistics, summary, watchInputs } from './frames.mjs';
import { tapSockets } from './sockets.mjs';
import { eventually, makeAccount, makeRoom, openProfile, plainClient, startSite } from './support.mjs';

const MESSAGES = 10_000;
const AT_ONCE = 500;
const MAX_ROWS = 150;
const SCREEN = { viewport: { width: 1280, height: 1900 } };
/** Less than what fits on the screen, so that no row is passed unseen. */
const STEP_PX = 1_500;
const FRAMES_AT_REST = 8;
/** As fast as people type, and slower than frames follow each other. */
const KEY_MS = 40;
const SENTENCE = 'This is being written while ten thousand messages are there.';

const isOlderPage = ({ event, isAnswer }) => isAnswer && event === 'get_messages';

let server;
before(async () => { server = await startSite(); });

/** `number 1` to `number 10000`, of three people, a few with several lines. */
async function writeHistory(clients, room) {
  for (let from = 1; from <= MESSAGES; from += AT_ONCE) {
    const client = clients[(from / AT_ONCE | 0) % clients.length];
    const numbers = Array.from({ length: AT_ONCE }, (_, index) => from + index);
    await Promise.all(numbers.map((number) => client.ok('chat_message', { room_id: room.id, message: textOf(number) })));
  }
}

const textOf = (number) => `number ${number}${number % 9 === 0 ? `\n${'and more of it '.repeat(number % 31)}` : ''}`;

/**
 * What the list holds: the numbers of its messages in order, how many rows, where it stands, whether it waits for more,
 * and the first message that begins on the screen with its place there (or the place of the message `wanted`).
 */
const look = (window, wanted = null) => window.list.evaluate((log, wanted) => {
  const { top: edge } = log.getBoundingClientRect();
  const messages = Array.from(log.querySelectorAll('[data-testid=text]'), (text) =>
    ({ number: Number(/number (\d+)/.exec(text.textContent)?.[1]), y: text.getBoundingClientRect().y }));
  return {
    numbers: messages.map(({ number }) => number),
    rows: log.querySelectorAll('li').length,
    top: log.scrollTop,
    isAtEnd: log.scrollHeight - log.clientHeight - log.scrollTop < 2,
    isWaiting: log.getAttribute('aria-busy') === 'true',
    eye: messages.find(({ number, y }) => (wanted === null ? y >= edge : number === wanted)),
  };
}, wanted);

/** Until the message with this number is there. */
const reads = (window, number) => window.list.getByTestId('text').filter({ hasText: new RegExp(`^number ${number}\\b`) }).waitFor();

/** Turns the wheel, and waits until the list has gone where that leads. */
async function wheel(window, { top }) {
  await window.page.mouse.wheel(0, -STEP_PX);
  await window.page.waitForFunction((before) => document.querySelector('[role=log]').scrollTop !== before, top);
  await atRest(window);
}

/** Until the list has its rows, all of them measured, wherever it shows them, and has stood still for some frames. */
const atRest = (window) => window.list.evaluate((log, frames) => new Promise((resolve) => {
  let last;
  let still = 0;
  const padding = parseFloat(getComputedStyle(log).paddingBlockEnd) + 1;
  const edges = (element) => element.getBoundingClientRect();
  const frame = () => {
    const rows = Array.from(log.querySelectorAll('li'));
    const { top, bottom } = edges(log);
    const isFull = rows.every(({ style }) => style.visibility !== 'hidden')
      && (log.scrollTop === 0 || edges(rows[0]).top <= top)
      && edges(rows.at(-1)).bottom >= bottom - padding;
    const now = `${log.scrollTop} ${log.scrollHeight} ${edges(rows[0]).top}`;
    still = now === last && isFull ? still + 1 : 0;
    last = now;
    if (still >= frames) resolve();
    else requestAnimationFrame(frame);
  };
  frame();
}), FRAMES_AT_REST);

function assertGapless({ numbers, rows }) {
  assert.ok(rows <= MAX_ROWS, `${rows} rows at once`);
  for (let at = 1; at < numbers.length; at += 1) {
    assert.equal(numbers[at], numbers[at - 1] + 1, `in the list: ${numbers.join(' ')}`);
  }
}

test('a room with 10,000 messages', async (t) => {
  const [alice, ...others] = await Promise.all(['alice', 'bob', 'carol', 'dave'].map((name) => makeAccount(server, name)));
  const clients = await Promise.all(others.map((each) => plainClient(t, server, each)));
  const [bob] = clients;
  const room = await makeRoom(bob);
  await writeHistory(clients, room);
  const profile = await openProfile(t, server, SCREEN);
  const window = await profile.newTab();
  window.tap = await tapSockets(window.page);
  await window.visit(`/rooms/${room.id}`);
  await window.signIn(alice);
  await reads(window, MESSAGES);
  await atRest(window);

  await t.test('the whole history passes by, once and in order, and nothing moves when older messages come in', async (t) => {
    const seen = new Set();
    const moves = [];
    let rows = 0;
    const collect = async () => {
      const seenNow = await look(window);
      assertGapless(seenNow);
      for (const number of seenNow.numbers) seen.add(number);
      rows = Math.max(rows, seenNow.rows);
      return seenNow;
    };
    const opened = await collect();
    assert.equal(opened.numbers.at(-1), MESSAGES);
    assert.ok(opened.isAtEnd);

    await window.list.hover();
    window.tap.hold(isOlderPage);
    for (let now = opened; now.numbers[0] > 1 || now.top > 0;) {
      if (now.top > 0) await wheel(window, now);
      else await window.page.locator('[role=log][aria-busy=true]').waitFor();
      now = await collect();
      if (!now.isWaiting) continue;
      await eventually(() => assert.ok(window.tap.isHolding));
      window.tap.release();
      await window.page.locator('[role=log][aria-busy=false]').waitFor();
      await atRest(window);
      const { eye } = await look(window, now.eye.number);
      moves.push(Math.abs(eye.y - now.eye.y));
      assert.ok(moves.at(-1) < 2, `number ${eye.number} moved from ${now.eye.y} to ${eye.y}`);
      window.tap.hold(isOlderPage);
      now = await collect();
    }
    window.tap.release();
    assert.equal(seen.size, MESSAGES);
    await window.reads(`This is the beginning of ${room.name}.`);
    t.diagnostic(`${rows} rows at the most; ${moves.length} pages came in, moving what was read by ${Math.max(...moves)} px at the most`);
  });

  await t.test('scrolling over what is loaded is smooth', async (t) => {
    for (const step of [30, 300]) {
      const times = [];
      for (const direction of [1, -1]) {
        times.push(...await scrollSmoothly(window.list, step * direction, 200));
        assertGapless(await look(window));
      }
      t.diagnostic(`${step} px a frame: ${summary(times)}`);
      assert.ok(statistics(times).median < 50, summary(times));
    }
  });

  await t.test('writing is not held up by all that is loaded', async (t) => {
    await watchInputs(window.page);
    await window.composer.pressSequentially(SENTENCE, { delay: KEY_MS });
    await eventually(async () => assert.equal(await window.page.evaluate(() => globalThis.inputs.length), SENTENCE.length));
    const { inputs, longTasks } = await noted(window.page);
    t.diagnostic(`from key to frame: ${summary(inputs)}; ${longTasks.length} long tasks, ${Math.max(0, ...longTasks)} ms at the most`);
    assert.ok(statistics(inputs).median < 100, summary(inputs));
  });

  await t.test('a new message is shown although all is loaded', async (t) => {
    await window.page.getByRole('button', { name: 'To the newest messages' }).click();
    await reads(window, MESSAGES);
    await atRest(window);
    await noted(window.page);
    const times = [];
    for (let number = MESSAGES + 1; number <= MESSAGES + 20; number += 1) {
      const begun = performance.now();
      await bob.ok('chat_message', { room_id: room.id, message: textOf(number) });
      await reads(window, number);
      times.push(performance.now() - begun);
    }
    const { longTasks } = await noted(window.page);
    t.diagnostic(`from sending to seeing: ${summary(times)}; ${longTasks.length} long tasks, ${Math.max(0, ...longTasks)} ms at the most`);
    const now = await look(window);
    assertGapless(now);
    assert.ok(now.isAtEnd);
  });
});
