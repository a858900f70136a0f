// The example frontend in the system's Chromium, as its users have it: windows with what a test asks of them.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { connect } from '../support/clients.mjs';
import { startServer } from '../support/server.mjs';

export const EXAMPLE = fileURLToPath(new URL('../../../examples/react-chat', import.meta.url));
export const DIST = join(EXAMPLE, 'dist');
export const CHROMIUM = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
export const ARGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
export const DEADLINE_MS = 10_000;
const POLL_MS = 50;

/** What a browser says when a connection cannot be made or is cut off; nothing else may be said. */
const LOST_CONNECTION = /^WebSocket connection to '[^']+' failed|^WebSocket is already in CLOSING or CLOSED state/;

/** A server that serves the built example beside the sockets, without a rate limit unless `settings` have one. */
export async function startSite({ web_root = DIST, ...settings } = {}) {
  if (!existsSync(join(web_root, 'index.html'))) {
    throw new Error(`there is no built example in ${web_root}: run "npm ci && npm run build" in examples/react-chat`);
  }
  return startServer({ web_root, rate_limit_messages: 0, drain_seconds: 1, ...settings });
}

let browser;
/** The one browser of the test file, closed when it ends. */
export async function launch() {
  if (!existsSync(CHROMIUM)) throw new Error(`there is no Chromium at ${CHROMIUM}: install it, or set CHROMIUM_BIN`);
  browser ??= chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  return browser;
}
after(async () => (await browser)?.close());

/** A window of its own browser profile. `room` and `token` go into the address; `context` is Playwright's. */
export async function openWindow(t, server, { token, room, context: options = {} } = {}) {
  const context = await (await launch()).newContext({ viewport: { width: 1280, height: 800 }, ...options });
  await context.addInitScript(watchForDoubles);
  const window = new Window(context, server, await context.newPage());
  t.after(() => context.close());
  await window.visit({ token, room });
  return window;
}

/** Runs in the page: notes every text that stands in the list twice, were it for one frame. */
function watchForDoubles() {
  globalThis.doubles = [];
  const look = () => {
    const texts = Array.from(document.querySelectorAll('[data-testid=text]'), (node) => node.textContent);
    const seen = new Set();
    for (const text of texts) {
      if (seen.has(text)) globalThis.doubles.push(text);
      seen.add(text);
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
}

export class Window {
  /** Errors on the console, exceptions and requests that failed. */
  faults = [];
  /** Addresses of the WebSockets opened so far. */
  sockets = [];

  constructor(context, server, page) {
    Object.assign(this, { context, server, page });
    page.setDefaultTimeout(DEADLINE_MS);
    page.on('console', (message) => message.type() === 'error' && this.faults.push(message.text()));
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('requestfailed', (request) => this.faults.push(`${request.url()} ${request.failure()?.errorText}`));
    page.on('websocket', (socket) => this.sockets.push(socket.url()));

    this.list = page.getByRole('log', { name: 'Messages' });
    this.composer = page.getByRole('textbox', { name: 'Message', exact: true });
    this.typing = page.getByRole('status', { name: 'Typing' });
    this.connection = page.getByRole('status', { name: 'Connection' });
    this.people = page.getByRole('complementary', { name: 'People' });
    this.conversations = page.getByRole('list', { name: 'Conversations' });
    this.toasts = page.getByRole('region', { name: 'Notifications' });
  }

  async visit({ token, room } = {}) {
    const hash = new URLSearchParams({ ...(token && { token }), ...(room && { room }) });
    await this.page.goto(`${this.server.url}/#${hash}`);
  }

  /** In the room: connected, and the history is there. */
  async ready() {
    await this.live();
    await this.page.locator('[role=log][aria-busy=false]').waitFor();
  }

  async live() { await this.connection.filter({ hasText: 'Live' }).waitFor({ timeout: 3 * DEADLINE_MS }); }

  async reconnecting() { await this.connection.filter({ hasText: 'Reconnecting' }).waitFor(); }

  message(text, state) {
    const messages = this.list.locator(`[data-testid=message]${state ? `[data-state=${state}]` : ''}`);
    return messages.filter({ has: this.page.getByText(text, { exact: true }) });
  }

  /** Types it key by key and sends it with Enter. Resolves when it stands in the own list. */
  async send(text) {
    await this.composer.pressSequentially(text);
    await this.composer.press('Enter');
    await this.message(text).waitFor();
  }

  /** Until the text stands there, stored. */
  async sees(text) { await this.message(text, 'sent').waitFor(); }

  /** The texts in the list, as they stand. */
  async texts() { return this.list.getByTestId('text').allTextContents(); }

  /** No text has ever stood in the list twice since the page was loaded, not for a moment. */
  async assertNeverDoubled() { assert.deepEqual(await this.page.evaluate(() => globalThis.doubles), []); }

  /** How many messages are in the list that the server has not acknowledged. */
  async unsent() { return this.list.locator('[data-testid=message]:not([data-state=sent])').count(); }

  person(name) { return this.people.getByRole('listitem').filter({ hasText: name }); }

  async seesPerson(name, state) { await this.person(name).filter({ hasText: state }).waitFor(); }

  conversation(name) { return this.conversations.getByRole('link').filter({ hasText: name }); }

  /** Only into the folder that SCREENSHOTS names, if it does. */
  async screenshot(name) {
    const folder = process.env.SCREENSHOTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  }

  /** Nothing went wrong in the page. Where the server went away connections may have failed. */
  assertNoFaults({ lostConnections = false } = {}) {
    assert.deepEqual(this.faults.filter((fault) => !(lostConnections && LOST_CONNECTION.test(fault))), []);
  }
}

/** Until the assertion in `check` holds; its last failure where it never does. */
export async function eventually(check, deadline = DEADLINE_MS) {
  const end = Date.now() + deadline;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
    }
  }
}

/** The whole history of a room, oldest first, asked for through a plain client. */
export async function history(server, token, room_id) {
  const client = await connect(server.url, { token });
  try {
    let messages = [];
    let page;
    do {
      page = await client.ok('get_messages', { room_id, limit: 200, before: messages[0]?.seq });
      messages = [...page.messages, ...messages];
    } while (page.has_more);
    return messages;
  } finally {
    client.close();
  }
}
