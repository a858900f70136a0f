// The list of conversations, finding rooms and people, and addresses of rooms.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  eventually, makeAccount, makeRoom, named, openAs, plainClient, startSite,
} from './support.mjs';

let server;
before(async () => { server = await startSite(); });

/** Accounts with a plain client each. */
async function people(t, ...names) {
  return Promise.all(names.map(async (name) => {
    const account = await makeAccount(server, name);
    return { ...account, client: await plainClient(t, server, account) };
  }));
}

const namesOf = (window) => window.conversations.getByRole('link').locator('bdi').allTextContents();

test('a conversation shows its last message, when that was, and how much is unread', async (t) => {
  const [alice, bob] = await people(t, 'alice', 'bob');
  const room = await makeRoom(bob.client, named('Planning'), { participants: [alice.user.id] });
  await bob.client.say(room.id, [], 'The first thing');
  await bob.client.say(room.id, [], 'The second thing');
  const window = await openAs(t, server, alice);
  const row = window.conversation(room.name).filter({ hasText: `${bob.username}: The second thing` });
  await row.getByText('2 unread messages').waitFor();
  assert.equal(await row.locator('time').textContent(), 'now');
  assert.ok(Math.abs(Date.parse(await row.locator('time').getAttribute('datetime')) - Date.now()) < 60_000);
  await eventually(async () => assert.equal(await window.page.title(), '(2) Confab'));

  await bob.client.say(room.id, [], 'The third thing');
  await window.conversation(`${bob.username}: The third thing`).getByText('3 unread messages').waitFor();

  // On screen it is read, and stays so.
  await row.or(window.conversation(room.name)).first().click();
  await window.sees('The third thing');
  await window.conversation(room.name).getByText('unread').waitFor({ state: 'detached' });
  await bob.client.say(room.id, [], 'The fourth thing');
  await window.sees('The fourth thing');
  await window.conversation(`${bob.username}: The fourth thing`).waitFor();
  assert.equal(await window.conversations.getByText('unread').count(), 0);
  assert.equal(await window.page.title(), `${room.name} · Confab`);
  await window.page.reload();
  await window.conversation(`${bob.username}: The fourth thing`).waitFor();
  assert.equal(await window.conversations.getByText('unread').count(), 0);
});

test('the newest conversation stands first and moves up while one looks', async (t) => {
  const [alice, bob] = await people(t, 'alice', 'bob');
  const rooms = [];
  for (const name of ['One', 'Two', 'Three']) {
    const room = await makeRoom(bob.client, name, { participants: [alice.user.id] });
    await bob.client.say(room.id, [], `in ${name}`);
    rooms.push(room);
  }
  const window = await openAs(t, server, alice);
  await eventually(async () => assert.deepEqual(await namesOf(window), ['Three', 'Two', 'One']));
  await bob.client.say(rooms[0].id, [], 'news');
  await eventually(async () => assert.deepEqual(await namesOf(window), ['One', 'Three', 'Two']));
  await window.conversation('Two').click();
  await window.ready('Two');
  await window.send('mine');
  await eventually(async () => assert.deepEqual(await namesOf(window), ['Two', 'One', 'Three']));
  await window.conversation('You: mine').waitFor();
  await window.page.reload();
  await eventually(async () => assert.deepEqual(await namesOf(window), ['Two', 'One', 'Three']));
});

test('a private conversation shows whether the other is there', async (t) => {
  const [alice, bob] = await people(t, 'alice', 'bob');
  await bob.client.ok('private_message', { recipient_id: alice.user.id, message: 'psst' });
  const window = await openAs(t, server, alice);
  const row = window.conversation(bob.username);
  await row.getByText('Online', { exact: true }).waitFor({ state: 'attached' });
  bob.client.close();
  await row.getByText('Online', { exact: true }).waitFor({ state: 'detached' });
  const again = await plainClient(t, server, bob);
  await row.getByText('Online', { exact: true }).waitFor({ state: 'attached' });
  again.close();
});

test('somebody makes a room and is in it', async (t) => {
  const [alice, bob] = await people(t, 'alice', 'bob');
  const window = await openAs(t, server, alice);
  const other = await openAs(t, server, bob);
  const name = named('Workshop');
  await window.button('New room').click();
  await window.button('Make room', window.dialog).click();
  await window.dialog.getByText('Give the room a name').waitFor();
  await window.dialog.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await window.dialog.getByRole('checkbox').check();
  await window.dialog.getByText('Only people you add can enter and read.').waitFor();
  await window.dialog.getByRole('searchbox', { name: 'Add people by name' }).fill(bob.username.slice(0, -2));
  await window.button(`Add ${bob.username}`, window.dialog).click();
  await window.button(`Remove ${bob.username}`, window.dialog).waitFor();
  await window.button('Make room', window.dialog).click();
  await window.ready(name);
  assert.match(window.path, /^\/rooms\/./);
  await window.seesPerson(bob.username, 'Online');
  await window.send('Welcome');
  await other.conversation(name).filter({ hasText: 'Welcome' }).click();
  await other.sees('Welcome');
});

