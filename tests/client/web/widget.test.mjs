// The support widget on a page of another site, with a strict policy and rude styles; at the desk somebody without a screen.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { now } from '../support/clients.mjs';
import { eventually } from './support.mjs';
import { asked, openDesk, openForgetful, openVisitor, said, startSite, tokenOf } from './widget-site.mjs';

let site;
before(async () => { site = await startSite(); });

/** A visitor who has written `text`, and what the desk heard of it. */
async function openWriting(t, desk, text, query = {}, options = {}) {
  const visitor = await openVisitor(t, site, options);
  const tab = await visitor.open(query);
  await tab.toggle();
  await tab.send(text);
  const { room_id } = await said(desk, text);
  await tab.sees(text);
  return { visitor, tab, room_id };
}

describe('a conversation', () => {
  test('a page that shows the widget makes no guest and no connection, nor does opening it', async (t) => {
    const tab = await (await openVisitor(t, site)).open();
    await tab.launcher.waitFor();
    assert.deepEqual(tab.requests.filter((path) => /mount|esm/.test(path)), []);
    await tab.toggle();
    await tab.frame.getByText('Hello! How can we help?').waitFor();
    assert.deepEqual(asked(tab), []);
  });

  test('a guest writes and staff answer; what comes while it is closed is counted on the button', async (t) => {
    const desk = await openDesk(t, site);
    const { tab, room_id } = await openWriting(t, desk, 'Is the fern in stock?');
    await tab.frame.getByText('We have your message and will answer here').waitFor();
    await desk.ok('view_room', { room_id });
    await desk.ok('typing', { room_id, is_typing: true });
    await tab.typing.filter({ hasText: 'typing…' }).waitFor();
    await desk.ok('admin_message', { room_id, content: 'It is!' });
    await tab.sees('It is!');
    await tab.frame.getByText('You are talking with Sam').waitFor();
    await desk.waitFor('room_activity', { room_id, action: 'read', is_staff: false });
    await desk.ok('mark_read', { room_id, seq: 1 });
    await tab.frame.getByText('Seen').waitFor();

    await tab.page.evaluate(() => { globalThis.Confab.on('unread', (count) => { globalThis.unread = count; }); });
    await tab.toggle();
    for (const content of ['How many?', 'And where to?']) await desk.ok('admin_message', { room_id, content });
    await tab.badge.getByText('2', { exact: true }).waitFor();
    assert.equal(await tab.launcher.getAttribute('aria-label'), 'Chat with us, 2 unread');
    assert.equal(await tab.page.evaluate(() => globalThis.unread), 2);
    await tab.toggle();
    await tab.badge.waitFor({ state: 'hidden' });
    await eventually(async () => assert.equal(await tab.page.evaluate(() => globalThis.unread), 0));
    assert.deepEqual(await tab.texts(), ['Is the fern in stock?', 'It is!', 'How many?', 'And where to?']);
  });

  test('typing is told to staff', async (t) => {
    const desk = await openDesk(t, site);
    const { tab, room_id } = await openWriting(t, desk, 'Do you hear me type?');
    await tab.composer.pressSequentially('a word');
    await desk.waitFor('room_activity', { room_id, action: 'typing', is_typing: true });
  });

  test('the next page goes on where this one was, with the draft, and with what could not be sent', async (t) => {
    const desk = await openDesk(t, site);
    const { visitor, tab, room_id } = await openWriting(t, desk, 'The first');
    visitor.mayLoseConnections();
    await visitor.context.setOffline(true);
    await tab.frame.getByText('You are offline.').waitFor();
    await tab.send('Written in a tunnel');
    await tab.message('Written in a tunnel', 'sending').waitFor();
    await tab.composer.fill('Half a');
    await visitor.context.setOffline(false);
    await said(desk, 'Written in a tunnel');
    await tab.visit();
    await desk.ok('admin_message', { room_id, content: 'You were gone' });
    await tab.badge.getByText('1', { exact: true }).waitFor();
    await tab.toggle();
    await tab.sees('You were gone');
    assert.deepEqual(await tab.texts(), ['The first', 'Written in a tunnel', 'You were gone']);
    assert.equal(await tab.composer.inputValue(), 'Half a');
    assert.equal(desk.all('new_customer_message', { room_id }).length, 2);
  });

  test('where the browser lets it keep nothing it works all the same, for as long as the page', async (t) => {
    const desk = await openDesk(t, site);
    const tab = await (await openForgetful(t, site)).open();
    await tab.toggle();
    await tab.send('In private');
    const { room_id } = await said(desk, 'In private');
    await desk.ok('admin_message', { room_id, content: 'Nobody will know' });
    await tab.sees('Nobody will know');
    await tab.visit();
    await tab.toggle();
    await tab.frame.getByText('Hello! How can we help?').waitFor();
  });

  test('after its end the next message begins another one, below it', async (t) => {
    const desk = await openDesk(t, site);
    const { tab, room_id } = await openWriting(t, desk, 'That was all');
    await desk.ok('close_room', { room_id });
    await tab.frame.getByText('This conversation has ended').waitFor();
    await tab.send('One more thing');
    const next = await said(desk, 'One more thing');
    assert.notEqual(next.room_id, room_id);
    await tab.frame.getByText('New conversation', { exact: true }).waitFor();
    assert.deepEqual(await tab.texts(), ['That was all', 'One more thing']);
  });

  test('older messages come as one goes up', async (t) => {
    const desk = await openDesk(t, site);
    const { tab, room_id } = await openWriting(t, desk, 'number 0');
    for (let number = 1; number < 90; number += 1) await desk.ok('admin_message', { room_id, content: `number ${number}` });
    await tab.visit();
    await tab.toggle();
    await tab.message('number 89').waitFor();
    assert.equal(await tab.message('number 20').count(), 0);
    await tab.log.evaluate((log) => { log.scrollTop = 0; });
    await tab.message('number 20').waitFor();
    const top = await tab.message('number 40').boundingBox();
    assert.ok(top && top.y > 0 && top.y < 700, 'the list stands where it was');
    await tab.log.evaluate((log) => { log.scrollTop = 0; });
    await tab.message('number 0').waitFor();
    assert.equal((await tab.texts()).length, 90);
  });

  test('who they are, if they say so, is what staff see', async (t) => {
    const desk = await openDesk(t, site);
    const tab = await (await openVisitor(t, site)).open();
    await tab.toggle();
    await tab.frame.getByRole('button', { name: 'Add your name or e-mail (optional)' }).click();
    await tab.frame.getByLabel('Your name').fill('Ann Example');
    await tab.frame.getByLabel('Your e-mail address').fill('nothing');
    await tab.frame.getByRole('button', { name: 'Save' }).click();
    await tab.frame.getByText('This is no e-mail address').waitFor();
    await tab.frame.getByLabel('Your e-mail address').fill('ann@example.com');
    await tab.frame.getByRole('button', { name: 'Save' }).click();
    await tab.frame.getByText('You are writing as Ann Example').waitFor();
    assert.deepEqual(asked(tab), []);
    await tab.send('Here I am');
    const { room_id } = await said(desk, 'Here I am');
    const { rooms } = await desk.ok('get_rooms', {});
    const { customer_name, customer_email } = rooms.find(({ id }) => id === room_id);
    assert.deepEqual([customer_name, customer_email], ['Ann Example', 'ann@example.com']);
  });

  test('a text is never more than a text, and addresses in it are links', async (t) => {
    const desk = await openDesk(t, site);
    const { tab, room_id } = await openWriting(t, desk, 'Which link?');
    await desk.ok('admin_message', { room_id, content: 'See example.com/ferns, not <img src=x onerror=alert(1)> or javascript:alert(1)' });
    const link = tab.log.getByRole('link', { name: 'example.com/ferns' });
    await link.waitFor();
    assert.equal(await link.getAttribute('href'), 'https://example.com/ferns');
    assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow');
    assert.equal(await tab.log.locator('img, a').count(), 1);
  });

  test('a message that the limit holds back says for how long, and goes out by itself', async (t) => {
    const limited = await startSite({ rate_limit_messages: 1, rate_limit_window_seconds: 3 });
    const desk = await openDesk(t, limited);
    const tab = await (await openVisitor(t, limited)).open();
    await tab.toggle();
    await tab.send('One');
    await tab.sees('One');
    await tab.send('Two');
    await tab.message('Two', 'waiting').waitFor();
    await tab.frame.getByText(/It is sent in \d s/).waitFor();
    await said(desk, 'Two');
    await tab.sees('Two');
  });
});

