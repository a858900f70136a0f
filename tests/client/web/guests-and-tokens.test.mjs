// Getting in without an account: as a guest, or with a token that another application hands over in the address.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { token } from '../support/clients.mjs';
import {
  eventually, makeAccount, makeRoom, named, openAs, openProfile, plainClient, startSite,
} from './support.mjs';

let server;
before(async () => { server = await startSite(); });

/** A token of a user that another application knows. */
function handOver(name) {
  const username = named(name);
  const user_id = named('user');
  return { username, user_id, access_token: token({ user_id, username }) };
}

const keptIn = (window) => window.page.evaluate(() =>
  [...Object.values(localStorage), ...Object.values(sessionStorage)].join('\n'));

async function continueAsGuest(window) {
  await window.button('Continue as a guest').click();
  const menu = window.page.getByRole('button', { name: /^Guest .*, menu$/ });
  await menu.waitFor();
  return (await menu.getAttribute('aria-label')).replace(/, menu$/, '');
}

test('one click makes a guest who is the same after a reload and in another tab', async (t) => {
  const profile = await openProfile(t, server);
  const window = await profile.open('/');
  const name = await continueAsGuest(window);
  await window.live();
  await window.page.reload();
  await window.isSignedInAs(name);
  await window.live();
  const other = await profile.open('/');
  await other.isSignedInAs(name);
  assert.equal(await window.page.getByText(/^Guest .+/).first().textContent(), name);
});

test('a guest makes a room of their own that accounts can enter and other guests cannot', async (t) => {
  const account = await makeAccount(server, 'alice');
  const window = await (await openProfile(t, server)).open('/');
  await continueAsGuest(window);
  await window.button('Make a room').click();
  await window.dialog.getByText('Everybody with an account here can find and enter it. Other guests cannot.').waitFor();
  const name = named('Corner');
  await window.dialog.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await window.button('Make room', window.dialog).click();
  await window.ready(name);
  await window.send('Anybody here?');
  await window.sees('Anybody here?');
  await window.page.reload();
  await window.sees('Anybody here?');
  await window.conversation(name).filter({ hasText: 'You: Anybody here?' }).waitFor();

  // What the dialog said is so.
  const other = await openAs(t, server, account);
  await other.button('Find').click();
  await other.dialog.getByRole('searchbox').fill(name);
  await other.dialog.getByRole('link').filter({ hasText: name }).click();
  await other.ready(name);
  await other.send('Yes');
  await window.sees('Yes');
  const guest = await (await openProfile(t, server)).open(window.path);
  await continueAsGuest(guest);
  await guest.heading('This room is private').waitFor();
});

test('a guest is told what guests cannot do and how it becomes possible', async (t) => {
  const owner = await makeAccount(server, 'owner');
  const room = await makeRoom(await plainClient(t, server, owner));
  const window = await (await openProfile(t, server)).open(`/rooms/${room.id}`);
  await continueAsGuest(window);
  await window.heading('This room is private').waitFor();
  await window.reads('Guests only enter rooms that they made or were added to.');
  await window.button('To your conversations').click();
  await window.button('Find').click();
  await window.reads('Guests cannot look around');
  await window.button('Sign in or make an account', window.dialog).click();
  await window.page.getByRole('dialog', { name: 'Sign in or make an account' }).waitFor();
  assert.equal(await window.page.getByRole('link', { name: room.name }).count(), 0);
});

test('ending a guest session forgets the guest', async (t) => {
  const window = await (await openProfile(t, server)).open('/');
  const name = await continueAsGuest(window);
  await window.chooseInMenu('End guest session');
  await window.isSignedOut();
  assert.doesNotMatch(await keptIn(window), /guest/i);
  assert.notEqual(await continueAsGuest(window), name);
});

test('a token in the address is gone from it at once and the deep link is kept', async (t) => {
  const alice = handOver('alice');
  const room = await makeRoom(await plainClient(t, server, alice));
  const profile = await openProfile(t, server);
  const window = await profile.newTab();
  // Before anything can be clicked, copied or bookmarked: while the page is still asking who this is.
  const addresses = [];
  await window.page.route('**/api/me', async (route) => {
    addresses.push(window.page.url());
    await route.continue();
  });
  await window.visit(`/rooms/${room.id}#token=${alice.access_token}`);
  await window.isSignedInAs(alice.username);
  await window.ready(room.name);
  assert.deepEqual(addresses, [`${server.url}/rooms/${room.id}`]);
  assert.equal(window.page.url(), `${server.url}/rooms/${room.id}`);
  assert.equal(await window.page.evaluate(() => history.length), 2); // about:blank, and this page without the token

  await window.page.reload();
  await window.isSignedInAs(alice.username);
  await window.ready(room.name);
  await window.send('with a token');
  await window.sees('with a token');
});

