// The widget's own page. Small until somebody opens it: what people see, and the library for sockets, come when they are
// needed.

import { type Customer, createCustomer } from '../client/support/customer';
import { widgetEnvironment } from './environment';
import { findHost } from './host';
import type { ToFrame } from './wire';

type Init = Extract<ToFrame, { type: 'init' }>;

let customer: Customer | null = null;
let hasTokenSource = false;
let isOpen = false;
let asked = 0;
const waiting = new Map<number, (token: string | null) => void>();

const host = findHost((message) => {
  if (message.type === 'init') begin(message);
  else if (customer) act(customer, message);
});

function askToken(): Promise<string | null> {
  if (!hasTokenSource) return Promise.resolve(null);
  asked += 1;
  const id = asked;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    host.tell({ type: 'token_needed', id });
  });
}

function begin(init: Init) {
  customer = createCustomer(
    widgetEnvironment({
      askToken,
      tokenRefused: ({ message }) => host.tell({ type: 'token_refused', reason: message }),
    }),
  );
  const { state } = customer;
  hasTokenSource = init.hasTokenSource;
  setTheme(init);
  customer.start({ name: init.name.trim(), email: init.email.trim() });
  if (init.token) void customer.signIn(init.token);
  state.subscribe(({ unread }, before) => {
    if (unread !== before.unread) host.tell({ type: 'unread', count: unread });
  });
  document.addEventListener('visibilitychange', look);
  show = once(async () => {
    const { mount } = await import('./ui/mount');
    if (customer) mount(customer, { label: init.look.label, close: () => host.tell({ type: 'close' }) });
  });
  if (init.isOpen) opened(true);
  host.tell({ type: 'ready' });
}

/** Fetches what people see, and shows it. */
let show: () => Promise<void> = async () => {};

function act(current: Customer, message: Exclude<ToFrame, Init>) {
  switch (message.type) {
    case 'opened':
      return opened(true);
    case 'closed':
      return opened(false);
    case 'warm':
      return void show();
    case 'sign_in':
      return void current.signIn(message.token);
    case 'sign_out':
      return current.signOut();
    case 'token_source':
      hasTokenSource = true;
      return;
    case 'token':
      waiting.get(message.id)?.(message.token);
      waiting.delete(message.id);
  }
}

async function opened(value: boolean) {
  isOpen = value;
  look();
  if (!isOpen) return;
  await show();
  if (isOpen) document.dispatchEvent(new Event('confab:focus'));
}

/** Whether somebody looks at it. */
function look() {
  customer?.setVisible(isOpen && document.visibilityState === 'visible');
}

function setTheme({ look: { accent, theme, label } }: Init) {
  const root = document.documentElement;
  if (theme) root.dataset['theme'] = theme;
  if (label) document.title = label;
  if (!accent) return;
  root.style.setProperty('--widget-accent', accent.back);
  root.style.setProperty('--widget-on-accent', accent.front);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => {
    // One that failed (the network went) is tried again with the next opening.
    running ??= work().catch(() => {
      running = null;
    });
    return running;
  };
}
