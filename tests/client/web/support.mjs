// The web client as the server serves it, in the system's Chromium: profiles with windows, and what a test asks of them.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { DEADLINE_MS, eventually, history, launch } from '../browser/support.mjs';
import { login, PASSWORD, register, UNTHROTTLED } from '../support/accounts.mjs';
import { connect } from '../support/clients.mjs';
import { startServer } from '../support/server.mjs';

export { eventually, history };

/** What a browser says where the server or the network is gone. */
const LOST_CONNECTION = [
  /^WebSocket connection to '[^']+' failed/,
  /^WebSocket is already in CLOSING or CLOSED state/,
  /^Failed to load resource: net::ERR_/,
  /^\S+\/(socket\.io|api)\/\S* net::ERR_/,
];
/** A page that is left or reloaded does not wait for answers. */
const LEFT = /net::ERR_ABORTED$/;

/** A server with accounts, guests and tokens, and no limits but those in `settings`. */
export async function startSite(settings) {
  return startServer({ accounts: 'open', rate_limit_messages: 0, drain_seconds: 1, ...UNTHROTTLED, ...settings });
}

/** A name that no other test has. */
export const named = (name) => `${name}-${randomUUID().slice(0, 8)}`;

/** An account: `{username, password, user, access_token}`, the token for a plain client of theirs. */
export async function makeAccount(server, name) {
  const username = named(name);
  const { user, access_token } = await register(server, username);
  return { username, password: PASSWORD, user, access_token };
}

/** A client without a screen, gone when the test ends. `who`: an account, or an access token. */
export async function plainClient(t, server, who) {
  const client = await connect(server.url, { token: who.access_token ?? who });
  t.after(() => client.close());
  return client;
}

/** A public room of its owner. */
export async function makeRoom(client, name = named('Room'), options = {}) {
  return (await client.ok('create_room', { name, ...options })).room;
}

/** Another sign-in of the same account. */
export const signInElsewhere = (server, { username }) => login(server, username);

/** A browser profile: its windows share cookies and storage. `options` are Playwright's. */
export async function openProfile(t, server, options = {}) {
  const context = await (await launch()).newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const profile = new Profile(context, server);
  await context.exposeBinding('reportFault', ({ page }, fault) => profile.windows.get(page)?.faults.push(fault));
  await context.addInitScript(watch);
  t.after(async () => {
    const faults = [...profile.windows.values()].flatMap((window) => window.unexpected());
    await context.close();
    assert.deepEqual(faults, [], 'what the browser has to complain about');
  });
  return profile;
}

