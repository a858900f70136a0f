// One browser is one person at a time: whoever takes the place of another finds nothing of them, in any tab.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { token } from '../support/clients.mjs';
import {
  eventually, makeAccount, makeRoom, named, openAs, openProfile, plainClient, startSite,
} from './support.mjs';

const SECRET = 'the secret plan of the first';
const DRAFT = 'a draft of the first';
let server;
before(async () => { server = await startSite(); });

/**
 * The first person in two tabs: one at the list, one in a private room with something written and something half
 * written. `enter` takes a tab in, and resolves to who that is: `{username, user}`.
 */
async function firstInTwoTabs(t, enter) {
  const friend = await makeAccount(server, 'friend');
  const client = await plainClient(t, server, friend);
  const profile = await openProfile(t, server);
  const tab1 = await profile.open('/');
  const first = await enter(tab1);
  await tab1.live();
  const room = await makeRoom(client, named('Secret'), { private: true, participants: [first.user.id] });
  await client.say(room.id, [], SECRET);
  const tab2 = await profile.open(`/rooms/${room.id}`);
  await tab2.ready(room.name);
  await tab2.sees(SECRET);
  await tab2.composer.fill(DRAFT);
  // They are kept by now: the assertions further down would hold for nothing.
  await eventually(async () => assert.match(await storedIn(tab2), new RegExp(DRAFT)));
  return { profile, first, tab1, tab2, room, friend, client, sockets: [...tab1.sockets, ...tab2.sockets] };
}

const signIn = (account) => async (tab) => {
  await tab.signIn(account);
  return account;
};

async function continueAsGuest(tab) {
  await tab.button('Continue as a guest').click();
  const menu = await tab.page.getByRole('button', { name: /^Guest .*, menu$/ }).getAttribute('aria-label');
  const { user_id: id } = JSON.parse(await tab.page.evaluate(() => localStorage.getItem('confab.identity')));
  return { username: menu.replace(/, menu$/, ''), user: { id } };
}

const storedIn = (tab) => tab.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));

/** Everything that a page has: what it shows, every attribute and field, its title and its storages. */
function allOf(tab) {
  return tab.page.evaluate(() => JSON.stringify([
    document.documentElement.outerHTML,
    document.title,
    Array.from(document.querySelectorAll('input, textarea'), ({ value }) => value),
    { ...localStorage },
    { ...sessionStorage },
  ]));
}

/** Nothing of the first is left in any tab, and no connection that was made as them. */
async function assertGone({ tab1, tab2, sockets, room, friend, client, first }) {
  const traces = [first.username, String(first.user.id), SECRET, DRAFT, room.name, friend.username];
  for (const tab of [tab1, tab2]) {
    await eventually(async () => {
      const all = await allOf(tab);
      assert.deepEqual(traces.filter((trace) => all.includes(trace)), []);
    });
  }
  assert.ok(sockets.length >= 2);
  await eventually(() => assert.deepEqual(sockets.filter((socket) => !socket.isClosed()).map((each) => each.url()), []));
  // The server says the same: nobody is there as the first.
  await eventually(async () => {
    const { participants } = await client.ok('get_room_participants', { room_id: room.id });
    assert.equal(participants.find(({ id }) => id === first.user.id).online, false);
  });
}

/** Notes in the page, from now on, whenever one of these texts is to be seen. */
function watchFor(tab, texts) {
  return tab.page.evaluate((wanted) => {
    globalThis.seen = [];
    new MutationObserver(() => {
      const shown = document.body.innerText;
      for (const text of wanted) if (shown.includes(text)) globalThis.seen.push(text);
    }).observe(document, { childList: true, subtree: true, characterData: true });
  }, texts);
}

