// Pages with the widget, and a server in memory, made anew for each test of the file that imports this.

import { afterEach, beforeEach, vi } from 'vitest';
import { type Customer, createCustomer } from '../support/customer';
import { FakeBrowser, type FakeTab } from './fakes';
import { SupportServer } from './support-server';

export const NOBODY = { name: '', email: '' };
export const pass = (ms = 50) => vi.advanceTimersByTimeAsync(ms);

export let server: SupportServer;
export let browser: FakeBrowser;
export let open: Customer[];
/** What the site gives when it is asked for a token. */
export let tokens: (string | null)[];
/** Codes that the site was told of. */
export let refused: string[];

/** One page with the widget; `tab` to load it anew. */
export function load(tab: FakeTab = browser.tab(), about = NOBODY): Customer {
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

export const conversationOf = (customer: Customer) => customer.state.getState().conversation;
export const stateOf = (customer: Customer) => conversationOf(customer).state.getState().conversation;
export const texts = (customer: Customer) => {
  const { past, messages, outgoing } = stateOf(customer);
  return [...[...past, ...messages].map(({ message }) => message), ...outgoing.map(({ text }) => `… ${text}`)];
};
export const stored = () => server.rooms.map(({ messages }) => messages.map(({ message }) => message));
export const phase = (customer: Customer) => conversationOf(customer).link.getState();

export function write(customer: Customer, text: string) {
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
