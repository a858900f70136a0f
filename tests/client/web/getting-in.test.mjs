// Accounts of Confab's own: making one, signing in and out, and staying signed in.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  eventually, makeAccount, makeRoom, named, openAs, openProfile, plainClient, startSite,
} from './support.mjs';

const PASSWORD = 'a good long password';
let server;
before(async () => { server = await startSite(); });

test('somebody without an account makes one and is in', async (t) => {
  const username = named('Ada');
  const profile = await openProfile(t, server);
  const window = await profile.open('/');
  await window.isSignedOut();
  await window.button('Make one').click();
  await window.heading('Make an account').waitFor();
  await window.fillIn({ username, password: PASSWORD });
  await window.button('Make account').click();
  await window.isSignedInAs(username);
  await window.live();
  await window.heading('No conversations yet').waitFor();

  await window.signOut();
  await window.signIn({ username, password: PASSWORD });
});

test('what is wrong with a new account is said at its field before and after the server is asked', async (t) => {
  const taken = await makeAccount(server, 'taken');
  const profile = await openProfile(t, server);
  profile.mayBeRefused(409);
  const window = await profile.open('/');
  await window.button('Make one').click();
  await window.button('Make account').click();
  await window.reads('Write your name');
  await window.reads('Write your password');
  await window.fillIn({ username: taken.username, password: 'short' });
  await window.button('Make account').click();
  await window.reads('A password has at least 8 characters');
  await window.fillIn({ username: taken.username.toUpperCase(), password: PASSWORD });
  await window.button('Make account').click();
  await window.reads('This name is taken.');
  assert.equal(await window.username.inputValue(), taken.username.toUpperCase());
  assert.equal(await window.password.inputValue(), PASSWORD);
});

test('a wrong password is said in words and nothing in the form is lost', async (t) => {
  const account = await makeAccount(server, 'alice');
  const profile = await openProfile(t, server);
  profile.mayBeRefused(401);
  const window = await profile.open('/');
  await window.fillIn({ username: account.username, password: 'not the password' });
  await window.button('Sign in').click();
  await window.page.getByRole('alert').filter({ hasText: 'Name or password is wrong.' }).waitFor();
  assert.equal(await window.username.inputValue(), account.username);
  assert.equal(await window.password.inputValue(), 'not the password');

  await window.button('Show password').click();
  assert.equal(await window.password.getAttribute('type'), 'text');
  await window.password.fill(account.password);
  await window.password.press('Enter');
  await window.isSignedInAs(account.username);
});

test('too many attempts are counted down and the form can be sent again when that is over', async (t) => {
  const strict = await startSite({ max_sign_ins_per_account_per_minute: 10 });
  const account = await makeAccount(strict, 'alice');
  const profile = await openProfile(t, strict);
  profile.mayBeRefused(401);
  profile.mayBeRefused(429);
  const window = await profile.open('/');
  await window.fillIn({ ...account, password: 'not the password' });
  const submit = window.button('Sign in', window.form);
  const limited = window.page.getByRole('alert').filter({ hasText: /Too many attempts\. Try again in \d+ s\./ });
  let status;
  for (let attempt = 0; attempt < 15 && status !== 429; attempt += 1) {
    const answer = window.page.waitForResponse(/\/api\/auth\/login/);
    await submit.click();
    status = (await answer).status();
  }
  await limited.waitFor();
  assert.equal(await submit.isDisabled(), true);
  assert.equal(await window.username.inputValue(), account.username);
  assert.equal(await window.password.inputValue(), 'not the password');

  const seconds = async () => Number(/(\d+) s/.exec(await limited.textContent())[1]);
  const first = await seconds();
  assert.ok(first >= 1 && first <= 60, `${first} s`);
  await eventually(async () => assert.ok(await seconds() < first));
  // No other way is closed by it.
  assert.equal(await window.button('Continue as a guest').isEnabled(), true);
  await limited.waitFor({ state: 'detached', timeout: 70_000 });
  await window.password.fill(account.password);
  await submit.click();
  await window.isSignedInAs(account.username);
});