describe('signing in and out', () => {
  test('the guest goes on as the user in all tabs, and after signing out nothing is left in any', async (t) => {
    const desk = await openDesk(t, site);
    const { visitor, tab, room_id } = await openWriting(t, desk, 'As a guest');
    const other = await visitor.open();
    await other.toggle();
    await other.sees('As a guest');
    await other.composer.fill('A draft in the other tab');

    await tab.call('signIn', tokenOf('clara'));
    // Until then what is written is the guest's.
    await desk.waitFor('room_activity', { room_id, action: 'linked' });
    await tab.send('As Clara');
    const { message } = await said(desk, 'As Clara');
    assert.equal(message.room_id, room_id);
    assert.equal(message.user_id, 'clara');
    for (const each of [tab, other]) {
      await each.sees('As Clara');
      assert.deepEqual(await each.texts(), ['As a guest', 'As Clara']);
    }
    assert.equal(await other.composer.inputValue(), 'A draft in the other tab');

    await other.call('signOut');
    for (const each of [tab, other]) {
      await each.frame.getByText('Hello! How can we help?').waitFor();
      assert.deepEqual(await each.texts(), []);
      assert.equal(await each.composer.inputValue(), '');
      const kept = await each.page.frames()[1].evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
      assert.doesNotMatch(kept, /guest_|Clara|clara|draft/);
    }
    await tab.send('Somebody else');
    const next = await said(desk, 'Somebody else');
    assert.notEqual(next.room_id, room_id);
    assert.deepEqual(await tab.texts(), ['Somebody else']);
    await tab.visit();
    await tab.toggle();
    await tab.sees('Somebody else');
    assert.deepEqual(await tab.texts(), ['Somebody else']);
  });

  test('with a token on the page the conversation is the user’s, in every browser', async (t) => {
    const desk = await openDesk(t, site);
    const query = { token: tokenOf('dora') };
    const { tab: elsewhere, room_id } = await openWriting(t, desk, 'From here', query);
    await elsewhere.toggle();
    await desk.ok('admin_message', { room_id, content: 'To everywhere' });
    const tab = await (await openVisitor(t, site)).open(query);
    await tab.badge.getByText('1', { exact: true }).waitFor();
    await tab.toggle();
    await tab.sees('From here');
    assert.deepEqual(asked(tab).filter((path) => path === '/api/guest-sessions'), []);
  });

  test('a token that ends is asked for, and nothing is lost meanwhile', async (t) => {
    const desk = await openDesk(t, site);
    const visitor = await openVisitor(t, site);
    const tab = await visitor.open();
    await tab.call('open');
    await tab.page.evaluate((fresh) => {
      globalThis.Confab.onTokenNeeded(async () => { globalThis.wasAsked = true; return fresh; });
    }, tokenOf('emil'));
    await tab.call('signIn', tokenOf('emil', { exp: now() + 3 }));
    await tab.send('Before');
    await said(desk, 'Before');
    await tab.page.waitForFunction(() => globalThis.wasAsked, null, { timeout: 20_000 });
    await tab.send('After');
    const { message } = await said(desk, 'After');
    assert.equal(message.user_id, 'emil');
    assert.deepEqual(await tab.texts(), ['Before', 'After']);
  });

  test('a token that is no good is told to the site, on its console, and the guest stays', async (t) => {
    const desk = await openDesk(t, site);
    const { visitor, tab } = await openWriting(t, desk, 'A guest with a bad token');
    visitor.allowed.push(/status of 401/);
    await tab.call('signIn', 'not.a.token');
    await eventually(() => assert.match(tab.warnings.join('\n'), /Confab: the server refused the token/));
    assert.deepEqual(await tab.texts(), ['A guest with a bad token']);
    await tab.send('Still here');
    await said(desk, 'Still here');
  });
});

