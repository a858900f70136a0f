// Messages of one's own on their way: shown at once, and what becomes of them.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { openNetwork, tapSockets } from './sockets.mjs';
import {
  assertSameHistory, eventually, history, makeAccount, makeRoom, named, openAs, openProfile, plainClient, startSite,
} from './support.mjs';

let server;
before(async () => { server = await startSite(); });

async function scene(t, site = server) {
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => makeAccount(site, name)));
  const client = await plainClient(t, site, bob);
  const room = await makeRoom(client, named('Room'), { participants: [alice.user.id] });
  return { alice, bob, client, room, path: `/rooms/${room.id}` };
}

async function openTapped(t, account, { room, path }) {
  const profile = await openProfile(t, server);
  const window = await profile.newTab();
  const tap = await tapSockets(window.page);
  await window.visit(path);
  await window.signIn(account);
  await window.ready(room.name);
  return { window, tap };
}

const ofMine = (text) => ({ event, data }) => ['chat_message', 'new_message'].includes(event)
  && JSON.stringify(data).includes(text);

test('a message is shown as being sent until the server has it', async (t) => {
  const { alice, room, path } = await scene(t);
  const { window, tap } = await openTapped(t, alice, { room, path });
  tap.hold(ofMine('on its way'));
  await window.send('on its way');
  await window.message('on its way', 'sending').waitFor();
  await window.message('on its way', 'sending').getByText('Sending').waitFor();
  assert.equal(await window.composer.inputValue(), '');
  await window.send('right behind it');
  assert.deepEqual(await window.texts(), ['on its way', 'right behind it']);
  // The server has it by now; that it does is what is not known here. The next one waits, lest it overtakes.
  await eventually(async () => assert.equal((await history(server, alice.access_token, room.id)).length, 1));
  assert.equal(await window.unsent(), 2);
  tap.release();
  await window.sees('on its way');
  await window.sees('right behind it');
  assert.equal(await window.list.getByText('Sending').count(), 0);
  await assertSameHistory(server, alice, room.id, window);
});

test('what others write meanwhile finds its place and nothing is shown twice', async (t) => {
  const { alice, client, room, path } = await scene(t);
  const { window, tap } = await openTapped(t, alice, { room, path });
  await client.ok('join_room', { room_id: room.id });
  tap.hold(ofMine('mine'));
  await window.send('mine');
  await client.waitFor('new_message', { message: 'mine' });
  await client.say(room.id, [], 'of another');
  tap.release();
  await window.sees('of another');
  assert.deepEqual(await assertSameHistory(server, alice, room.id, window), ['mine', 'of another']);
});

test('a message that is refused says why and can be sent again or deleted', async (t) => {
  const { alice, room, path } = await scene(t);
  const { window, tap } = await openTapped(t, alice, { room, path });
  const refusal = { success: false, code: 'access_denied', message: 'No.' };
  tap.answer = (event) => (event === 'chat_message' ? refusal : undefined);
  for (const text of ['sent again', 'deleted']) {
    await window.send(text);
    await window.message(text, 'failed').getByText('Not sent. You may not do this.').waitFor();
  }
  await window.button('Delete', window.message('deleted')).click();
  await window.message('deleted').waitFor({ state: 'detached' });
  tap.answer = () => undefined;
  await window.button('Retry', window.message('sent again')).click();
  await window.sees('sent again');
  // With the same id: it may have been stored all the same.
  const ids = tap.sent.filter(([event, { message }]) => event === 'chat_message' && message === 'sent again')
    .map(([, { client_id }]) => client_id);
  assert.equal(ids.length, 2);
  assert.equal(new Set(ids).size, 1);
  assert.deepEqual(await assertSameHistory(server, alice, room.id, window), ['sent again']);
});

test('a message whose acknowledgement was lost is stored once', async (t) => {
  const { alice, room, path } = await scene(t);
  const { window, tap } = await openTapped(t, alice, { room, path });
  await window.send('before');
  await window.sees('before');
  tap.sent.length = 0;
  tap.hold(ofMine('lost and found'));
  await window.send('lost and found');
  await eventually(() => assert.ok(tap.isHolding));
  window.profile.mayLoseConnections();
  tap.breakOff();
  await window.sees('lost and found');
  assert.deepEqual(await assertSameHistory(server, alice, room.id, window), ['before', 'lost and found']);
  const rejoin = tap.sent.find(([event]) => event === 'join_room');
  assert.deepEqual(rejoin?.[1], { room_id: room.id, since: 1 });
  const ids = tap.sent.filter(([event]) => event === 'chat_message').map(([, { client_id }]) => client_id);
  assert.equal(new Set(ids).size, 1);
});

