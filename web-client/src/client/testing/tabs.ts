// A browser profile made anew for each test of the file that imports this, and clients in its tabs.

import { afterEach, beforeEach, vi } from 'vitest';
import type { User } from '../../protocol/generated/User';
import { type Client, createClient } from '../client';
import { FakeBrowser, type FakeTab } from './fakes';

export let browser: FakeBrowser;
let clients: Client[];
export let alice: User;
export let bob: User;
export const carol: User = { id: 'carol', tenant: 'default', username: 'carol', is_guest: false, is_staff: false };
export const dan: User = { id: 4, tenant: 'default', username: 'dan', is_guest: false, is_staff: false };

export const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

export async function open(tab: FakeTab): Promise<Client> {
  const client = createClient(tab.env);
  clients.push(client);
  await pass();
  return client;
}

export async function openTab(handed?: string) {
  const tab = browser.tab(handed);
  return { tab, client: await open(tab) };
}

export const session = (client: Client) => client.state.getState().session;
export const name = (client: Client) => {
  const state = session(client);
  return state.phase === 'signed_in' ? state.user.username : state.phase;
};
export const reason = (client: Client) => {
  const state = session(client);
  return state.phase === 'signed_out' ? state.reason : state.phase;
};
export const login = async (client: Client, username: string) => {
  const error = await client.login(username, `${username}-password`);
  await pass();
  return error;
};
/** All that storage holds, and nothing else. */
export const kept = () => [...browser.local.entries].map(([key, value]) => `${key}=${value}`).join('\n');

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime('2026-01-01T00:00:00Z');
  browser = new FakeBrowser();
  alice = browser.api.account('alice', 1);
  bob = browser.api.account('bob', 2);
  browser.api.tokens.set('carol-token', carol).set('dan-token', dan);
  clients = [];
});
afterEach(() => {
  for (const client of clients) client.dispose();
  vi.useRealTimers();
});