test('signing out leaves nothing behind and a reload stays signed out', async (t) => {
  const account = await makeAccount(server, 'alice');
  const window = await openAs(t, server, account);
  await window.signOut();
  await eventually(async () => assert.deepEqual(await window.profile.context.cookies(), []));
  const kept = await window.page.evaluate(() => Object.entries(localStorage).map((entry) => entry.join('=')).join('\n'));
  assert.equal(kept.includes(String(account.user.id)), false, kept);
  await window.page.reload();
  await window.isSignedOut();
  await eventually(() => assert.equal(window.openSockets().length, 0));
});

test('one stays signed in over a reload and over a restart of the browser', async (t) => {
  const account = await makeAccount(server, 'alice');
  const room = await makeRoom(await plainClient(t, server, account));
  const window = await openAs(t, server, account, `/rooms/${room.id}`);
  await window.ready(room.name);
  await window.page.reload();
  await window.isSignedInAs(account.username);
  await window.ready(room.name);

  const storageState = await window.profile.context.storageState();
  await window.profile.context.close();
  const again = await openProfile(t, server, { storageState });
  const tab = await again.open(`/rooms/${room.id}`);
  await tab.isSignedInAs(account.username);
  await tab.ready(room.name);
});

test('no script can read what keeps one signed in', async (t) => {
  const account = await makeAccount(server, 'alice');
  const window = await openAs(t, server, account);
  const [cookie, ...others] = await window.profile.context.cookies(`${server.url}/api/auth`);
  assert.deepEqual(others, []);
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/api/auth']);
  const readable = await window.page.evaluate(() =>
    [document.cookie, ...Object.values(localStorage), ...Object.values(sessionStorage)].join('\n'));
  assert.equal(readable.includes(cookie.value), false);
  assert.doesNotMatch(readable, /eyJ/); // the beginning of every JWT
});

test('a deep link survives signing in and making an account', async (t) => {
  const owner = await makeAccount(server, 'owner');
  const room = await makeRoom(await plainClient(t, server, owner));
  const account = await makeAccount(server, 'alice');
  const window = await openAs(t, server, account, `/rooms/${room.id}`);
  await window.ready(room.name);
  assert.equal(window.path, `/rooms/${room.id}`);

  const profile = await openProfile(t, server);
  const newcomer = await profile.open(`/rooms/${room.id}`);
  await newcomer.button('Make one').click();
  await newcomer.fillIn({ username: named('new'), password: PASSWORD });
  await newcomer.button('Make account').click();
  await newcomer.ready(room.name);
});

test('only the ways in that the server has are shown', async (t) => {
  const ways = async (settings) => {
    const site = await startSite(settings);
    return (await openProfile(t, site)).open('/rooms/general');
  };
  const guests = await ways({ accounts: 'off' });
  await guests.heading('Welcome to Confab').waitFor();
  await guests.button('Continue as a guest').waitFor();
  assert.equal(await guests.form.count(), 0);

  const nobody = await ways({ accounts: 'off', guests: false });
  await nobody.reads('This server lets nobody in by itself.');
  assert.equal(await nobody.page.getByRole('button').count(), 0);
  assert.equal(await nobody.form.count(), 0);

  const closed = await ways({ accounts: 'closed', guests: false });
  await closed.isSignedOut();
  await closed.button('Sign in').waitFor();
  assert.deepEqual(await closed.page.getByRole('button').allTextContents(), ['', 'Sign in']); // the eye, and this
});

test('a server that cannot be reached is waited for at the sign-in screen', async (t) => {
  const site = await startSite();
  const profile = await openProfile(t, site);
  profile.mayLoseConnections();
  const window = await profile.newTab();
  let isGone = true;
  await window.page.route('**/api/auth', (route) => (isGone ? route.abort('connectionrefused') : route.continue()));
  await window.visit('/');
  await window.reads('The server cannot be reached. Confab keeps trying.');
  isGone = false;
  await window.isSignedOut();
  await window.button('Sign in').waitFor();
});