test('a public room is found by a part of its name and entered', async (t) => {
  const [alice, bob] = await people(t, 'alice', 'bob');
  const room = await makeRoom(bob.client, named('Gardening'));
  const hidden = await makeRoom(bob.client, named('Gardening'), { private: true });
  await bob.client.say(room.id, [], 'Roses are red');
  const window = await openAs(t, server, alice);
  await window.button('Find').click();
  const search = window.dialog.getByRole('searchbox', { name: 'Find rooms and people' });
  await search.fill(room.name.slice(2).toUpperCase());
  const found = window.dialog.getByRole('link').filter({ hasText: room.name });
  await found.filter({ hasText: '1 person' }).waitFor();
  await search.press('Enter');
  await window.ready(room.name);
  await window.sees('Roses are red');
  await window.conversation(room.name).waitFor();
  await window.seesPerson(alice.username, 'Online');

  await window.button('Find').click();
  await search.fill('gardening');
  await found.filter({ hasText: 'Joined' }).filter({ hasText: '2 people' }).waitFor();
  await search.fill(hidden.name);
  await window.dialog.getByText('No rooms or people with that name.').waitFor();
});

test('a private message to a person found by name makes the conversation in both lists', async (t) => {
  const [alice, bob] = await people(t, 'alice', 'bob');
  const [here, there] = await Promise.all([openAs(t, server, alice), openAs(t, server, bob)]);
  await here.button('Find').click();
  await here.dialog.getByRole('searchbox').fill(bob.username);
  await here.dialog.getByRole('link').filter({ hasText: bob.username }).filter({ hasText: 'Online' }).click();
  await here.reads(`Your first message to ${bob.username} begins the conversation.`);
  assert.match(here.path, /^\/people\//);
  // Nothing has begun yet.
  assert.equal(await here.conversations.getByRole('link').count(), 0);

  await here.composer.pressSequentially('Between us');
  await here.composer.press('Enter');
  await here.sees('Between us');
  assert.match(here.path, /^\/rooms\//);
  await here.heading(bob.username).waitFor();
  await here.conversation(bob.username).filter({ hasText: 'You: Between us' }).waitFor();
  const row = there.conversation(alice.username).filter({ hasText: 'Between us' });
  await row.getByText('1 unread message').waitFor();
  await row.click();
  await there.sees('Between us');
  await there.send('And back');
  await here.sees('And back');
  await there.conversations.getByText('unread').waitFor({ state: 'detached' });

  // A second time the person leads to what there is.
  await here.visit(here.path.replace(/^\/rooms\/.*/, `/people/${bob.user.id}`));
  await here.sees('And back');
  assert.match(here.path, /^\/rooms\//);
  assert.equal(await here.conversations.getByRole('link').count(), 1);
});

test('an address leads to the room of that id or says why not', async (t) => {
  const [alice, bob] = await people(t, 'alice', 'bob');
  const site = await startSite({ create_rooms_on_join: false });
  const elsewhere = await makeAccount(site, 'alice');
  const open = await makeRoom(bob.client);
  const secret = await makeRoom(bob.client, named('Secret'), { private: true });

  const window = await openAs(t, server, alice, `/rooms/${open.id}`);
  await window.ready(open.name);
  await window.visit(`/rooms/${secret.id}`);
  await window.heading('This room is private').waitFor();
  await window.reads('Only its participants can enter. Ask one of them to add you.');
  assert.equal(await window.page.getByText(secret.name).count(), 0);
  assert.equal(await window.composer.count(), 0);
  await window.button('To your conversations').click();
  await window.conversation(open.name).waitFor();
  assert.equal(window.path, '/');

  const missing = await openAs(t, site, elsewhere, '/rooms/nowhere');
  await missing.heading('There is no such room').waitFor();
  assert.equal(await missing.composer.count(), 0);
});

test('ids of both types have addresses of their own', async (t) => {
  const [alice, bob] = await people(t, 'alice', 'bob');
  const number = 1_000_000 + Math.floor(Math.random() * 1_000_000);
  for (const id of [number, String(number)]) {
    await bob.client.ok('join_room', { room_id: id });
    await bob.client.say(id, [], `the ${typeof id}`);
  }
  const window = await openAs(t, server, alice, `/rooms/${number}`);
  await window.sees('the number');
  await window.visit(`/rooms/${encodeURIComponent(`"${number}"`)}`);
  await window.sees('the string');
  const strange = 'a/b?c#d%25 "ü"';
  await bob.client.ok('join_room', { room_id: strange });
  await bob.client.say(strange, [], 'strange');
  await window.visit(`/rooms/${encodeURIComponent(strange)}`);
  await window.sees('strange');
});

test('an address in the window that is no page is said to be none', async (t) => {
  const [alice] = await people(t, 'alice');
  const window = await openAs(t, server, alice);
  await window.page.evaluate(() => {
    history.pushState(null, '', '/nothing/of/the/kind');
    dispatchEvent(new PopStateEvent('popstate'));
  });
  await window.heading('There is no such page').waitFor();
  await window.button('To your conversations').click();
  await window.heading('No conversations yet').waitFor();
});
