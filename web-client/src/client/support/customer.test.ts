import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeBrowser, type FakeTab } from '../testing/fakes';
import { SupportServer } from '../testing/support-server';
import { type Customer, createCustomer } from './customer';

const NOBODY = { name: '', email: '' };
const pass = (ms = 50) => vi.advanceTimersByTimeAsync(ms);

let server: SupportServer;
let browser: FakeBrowser;
let open: Customer[];
let tokens: (string | null)[];
let refused: string[];

/** One page with the widget; `tab` to load it anew. */
function load(tab: FakeTab = browser.tab(), about = NOBODY): Customer {
  const customer = createCustomer({
    ...tab.env,
    fetch: server.fetch,
    openSocket: server.openSocket,
    askToken: async () => tokens.shift() ?? null,
    tokenRefused: ({ code }) => refused.push(code),
  });
  open.push(customer);
  customer.start(about);
  return customer;
}

const conversationOf = (customer: Customer) => customer.state.getState().conversation;
const stateOf = (customer: Customer) => conversationOf(customer).state.getState().conversation;
const texts = (customer: Customer) => {
  const { past, messages, outgoing } = stateOf(customer);
  return [...[...past, ...messages].map(({ message }) => message), ...outgoing.map(({ text }) => `… ${text}`)];
};
const stored = () => server.rooms.map(({ messages }) => messages.map(({ message }) => message));
const phase = (customer: Customer) => conversationOf(customer).link.getState();

function write(customer: Customer, text: string) {
  customer.wake();
  conversationOf(customer).send(text);
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new SupportServer();
  browser = new FakeBrowser();
  open = [];
  tokens = [];
  refused = [];
});
afterEach(() => {
  for (const customer of open) customer.dispose();
  vi.useRealTimers();
});

