import { describe, expect, it } from 'vitest';
import { fakeKept } from './testing/fakes';
import { alice, bob, browser, kept, login, name, open, openTab, pass, reason, session } from './testing/tabs';

describe('starting', () => {
  it('asks for the ways in where nobody is signed in', async () => {
    const { client } = await openTab();
    expect(session(client)).toMatchObject({ phase: 'signed_out', reason: null, problem: null, ways: { guests: true } });
    expect(browser.api.calls).toEqual(['auth']);
  });

  it('keeps trying while the server cannot be reached', async () => {
    browser.api.isReachable = false;
    const { client } = await openTab();
    await pass(60_000);
    expect(session(client)).toMatchObject({ phase: 'signed_out', ways: null, problem: { code: 'unreachable' } });
    browser.api.isReachable = true;
    await pass(30_000);
    expect(session(client)).toMatchObject({ phase: 'signed_out', ways: { accounts: true }, problem: null });
  });

  it('says neither in nor out while it cannot be known', async () => {
    const first = await openTab();
    await login(first.client, 'alice');
    first.client.dispose();
    browser.api.isReachable = false;
    const { tab, client } = await openTab();
    await pass(60_000);
    expect(session(client)).toMatchObject({ phase: 'starting', problem: { code: 'unreachable' } });
    browser.api.isReachable = true;
    tab.signals.send('online');
    await pass();
    expect(name(client)).toBe('alice');
  });
});

describe('an account', () => {
  it('signs in, in all tabs', async () => {
    const one = await openTab();
    const two = await openTab();
    expect(await one.client.login('alice', 'wrong')).toMatchObject({ code: 'unauthorized' });
    expect(session(one.client).phase).toBe('signed_out');
    expect(await login(one.client, 'alice')).toBeNull();
    expect([name(one.client), name(two.client)]).toEqual(['alice', 'alice']);
    expect((await openTab()).tab.sockets.last.auth).toMatchObject({ token: expect.stringContaining('access') });
    expect(kept()).not.toContain('access');
  });

  it('renews its token a minute before its end, and the connection with it', async () => {
    const { tab, client } = await openTab();
    await login(client, 'alice');
    await pass(14 * 60_000 - 1);
    expect(browser.api.calls).not.toContain('auth/refresh');
    await pass(1);
    expect(browser.api.calls).toContain('auth/refresh');
    expect(tab.sockets.last.asked('authenticate')).toHaveLength(1);
    expect(tab.sockets.all).toHaveLength(1);
  });

  it('comes back with a fresh token when the old one ran out', async () => {
    const { tab, client } = await openTab();
    await login(client, 'alice');
    const { auth } = tab.sockets.last;
    tab.sockets.last.receive('error', { success: false, code: 'token_expired', message: '' });
    tab.sockets.last.receive('disconnect', 'transport close');
    await pass(1000);
    expect(tab.sockets.all).toHaveLength(2);
    expect(tab.sockets.last.auth).not.toEqual(auth);
    expect(name(client)).toBe('alice');
  });

  it('refreshes once when it is refused, and is signed out if that does not help', async () => {
    const { tab, client } = await openTab();
    await login(client, 'alice');
    tab.sockets.accepts = false;
    tab.sockets.last.receive('disconnect', 'transport close');
    await pass(1000);
    tab.sockets.last.receive('connect_error', new Error('unauthorized: no'));
    await pass();
    expect(tab.sockets.all).toHaveLength(3);
    expect(name(client)).toBe('alice');
    tab.sockets.last.receive('connect_error', new Error('unauthorized: no'));
    await pass();
    expect(reason(client)).toBe('signed_out_elsewhere');
  });

  it.each([-3_600_000, 3_600_000])('does not mind a clock that is %i ms off', async (aheadMs) => {
    browser.api.aheadMs = aheadMs;
    const { tab, client } = await openTab();
    await login(client, 'alice');
    tab.sockets.last.receive('disconnect', 'transport close');
    await pass(14 * 60_000 - 1);
    expect(browser.api.calls).not.toContain('auth/refresh');
    await pass(1);
    expect(browser.api.calls.filter((call) => call === 'auth/refresh')).toHaveLength(1);
    expect(name(client)).toBe('alice');
  });

  it('is not signed out because the server cannot be reached', async () => {
    const { tab, client } = await openTab();
    await login(client, 'alice');
    browser.api.isReachable = false;
    tab.sockets.accepts = false;
    tab.sockets.last.receive('disconnect', 'transport close');
    for (let i = 0; i < 3; i += 1) {
      await pass(30_000);
      tab.sockets.last.receive('connect_error', new Error('unauthorized: no'));
      await pass();
    }
    expect(name(client)).toBe('alice');
  });

  it('is signed out where its session ended', async () => {
    const one = await openTab();
    const two = await openTab();
    await login(one.client, 'alice');
    browser.api.sessions.clear();
    one.tab.sockets.last.receive('error', { success: false, code: 'signed_out', message: '' });
    await pass();
    expect([reason(one.client), reason(two.client)]).toEqual(['signed_out_elsewhere', 'signed_out_elsewhere']);
  });
});

