// The server and the network go and come back: what is shown of it, and that nothing is lost or doubled.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { openNetwork } from './sockets.mjs';
import {
  assertSameHistory, eventually, makeAccount, makeRoom, named, openProfile, plainClient, startSite, TALL,
} from './support.mjs';

let server;
before(async () => { server = await startSite({ ping_interval_seconds: 2, ping_timeout_seconds: 2 }); });

/** Both in bob's room, each in a window with a network of its own. */
async function together(t, site = server) {
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => makeAccount(site, name)));
  const client = await plainClient(t, site, bob);
  const room = await makeRoom(client, named('Room'), { participants: [alice.user.id] });
  client.close();
  const [here, there] = await Promise.all([alice, bob].map(async (account) => {
    const profile = await openProfile(t, site, TALL);
    profile.mayLoseConnections();
    profile.network = await openNetwork(site);
    const window = await profile.open(`/rooms/${room.id}`);
    await window.signIn(account);
    await window.ready(room.name);
    return window;
  }));
  await Promise.all([here.seesPerson(bob.username, 'Online'), there.seesPerson(alice.username, 'Online')]);
  return { alice, bob, room, here, there };
}

/** Writes message after message, whatever happens, until told to stop. */
class Writer {
  written = [];
  #isOver = false;

  constructor(window, name) { this.work = this.#write(window, name); }

  async #write(window, name) {
    while (!this.#isOver) {
      const text = `${name} ${this.written.length + 1}`;
      this.written.push(text);
      await window.send(text);
    }
  }

  /** Until so many more are written. */
  more(count) {
    const goal = this.written.length + count;
    return eventually(() => assert.ok(this.written.length > goal));
  }

  async stop() {
    this.#isOver = true;
    await this.work;
  }
}

const reconnecting = (window) => window.connection.getByText('Connection lost.').waitFor();

test('a server that is killed and comes back while both write loses and doubles nothing', async (t) => {
  const site = await startSite();
  const { alice, room, here, there } = await together(t, site);
  const writers = [new Writer(here, 'alice'), new Writer(there, 'bob')];
  const more = (count) => Promise.all(writers.map((writer) => writer.more(count)));
  try {
    for (const end of ['kill', 'stop']) {
      await more(4);
      await site[end]();
      await Promise.all([reconnecting(here), reconnecting(there)]);
      await more(4); // while nobody listens
      await site.restart();
      await Promise.all([here.live(), there.live()]);
    }
    await more(4);
  } finally {
    await Promise.all(writers.map((writer) => writer.stop()));
  }
  const stored = await assertSameHistory(site, alice, room.id, here, there);
  for (const [index, name] of ['alice', 'bob'].entries()) {
    assert.deepEqual(stored.filter((text) => text.startsWith(name)), writers[index].written);
  }
  assert.equal(stored.length, writers[0].written.length + writers[1].written.length);
});

test('a lost connection is shown with a countdown and tried at once when asked to', async (t) => {
  const { alice, room, here, there } = await together(t);
  here.profile.network.cut();
  await reconnecting(here);
  await here.connection.getByText(/Attempt \d+, (next in \d+ s|trying now…)/).waitFor();
  // The others see nothing of it, and go on.
  await there.send('meanwhile');
  await there.phase('live');
  // The waits grow, until there is time to see one counted down.
  const countdown = here.connection.getByText(/next in ([3-9]|\d\d) s/);
  await countdown.waitFor({ timeout: 30_000 });
  const seconds = async () => Number(/next in (\d+)/.exec(await here.connection.textContent())?.[1]);
  const first = await seconds();
  await eventually(async () => assert.ok(await seconds() < first));

  await countdown.waitFor({ timeout: 30_000 });
  here.profile.network.mend();
  await here.button('Try now').click();
  await here.phase('live', 2500);
  assert.equal(await here.connection.textContent(), '');
  assert.equal(await here.button('Try now').count(), 0);
  await here.sees('meanwhile');
  await here.send('back');
  await there.sees('back');
  await assertSameHistory(server, alice, room.id, here, there);
});

test('after a cut network the room is exactly what the server has', async (t) => {
  const { alice, room, here, there } = await together(t);
  for (const text of ['one', 'two']) await here.send(text);
  await there.sees('two');
  for (let outage = 1; outage <= 3; outage += 1) {
    here.profile.network.cut();
    await here.phase('reconnecting');
    for (const number of [1, 2, 3]) await there.send(`of bob ${outage}.${number}`);
    await here.send(`of alice ${outage}`);
    await here.message(`of alice ${outage}`, 'sending').waitFor();
    assert.equal(await here.message(`of bob ${outage}.1`).count(), 0);
    here.profile.network.mend();
    await here.live();
    await here.sees(`of alice ${outage}`);
    await there.sees(`of alice ${outage}`);
  }
  const stored = await assertSameHistory(server, alice, room.id, here, there);
  assert.equal(stored.length, 2 + 3 * 4);
});

test('a gap of more than a page leaves no hole', async (t) => {
  const { alice, bob, room, here, there } = await together(t);
  await here.send('before');
  await there.sees('before');
  here.profile.network.cut();
  await here.phase('reconnecting');
  const client = await plainClient(t, server, bob);
  for (let number = 1; number <= 130; number += 1) await client.say(room.id, [], `missed ${number}`);
  here.profile.network.mend();
  await here.sees('missed 130');
  assert.equal((await assertSameHistory(server, alice, room.id, here, there)).length, 131);
});

test('a connection that falls silent is given up and made again', async (t) => {
  const { alice, room, here, there } = await together(t);
  here.profile.network.silence();
  await there.send('into the silence');
  await here.send('out of it');
  await here.message('out of it', 'sending').waitFor();
  await here.live();
  await here.sees('into the silence');
  await there.sees('out of it');
  assert.equal(here.sockets.length > 1, true);
  await assertSameHistory(server, alice, room.id, here, there);
});

test('a browser that is offline says so and sends what was written once when it is back', async (t) => {
  const { alice, room, here, there } = await together(t);
  await here.profile.context.setOffline(true);
  here.profile.network.cut();
  await here.phase('offline');
  await here.connection.getByText('You are offline. Confab comes back when your network does.').waitFor();
  assert.equal(await here.button('Try now').count(), 0);
  for (const text of ['written offline', 'and more']) {
    await here.send(text);
    await here.message(text, 'sending').waitFor();
  }
  await there.send('meanwhile');
  here.profile.network.mend();
  await here.profile.context.setOffline(false);
  await here.live();
  await here.sees('and more');
  const stored = await assertSameHistory(server, alice, room.id, here, there);
  assert.deepEqual(stored, ['meanwhile', 'written offline', 'and more']);
});

test('who is online is right again after an outage', async (t) => {
  const { bob, here, there } = await together(t);
  here.profile.network.cut();
  await here.phase('reconnecting');
  await there.page.close();
  here.profile.network.mend();
  await here.live();
  await here.seesPerson(bob.username, 'Last seen');
});

test('a page that is opened while the server is gone waits and then shows its room', async (t) => {
  const { alice, room, here } = await together(t);
  await here.send('still here');
  await here.sees('still here');
  // The page itself comes; what it asks for does not.
  await here.page.route(/\/(api|socket\.io)\//, (route) => route.abort('connectionrefused'));
  await here.page.reload();
  await here.page.getByRole('main', { name: 'Loading' }).waitFor();
  await here.page.unroute(/\/(api|socket\.io)\//);
  await here.isSignedInAs(alice.username);
  await here.ready(room.name);
  await here.sees('still here');
});
