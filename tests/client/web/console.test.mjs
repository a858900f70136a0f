// The staff's console: two of them at their desks, and customers who write.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { now, token } from '../support/clients.mjs';
import { customer, onDesk, openDesk, staffMember } from './desk.mjs';
import { openNetwork, tapSockets } from './sockets.mjs';
import { eventually, makeAccount, named, openAs, openProfile, startSite, TALL } from './support.mjs';

const sam = staffMember('Sam Reyes');
const kim = staffMember('Kim Osei');
let server;
before(async () => { server = await startSite({ ping_interval_seconds: 2, ping_timeout_seconds: 2 }); });

/** A conversation that has begun, and both of the staff at the list. */
async function begin(t, { options = {}, site = server } = {}) {
  const name = named('Ada');
  const ada = await customer(t, site, name, { message: 'My invoice is missing.' });
  const [here, there] = await Promise.all([openDesk(t, site, sam, '/staff', options), openDesk(t, site, kim)]);
  return { name, ada, here, there };
}

/** The consoles show what the room holds: everything, once, in order. Resolves to the texts. */
async function assertSame(ada, ...windows) {
  const page = await ada.ok('get_messages', { room_id: ada.room, limit: 200 });
  const stored = page.messages.map(({ content }) => content);
  for (const window of windows) {
    await eventually(async () => {
      assert.deepEqual(await window.texts(), stored);
      assert.equal(await window.unsent(), 0);
    });
  }
  return stored;
}

test('what a customer writes is there at once, and the answer with them', async (t) => {
  const { name, ada, here, there } = await begin(t);
  await here.row(name).getByText('My invoice is missing.').waitFor();
  await here.badge(name, 1).waitFor();
  await ada.writes('The one of May.');
  await here.badge(name, 2).waitFor();
  await there.badge(name, 2).waitFor();
  await eventually(async () => assert.match(await here.page.title(), /^\(\d+\) Customer support/));

  await here.open(name);
  for (const text of ['My invoice is missing.', 'The one of May.']) await here.sees(text);
  // Read by one is read for all.
  for (const window of [here, there]) await window.row(name).getByText('unread').waitFor({ state: 'detached' });
  await here.send('I am looking for it.');
  await ada.hears('I am looking for it.');
  const { sender_type, sender_name } = await ada.hears('I am looking for it.');
  assert.deepEqual([sender_type, sender_name], ['staff', 'Sam Reyes']);
  await ada.writes('Thank you!');
  await here.sees('Thank you!');
  await assertSame(ada, here);
});

test('an answer says when the customer has read it', async (t) => {
  const { name, ada, here } = await begin(t);
  await here.open(name);
  await here.send('Here it is.');
  await here.mark('Here it is.', 'Sent').waitFor({ state: 'attached' });
  const { seq } = await ada.hears('Here it is.');
  await ada.ok('mark_read', { seq });
  await here.mark('Here it is.', 'Read').waitFor({ state: 'attached' });
  await here.page.reload();
  await here.inRoom(name);
  await here.mark('Here it is.', 'Read').waitFor({ state: 'attached' });
});

test('a conversation goes from waiting to open to closed, in all windows', async (t) => {
  const { name, ada, here, there } = await begin(t);
  await here.open(name);
  await here.send('Hello!');
  // Where it was opened it stays until it is left; elsewhere it has moved on.
  await here.row(name).waitFor();
  await there.row(name).waitFor({ state: 'detached' });
  await there.show('Open');
  await there.row(name).getByText('Assigned to Sam Reyes').waitFor({ state: 'attached' });
  await there.open(name);

  await here.button('Close conversation').click();
  await here.button('Cancel', here.dialog).click();
  await here.dialog.waitFor({ state: 'detached' });
  await here.button('Close conversation').click();
  await here.button('Close conversation', here.dialog).click();
  for (const window of [here, there]) {
    await window.reads('This conversation is closed.');
    await window.sees('Sam Reyes closed the conversation');
    await window.composer.waitFor({ state: 'detached' });
  }
  await ada.waitFor('room_status_update', { status: 'closed' });
  await here.show('Closed');
  await here.row(name).waitFor();
  // By its address it is found again.
  await here.page.reload();
  await here.inRoom(name);
  await here.reads('This conversation is closed.');
  await here.row(name).waitFor();

  await ada.ok('open_room', { name });
  await ada.writes('One more thing.');
  await there.show('Waiting');
  await there.row(name).getByText('One more thing.').waitFor();
});

test('who writes and who looks on is shown', async (t) => {
  const { name, ada, here, there } = await begin(t);
  await here.open(name);
  await ada.ok('typing', { is_typing: true });
  await here.activity.getByText(`${name} is typing…`).waitFor();
  await there.row(name).getByText('Typing…').waitFor();
  await ada.writes('Well?');
  await here.activity.getByText('typing').waitFor({ state: 'detached' });

  await there.row(name).getByText('Sam Reyes is looking at this conversation').waitFor({ state: 'attached' });
  await there.open(name);
  await here.activity.getByText('Kim Osei is looking at this conversation').waitFor();
  await there.activity.getByText('Sam Reyes is looking at this conversation').waitFor();
  await there.composer.pressSequentially('I am');
  await here.activity.getByText('Kim Osei is writing an answer…').waitFor();
  await there.composer.fill('');
  await here.activity.getByText('writing').waitFor({ state: 'detached' });
  await there.page.keyboard.press('Escape');
  await here.activity.getByText('Kim Osei').waitFor({ state: 'detached' });
});