/** Runs in the page: reports what breaks its policy, and every text that stands in the list twice, were it for a moment. */
function watch() {
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile, lineNumber }) => {
    globalThis.reportFault(`policy: ${violatedDirective} ${blockedURI} ${sourceFile}:${lineNumber}`);
  });
  const reported = new Set();
  const look = () => {
    const seen = new Set();
    for (const { textContent } of document.querySelectorAll('[role=log] [data-testid=text]')) {
      if (seen.has(textContent) && !reported.has(textContent)) {
        reported.add(textContent);
        globalThis.reportFault(`twice in the list: ${textContent}`);
      }
      seen.add(textContent);
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
}

class Profile {
  windows = new Map();
  /** What may be complained about. */
  allowed = [LEFT];

  constructor(context, server) { Object.assign(this, { context, server }); }

  get url() { return this.network?.url ?? this.server.url; }

  /** The server is stopped or the network cut in this test. */
  mayLoseConnections() { this.allowed.push(...LOST_CONNECTION); }

  /** Requests are refused with this status in this test: the browser notes each on its console. */
  mayBeRefused(status) { this.allowed.push(new RegExp(`^Failed to load resource: .* status of ${status} `)); }

  /** A tab that has shown nothing yet. */
  async newTab() {
    const page = await this.context.newPage();
    const window = new Window(this, page);
    this.windows.set(page, window);
    return window;
  }

  async open(path = '/') {
    const window = await this.newTab();
    await window.visit(path);
    return window;
  }
}

/** A window of its own profile, signed in as `account`. */
export async function openAs(t, server, account, path = '/', options = {}) {
  const profile = await openProfile(t, server, options);
  const window = await profile.open(path);
  await window.signIn(account);
  return window;
}

class Window {
  /** Errors on the console, exceptions, requests that failed, breaches of the policy, texts that stood there twice. */
  faults = [];
  /** All WebSockets so far. */
  sockets = [];

  constructor(profile, page) {
    Object.assign(this, { profile, page, server: profile.server });
    page.setDefaultTimeout(DEADLINE_MS);
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('requestfailed', (request) => this.faults.push(`${request.url()} ${request.failure()?.errorText}`));
    page.on('websocket', (socket) => this.sockets.push(socket));
    page.on('crash', () => this.faults.push('the page crashed'));

    this.list = page.getByRole('log', { name: 'Messages' });
    this.composer = page.getByRole('textbox', { name: 'Message', exact: true });
    this.typing = page.getByRole('status', { name: 'Typing' });
    this.connection = page.getByRole('status', { name: 'Connection' });
    this.people = page.getByRole('complementary', { name: 'People' });
    this.conversations = page.getByRole('list', { name: 'Conversations' });
    this.dialog = page.getByRole('dialog');
    this.form = page.locator('form').filter({ has: page.getByLabel('Password', { exact: true }) });
    this.username = this.form.getByRole('textbox', { name: 'Name', exact: true });
    this.password = this.form.getByLabel('Password', { exact: true });
  }

  unexpected() {
    const { allowed } = this.profile;
    return this.faults.filter((fault) => !allowed.some((pattern) => pattern.test(fault)));
  }

  get path() { return new URL(this.page.url()).pathname; }

  async visit(path = '/') { await this.page.goto(`${this.profile.url}${path}`); }

  button(name, scope = this.page) { return scope.getByRole('button', { name, exact: true }); }

  heading(name) { return this.page.getByRole('heading', { name, exact: true }); }

  /** Something to read, anywhere. */
  async reads(text) { await this.page.getByText(text).first().waitFor(); }

  // Signing in and out

  async fillIn({ username, password }) {
    await this.username.fill(username);
    await this.password.fill(password);
  }

  async signIn(account) {
    await this.fillIn(account);
    await this.button('Sign in', this.form).click();
    await this.isSignedInAs(account.username);
  }

  userMenu(name) { return this.page.getByRole('button', { name: `${name}, menu`, exact: true }); }

  async isSignedInAs(name) { await this.userMenu(name).waitFor(); }

  /** At the sign-in screen. */
  /** At the sign-in screen, which has asked for the ways in. */
  async isSignedOut() {
    await this.heading('Sign in to Confab').waitFor();
    await this.page.getByRole('main').getByRole('button').first().waitFor();
  }

  async chooseInMenu(item) {
    await this.page.getByRole('button', { name: /, menu$/ }).click();
    await this.button(item, this.dialog).click();
  }

  async signOut() {
    await this.chooseInMenu('Sign out');
    await this.isSignedOut();
  }

  /** Follows a link with somebody's token, and agrees where somebody else is here. */
  async acceptHandover(accessToken, name, path = '/') {
    await this.visit(`${path}#token=${accessToken}`);
    await this.heading(`Continue as ${name}?`).waitFor();
    await this.button(`Continue as ${name}`).click();
    await this.isSignedInAs(name);
  }

  // The connection

  async phase(phase, timeout = 3 * DEADLINE_MS) {
    await this.connection.and(this.page.locator(`[data-phase=${phase}]`)).waitFor({ timeout, state: 'attached' });
  }

  async live() { await this.phase('live'); }

  openSockets() { return this.sockets.filter((socket) => !socket.isClosed()); }

  // A room

  /** In the room of that name: connected, and what was written is there. */
  async ready(name) {
    await this.live();
    await this.heading(name).waitFor();
    await this.page.locator('[role=log][aria-busy=false]').waitFor();
    await this.people.getByRole('listitem').first().waitFor();
  }

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

  /** The texts that are in the list, which are those on the screen and somewhat around it. */
  async texts() { return this.list.getByTestId('text').allTextContents(); }

  async unsent() { return this.list.locator('[data-testid=message]:not([data-state=sent])').count(); }

  person(name) { return this.people.getByRole('listitem').filter({ hasText: name }); }

  async seesPerson(name, state) { await this.person(name).filter({ hasText: state }).waitFor(); }

  conversation(name) { return this.conversations.getByRole('link').filter({ hasText: name }); }

  /** Where a message stands on the screen. */
  async y(text) { return (await this.message(text).boundingBox())?.y; }
}

/** High enough for all the messages of a test, so that the list holds every one of them. */
export const TALL = { viewport: { width: 1280, height: 6000 } };

/** The windows show what is stored: everything, once, in order. Resolves to the texts. */
export async function assertSameHistory(server, account, room, ...windows) {
  // What stands in a window may still be on its way.
  for (const window of windows) await eventually(async () => assert.equal(await window.unsent(), 0));
  const stored = (await history(server, account.access_token, room)).map(({ message }) => message);
  for (const window of windows) {
    await eventually(async () => {
      assert.deepEqual(await window.texts(), stored);
      assert.equal(await window.unsent(), 0);
    });
  }
  return stored;
}