describe.each(['socket', 'rest'] as const)('over %s', (kind) => {
  beforeEach(() => {
    server.areSocketsBlocked = kind === 'rest';
  });

  it('a page that is only looked at asks the server for nothing', async () => {
    const customer = load();
    customer.setVisible(true);
    await pass(60_000);
    expect(server.asked).toEqual([]);
    expect(server.connects).toEqual([]);
    expect(customer.state.getState().who).toBe('nobody');
  });

  it('the first word makes a guest, and is stored once', async () => {
    const customer = load();
    write(customer, 'hello');
    expect(texts(customer)).toEqual(['… hello']);
    await pass();
    expect(phase(customer)).toEqual({ phase: 'live', by: kind });
    expect(stored()).toEqual([['hello']]);
    expect(texts(customer)).toEqual(['hello']);
    expect(server.guests.size).toBe(1);
    expect(stateOf(customer).status).toBe('waiting');
  });

  it('what staff answer is unread until it is looked at', async () => {
    const customer = load();
    write(customer, 'hello');
    await pass();
    server.reply('hi');
    server.reply('how are you?');
    await pass();
    expect(texts(customer)).toEqual(['hello', 'hi', 'how are you?']);
    expect(customer.state.getState().unread).toBe(2);
    expect(stateOf(customer).status).toBe('active');
    customer.setVisible(true);
    await pass();
    expect(customer.state.getState().unread).toBe(0);
    expect(server.rooms[0]?.customerRead).toBe(3);
  });

  it('the next page of the site goes on, and tells how much is unread', async () => {
    const tab = browser.tab();
    const first = load(tab);
    write(first, 'hello');
    await pass();
    first.dispose();
    server.reply('hi');
    const next = load(tab);
    await pass();
    expect(texts(next)).toEqual(['hello', 'hi']);
    expect(next.state.getState().unread).toBe(1);
    expect(server.guests.size).toBe(1);
  });

  it('what was missed while the connection was gone comes, and what was written goes out', async () => {
    const customer = load();
    write(customer, 'one');
    await pass();
    server.isReachable = false;
    server.cut();
    server.reply('two');
    await pass(3000);
    write(customer, 'three');
    write(customer, 'four');
    await pass(20_000);
    expect(texts(customer).slice(-2)).toEqual(['… three', '… four']);
    server.isReachable = true;
    await pass(60_000);
    expect(stored()).toEqual([['one', 'two', 'three', 'four']]);
    expect(texts(customer)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('a message whose answer was lost is stored once', async () => {
    const customer = load();
    write(customer, 'one');
    await pass();
    server.losesAnswer = true;
    write(customer, 'two');
    await pass(60_000);
    expect(stored()).toEqual([['one', 'two']]);
    expect(texts(customer)).toEqual(['one', 'two']);
  });

  it('what was not sent is sent after a reload, once', async () => {
    const tab = browser.tab();
    server.isReachable = false;
    const first = load(tab);
    write(first, 'one');
    conversationOf(first).setDraft('and then');
    await pass();
    first.dispose();
    server.isReachable = true;
    const next = load(tab);
    expect(texts(next)).toEqual(['… one']);
    expect(conversationOf(next).state.getState().draft).toBe('and then');
    await pass(10_000);
    expect(stored()).toEqual([['one']]);
  });

  it('after the end of a conversation the next message begins another, below the one before', async () => {
    const customer = load();
    write(customer, 'one');
    await pass();
    server.close();
    await pass();
    expect(stateOf(customer).status).toBe('closed');
    write(customer, 'two');
    await pass(2000);
    expect(stored()).toEqual([['one', 'sam closed the conversation'], ['two']]);
    expect(texts(customer)).toEqual(['one', 'sam closed the conversation', 'two']);
    expect(stateOf(customer).status).toBe('waiting');
    server.reply('three');
    await pass();
    expect(texts(customer).slice(-2)).toEqual(['two', 'three']);
  });

  it('the rate limit holds messages back, and loses none', async () => {
    const customer = load();
    write(customer, 'one');
    await pass();
    server.refuses = { success: false, code: 'rate_limited', message: 'wait', retry_after_ms: 30_000 };
    write(customer, 'two');
    write(customer, 'three');
    await pass();
    expect(stateOf(customer).outgoing.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
    expect(stateOf(customer).retry_at).toBeGreaterThan(Date.now() + 29_000);
    server.refuses = null;
    await pass(31_000);
    expect(stored()).toEqual([['one', 'two', 'three']]);
    expect(stateOf(customer).retry_at).toBeNull();
  });

  it('who one is, if one says so, is said before the first message', async () => {
    const customer = load(browser.tab(), { name: 'Ann', email: '' });
    conversationOf(customer).setAbout({ name: 'Ann', email: 'ann@example.com' });
    await pass();
    expect(server.asked).toEqual([]);
    write(customer, 'hello');
    await pass();
    expect(server.rooms).toMatchObject([{ name: 'Ann', email: 'ann@example.com' }]);
  });

  it('older messages are fetched, once', async () => {
    const tab = browser.tab();
    const first = load(tab);
    write(first, 'one');
    await pass();
    first.dispose();
    for (let number = 0; number < 80; number += 1) server.reply(`${number}`);
    const customer = load(tab);
    await pass();
    expect(texts(customer)).toHaveLength(50);
    conversationOf(customer).loadOlder();
    conversationOf(customer).loadOlder();
    await pass();
    expect(texts(customer)).toHaveLength(81);
    expect(stateOf(customer).has_older).toBe(false);
  });

  describe('signing in', () => {
    it('the guest goes on as the user, in the same conversation', async () => {
      const customer = load();
      write(customer, 'one');
      await pass();
      server.user('token', 7);
      await customer.signIn('token');
      await pass();
      expect(customer.state.getState().who).toBe('user');
      expect(texts(customer)).toEqual(['one']);
      write(customer, 'two');
      await pass();
      expect(stored()).toEqual([['one', 'two']]);
      expect(server.rooms[0]?.owner).toBe(7);
      expect(browser.local.entries.has('confab.support.guest')).toBe(false);
    });

    it('what was written as a guest and not sent is sent as the user, once', async () => {
      const customer = load();
      write(customer, 'one');
      await pass();
      server.losesAnswer = true;
      write(customer, 'two');
      server.isReachable = false;
      write(customer, 'three');
      await pass(1000);
      server.user('token', 7);
      void customer.signIn('token');
      await pass(1000);
      server.isReachable = true;
      await pass(60_000);
      expect(customer.state.getState().who).toBe('user');
      expect(stored()).toEqual([['one', 'two', 'three']]);
      expect(texts(customer)).toEqual(['one', 'two', 'three']);
    });

    it('a guest who is somebody else already is forgotten, and the user has their own conversation', async () => {
      const customer = load();
      write(customer, 'of somebody else');
      await pass();
      const other = server.user('other', 8);
      const [guest] = server.guests.values();
      server.user('token', 7);
      server.isReachable = false;
      server.cut();
      if (guest) guest.linkedTo = other.id;
      void customer.signIn('token');
      server.isReachable = true;
      await pass(60_000);
      expect(customer.state.getState().who).toBe('user');
      expect(texts(customer)).toEqual([]);
      write(customer, 'mine');
      await pass();
      expect(server.rooms.at(-1)).toMatchObject({ owner: 7 });
      expect(texts(customer)).toEqual(['mine']);
    });

    it('after a reload with the token everything is there, also what was not sent', async () => {
      const tab = browser.tab();
      server.user('token', 7);
      const first = load(tab);
      await first.signIn('token');
      write(first, 'one');
      await pass();
      server.isReachable = false;
      server.cut();
      write(first, 'two');
      first.dispose();
      server.isReachable = true;
      const next = load(tab);
      await pass();
      expect(texts(next)).toEqual([]);
      await next.signIn('token');
      await pass(5000);
      expect(texts(next)).toEqual(['one', 'two']);
      expect(stored()).toEqual([['one', 'two']]);
    });

    it('a token that ends is replaced by the site, and the conversation goes on', async () => {
      const user = server.user('old', 7);
      const customer = load();
      await customer.signIn('old');
      write(customer, 'one');
      await pass();
      server.tokens.delete('old');
      server.tokens.set('new', user);
      tokens = ['new'];
      for (const socket of [...server.sockets]) server.end(socket, 'token_expired');
      server.cut();
      await pass(30_000);
      write(customer, 'two');
      await pass(5000);
      expect(stored()).toEqual([['one', 'two']]);
      expect(customer.state.getState().problem).toBeNull();
    });

    it('without another token it says so, keeps what is written, and goes on when the site signs in again', async () => {
      const user = server.user('old', 7);
      const customer = load();
      await customer.signIn('old');
      write(customer, 'one');
      await pass();
      server.tokens.delete('old');
      for (const socket of [...server.sockets]) server.end(socket, 'token_expired');
      server.cut();
      await pass(30_000);
      expect(customer.state.getState().problem?.code).toBe('token_expired');
      write(customer, 'two');
      server.tokens.set('new', user);
      await customer.signIn('new');
      await pass(5000);
      expect(customer.state.getState().problem).toBeNull();
      expect(stored()).toEqual([['one', 'two']]);
    });

    it('a token that is no good changes nothing', async () => {
      const customer = load();
      write(customer, 'one');
      await pass();
      await customer.signIn('no good');
      await pass();
      expect(refused).toEqual(['token_expired']);
      expect(customer.state.getState().who).toBe('guest');
      expect(texts(customer)).toEqual(['one']);
    });

    it('another user sees nothing of the one before', async () => {
      server.user('a', 7);
      server.user('b', 8);
      const customer = load();
      await customer.signIn('a');
      write(customer, 'of a');
      await pass();
      conversationOf(customer).setDraft('a draft of a');
      await customer.signIn('b');
      await pass();
      expect(texts(customer)).toEqual([]);
      expect(conversationOf(customer).state.getState().draft).toBe('');
      write(customer, 'of b');
      await pass();
      expect(stored()).toEqual([['of a'], ['of b']]);
    });
  });

  describe('in two tabs', () => {
    it('both are the same guest', async () => {
      const [one, two] = [load(), load()];
      write(one, 'from one');
      write(two, 'from two');
      await pass(1000);
      expect(server.guests.size).toBe(1);
      expect(stored().flat().sort()).toEqual(['from one', 'from two']);
      expect(texts(one).sort()).toEqual(['from one', 'from two']);
      expect(texts(two)).toEqual(texts(one));
    });

    it('who signs in in one does so in the other, where they were a guest too', async () => {
      const one = load();
      write(one, 'one');
      await pass();
      const two = load();
      await pass();
      expect(texts(two)).toEqual(['one']);
      server.user('token', 7);
      await one.signIn('token');
      await pass(5000);
      expect(two.state.getState().who).toBe('user');
      expect(texts(two)).toEqual(['one']);
      write(two, 'two');
      await pass();
      expect(texts(one)).toEqual(['one', 'two']);
      expect(server.guests.size).toBe(1);
    });

    it('who signs out in one has left nothing in either', async () => {
      const tabs = [browser.tab(), browser.tab()];
      const [one, two] = tabs.map((tab) => load(tab)) as [Customer, Customer];
      write(one, 'secret');
      await pass();
      two.wake();
      conversationOf(two).setDraft('secret draft');
      await pass();
      server.isReachable = false;
      server.cut();
      write(two, 'secret unsent');
      await pass();
      one.signOut();
      await pass();
      for (const customer of [one, two]) {
        expect(customer.state.getState()).toMatchObject({ who: 'nobody', unread: 0 });
        expect(texts(customer)).toEqual([]);
        expect(conversationOf(customer).state.getState().draft).toBe('');
      }
      const kept = [browser.local, ...tabs.map(({ tab }) => tab)].flatMap(({ entries }) => [...entries.values()]);
      expect(kept.join()).not.toMatch(/secret/);
      server.isReachable = true;
      await pass(60_000);
      write(two, 'somebody new');
      await pass();
      expect(server.guests.size).toBe(2);
      expect(texts(two)).toEqual(['somebody new']);
      expect(stored()).toEqual([['secret'], ['somebody new']]);
    });

    it('a user is not signed out by a guest on another page of the site', async () => {
      server.user('token', 7);
      const one = load();
      await one.signIn('token');
      write(one, 'of the user');
      const two = load();
      write(two, 'of a guest');
      await pass(2000);
      expect(one.state.getState().who).toBe('user');
      expect(texts(one)).toEqual(['of the user']);
      expect(texts(two)).toEqual(['of a guest']);
    });

    it('another user in one clears the other', async () => {
      server.user('a', 7);
      server.user('b', 8);
      const [one, two] = [load(), load()];
      await one.signIn('a');
      await two.signIn('a');
      write(one, 'of a');
      await pass();
      expect(texts(two)).toEqual(['of a']);
      await one.signIn('b');
      await pass();
      expect(two.state.getState().who).toBe('nobody');
      expect(texts(two)).toEqual([]);
    });
  });
});

describe('where sockets are blocked', () => {
  it('requests do it, and a socket again as soon as one gets through', async () => {
    server.areSocketsBlocked = true;
    const tab = browser.tab();
    const customer = load(tab);
    write(customer, 'one');
    await pass();
    expect(phase(customer)).toEqual({ phase: 'live', by: 'rest' });
    server.areSocketsBlocked = false;
    await pass(40_000);
    expect(phase(customer)).toEqual({ phase: 'live', by: 'socket' });
    server.reply('two');
    write(customer, 'three');
    await pass();
    expect(texts(customer)).toEqual(['one', 'two', 'three']);
  });

  it('the next page begins with requests at once', async () => {
    server.areSocketsBlocked = true;
    const tab = browser.tab();
    const first = load(tab);
    write(first, 'one');
    await pass();
    first.dispose();
    const next = load(tab);
    await vi.advanceTimersByTimeAsync(0);
    expect(phase(next)).toEqual({ phase: 'live', by: 'rest' });
  });

  it('a socket that does not answer is not waited for', async () => {
    const customer = createCustomer({
      ...browser.tab().env,
      fetch: server.fetch,
      openSocket: () => new Promise(() => {}),
      askToken: async () => null,
      tokenRefused: () => {},
    });
    open.push(customer);
    customer.start(NOBODY);
    write(customer, 'one');
    await pass(7000);
    expect(stored()).toEqual([['one']]);
  });
});

it('where guests may not write it says so, and a user may', async () => {
  const customer = createCustomer({
    ...browser.tab().env,
    fetch: async (path, init) =>
      path === '/api/guest-sessions'
        ? new Response(JSON.stringify({ success: false, code: 'access_denied', message: 'no guests' }), { status: 403 })
        : server.fetch(path, init),
    openSocket: server.openSocket,
    askToken: async () => null,
    tokenRefused: () => {},
  });
  open.push(customer);
  customer.start(NOBODY);
  write(customer, 'one');
  await pass();
  expect(customer.state.getState().problem?.code).toBe('access_denied');
  expect(phase(customer)).toEqual({ phase: 'idle' });
  server.user('token', 7);
  await customer.signIn('token');
  await pass();
  expect(stored()).toEqual([['one']]);
});