test('signing out and in as another leaves nothing of the first in any tab', async (t) => {
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => makeAccount(server, name)));
  const scene = await firstInTwoTabs(t, signIn(alice));
  const { tab1, tab2, room } = scene;
  await tab1.signOut();
  await tab2.isSignedOut();
  await assertGone(scene);

  await watchFor(tab2, [SECRET, DRAFT, room.name, alice.username]);
  await tab1.signIn(bob);
  await tab2.isSignedInAs(bob.username);
  // Tab 2 stands at the address of a room that is not the second one's to see.
  await tab2.heading('This room is private').waitFor();
  await assertGone(scene);
  assert.deepEqual(await tab2.page.evaluate(() => globalThis.seen), []);

  // Nor after a reload.
  await tab2.page.reload();
  await tab2.heading('This room is private').waitFor();
  await assertGone(scene);
});

test('a token that is handed over to one tab replaces an account in every tab', async (t) => {
  const alice = await makeAccount(server, 'alice');
  const scene = await firstInTwoTabs(t, signIn(alice));
  const { tab1, tab2 } = scene;
  const handed = { user_id: named('handed'), username: named('handed') };
  await tab1.acceptHandover(token(handed), handed.username);
  await tab2.isSignedInAs(handed.username);
  await tab2.heading('This room is private').waitFor();
  await assertGone(scene);
  assert.doesNotMatch(tab1.page.url(), /token/);
  // The session of the account has ended with it.
  await eventually(async () => assert.deepEqual(await scene.profile.context.cookies(), []));
  // What is the second one's arrives in both.
  const own = await makeRoom(scene.client, named('Own'), { participants: [handed.user_id] });
  await scene.client.say(own.id, [], 'for the second');
  for (const tab of [tab1, tab2]) await tab.conversation(own.name).filter({ hasText: 'for the second' }).waitFor();
  await tab2.conversation(own.name).click();
  await tab2.ready(own.name);
  await tab2.send('of the second');
  await tab2.sees('of the second');
});

test('a guest who signs in leaves nothing of the guest in any tab', async (t) => {
  const alice = await makeAccount(server, 'alice');
  const scene = await firstInTwoTabs(t, continueAsGuest);
  const { tab1, tab2 } = scene;
  await tab1.chooseInMenu('Sign in or make an account');
  await tab1.fillIn(alice);
  await tab1.button('Sign in', tab1.form).click();
  await Promise.all([tab1.isSignedInAs(alice.username), tab2.isSignedInAs(alice.username)]);
  await tab2.heading('This room is private').waitFor();
  await assertGone(scene);
});

test('what was not sent yet is not sent as the next one', async (t) => {
  const limited = await startSite({ rate_limit_messages: 1, rate_limit_window_seconds: 5 });
  const [first, second] = await Promise.all(['alice', 'bob'].map((name) => makeAccount(limited, name)));
  const client = await plainClient(t, limited, second);
  const room = await makeRoom(client, named('Room'), { participants: [first.user.id] });
  await client.ok('join_room', { room_id: room.id });
  const window = await openAs(t, limited, first, `/rooms/${room.id}`);
  await window.ready(room.name);
  await window.send('sent');
  await window.send('waits');
  await window.message('waits', 'waiting').waitFor();
  await window.chooseInMenu('Sign out');
  await window.dialog.getByText('If you sign out now, they are lost.').waitFor();
  await window.button('Sign out anyway', window.dialog).click();
  await window.isSignedOut();
  await window.signIn(second);
  await window.ready(room.name);
  await window.sees('sent');
  assert.deepEqual(await window.texts(), ['sent']);
  // Until after the moment at which it would have gone out.
  await window.send('of the second');
  await window.send('and another');
  await window.sees('and another');
  assert.deepEqual(await window.texts(), ['sent', 'of the second', 'and another']);
  assert.deepEqual(client.all('new_message').map(({ message }) => message), ['sent', 'of the second', 'and another']);
});

test('a tab that slept through a change of person wakes as the second', async (t) => {
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => makeAccount(server, name)));
  const scene = await firstInTwoTabs(t, signIn(alice));
  const { tab1, tab2 } = scene;
  // Frozen, as a browser does with tabs in the background: it hears nothing until it is looked at.
  const session = await scene.profile.context.newCDPSession(tab2.page);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await tab1.signOut();
  await tab1.signIn(bob);
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await tab2.isSignedInAs(bob.username);
  await tab2.heading('This room is private').waitFor();
  await assertGone(scene);
});
