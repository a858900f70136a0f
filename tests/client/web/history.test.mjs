// The list of messages: a long history, days and groups, and what came while one was away or further up.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { tapSockets } from './sockets.mjs';
import {
  eventually, makeAccount, makeRoom, named, openAs, openProfile, plainClient, startSite,
} from './support.mjs';

const DAY_MS = 24 * 60 * 60 * 1000;
const PAGE = 50;
let server;
before(async () => { server = await startSite(); });

/** Bob's room with alice in it, and bob's plain client. */
async function scene(t) {
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => makeAccount(server, name)));
  const client = await plainClient(t, server, bob);
  const room = await makeRoom(client, named('Room'), { participants: [alice.user.id] });
  await client.ok('join_room', { room_id: room.id });
  return { alice, bob, client, room, path: `/rooms/${room.id}` };
}

/** Has alice go to another room, until the server knows: what comes from now on is unread. */
async function goTo(window, other, { client, room, alice }) {
  client.mark();
  await window.conversation(other.name).click();
  await window.ready(other.name);
  await client.waitFor('user_left', { room_id: room.id, user_id: alice.user.id });
}

/** `number 1`, `number 2` …: of one line or of several, so that no height can be guessed from another. */
async function fill(client, room, from, to) {
  const texts = [];
  for (let number = from; number <= to; number += 1) {
    texts.push(`number ${number}${number % 7 === 0 ? `\n${'more of it '.repeat(number % 40)}` : ''}`);
  }
  await Promise.all(texts.map((message) => client.ok('chat_message', { room_id: room.id, message })));
}

/** A window whose packets go through the test. */
async function openTapped(t, account, path) {
  const profile = await openProfile(t, server);
  const window = await profile.newTab();
  window.tap = await tapSockets(window.page);
  await window.visit(path);
  await window.signIn(account);
  return window;
}

const isOlderPage = ({ event, isAnswer }) => isAnswer && event === 'get_messages';
const numberOf = (text) => Number(/number (\d+)/.exec(text)?.[1]);
const scroll = (window) => window.list.evaluate(({ scrollTop, scrollHeight, clientHeight }) =>
  ({ top: scrollTop, height: scrollHeight, fromEnd: scrollHeight - clientHeight - scrollTop }));

/** The first message that begins on the screen: `{number, y}`. */
const underTheEye = (window) => window.list.evaluate((log) => {
  const { top } = log.getBoundingClientRect();
  for (const message of log.querySelectorAll('[data-testid=message]')) {
    const { y } = message.getBoundingClientRect();
    const number = Number(/number (\d+)/.exec(message.textContent)?.[1]);
    if (y >= top && number) return { number, y: message.querySelector('[data-testid=text]').getBoundingClientRect().y };
  }
  return null;
});

const placeOf = (window, number) => window.list.evaluate((log, wanted) => {
  const texts = [...log.querySelectorAll('[data-testid=text]')];
  const text = texts.find(({ textContent }) => Number(/number (\d+)/.exec(textContent)?.[1]) === wanted);
  return text?.getBoundingClientRect().y;
}, number);

/** Until the list has stood still for some frames. */
const atRest = (window) => window.list.evaluate((log) => new Promise((resolve) => {
  let last;
  let still = 0;
  const look = () => {
    const now = `${log.scrollTop} ${log.scrollHeight}`;
    still = now === last ? still + 1 : 0;
    last = now;
    if (still >= 10) resolve();
    else requestAnimationFrame(look);
  };
  look();
}));

async function wheel(window, dy) {
  const { x, y, width, height } = await window.list.boundingBox();
  await window.page.mouse.move(x + width / 2, y + height / 2);
  await window.page.mouse.wheel(0, dy);
}