describe('a browser that keeps nothing', () => {
  it('does not sign out who signed in elsewhere', async () => {
    const one = await openTab();
    const tab = browser.tab();
    const blocked = await open({ ...tab, env: { ...tab.env, local: fakeKept(), tab: fakeKept() } });
    await login(one.client, 'alice');
    expect(name(blocked)).toBe('alice');
    tab.signals.send('visible');
    await pass();
    expect(name(blocked)).toBe('alice');
  });

  it('settles each attempt to sign in', async () => {
    const tab = browser.tab();
    const client = await open({ ...tab, env: { ...tab.env, exclusively: () => Promise.reject(new Error('no lock')) } });
    expect(await client.login('alice', 'alice-password')).toMatchObject({ code: 'unreachable' });
    expect(session(client).phase).toBe('signed_out');
  });
});

describe('logging out', () => {
  it('clears everything in all tabs, and ends the session on the server', async () => {
    const one = await openTab();
    const two = await openTab();
    await login(one.client, 'alice');
    const chat = two.client.state.getState().chat;
    chat?.drafts.set('room', 'a secret');
    expect(kept()).toContain('a secret');
    await one.client.logout();
    await pass();
    expect([reason(one.client), reason(two.client)]).toEqual(['signed_out', 'signed_out_elsewhere']);
    expect(browser.api.sessions.size).toBe(0);
    expect(two.tab.sockets.last.isClosed).toBe(true);
    // A component that goes may still save what it held.
    chat?.drafts.set('room', 'a secret');
    expect(kept()).not.toContain('a secret');
    expect(two.client.state.getState()).toMatchObject({ chat: null, ended: 1 });
  });

  it('works without a network, and the server hears of it later', async () => {
    const { tab, client } = await openTab();
    await login(client, 'alice');
    browser.api.isReachable = false;
    await client.logout();
    expect(reason(client)).toBe('signed_out');
    await pass(5000);
    client.dispose();
    browser.api.isReachable = true;
    expect(browser.api.sessions.size).toBe(1);
    const next = await openTab();
    await pass(30_000);
    expect(browser.api.sessions.size).toBe(0);
    expect(reason(next.client)).toBeNull();
    expect(tab.sockets.last.isClosed).toBe(true);
  });

  it('deletes the drafts without another tab to help', async () => {
    const { client } = await openTab();
    await login(client, 'alice');
    client.state.getState().chat?.drafts.set('room', 'a secret');
    await client.logout();
    expect(kept()).not.toContain('a secret');
  });

  it('that waits for its turn does not end the session of who signs in meanwhile', async () => {
    const { tab, client } = await openTab();
    await login(client, 'alice');
    browser.api.isReachable = false;
    await client.logout();
    await pass();
    browser.api.isReachable = true;
    const coming = client.login('bob', 'bob-password');
    tab.signals.send('online');
    expect(await coming).toBeNull();
    await pass();
    expect([...browser.api.sessions.values()]).toEqual([bob]);
  });

  it('does not end the session of who signs in next', async () => {
    const { client } = await openTab();
    await login(client, 'alice');
    browser.api.isReachable = false;
    await client.logout();
    await pass();
    browser.api.isReachable = true;
    await login(client, 'bob');
    await pass(60_000);
    expect([...browser.api.sessions.values()]).toEqual([bob]);
    expect(name(client)).toBe('bob');
  });
});

