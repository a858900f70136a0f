// One room: texts, links, emoji, who types, who is there, and what is being written.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  assertSameHistory, eventually, makeAccount, makeRoom, named, openAs, plainClient, startSite,
} from './support.mjs';

let server;
before(async () => { server = await startSite(); });

/** Two accounts, and a room of the second that both are in. */
async function scene(t) {
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => makeAccount(server, name)));
  const client = await plainClient(t, server, bob);
  const room = await makeRoom(client, named('Room'), { participants: [alice.user.id] });
  return { alice, bob, client, room };
}

/** The windows of both, in the room, each seeing the other. */
async function together(t) {
  const { alice, bob, client, room } = await scene(t);
  client.close();
  const path = `/rooms/${room.id}`;
  const [here, there] = await Promise.all([openAs(t, server, alice, path), openAs(t, server, bob, path)]);
  await Promise.all([here.ready(room.name), there.ready(room.name)]);
  await Promise.all([here.seesPerson(bob.username, 'Online'), there.seesPerson(alice.username, 'Online')]);
  return { alice, bob, room, here, there };
}

test('two people chat both ways', async (t) => {
  const { alice, room, here, there } = await together(t);
  await here.send('Hello Bob');
  await there.sees('Hello Bob');
  await there.send('Hello Alice');
  await here.sees('Hello Alice');
  await here.send('A second one');
  await there.sees('A second one');
  const stored = await assertSameHistory(server, alice, room.id, here, there);
  assert.deepEqual(stored, ['Hello Bob', 'Hello Alice', 'A second one']);
});

test('markup in a text stays text and runs nothing', async (t) => {
  const { here, there } = await together(t);
  const texts = [
    '<img src=x onerror="document.title=1"> & <b>bold</b>',
    '<script>document.title=2</script>',
    '&lt;i&gt; stays as it was written',
    '[a link](javascript:document.title=3)',
  ];
  for (const text of texts) {
    await here.send(text);
    await there.sees(text);
  }
  assert.deepEqual(await there.texts(), texts);
  assert.equal(await there.list.locator('img, b, i, script').count(), 0);
  assert.equal(await there.list.getByTestId('text').locator('a').count(), 0);
  assert.match(await there.page.title(), /· Confab$/);
});

test('links are links that give nothing away and other schemes are text', async (t) => {
  const { here, there } = await together(t);
  await here.send('see https://example.org/a?b=c#d, www.example.com and javascript:alert(1) or file:///etc/passwd');
  const links = there.list.getByTestId('text').getByRole('link');
  await links.first().waitFor();
  const attributes = (name) => links.evaluateAll((all, wanted) => all.map((link) => link.getAttribute(wanted)), name);
  assert.deepEqual(await links.allTextContents(), ['https://example.org/a?b=c#d', 'www.example.com']);
  assert.deepEqual(await attributes('href'), ['https://example.org/a?b=c#d', 'https://www.example.com']);
  assert.deepEqual(new Set(await attributes('target')), new Set(['_blank']));
  for (const rel of await attributes('rel')) {
    for (const word of ['noopener', 'noreferrer']) assert.ok(rel.split(' ').includes(word), rel);
  }
});

test('an emoji is put where the cursor stands', async (t) => {
  const { here, there } = await together(t);
  await here.composer.pressSequentially('good morning');
  for (let step = 0; step < 'morning'.length; step += 1) await here.composer.press('ArrowLeft');
  await here.button('Emoji').click();
  await here.dialog.getByRole('searchbox', { name: 'Search emoji' }).fill('rocket');
  await here.dialog.getByRole('gridcell').filter({ hasText: /^🚀$/u }).first().click();
  await eventually(async () => assert.equal(await here.composer.inputValue(), 'good 🚀morning'));
  await here.dialog.waitFor({ state: 'detached' });
  // The field has the cursor again, behind the emoji.
  await eventually(async () => assert.equal(await here.composer.evaluate((field) => field === document.activeElement), true));
  await here.page.keyboard.type(' ');
  await here.page.keyboard.press('Enter');
  await there.sees('good 🚀 morning');
});