describe('a network that lets no socket through', () => {
  test('everything goes by requests, and by a socket again as soon as one gets through', async (t) => {
    const desk = await openDesk(t, site);
    const visitor = await openVisitor(t, site);
    visitor.mayLoseConnections();
    let isBlocked = true;
    await visitor.context.routeWebSocket(/\/socket\.io\//, (socket) => {
      if (isBlocked) socket.close();
      else socket.connectToServer();
    });
    await visitor.context.route(/\/socket\.io\//, (route) => (isBlocked ? route.abort() : route.continue()));
    const tab = await visitor.open();
    await tab.toggle();
    await tab.send('Over requests');
    const { room_id } = await said(desk, 'Over requests');
    await tab.live('rest');
    await desk.ok('admin_message', { room_id, content: 'Heard at once' });
    await tab.sees('Heard at once');
    await tab.send('And back');
    await said(desk, 'And back');
    await desk.waitFor('room_activity', { room_id, action: 'read', is_staff: false });

    await tab.visit();
    await tab.toggle();
    await tab.sees('And back');
    await tab.live('rest');
    isBlocked = false;
    // As it does by itself after a while.
    await tab.page.frames()[1].evaluate(() => globalThis.dispatchEvent(new Event('online')));
    await tab.live('socket');
    await desk.ok('admin_message', { room_id, content: 'Over a socket' });
    await tab.sees('Over a socket');
    assert.deepEqual(await tab.texts(), ['Over requests', 'Heard at once', 'And back', 'Over a socket']);
  });
});
