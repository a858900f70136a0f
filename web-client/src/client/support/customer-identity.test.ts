import { beforeEach, describe, expect, it } from 'vitest';
import {
  browser,
  conversationOf,
  load,
  pass,
  refused,
  server,
  stored,
  texts,
  tokens,
  write,
} from '../testing/customer';
import type { Customer } from './customer';

describe.each(['socket', 'rest'] as const)('over %s', (kind) => {
  beforeEach(() => {
    server.areSocketsBlocked = kind === 'rest';
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
      tokens.push('new');
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
