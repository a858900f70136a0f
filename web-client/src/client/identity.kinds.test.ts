import { describe, expect, it } from 'vitest';
import type { User } from '../protocol/generated/User';
import { jwt } from './testing/fakes';
import { alice, browser, carol, dan, kept, login, name, open, openTab, pass, reason, session } from './testing/tabs';

describe('a token that is handed over', () => {
  it('takes the place of who was here, in all tabs, and is kept for a reload only', async () => {
    const one = await openTab();
    await login(one.client, 'alice');
    one.client.state.getState().chat?.drafts.set(5, 'of alice');
    const two = await openTab('carol-token');
    two.client.acceptHandover();
    await pass();
    expect([name(one.client), name(two.client)]).toEqual(['carol', 'carol']);
    expect(two.tab.sockets.last.auth).toEqual({ token: 'carol-token' });
    expect(one.tab.sockets.last.auth).toEqual({ token: 'carol-token' });
    expect(kept()).not.toContain('of alice');
    expect(kept()).not.toContain('carol-token');
    expect(browser.api.sessions.size).toBe(0);
    two.client.dispose();
    const reloaded = await open(browser.tab(undefined, two.tab.tab));
    expect(name(reloaded)).toBe('carol');
  });

  it('that has run out leaves what its person wrote to them, and to nobody else', async () => {
    const { tab, client } = await openTab('carol-token');
    const write = (text: string) => {
      client.state.getState().chat?.drafts.set('room', `draft ${text}`);
      client.state.getState().chat?.room('room').send(`message ${text}`);
    };
    const all = () => `${kept()} ${[...tab.tab.entries.values()].join()}`;
    write('of carol');
    tab.sockets.last.receive('error', { success: false, code: 'token_expired', message: '' });
    await pass();
    expect(reason(client)).toBe('expired');
    tab.hand('carol-token');
    await pass();
    expect(client.state.getState().chat?.drafts.state.getState().get('room')).toBe('draft of carol');
    expect(client.state.getState().chat?.hasUnsent()).toBe(true);
    expect(tab.sockets.last.asked('chat_message')).toMatchObject([{ message: 'message of carol' }]);
    tab.sockets.last.receive('error', { success: false, code: 'token_expired', message: '' });
    await pass();
    expect(all()).toContain('of carol');
    tab.hand('dan-token');
    await pass();
    expect(name(client)).toBe('dan');
    expect(all()).not.toContain('of carol');
    write('of dan');
    expect(all()).toContain('message of dan');
    await client.logout();
    expect(all()).not.toContain('of dan');
  });

  it('is asked of the other tabs by a new one; without it nobody is signed in', async () => {
    const one = await openTab('carol-token');
    const two = await openTab();
    expect(name(two.client)).toBe('carol');
    one.client.dispose();
    two.client.dispose();
    const three = await openTab();
    await pass(1000);
    expect(reason(three.client)).toBeNull();
  });

  it('signs out when it has run out', async () => {
    const one = await openTab('carol-token');
    const two = await openTab();
    browser.api.tokens.delete('carol-token');
    one.tab.sockets.last.receive('error', { success: false, code: 'token_expired', message: '' });
    await pass();
    expect([reason(one.client), reason(two.client)]).toEqual(['expired', 'expired']);
    expect(one.tab.tab.entries.size).toBe(0);
    expect(two.tab.tab.entries.size).toBe(0);
  });

  it('that is no good says why', async () => {
    const { client } = await openTab('garbage');
    expect(session(client)).toMatchObject({ reason: 'expired', problem: { code: 'unauthorized' } });
    const forged = await openTab(jwt('x', { user_id: 1, confab_session: 'of an attacker' }));
    expect(session(forged.client)).toMatchObject({ reason: 'expired', problem: { code: 'unauthorized' } });
    expect(browser.api.calls.filter((call) => call === 'me')).toHaveLength(1);
  });

  it('that is no good ends nobody: whoever is here stays, and is told', async () => {
    const other = await openTab('carol-token');
    const { client, tab } = await openTab('garbage');
    expect(client.state.getState().handoverProblem).toMatchObject({ code: 'unauthorized' });
    const { chat } = client.state.getState();
    tab.hand('garbage');
    await pass();
    expect([name(client), name(other.client)]).toEqual(['carol', 'carol']);
    expect(client.state.getState().chat).toBe(chat);
  });

  it('of somebody else does not come back from a tab that was away', async () => {
    const old = await openTab('carol-token');
    old.tab.isAsleep = true;
    old.client.dispose();
    const now = await openTab('dan-token');
    await pass(1000);
    expect(name(now.client)).toBe('dan');
    const reloaded = await open(browser.tab(undefined, old.tab.tab));
    await pass(1000);
    expect([name(now.client), name(reloaded)]).toEqual(['dan', 'dan']);
    expect([...old.tab.tab.entries.values()].join()).not.toContain('carol');
  });

  it('of another tenant is another person, whatever the id', async () => {
    const one = await openTab('carol-token');
    one.client.state.getState().chat?.drafts.set(5, 'of carol');
    browser.api.tokens.set('other-token', { ...carol, tenant: 'other', username: 'other carol' });
    const two = await openTab('other-token');
    await pass();
    expect(session(two.client).phase).toBe('handed_over');
    two.client.acceptHandover();
    await pass();
    expect([name(one.client), name(two.client)]).toEqual(['other carol', 'other carol']);
    expect(one.tab.sockets.last.auth).toEqual({ token: 'other-token' });
    expect(one.client.state.getState().ended).toBe(1);
    expect(kept()).not.toContain('of carol');
  });

  it('comes by a link in an open tab', async () => {
    const { tab, client } = await openTab('carol-token');
    tab.hand('dan-token');
    await pass();
    expect(session(client)).toEqual({ phase: 'handed_over', current: carol, next: dan });
    expect(client.state.getState()).toMatchObject({ chat: { me: carol }, ended: 0 });
    client.declineHandover();
    expect(name(client)).toBe('carol');
    expect(client.state.getState().ended).toBe(0);
    tab.hand('dan-token');
    await pass();
    client.acceptHandover();
    expect(name(client)).toBe('dan');
    expect(client.state.getState().ended).toBe(1);
  });
});

