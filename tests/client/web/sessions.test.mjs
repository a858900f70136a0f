// Sessions of accounts while pages are open: renewed without a word, and ended everywhere at once.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { tapSockets } from './sockets.mjs';
import {
  eventually, makeAccount, makeRoom, named, openAs, openProfile, plainClient, startSite,
} from './support.mjs';

/** Access tokens are renewed a minute before their end, and not before half a minute has gone. */
const RENEWAL_MS = 31_000;
const ELSEWHERE = 'You were signed out in another window, or your session has ended.';
let server;
before(async () => { server = await startSite(); });

async function scene(t) {
  const alice = await makeAccount(server, 'alice');
  const client = await plainClient(t, server, alice);
  const room = await makeRoom(client, named('Room'));
  return { alice, client, room, path: `/rooms/${room.id}` };
}

/** What the server answers to signing in, changed before the page has it. */
function changeAnswer(window, path, change) {
  return window.page.route(`**/api/auth/${path}`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: change(await answer.json()) });
  });
}

/**
 * What signing in answers, with a token that says of itself that it lives for so long only: pages go by that, since
 * their clocks may be wrong. The signature does not fit any more, so it is for the page alone.
 */
function shortLived(signedIn, seconds) {
  const [head, body, signature] = signedIn.access_token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url'));
  const changed = Buffer.from(JSON.stringify({ ...claims, iat: claims.exp - seconds })).toString('base64url');
  const expires_at = new Date(Date.now() + seconds * 1000).toISOString();
  return { ...signedIn, access_token: `${head}.${changed}.${signature}`, expires_at };
}

/** Notes every state of the connection that is not `live`, and whether the sign-in screen was ever there. */
function watchForTrouble(window) {
  return window.page.evaluate(() => {
    globalThis.trouble = [];
    new MutationObserver(() => {
      const phase = document.querySelector('[data-phase]')?.dataset.phase;
      if (phase !== 'live') globalThis.trouble.push(phase ?? 'no connection is shown');
    }).observe(document, { childList: true, subtree: true, attributes: true });
  });
}

test('an access token that nears its end is renewed on the same connection and nobody notices', async (t) => {
  const { alice, room, path } = await scene(t);
  const profile = await openProfile(t, server);
  const window = await profile.newTab();
  const tap = await tapSockets(window.page);
  // Near its end at once as the page sees it; the server is shown the real one.
  await changeAnswer(window, 'login', (signedIn) => {
    const short = shortLived(signedIn, 60);
    tap.changeSent = (frame) => frame.replace(short.access_token, signedIn.access_token);
    return short;
  });
  await window.visit(path);
  await window.signIn(alice);
  await window.ready(room.name);
  await watchForTrouble(window);
  await window.composer.pressSequentially('half a ');

  const renewed = await window.page.waitForResponse(/\/api\/auth\/refresh$/, { timeout: RENEWAL_MS + 10_000 });
  assert.equal(renewed.status(), 200);
  const { access_token } = await renewed.json();
  await eventually(() => {
    const asked = tap.sent.filter(([event]) => event === 'authenticate').map(([, { token }]) => token);
    assert.deepEqual(asked, [access_token]);
  });
  await window.composer.pressSequentially('thought');
  await window.composer.press('Enter');
  await window.sees('half a thought');
  assert.deepEqual(await window.page.evaluate(() => globalThis.trouble), []);
  assert.equal(tap.connections, 1);
});

test('a token that the server refuses is renewed once and the page goes on', async (t) => {
  const { alice, room, path } = await scene(t);
  const profile = await openProfile(t, server);
  const window = await profile.newTab();
  await changeAnswer(window, 'login', (signedIn) => ({ ...signedIn, access_token: 'no.token.at-all' }));
  const refreshes = [];
  window.page.on('request', (request) => request.url().endsWith('/refresh') && refreshes.push(request.url()));
  await window.visit(path);
  await window.signIn(alice);
  await window.ready(room.name);
  await window.send('still me');
  await window.sees('still me');
  assert.equal(refreshes.length, 1);
});