describe('switching', () => {
  it('brings all tabs along, also one that slept, and leaves nothing of the earlier user', async () => {
    const one = await openTab();
    const two = await openTab();
    const asleep = await openTab();
    await login(one.client, 'alice');
    asleep.client.state.getState().chat?.drafts.set(5, 'of alice');
    asleep.tab.isAsleep = true;
    await one.client.logout();
    await login(one.client, 'bob');
    expect([name(one.client), name(two.client), name(asleep.client)]).toEqual(['bob', 'bob', 'alice']);
    asleep.tab.isAsleep = false;
    asleep.tab.signals.send('visible');
    expect(asleep.client.state.getState()).toMatchObject({ session: { phase: 'starting' }, chat: null });
    await pass();
    expect(name(asleep.client)).toBe('bob');
    expect(kept()).not.toContain('of alice');
  });

  it('is not undone by a tab that slept', async () => {
    const one = await openTab();
    const asleep = await openTab();
    await login(one.client, 'alice');
    asleep.tab.isAsleep = true;
    await login(one.client, 'bob');
    asleep.tab.sockets.last.receive('error', { success: false, code: 'signed_out', message: '' });
    await pass();
    expect([name(one.client), name(asleep.client)]).toEqual(['bob', 'bob']);
    asleep.tab.isAsleep = true;
    await login(one.client, 'alice');
    await asleep.client.logout();
    await pass();
    expect([name(one.client), name(asleep.client)]).toEqual(['alice', 'alice']);
    expect(browser.api.sessions.get(browser.cookies.session ?? '')).toEqual(alice);
  });

  it('is not what a tab that slept does to the same person, but logging out there is meant', async () => {
    const one = await openTab();
    const asleep = await openTab();
    await login(one.client, 'alice');
    asleep.tab.isAsleep = true;
    await login(one.client, 'alice');
    await asleep.client.logout();
    await pass();
    expect([reason(one.client), reason(asleep.client)]).toEqual(['signed_out_elsewhere', 'signed_out']);
    expect(browser.cookies.session).toBeNull();
  });

  it('to the later one of two tabs that sign in at the same time', async () => {
    const one = await openTab();
    const two = await openTab();
    await Promise.all([one.client.login('alice', 'alice-password'), two.client.login('bob', 'bob-password')]);
    await pass();
    expect([name(one.client), name(two.client)]).toEqual(['bob', 'bob']);
    expect(browser.api.sessions.get(browser.cookies.session ?? '')).toEqual(bob);
  });

  it('does not follow what is older than what it knows', async () => {
    const { client } = await openTab();
    const other = browser.tab();
    await login(client, 'alice');
    const marker = { kind: 'none', tenant: null, user_id: null, at: Date.now() - 1 };
    other.env.channel.post({ type: 'moved', marker, secret: null });
    await pass();
    expect(name(client)).toBe('alice');
  });

  it('deletes what a tab wrote before it heard of it', async () => {
    const one = await openTab();
    const two = await openTab();
    await login(one.client, 'alice');
    two.tab.isAsleep = true;
    await one.client.logout();
    two.client.state.getState().chat?.drafts.set(5, 'of alice');
    two.tab.signals.send('visible');
    expect(kept()).not.toContain('of alice');
  });

  it('follows a cookie that became somebody else', async () => {
    const { tab, client } = await openTab();
    await login(client, 'alice');
    browser.api.sessions.set('other', bob);
    browser.cookies.session = 'other';
    await pass(14 * 60_000);
    expect(name(client)).toBe('bob');
    expect(tab.sockets.last.auth).toEqual({ token: expect.anything() });
  });
});