describe('a newer token of the same person', () => {
  const fresh = () => browser.api.tokens.set('fresh-token', carol);
  const expire = { success: false, code: 'token_expired', message: '' };

  it('is taken by all tabs as they are, and the end of the older one ends nobody', async () => {
    fresh();
    const one = await openTab('carol-token');
    const { chat } = one.client.state.getState();
    one.tab.sockets.answers.set('authenticate', () => ({ success: false, code: 'overloaded', message: '' }));
    const two = await openTab('fresh-token');
    await pass();
    expect(session(two.client)).toMatchObject({ phase: 'signed_in', user: carol });
    expect(one.tab.sockets.last.asked('authenticate')).toEqual([{ token: 'fresh-token' }]);
    one.tab.sockets.last.receive('error', expire);
    one.tab.sockets.last.receive('disconnect', 'transport close');
    await pass(1000);
    expect([name(one.client), name(two.client)]).toEqual(['carol', 'carol']);
    expect(one.client.state.getState().chat).toBe(chat);
    expect(one.tab.sockets.last.auth).toEqual({ token: 'fresh-token' });
    one.tab.sockets.last.receive('error', expire);
    await pass();
    expect([reason(one.client), reason(two.client)]).toEqual(['expired', 'expired']);
  });

  it('is asked of the other tabs by one that slept', async () => {
    fresh();
    const one = await openTab('carol-token');
    const two = await openTab();
    one.tab.isAsleep = true;
    two.tab.hand('fresh-token');
    await pass();
    one.tab.isAsleep = false;
    one.tab.sockets.last.receive('error', expire);
    await pass(1000);
    expect([name(one.client), name(two.client)]).toEqual(['carol', 'carol']);
    expect(one.tab.sockets.last.auth).toEqual({ token: 'fresh-token' });
  });
});

describe('a guest', () => {
  const guest: User = { id: 'g1', tenant: 'default', username: 'Guest 1', is_guest: true, is_staff: false };

  async function beGuest() {
    const one = await openTab();
    const coming = one.client.continueAsGuest();
    await pass();
    browser.api.guests.set('guest-secret', guest);
    const session = { guest_session: 'guest-secret', user_id: 'g1', username: 'Guest 1' };
    one.tab.sockets.last.receive('session', session);
    expect(await coming).toBeNull();
    await pass();
    return one;
  }

  it('is the same in all tabs and after a reload', async () => {
    const one = await beGuest();
    expect(session(one.client)).toEqual({ phase: 'signed_in', user: guest, kind: 'guest' });
    expect(one.tab.sockets.last.auth).toEqual({ guest_session: 'guest-secret' });
    const two = await openTab();
    expect(name(two.client)).toBe('Guest 1');
    expect(two.tab.sockets.last.auth).toEqual({ guest_session: 'guest-secret' });
  });

  it('becomes the account that signs in', async () => {
    const one = await beGuest();
    const two = await openTab();
    await login(one.client, 'alice');
    expect([name(one.client), name(two.client)]).toEqual(['alice', 'alice']);
    expect(kept()).not.toContain('guest-secret');
    expect(session(one.client)).toMatchObject({ kind: 'account', user: alice });
  });

  it('leaves no secret behind', async () => {
    const one = await beGuest();
    await one.client.logout();
    await pass();
    expect(kept()).not.toContain('guest-secret');
    expect(browser.api.calls).not.toContain('auth/logout');
  });

  it('whom the server has forgotten is signed out', async () => {
    const one = await beGuest();
    one.tab.sockets.last.receive('disconnect', 'transport close');
    one.tab.sockets.accepts = false;
    await pass(1000);
    one.tab.sockets.last.receive('connect_error', new Error('unauthorized: no such guest'));
    await pass();
    expect(reason(one.client)).toBe('signed_out_elsewhere');
    expect(kept()).not.toContain('guest-secret');
  });
});
