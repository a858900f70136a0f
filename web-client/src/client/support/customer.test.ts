import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  browser,
  conversationOf,
  load,
  NOBODY,
  open,
  pass,
  phase,
  server,
  stateOf,
  stored,
  texts,
  write,
} from '../testing/customer';
import { createCustomer } from './customer';

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