test('a history of several hundred messages loads upwards and what one reads stays where it is', async (t) => {
  const { alice, client, room, path } = await scene(t);
  await fill(client, room, 1, 430);
  const window = await openTapped(t, alice, path);
  await window.message('number 430').waitFor();
  await eventually(async () => assert.ok((await scroll(window)).fromEnd < 2));

  let oldest = 430 - PAGE + 1;
  const moves = [];
  while (oldest > 1) {
    // The next page is asked for and kept back, so that the place can be read off before it comes.
    window.tap.hold(isOlderPage);
    await eventually(async () => {
      if (!window.tap.isHolding) await wheel(window, -600);
      assert.ok(window.tap.isHolding);
    });
    await atRest(window);
    const before = await underTheEye(window);
    const { height } = await scroll(window);
    window.tap.release();
    await eventually(async () => assert.ok((await scroll(window)).height > height));
    await atRest(window);
    moves.push({ ...before, moved: await placeOf(window, before.number) - before.y });
    oldest = Math.max(1, oldest - PAGE);
  }
  assert.deepEqual(moves.filter(({ moved }) => !(Math.abs(moved) < 2)), []);
  assert.equal(moves.length, Math.ceil((430 - PAGE) / PAGE));

  await eventually(async () => {
    await wheel(window, -5000);
    assert.equal((await scroll(window)).top, 0);
  });
  await window.list.getByText(`This is the beginning of ${room.name}.`).waitFor();
  // No more was asked for than there is, and every message once.
  const asked = window.tap.sent.filter(([event]) => event === 'get_messages').map(([, { before }]) => before);
  assert.equal(new Set(asked).size, asked.length, String(asked));
  assert.deepEqual(await numbersFromTop(window), Array.from({ length: 430 }, (_, index) => index + 1));
});

/** All numbers in the list, read while scrolling down from its beginning. */
async function numbersFromTop(window) {
  const numbers = [];
  for (;;) {
    await atRest(window);
    const seen = (await window.texts()).map(numberOf).filter((number) => !(number <= (numbers.at(-1) ?? 0)));
    numbers.push(...seen);
    if ((await scroll(window)).fromEnd < 2) return numbers;
    await wheel(window, 500);
  }
}

test('the list does not move in any frame while older messages come in', async (t) => {
  const { alice, client, room, path } = await scene(t);
  await fill(client, room, 1, 150);
  const window = await openTapped(t, alice, path);
  await window.message('number 150').waitFor();
  window.tap.hold(isOlderPage);
  await eventually(async () => {
    if (!window.tap.isHolding) await wheel(window, -600);
    assert.ok(window.tap.isHolding);
  });
  await atRest(window);
  const { number, y } = await underTheEye(window);
  await window.list.evaluate((log, wanted) => {
    globalThis.places = new Set();
    const look = () => {
      const texts = [...log.querySelectorAll('[data-testid=text]')];
      const text = texts.find(({ textContent }) => Number(/number (\d+)/.exec(textContent)?.[1]) === wanted);
      globalThis.places.add(text ? Math.round(text.getBoundingClientRect().y) : 'gone');
      if (!globalThis.isEnough) requestAnimationFrame(painted);
    };
    // After the frame was painted, not before.
    const painted = () => {
      const channel = new MessageChannel();
      channel.port1.onmessage = look;
      channel.port2.postMessage(null);
    };
    painted();
  }, number);
  const { height } = await scroll(window);
  window.tap.release();
  await eventually(async () => assert.ok((await scroll(window)).height > height));
  await atRest(window);
  const places = await window.page.evaluate(() => {
    globalThis.isEnough = true;
    return [...globalThis.places];
  });
  for (const place of places) assert.ok(Math.abs(place - y) <= 2, `${y}: ${places}`);
});

test('a new message at the end is shown and further up it is announced without moving anything', async (t) => {
  const { alice, client, room, path } = await scene(t);
  await fill(client, room, 1, 100);
  const window = await openAs(t, server, alice, path);
  await window.message('number 100').waitFor();
  await client.say(room.id, [], 'number 101');
  await window.message('number 101').waitFor();
  await eventually(async () => assert.ok((await scroll(window)).fromEnd < 2));

  await wheel(window, -900);
  await window.button('To the newest messages').waitFor();
  await atRest(window);
  const before = await underTheEye(window);
  await client.say(room.id, [], 'number 102');
  await window.button('1 new message').waitFor();
  await client.say(room.id, [], 'number 103');
  await window.button('2 new messages').waitFor();
  await atRest(window);
  assert.ok(Math.abs(await placeOf(window, before.number) - before.y) < 2);

  await window.button('2 new messages').click();
  await window.message('number 103').waitFor();
  await eventually(async () => assert.ok((await scroll(window)).fromEnd < 2));
  await window.page.getByRole('button', { name: /new/ }).filter({ hasText: 'new message' }).waitFor({ state: 'detached' });
  // What one writes oneself is shown wherever one was.
  await wheel(window, -900);
  await window.button('To the newest messages').waitFor();
  await window.send('mine');
  await window.sees('mine');
  await eventually(async () => assert.ok((await scroll(window)).fromEnd < 2));
});

