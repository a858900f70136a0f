// People in windows of the example frontend, chatting. What they see is compared with what the server has stored.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, test } from 'node:test';
import { connect, token } from '../support/clients.mjs';
import { assertSameHistory, keepsWriting, scene, together } from './session.mjs';
import { eventually, openWindow, startSite } from './support.mjs';

let server;
before(async () => { server = await startSite(); });

test('two_windows_chat_both_ways', async (t) => {
  const { alice: aliceToken, room, ...rest } = scene();
  const { alice, bob } = await together(t, server, { alice: aliceToken, room, ...rest });

  await alice.send('Hello Bob');
  await bob.sees('Hello Bob');
  await bob.send('Hello Alice');
  await alice.sees('Hello Alice');
  await alice.send('A second one');
  await bob.sees('A second one');

  const stored = await assertSameHistory(server, aliceToken, room, alice, bob);
  assert.deepEqual(stored, ['Hello Bob', 'Hello Alice', 'A second one']);
  // The token that came in the address does not stay there.
  assert.equal(new URL(alice.page.url()).hash, `#room=${room}`);
  alice.assertNoFaults();
  bob.assertNoFaults();
});

test('text_is_shown_as_text', async (t) => {
  const { alice, bob } = await together(t, server, scene());
  const text = '<img src=x onerror="document.title=1"> & <b>bold</b>';
  await alice.send(text);
  await bob.sees(text);
  assert.equal(await bob.list.locator('img, b').count(), 0);
  bob.assertNoFaults();
});

test('each_sees_the_other_typing_by_name', async (t) => {
  const { alice, bob } = await together(t, server, scene());

  await bob.composer.pressSequentially('I am thinking');
  await alice.typing.getByText('bob is typing…').waitFor();
  await alice.composer.pressSequentially('So am I');
  await bob.typing.getByText('alice is typing…').waitFor();

  await bob.composer.press('Enter');
  await alice.sees('I am thinking');
  await alice.typing.getByText('bob is typing…').waitFor({ state: 'hidden' });
  await alice.composer.fill('');
  await bob.typing.getByText('alice is typing…').waitFor({ state: 'hidden' });
});

test('presence_follows_a_window_that_closes_and_comes_back', async (t) => {
  const tokens = scene();
  const { alice, bob } = await together(t, server, tokens);

  await bob.context.close();
  await alice.seesPerson('bob', 'offline');
  const again = await openWindow(t, server, { token: tokens.bob, room: tokens.room });
  await alice.seesPerson('bob', 'online');
  await again.ready();
  alice.assertNoFaults();
});

test('private_message_reaches_the_other_in_another_room', async (t) => {
  const tokens = scene();
  const alice = await openWindow(t, server, { token: tokens.alice, room: tokens.room });
  const bob = await openWindow(t, server, { token: tokens.bob, room: `${tokens.room}-elsewhere` });
  await Promise.all([alice.ready(), bob.ready()]);

  // By keyboard: the button, the two fields, and send.
  await alice.page.getByText('Message', { exact: true }).press('Enter');
  await alice.page.getByRole('textbox', { name: 'User id' }).fill('two');
  await alice.page.getByRole('textbox', { name: 'Private message' }).fill('Between us');
  await alice.page.getByRole('button', { name: 'Send privately' }).press('Enter');
  await alice.sees('Between us');
  await alice.page.getByRole('heading', { name: 'bob' }).waitFor();

  const toast = bob.toasts.getByRole('link').filter({ hasText: 'Between us' });
  await toast.filter({ hasText: 'alice' }).waitFor();
  const conversation = bob.conversation('alice');
  await conversation.filter({ hasText: 'Between us' }).getByLabel('1 unread').waitFor();
  await toast.click();
  await bob.sees('Between us');
  await conversation.getByLabel('1 unread').waitFor({ state: 'hidden' });

  await bob.send('Nobody else reads this');
  await alice.sees('Nobody else reads this');
  alice.assertNoFaults();
  bob.assertNoFaults();
});

test('older_messages_come_on_demand_and_nothing_jumps', async (t) => {
  const tokens = scene();
  const client = await connect(server.url, { token: tokens.bob });
  await client.ok('join_room', { room_id: tokens.room });
  for (let number = 1; number <= 120; number += 1) await client.say(tokens.room, [], `number ${number}`);
  client.close();

  const alice = await openWindow(t, server, { token: tokens.alice, room: tokens.room });
  await alice.sees('number 120');
  assert.equal((await alice.texts()).length, 50);
  const older = alice.page.getByRole('button', { name: 'Load older messages' });
  const shown = alice.message('number 75');
  for (const count of [100, 120]) {
    await older.scrollIntoViewIfNeeded();
    const { y } = await shown.boundingBox();
    await older.click();
    await eventually(async () => assert.equal((await alice.texts()).length, count));
    // What was there stands where it stood.
    if (count === 100) assert.ok(Math.abs((await shown.boundingBox()).y - y) < 2);
  }
  await older.waitFor({ state: 'detached' });
  await assertSameHistory(server, tokens.alice, tokens.room, alice);
});

