// What the web client costs: bytes, requests, memory. Facts that hold on every machine; no times.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { watchTraffic } from './traffic.mjs';
import { eventually, makeAccount, makeRoom, named, openProfile, plainClient, startSite } from './support.mjs';

const MAX_BYTES = 250_000;
/** The page, its script, its style sheet and its icon (as an image and as the page's sign), and what is asked of the API. */
const MAX_REQUESTS = 10;
const ROOMS = 20;
const MESSAGES = 100;
const MB = 1024 * 1024;

let server;
let alice;
before(async () => {
  server = await startSite();
  alice = await makeAccount(server, 'alice');
});

async function openWatched(t, path, profile) {
  const window = await (profile ?? await openProfile(t, server)).newTab();
  window.traffic = await watchTraffic(window.page);
  await window.visit(path);
  return window;
}

/** Until nothing is on its way. */
const settled = ({ traffic }) => eventually(() => assert.deepEqual(traffic.all.filter(({ isDone }) => !isDone), []));

async function roomOf(t, name) {
  const client = await plainClient(t, server, alice);
  const room = await makeRoom(client, named(name));
  const texts = Array.from({ length: MESSAGES }, (_, number) => `${number}: ${'some words of a message '.repeat(number % 9)}`);
  await Promise.all(texts.map((message) => client.ok('chat_message', { room_id: room.id, message })));
  return room;
}

const listed = (traffic) => traffic.all.map(({ path, status, bytes, isCached, isSocket }) =>
  `${path} ${isSocket ? 'socket' : status} ${isCached ? 'cached' : `${bytes} bytes`}`).join('\n');

test('the first load, to the sign-in screen and on into a room, is small and all from the server itself', async (t) => {
  const room = await roomOf(t, 'Room');
  const window = await openWatched(t, `/rooms/${room.id}`);
  const { traffic } = window;
  await window.isSignedOut();
  await settled(window);
  t.diagnostic(`to the sign-in screen: ${traffic.bytes} bytes in ${traffic.all.length} requests`);
  assert.ok(traffic.bytes < MAX_BYTES, listed(traffic));
  assert.ok(traffic.all.length <= MAX_REQUESTS, listed(traffic));

  await window.signIn(alice);
  await window.ready(room.name);
  await settled(window);
  t.diagnostic(`to a room: ${traffic.bytes} bytes in ${traffic.all.length} requests\n${listed(traffic)}`);
  assert.ok(traffic.bytes < MAX_BYTES, listed(traffic));
  assert.ok(traffic.all.length <= MAX_REQUESTS, listed(traffic));
  for (const { url } of traffic.all) assert.equal(new URL(url).host, new URL(server.url).host);
  assert.deepEqual(traffic.paths.filter((path) => /emoji/i.test(path)), []);
  for (const { path, headers } of traffic.all.filter(({ path }) => /\.(js|css)$/.test(path))) {
    assert.equal(headers['content-encoding'], 'br', path);
  }
});

test('what the page is made of comes from the cache the next time', async (t) => {
  const first = await openWatched(t, '/');
  await first.signIn(alice);
  await first.live();
  await settled(first);
  const window = await openWatched(t, '/', first.profile);
  await window.isSignedInAs(alice.username);
  await window.live();
  await settled(window);
  const { traffic } = window;
  t.diagnostic(`${traffic.bytes} bytes\n${listed(traffic)}`);
  assert.deepEqual(traffic.paths.filter((path) => path !== '/' && !/^\/(api|socket\.io)\//.test(path)), []);
  assert.ok(traffic.all.some(({ path, isCached }) => isCached && path.endsWith('.js')));
});

test('the emoji are fetched when they are asked for', async (t) => {
  const room = await roomOf(t, 'Room');
  const window = await openWatched(t, `/rooms/${room.id}`);
  await window.signIn(alice);
  await window.ready(room.name);
  await settled(window);
  const before = window.traffic.bytes;
  await window.button('Emoji').click();
  await window.dialog.getByRole('gridcell').first().waitFor();
  await settled(window);
  t.diagnostic(`${window.traffic.bytes - before} bytes`);
  assert.ok(window.traffic.paths.some((path) => /emoji/i.test(path)));
  assert.ok(window.traffic.bytes < 2 * MAX_BYTES, listed(window.traffic));
});

test('no script and no style stands in the page itself, whatever was opened', async (t) => {
  const room = await roomOf(t, 'Room');
  const window = await openWatched(t, `/rooms/${room.id}`);
  const assertNone = async () => assert.deepEqual(await window.page.evaluate(() =>
    Array.from(document.querySelectorAll('style, script:not([src]), [onclick], [onload], [onerror]'), ({ outerHTML }) => outerHTML)), []);
  await window.isSignedOut();
  await assertNone();
  await window.signIn(alice);
  await window.ready(room.name);
  for (const name of ['Find', 'New room', 'Emoji', `${alice.username}, menu`]) {
    await window.button(name).click();
    await window.dialog.waitFor();
    await assertNone();
    await window.page.keyboard.press('Escape');
    await window.dialog.waitFor({ state: 'detached' });
  }
  await assertNone();
});

test('going through 20 rooms again and again does not take more and more memory', async (t) => {
  const rooms = [];
  for (let number = 0; number < ROOMS; number += 1) rooms.push(await roomOf(t, `Room ${number}`));
  const window = await openWatched(t, '/');
  await window.signIn(alice);
  await window.live();
  await window.conversation(rooms[0].name).waitFor();
  const tools = await window.page.context().newCDPSession(window.page);
  const measure = async () => {
    await tools.send('HeapProfiler.enable');
    await tools.send('HeapProfiler.collectGarbage');
    const { usedSize } = await tools.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await tools.send('Memory.getDOMCounters');
    return { heap: usedSize / MB, nodes, listeners: jsEventListeners };
  };
  const round = async () => {
    for (const room of rooms) {
      await window.conversation(room.name).click();
      await window.heading(room.name).waitFor();
      await window.list.getByText(`${MESSAGES - 1}: `).waitFor();
    }
    await window.page.evaluate(() => history.pushState(null, '', '/'));
    await window.heading('Nothing open').waitFor();
    return measure();
  };
  const start = await measure();
  const first = await round();
  await round();
  const last = await round();
  const words = ({ heap, nodes, listeners }) => `${heap.toFixed(1)} MB, ${nodes} nodes, ${listeners} listeners`;
  t.diagnostic(`at the start ${words(start)}; after one round ${words(first)}; after three ${words(last)}`);
  assert.ok(last.heap < first.heap * 1.25 + 2, `${words(first)} → ${words(last)}`);
  assert.ok(last.nodes < first.nodes * 1.25 + 500, `${words(first)} → ${words(last)}`);
  assert.ok(last.listeners < first.listeners * 1.25 + 100, `${words(first)} → ${words(last)}`);
});