test('one sees the other typing by name until the message comes or the field is empty', async (t) => {
  const { alice, bob, here, there } = await together(t);
  const bobTypes = here.typing.getByText(`${bob.username} is typing…`);
  const aliceTypes = there.typing.getByText(`${alice.username} is typing…`);
  await there.composer.pressSequentially('I am thinking');
  await bobTypes.waitFor();
  await here.composer.pressSequentially('So am I');
  await aliceTypes.waitFor();
  assert.equal(await here.typing.getByText(alice.username).count(), 0);
  await there.composer.press('Enter');
  await here.sees('I am thinking');
  await bobTypes.waitFor({ state: 'detached' });
  await here.composer.fill('');
  await aliceTypes.waitFor({ state: 'detached' });
});

test('who is there is shown with presence and when somebody was last there', async (t) => {
  const { alice, bob, here, there } = await together(t);
  await here.person(`${alice.username} (you)`).filter({ hasText: 'Online' }).waitFor();
  await here.person(bob.username).filter({ hasText: 'Owner' }).waitFor();
  await here.people.getByRole('heading', { name: 'Online — 2' }).waitFor();
  await here.reads('Public room · 2 people · 2 online');
  await there.page.close();
  await here.seesPerson(bob.username, 'Last seen just now');
  await here.people.getByRole('heading', { name: 'Offline — 1' }).waitFor();
  const again = await openAs(t, server, bob);
  await again.live();
  await here.seesPerson(bob.username, 'Online');
  await here.person(bob.username).getByRole('link').click();
  await here.reads(`Your first message to ${bob.username} begins the conversation.`);
});

test('a message may have several lines', async (t) => {
  const { here, there } = await together(t);
  const height = async () => (await here.composer.boundingBox()).height;
  const single = await height();
  await here.composer.pressSequentially('one');
  await here.composer.press('Shift+Enter');
  await here.composer.pressSequentially('  two');
  await here.composer.press('Shift+Enter');
  await here.composer.pressSequentially('three');
  assert.equal(await here.composer.inputValue(), 'one\n  two\nthree');
  assert.ok(await height() > single * 2);
  assert.equal(await here.list.getByTestId('message').count(), 0);
  await here.composer.press('Enter');
  await there.list.getByTestId('message').waitFor();
  const text = there.list.getByTestId('text');
  assert.equal(await text.evaluate((node) => node.innerText), 'one\n  two\nthree');
  assert.equal(await height(), single);
  assert.equal(await here.composer.inputValue(), '');
});

test('a text that is too long is not sent and nothing of it is lost', async (t) => {
  const { here } = await together(t);
  const long = 'x'.repeat(10_001);
  await here.composer.fill(long);
  await here.reads('1 character too many');
  await here.composer.press('Enter');
  assert.equal(await here.button('Send').isDisabled(), true);
  assert.equal(await here.composer.inputValue(), long);
  await here.composer.press('Backspace');
  await here.reads('0 characters left');
  await here.composer.press('Enter');
  await here.sees(long.slice(1));
});

test('what is being written is kept for each room over a reload and gone after signing out', async (t) => {
  const { alice, client, room } = await scene(t);
  const other = await makeRoom(client, named('Other'), { participants: [alice.user.id] });
  const here = await openAs(t, server, alice, `/rooms/${room.id}`);
  await here.ready(room.name);
  await here.composer.fill('half a thought');
  await here.conversation(other.name).click();
  await here.ready(other.name);
  assert.equal(await here.composer.inputValue(), '');
  await here.composer.fill('another\nthought');
  await here.conversation(room.name).click();
  await here.heading(room.name).waitFor();
  assert.equal(await here.composer.inputValue(), 'half a thought');

  await here.page.reload();
  await here.ready(room.name);
  assert.equal(await here.composer.inputValue(), 'half a thought');
  await here.conversation(other.name).click();
  await here.ready(other.name);
  assert.equal(await here.composer.inputValue(), 'another\nthought');
  await here.composer.press('Enter');
  await here.sees('another thought');
  await here.page.reload();
  await here.ready(other.name);
  assert.equal(await here.composer.inputValue(), '');

  await here.signOut();
  assert.doesNotMatch(await here.page.evaluate(() => JSON.stringify({ ...localStorage })), /half a thought/);
  await here.signIn(alice);
  await here.conversation(room.name).click();
  await here.ready(room.name);
  assert.equal(await here.composer.inputValue(), '');
});