test('message_whose_acknowledgement_was_lost_is_stored_once', async (t) => {
  const tokens = scene();
  const alice = await openWindow(t, server);
  const sent = [];
  let lost = 0;
  await alice.page.routeWebSocket(/socket\.io/, (socket) => {
    const upstream = socket.connectToServer();
    socket.onMessage((frame) => {
      const [, body] = /^42\d*(\[.*\])$/s.exec(frame) ?? [];
      if (body) sent.push(JSON.parse(body));
      upstream.send(frame);
    });
    upstream.onMessage((frame) => {
      const stored = String(frame).includes('"lost and found"');
      if (lost > 0 || !stored) return socket.send(frame);
      // It is stored, and the window is never told: the connection breaks instead.
      lost += 1;
      upstream.close();
      socket.close();
    });
  });
  await alice.visit({ token: tokens.alice, room: tokens.room });
  await alice.page.reload(); // the route is for connections made after it was set
  await alice.ready();
  await alice.send('before');
  await alice.sees('before');
  sent.length = 0;

  await alice.send('lost and found');
  await alice.sees('lost and found');
  await assertSameHistory(server, tokens.alice, tokens.room, alice);
  assert.deepEqual(await alice.texts(), ['before', 'lost and found']);

  assert.equal(lost, 1);
  // Back in the room it asked for what it had missed, and no more.
  const rejoin = sent.find(([event]) => event === 'join_room');
  assert.deepEqual(rejoin?.[1], { room_id: tokens.room, since: 1 });
  // And sent again what was not acknowledged, as the same message.
  const attempts = sent.filter(([event]) => event === 'chat_message').map(([, { client_id }]) => client_id);
  assert.equal(attempts.length, 2);
  assert.equal(new Set(attempts).size, 1);
});

test('windows_show_the_exact_history_after_a_crash_and_a_restart', async (t) => {
  const tokens = scene();
  const { alice, bob } = await together(t, server, tokens);

  const writer = keepsWriting(alice);
  const outage = async (name, end) => {
    await writer.more(5);
    await end();
    await Promise.all([alice.reconnecting(), bob.reconnecting()]);
    await writer.more(5); // written while nobody listens
    await bob.send(`bob during the ${name}`);
    await alice.page.getByText('Connection lost').waitFor();
    await server.restart();
    await Promise.all([alice.live(), bob.live()]);
    await Promise.all([alice, bob].map((window) => window.sees(`bob during the ${name}`)));
  };

  try {
    await outage('crash', () => server.kill());
    await outage('restart', () => server.stop());
    await writer.more(5);
  } finally {
    await writer.stop();
  }
  await bob.message(writer.written.at(-1), 'sent').waitFor({ timeout: 30_000 });

  const stored = await assertSameHistory(server, tokens.alice, tokens.room, alice, bob);
  assert.deepEqual(stored.filter((text) => text.startsWith('line')), writer.written);
  assert.equal(stored.length, writer.written.length + 2);
  alice.assertNoFaults({ lostConnections: true });
  bob.assertNoFaults({ lostConnections: true });
});

test('guest_is_told_and_makes_a_room_of_their_own', async (t) => {
  const guest = await openWindow(t, server);
  await guest.live();
  await guest.page.getByRole('heading', { name: 'Welcome, guest' }).waitFor();
  await guest.page.getByText('You can make a room of your own').waitFor();
  const me = guest.page.getByTestId('me');
  const name = await me.getByText(/^Guest ./).textContent();

  await guest.page.getByText('New room', { exact: true }).click();
  await guest.page.getByRole('textbox', { name: 'Room name' }).fill('A corner');
  await guest.page.getByRole('button', { name: 'Create room' }).click();
  await guest.page.getByRole('heading', { name: 'A corner' }).waitFor();
  await guest.send('Only me here');
  await guest.sees('Only me here');
  await guest.conversation('A corner').filter({ hasText: 'Only me here' }).waitFor();

  // The same guest after a reload, and the room is open again.
  await guest.page.reload();
  await guest.sees('Only me here');
  await me.getByText(name, { exact: true }).waitFor();

  const owner = await connect(server.url, { token: token({ user_id: 9, username: 'owner' }) });
  const room = `room-${randomUUID()}`;
  await owner.ok('join_room', { room_id: room });
  owner.close();
  await guest.visit({ room });
  await guest.page.getByRole('alert').filter({ hasText: 'Access denied to this room' }).waitFor();
  await guest.page.getByText('Guests talk in rooms of their own').waitFor();
  guest.assertNoFaults();
});

test('refused_token_is_said_and_a_guest_can_go_on', async (t) => {
  const forged = token({ user_id: 1 }, { secret: 'another secret of 32 bytes or more' });
  const window = await openWindow(t, server, { token: forged });
  await window.connection.filter({ hasText: 'Signed out' }).waitFor();
  await window.page.getByRole('alert').filter({ hasText: 'unauthorized' }).waitFor();
  await window.page.getByRole('button', { name: 'Go on as a guest' }).click();
  await window.live();
  window.assertNoFaults();
});

test('rate_limit_counts_down_and_keeps_the_text', async (t) => {
  const limited = await startSite({ rate_limit_messages: 3, rate_limit_window_seconds: 6 });
  const tokens = scene();
  const alice = await openWindow(t, limited, { token: tokens.alice, room: tokens.room });
  await alice.ready();

  for (const text of ['one', 'two', 'three', 'one too many']) await alice.send(text);
  await alice.page.getByText('You can send again in').waitFor();
  await alice.message('one too many', 'pending').filter({ hasText: /Goes out in [1-6] s/ }).waitFor();
  await alice.page.getByRole('button', { name: /^[1-6] s$/ }).waitFor();
  // It counts down.
  await alice.page.getByRole('button', { name: '1 s', exact: true }).waitFor();

  await alice.composer.fill('still being written');
  await alice.composer.press('Enter');
  assert.equal(await alice.composer.inputValue(), 'still being written');
  await alice.sees('one too many');
  assert.equal(await alice.composer.inputValue(), 'still being written');
  await alice.page.getByRole('button', { name: 'Send', exact: true }).click();
  await alice.sees('still being written');

  const stored = await assertSameHistory(limited, tokens.alice, tokens.room, alice);
  assert.deepEqual(stored, ['one', 'two', 'three', 'one too many', 'still being written']);
  alice.assertNoFaults();
});