test('a token that was handed over is kept for its tab alone and told to the others by it', async (t) => {
  const alice = handOver('alice');
  const profile = await openProfile(t, server);
  const window = await profile.open(`/#token=${alice.access_token}`);
  await window.isSignedInAs(alice.username);
  const inProfile = await window.page.evaluate(() => Object.values(localStorage).join('\n'));
  assert.doesNotMatch(inProfile, /eyJ/);
  const other = await profile.open('/');
  await other.isSignedInAs(alice.username);
  await other.live();

  await window.chooseInMenu('Sign out');
  await Promise.all([window.isSignedOut(), other.isSignedOut()]);
  for (const tab of [window, other]) assert.doesNotMatch(await keptIn(tab), /eyJ/);
});

test('a token that is no good is refused in words and changes nothing for whoever is signed in', async (t) => {
  const account = await makeAccount(server, 'alice');
  const forged = token({ user_id: 'somebody' }, { secret: 'another secret of 32 bytes or more' });
  const stranger = await openProfile(t, server);
  stranger.mayBeRefused(401);
  const outside = await stranger.open(`/#token=${forged}`);
  await outside.reads('Your session has ended. Sign in again.');
  assert.equal(outside.page.url(), `${server.url}/`);
  assert.doesNotMatch(await keptIn(outside), /eyJ/);

  const window = await openAs(t, server, account);
  window.profile.mayBeRefused(401);
  await window.live();
  const other = await window.profile.open(`/#token=${forged}`);
  await other.reads('The link could not sign you in.');
  await other.isSignedInAs(account.username);
  assert.equal(other.page.url(), `${server.url}/`);
  assert.doesNotMatch(await keptIn(other), /eyJ/);
  await window.live();
  assert.equal(window.sockets.length, 1);
});

test('a link with a token asks whoever is signed in before it makes them somebody else', async (t) => {
  const account = await makeAccount(server, 'alice');
  const bob = handOver('bob');
  const window = await openAs(t, server, account);
  await window.live();
  const other = await window.profile.open(`/#token=${bob.access_token}`);
  await other.heading(`Continue as ${bob.username}?`).waitFor();
  await other.reads(`You are ${account.username} here.`);
  assert.equal(other.page.url(), `${server.url}/`);
  await window.isSignedInAs(account.username);
  await other.button(`Stay ${account.username}`).click();
  await other.isSignedInAs(account.username);
  await other.page.reload();
  await other.isSignedInAs(account.username);
  assert.doesNotMatch(await keptIn(other), /eyJ/);
});

test('a token that runs out while its page is open signs it out with the reason', async (t) => {
  const site = await startSite({ jwt_leeway_seconds: 0 });
  const username = named('brief');
  const brief = token({ user_id: username, username, exp: Math.floor(Date.now() / 1000) + 4 });
  const profile = await openProfile(t, site);
  const window = await profile.open(`/#token=${brief}`);
  await window.isSignedInAs(username);
  await window.live();
  await window.reads('Your session has ended. Sign in again.');
  await eventually(() => assert.equal(window.openSockets().length, 0));
  // A fresh one in the same address bar goes on.
  await window.visit(`/#token=${token({ user_id: username, username })}`);
  await window.isSignedInAs(username);
});

test('a guest becomes an account and the guest is gone', async (t) => {
  const account = await makeAccount(server, 'alice');
  const window = await (await openProfile(t, server)).open('/');
  const guest = await continueAsGuest(window);
  await window.live();
  const before = [...window.sockets];
  await window.chooseInMenu('Sign in or make an account');
  await window.dialog.getByText('What you wrote as a guest stays with the guest.').waitFor();
  await window.fillIn(account);
  await window.button('Sign in', window.form).click();
  await window.isSignedInAs(account.username);
  await window.live();
  await window.dialog.waitFor({ state: 'detached' });
  assert.equal(await window.page.getByText(guest).count(), 0);
  assert.doesNotMatch(await keptIn(window), /guest/i);
  assert.deepEqual(before.filter((socket) => !socket.isClosed()), []);
});

test('a handed over token takes the place of an account whose session ends', async (t) => {
  const account = await makeAccount(server, 'alice');
  const bob = handOver('bob');
  const window = await openAs(t, server, account);
  await window.live();
  await window.acceptHandover(bob.access_token, bob.username);
  await eventually(async () => assert.deepEqual(await window.profile.context.cookies(), []));
  await window.chooseInMenu('Sign out');
  await window.isSignedOut();
  await window.page.reload();
  await window.isSignedOut();
});