test('what came while one was in another room stands below a divider', async (t) => {
  const { alice, client, room, path } = await scene(t);
  const other = await makeRoom(client, named('Other'), { participants: [alice.user.id] });
  await client.say(room.id, [], 'before');
  const window = await openAs(t, server, alice, path);
  await window.sees('before');
  const divider = window.list.getByText('New messages', { exact: true });
  assert.equal(await divider.count(), 0);

  await goTo(window, other, { client, room, alice });
  for (const text of ['first missed', 'second missed']) await client.say(room.id, [], text);
  await window.conversation(room.name).getByText('2 unread messages').waitFor();
  await window.conversation(room.name).click();
  await window.sees('second missed');
  await divider.waitFor();
  const line = (await divider.boundingBox()).y;
  assert.ok(await window.y('before') < line && line < await window.y('first missed'));
  assert.equal(await divider.count(), 1);

  // Once seen it is no news.
  await goTo(window, other, { client, room, alice });
  await window.conversation(room.name).click();
  await client.waitFor('user_joined', { room_id: room.id, user_id: alice.user.id });
  await client.say(room.id, [], 'a third');
  await window.sees('a third');
  assert.equal(await divider.count(), 0);
});

for (const [unread, title] of [
  [30, 'after having been away the list begins at the first new message'],
  [80, 'more new messages than a page holds have their divider where they begin'],
]) {
  test(title, async (t) => {
    const { alice, client, room, path } = await scene(t);
    await fill(client, room, 1, 40);
    const { page, profile } = await openAs(t, server, alice, path);
    await page.getByText('number 40', { exact: true }).first().waitFor();
    await page.close();
    await client.waitFor('user_offline', { user_id: alice.user.id });
    await fill(client, room, 41, 40 + unread);
    const window = await profile.open('/');
    await window.conversation(room.name).getByText(`${unread} unread messages`).waitFor();
    await window.conversation(room.name).click();
    const divider = window.list.getByText('New messages', { exact: true });
    if (unread > PAGE) {
      await window.message(`number ${40 + unread}`).waitFor();
      await eventually(async () => {
        if (await divider.count() === 0) await wheel(window, -400);
        assert.equal(await divider.count(), 1);
      });
      await divider.scrollIntoViewIfNeeded();
    }
    await divider.waitFor();
    await atRest(window);
    const box = await window.list.boundingBox();
    const line = (await divider.boundingBox()).y;
    assert.ok(line >= box.y - 1 && line < box.y + box.height, `${line} in ${JSON.stringify(box)}`);
    assert.ok(line < await placeOf(window, 41));
    assert.ok(await window.message('number 40').count() === 0 || await placeOf(window, 40) < line);
  });
}

test('messages of one sender are a group and the days are told apart', async (t) => {
  const { alice, bob, client, room, path } = await scene(t);
  const texts = ['two days ago', 'yesterday', 'today', 'a minute later', 'ten minutes later'];
  for (const text of texts) await client.say(room.id, [], text);
  const profile = await openProfile(t, server);
  const window = await profile.newTab();
  const tap = await tapSockets(window.page);
  // The same messages, as if they had been written on several days.
  const noon = new Date().setHours(12, 0, 0, 0);
  const times = [noon - 2 * DAY_MS, noon - DAY_MS, noon, noon + 60_000, noon + 600_000];
  tap.change = ({ event, isAnswer, data }) => {
    if (!isAnswer || event !== 'get_messages') return data;
    const messages = data.messages.map((message) =>
      ({ ...message, timestamp: new Date(times[texts.indexOf(message.message)]).toISOString() }));
    return { ...data, messages };
  };
  await window.visit(path);
  await window.signIn(alice);
  await window.sees('ten minutes later');

  const order = await window.list.evaluate((log) => log.innerText.split('\n').filter((line) => line.trim() !== ''));
  const place = (text) => order.indexOf(text);
  const date = new Intl.DateTimeFormat('en-US', { weekday: 'long', month: 'long', day: 'numeric' });
  const days = [date.format(noon - 2 * DAY_MS), 'Yesterday', 'Today'].map(place);
  assert.ok(days.every((at) => at >= 0), order.join('\n'));
  assert.ok(days[0] < place(texts[0]) && place(texts[0]) < days[1]);
  assert.ok(days[1] < place(texts[1]) && place(texts[1]) < days[2] && days[2] < place(texts[2]));

  // The name stands once for a group: a new one begins with each day, and after a while.
  const named = await Promise.all(texts.map((text) =>
    window.message(text).getByRole('banner').or(window.message(text).locator('header')).count()));
  assert.deepEqual(named, [1, 1, 1, 0, 1]);
  await window.send('mine');
  assert.equal(await window.message('mine').locator('header').filter({ hasText: alice.username }).count(), 1);
  assert.equal(await window.message('today').locator('header').filter({ hasText: bob.username }).count(), 1);
});