test('what is written faster than allowed waits with a countdown and goes out by itself in order', async (t) => {
  const limited = await startSite({ rate_limit_messages: 3, rate_limit_window_seconds: 6 });
  const { alice, bob, room, path } = await scene(t, limited);
  const here = await openAs(t, limited, alice, path);
  await here.ready(room.name);
  const there = await openAs(t, limited, bob, path);
  await there.ready(room.name);

  const texts = Array.from({ length: 8 }, (_, index) => `message ${index + 1}`);
  for (const text of texts) await here.send(text);
  await here.message('message 8', 'waiting').getByText(/^Goes out in [1-6] s$/).waitFor();
  await here.reads(/^You can send again in [1-6] s\. What you write meanwhile goes out by itself\.$/);
  await here.message('message 8').getByText('Goes out in 1 s').waitFor();
  assert.deepEqual(await here.texts(), texts);
  // One may go on writing, and what is being written stays in its field.
  await here.composer.pressSequentially('still being written');
  await here.message('message 6', 'sent').waitFor({ timeout: 15_000 });
  assert.equal(await here.composer.inputValue(), 'still being written');
  await there.message('message 8', 'sent').waitFor({ timeout: 20_000 });
  assert.equal(await here.composer.inputValue(), 'still being written');
  await here.composer.press('Enter');
  await there.message('still being written', 'sent').waitFor({ timeout: 20_000 });
  const stored = await assertSameHistory(limited, alice, room.id, here, there);
  assert.deepEqual(stored, [...texts, 'still being written']);
});

test('waiting messages go on waiting in another room of the same window and lose nothing', async (t) => {
  const limited = await startSite({ rate_limit_messages: 2, rate_limit_window_seconds: 5 });
  const { alice, client, room, path } = await scene(t, limited);
  const other = await makeRoom(client, named('Other'), { participants: [alice.user.id] });
  const window = await openAs(t, limited, alice, path);
  await window.ready(room.name);
  for (const text of ['one', 'two', 'three']) await window.send(text);
  await window.message('three', 'waiting').waitFor();
  await window.conversation(other.name).click();
  await window.ready(other.name);
  await window.send('four');
  await window.message('four', 'waiting').waitFor();
  await window.sees('four');
  await window.conversation(room.name).click();
  await window.sees('three');
  assert.deepEqual(await assertSameHistory(limited, alice, room.id, window), ['one', 'two', 'three']);
});

test('leaving the page asks while something is not sent', async (t) => {
  const { alice, room, path } = await scene(t);
  const { window, tap } = await openTapped(t, alice, { room, path });
  tap.hold(ofMine('not yet'));
  await window.send('not yet');
  const asked = new Promise((resolve) => { window.page.once('dialog', resolve); });
  const closing = window.page.close({ runBeforeUnload: true });
  const dialog = await asked;
  assert.equal(dialog.type(), 'beforeunload');
  await dialog.dismiss();
  await closing;
  tap.release();
  await window.sees('not yet');
});

test('what was written while the connection was gone goes out after a reload, once', async (t) => {
  const { alice, room, path } = await scene(t);
  const { window, tap } = await openTapped(t, alice, { room, path });
  tap.hold(ofMine('in between'));
  await window.send('in between');
  await eventually(() => assert.ok(tap.isHolding));
  // The server has it, and the page does not know.
  window.page.once('dialog', (dialog) => dialog.accept());
  await window.page.reload();
  await window.ready(room.name);
  await window.sees('in between');
  assert.deepEqual(await assertSameHistory(server, alice, room.id, window), ['in between']);

  const profile = await openProfile(t, server);
  profile.mayLoseConnections();
  profile.network = await openNetwork(server);
  const other = await profile.open(path);
  await other.signIn(alice);
  await other.ready(room.name);
  profile.network.cut();
  await other.phase('reconnecting');
  await other.send('never left');
  await other.message('never left', 'sending').waitFor();
  profile.network.mend();
  other.page.once('dialog', (dialog) => dialog.accept());
  await other.page.reload();
  await other.sees('never left');
  assert.deepEqual(await assertSameHistory(server, alice, room.id, window, other), ['in between', 'never left']);
});