test('a customer who goes and comes back', async (t) => {
  const { name, ada, here } = await begin(t);
  await here.row(name).getByText('Online').waitFor({ state: 'attached' });
  ada.close();
  await here.row(name).getByText('Online').waitFor({ state: 'detached' });
});

test('somebody takes a conversation, another takes it over, and nobody has it', async (t) => {
  const { name, here, there } = await begin(t);
  await Promise.all([here.open(name), there.open(name)]);
  const choose = async (window, label, item) => {
    await window.button(label).click();
    await window.button(item, window.dialog).click();
  };
  await choose(here, 'Unassigned', 'Assign to me');
  await here.button('Assigned to You').waitFor();
  await choose(there, 'Assigned to Sam Reyes', 'Take over from Sam Reyes');
  await here.button('Assigned to Kim Osei').waitFor();
  await choose(there, 'Assigned to You', 'Unassign');
  for (const window of [here, there]) await window.button('Unassigned').waitFor();
});

test('an answer that does not know the newest message is kept back until it is sent anyway', async (t) => {
  let tap;
  const { name, ada, here, there } = await begin(t, {
    options: { beforeVisit: async ({ page }) => { tap = await tapSockets(page); } },
  });
  await here.open(name);
  await there.open(name);
  tap.hold(({ event }) => event === 'admin_message_sent');
  await there.send('It comes today.');
  await eventually(() => assert.ok(tap.isHolding));
  await here.send('It comes next week.');
  tap.release();
  const notice = here.page.getByRole('alert');
  await notice.getByText('There are newer messages. Your answer was not sent.').waitFor();
  await here.sees('It comes today.');
  assert.equal(await here.composer.inputValue(), 'It comes next week.');
  assert.equal(await here.message('It comes next week.').count(), 0);
  await here.button('Send anyway', notice).click();
  await ada.hears('It comes next week.');
  await notice.waitFor({ state: 'detached' });
  assert.equal(await here.composer.inputValue(), '');
  assert.deepEqual(await assertSame(ada, here, there), ['My invoice is missing.', 'It comes today.', 'It comes next week.']);
});

test('what was written meanwhile is there after the network was gone, each once', async (t) => {
  const { name, ada, here, there } = await begin(t, {
    options: {
      ...TALL,
      beforeVisit: async (window) => {
        window.profile.mayLoseConnections();
        window.profile.network = await openNetwork(server);
      },
    },
  });
  await here.open(name);
  await there.open(name);
  const other = named('Bob');
  for (let outage = 1; outage <= 2; outage += 1) {
    here.profile.network.cut();
    await here.phase('reconnecting');
    for (const number of [1, 2, 3]) await ada.writes(`of the customer ${outage}.${number}`);
    await there.sees(`of the customer ${outage}.3`);
    await there.send(`of Kim ${outage}`);
    const bob = await customer(t, server, `${other} ${outage}`, { message: 'Hello?' });
    here.profile.network.mend();
    await here.live();
    await here.sees(`of Kim ${outage}`);
    await here.badge(`${other} ${outage}`, 1).waitFor();
    bob.close();
  }
  assert.equal((await assertSame(ada, here, there)).length, 1 + 2 * 4);
  // What they read while one was away is known too.
  await here.row(name).getByText('unread').waitFor({ state: 'detached' });
});

test('a server that restarts loses and doubles nothing, and what was written while it was gone goes out', async (t) => {
  const site = await startSite();
  const name = named('Ada');
  const ada = await customer(t, site, name, { message: 'My invoice is missing.', reconnection: true, reconnectionDelay: 100 });
  const here = await openDesk(t, site, sam);
  here.profile.mayLoseConnections();
  await here.open(name);
  await here.send('One moment.');
  await here.sees('One moment.');
  await site.stop();
  await here.phase('reconnecting');
  await here.send('I have found it.');
  await here.message('I have found it.', 'sending').waitFor();
  await site.restart();
  await here.live();
  await here.sees('I have found it.');
  await ada.reconnected();
  await ada.writes('Great!');
  await here.sees('Great!');
  const stored = await assertSame(ada, here);
  assert.deepEqual(stored, ['My invoice is missing.', 'One moment.', 'I have found it.', 'Great!']);
});

