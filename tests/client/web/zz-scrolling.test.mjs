// A room with a very long history: nothing is missing, nothing jumps, and it stays quick.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { noted, scrollSmoothly, statistics, summary, watchInputs } from './frames.mjs';
import { tapSockets } from './sockets.mjs';
import { eventually, makeAccount, makeRoom, openProfile, plainClient, startSite } from './support.mjs';

const MESSAGES = 10_000;
const AT_ONCE = 500;
const MAX_ROWS = 150;
/** Less than what the list keeps on both sides of what it shows, so that no row is passed unseen. */
const STEP_PX = 1_000;
const SENTENCE = 'This is being written while ten thousand messages are there.';

let server;
before(async () => { server = await startSite({ web_root: '/tmp/q-dist', web_root: '/tmp/q-dist' }); });

/** `number 1` to `number 10000`, of three people, a few with several lines. */
async function writeHistory(clients, room) {
  for (let from = 1; from <= MESSAGES; from += AT_ONCE) {
    const client = clients[(from / AT_ONCE | 0) % clients.length];
    const numbers = Array.from({ length: AT_ONCE }, (_, index) => from + index);
    await Promise.all(numbers.map((number) => client.ok('chat_message', { room_id: room.id, message: textOf(number) })));
  }
}

const textOf = (number) => `number ${number}${number % 9 === 0 ? `\n${'and more of it '.repeat(number % 31)}` : ''}`;

/** What the list holds: the numbers of its messages in order, and where it stands. */
const look = (window) => window.list.evaluate((log) => ({
  numbers: Array.from(log.querySelectorAll('[data-testid=text]'), (text) => Number(/number (\d+)/.exec(text.textContent)?.[1])),
  rows: log.querySelectorAll('li').length,
  top: log.scrollTop,
  atEnd: log.scrollHeight - log.clientHeight - log.scrollTop < 2,
}));

/** The place on the screen of the first message that begins on it. */
const underTheEye = (window, wanted = null) => window.list.evaluate((log, wanted) => {
  const { top } = log.getBoundingClientRect();
  for (const text of log.querySelectorAll('[data-testid=text]')) {
    const { y } = text.getBoundingClientRect();
    const number = Number(/number (\d+)/.exec(text.textContent)?.[1]);
    if (wanted === null ? y >= top : number === wanted) return { number, y };
  }
  return null;
}, wanted);

/** Until the message with this number is there. */
const reads = (window, number) => window.list.getByTestId('text').filter({ hasText: new RegExp(`^number ${number}\\b`) }).waitFor();

/** Until the list has stood still for three frames. */
const atRest = (window) => window.list.evaluate((log) => new Promise((resolve) => {
  let last;
  let still = 0;
  const frame = () => {
    const now = `${log.scrollTop} ${log.scrollHeight}`;
    still = now === last ? still + 1 : 0;
    last = now;
    if (still >= 3) resolve();
    else requestAnimationFrame(frame);
  };
  frame();
}));

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
  const profile = await openProfile(t, server);
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
    assert.ok(opened.atEnd);

    await window.list.hover();
    for (let lowest = opened.numbers[0]; lowest > 1 || (await look(window)).top > 0;) {
      window.tap.hold(({ event, isAnswer }) => isAnswer && event === 'get_messages');
      await window.page.mouse.wheel(0, -STEP_PX);
      await atRest(window);
      const { numbers: [first], top } = await collect();
      const isAsked = await window.list.getAttribute('aria-busy') === 'true';
      const before = await underTheEye(window);
      if (isAsked) await eventually(() => assert.ok(window.tap.isHolding));
      window.tap.release();
      if (isAsked) {
        await window.page.locator('[role=log][aria-busy=false]').waitFor();
        await atRest(window);
        const after = await underTheEye(window, before.number);
        moves.push(Math.abs(after.y - before.y));
        assert.ok(moves.at(-1) < 2, `number ${before.number} moved from ${before.y} to ${after.y}`);
        await collect();
      }
      assert.ok(isAsked || first <= lowest, `stuck at ${first}, ${top} px`);
      lowest = Math.min(lowest, first);
    }
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
    await window.composer.pressSequentially(SENTENCE);
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
    assert.ok(now.atEnd);
  });
});