test('a token that ended while the page slept is renewed before the page connects', async (t) => {
  const { alice, room, path } = await scene(t);
  const profile = await openProfile(t, server);
  profile.mayLoseConnections();
  const window = await profile.newTab();
  const tap = await tapSockets(window.page);
  await changeAnswer(window, 'login', (signedIn) => shortLived(signedIn, -60));
  await window.visit(path);
  const renewed = window.page.waitForResponse(/\/api\/auth\/refresh$/);
  await window.signIn(alice);
  assert.equal((await renewed).status(), 200);
  await window.ready(room.name);
  tap.breakOff();
  await window.phase('reconnecting');
  await window.live();
  await window.send('back');
  await window.sees('back');
});

test('signing out in one tab signs the others out at once with the reason', async (t) => {
  const { alice, room, path } = await scene(t);
  const here = await openAs(t, server, alice, path);
  const there = await here.profile.open(path);
  const idle = await here.profile.open('/');
  await Promise.all([here.ready(room.name), there.ready(room.name), idle.live()]);
  await here.signOut();
  for (const tab of [there, idle]) {
    await tab.isSignedOut();
    await tab.reads(ELSEWHERE);
  }
  // Here one knows that it was oneself.
  assert.equal(await here.page.getByText(ELSEWHERE).count(), 0);
  assert.equal(there.path, path);
  await eventually(() => assert.deepEqual([here, there, idle].flatMap((tab) => tab.openSockets()), []));

  // And back in: in all of them, at their places.
  await there.signIn(alice);
  await there.ready(room.name);
  await idle.isSignedInAs(alice.username);
  await here.isSignedInAs(alice.username);
});

test('a session that is ended at the server signs its pages out at once with the reason', async (t) => {
  const { alice, room, path } = await scene(t);
  const window = await openAs(t, server, alice, path);
  const other = await openAs(t, server, alice, path);
  await Promise.all([window.ready(room.name), other.ready(room.name)]);
  const answer = await window.profile.context.request.post(`${server.url}/api/auth/logout`, { data: {} });
  assert.equal(answer.status(), 200);
  await window.isSignedOut();
  await window.reads(ELSEWHERE);
  await eventually(() => assert.equal(window.openSockets().length, 0));
  await window.page.reload();
  await window.isSignedOut();
  // It was one session of two: the other browser goes on.
  await other.send('I am still here');
  await other.sees('I am still here');
});

test('a session that ended while the page was closed is said to have ended', async (t) => {
  const { alice, path } = await scene(t);
  const window = await openAs(t, server, alice, path);
  window.profile.mayBeRefused(401);
  await window.live();
  await window.page.goto('about:blank');
  await window.profile.context.request.post(`${server.url}/api/auth/logout`, { data: {} });
  await window.visit(path);
  await window.isSignedOut();
  await window.reads(ELSEWHERE);
});

test('signing out while the server is gone is made up for when it is back', async (t) => {
  const site = await startSite();
  const alice = await makeAccount(site, 'alice');
  const window = await openAs(t, site, alice);
  window.profile.mayLoseConnections();
  await window.live();
  const [cookie] = await window.profile.context.cookies(`${site.url}/api/auth`);
  await site.kill();
  await window.chooseInMenu('Sign out');
  await window.heading('Sign in to Confab').waitFor();
  await site.restart();
  await eventually(async () => assert.deepEqual(await window.profile.context.cookies(), []), 40_000);
  const answer = await fetch(`${site.url}/api/auth/refresh`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Cookie: `${cookie.name}=${cookie.value}` },
    body: '{}',
  });
  assert.equal(answer.status, 401);
});

test('two tabs that wake at the same time renew without signing each other out', async (t) => {
  const { alice, room, path } = await scene(t);
  const window = await openAs(t, server, alice, path);
  await window.ready(room.name);
  const tabs = await Promise.all(Array.from({ length: 4 }, () => window.profile.open(path)));
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(tabs.map((tab) => tab.page.reload()));
    await Promise.all(tabs.map((tab) => tab.ready(room.name)));
  }
  await window.send('all here');
  await Promise.all(tabs.map((tab) => tab.sees('all here')));
});