test('the list is gone through by keys', async (t) => {
  const site = await startSite();
  const names = ['Ada', 'Bob', 'Cem'].map(named);
  for (const name of names) await customer(t, site, name, { message: `This is ${name}.` });
  const here = await openDesk(t, site, sam);
  const { keyboard } = here.page;
  const isAt = (name) => eventually(async () => assert.ok(await here.row(name).evaluate((row) => row === document.activeElement)));
  await here.row(names[2]).waitFor();
  await keyboard.press('j');
  await isAt(names[2]);
  await keyboard.press('j');
  await keyboard.press('ArrowDown');
  await isAt(names[0]);
  await keyboard.press('k');
  await isAt(names[1]);
  await keyboard.press('Enter');
  await here.inRoom(names[1]);
  // In the field letters are letters.
  await keyboard.type('jk');
  await eventually(async () => assert.equal(await here.composer.inputValue(), 'jk'));
  await keyboard.press('Escape');
  await isAt(names[1]);
  assert.equal(here.path, '/staff');
  await keyboard.press('Enter');
  await here.inRoom(names[1]);
  assert.equal(await here.composer.inputValue(), 'jk');
  await here.page.goBack();
  await isAt(names[1]);
});

test('closed conversations are loaded as far as one looks', async (t) => {
  const site = await startSite();
  const name = named('Ada');
  const ada = await customer(t, site, name);
  for (let number = 1; number <= 60; number += 1) {
    await ada.writes(`number ${number}`);
    await ada.ok('close_room', {});
  }
  const here = await openDesk(t, site, sam);
  await here.show('Closed');
  const rows = here.rows.getByRole('link');
  await eventually(async () => assert.equal(await rows.count(), 50));
  await rows.last().scrollIntoViewIfNeeded();
  await eventually(async () => assert.equal(await rows.count(), 60));
});

test('a conversation that cannot be had any more disappears', async (t) => {
  let tap;
  const { name, here } = await begin(t, {
    options: { beforeVisit: async ({ page }) => { tap = await tapSockets(page); } },
  });
  await here.open(name);
  tap.answer = (event) =>
    (event === 'assign_room' ? { success: false, code: 'access_denied', message: 'Access denied to this room' } : undefined);
  await here.button('Unassigned').click();
  await here.button('Assign to me', here.dialog).click();
  await here.heading('Choose a conversation').waitFor();
  await here.row(name).waitFor({ state: 'detached' });
  await here.reads('This conversation is not there any more.');
  assert.equal(here.path, '/staff');
  await here.visit('/staff/rooms/there-is-no-such-room');
  await here.heading('There is no such conversation').waitFor();
});

test('who is not of the staff is told so, and led back', async (t) => {
  const account = await makeAccount(server, 'alice');
  const window = await openAs(t, server, account);
  assert.equal(await window.page.getByRole('link', { name: 'Customer support' }).count(), 0);
  await window.visit('/staff');
  await window.heading('This page is for staff').waitFor();
  assert.equal(await window.page.getByRole('group', { name: 'Status' }).count(), 0);
  await window.button('To your conversations').click();
  await window.isSignedInAs(account.username);
  assert.equal(window.path, '/');
  await window.live();
});

test('staff find the console from their own conversations, and back', async (t) => {
  const profile = await openProfile(t, server);
  const window = await profile.open(`/#token=${sam.token}`);
  await window.live();
  await window.page.getByRole('link', { name: 'Customer support' }).click();
  await onDesk(window, sam);
  await window.page.getByRole('link', { name: 'To your own conversations' }).click();
  await window.conversations.waitFor({ state: 'attached' });
  assert.equal(window.path, '/');
});

test('a console whose token ends asks to sign in, and goes on with another', async (t) => {
  const short = staffMember('Kurt', { exp: now() + 4 });
  const name = named('Ada');
  const ada = await customer(t, server, name, { message: 'My invoice is missing.' });
  const here = await openDesk(t, server, short);
  here.profile.mayBeRefused(401);
  await here.open(name);
  await here.composer.fill('half an answer');
  await here.isSignedOut();
  await here.reads('Your session has ended.');
  const claims = { user_id: short.id, username: short.name, is_staff: true };
  await here.visit(`/staff/rooms/${ada.room}#token=${token(claims)}`);
  await here.inRoom(name);
  assert.equal(await here.composer.inputValue(), 'half an answer');
});

test('a change of person in one tab leaves nothing of the first in the other', async (t) => {
  const account = await makeAccount(server, 'alice');
  const { name, here } = await begin(t);
  await here.open(name);
  await here.composer.fill('of Sam alone');
  const tab2 = await here.profile.open('/');
  await tab2.isSignedInAs(sam.name);
  await tab2.signOut();
  await here.isSignedOut();
  await tab2.signIn(account);
  await here.heading('This page is for staff').waitFor();
  const all = await here.page.evaluate(() => document.documentElement.outerHTML + JSON.stringify({ ...localStorage, ...sessionStorage }));
  for (const secret of [name, 'My invoice is missing.', 'of Sam alone']) assert.ok(!all.includes(secret), secret);
  assert.equal(await here.page.title(), 'Confab');
});

test('on a phone the list gives way to the conversation', async (t) => {
  const { name, here } = await begin(t, { options: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } });
  await here.row(name).tap();
  await here.inRoom(name);
  await here.row(name).waitFor({ state: 'hidden' });
  await here.button('Back').tap();
  await here.row(name).waitFor();
  assert.equal(here.path, '/staff');
});
