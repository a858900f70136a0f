// A site of somebody else's that shows the support widget: another origin than the server's, with a strict policy, and
// its pages as a test uses them.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { ARGS, CHROMIUM, DEADLINE_MS, launch } from '../browser/support.mjs';
import { connect, token } from '../support/clients.mjs';
import { startServer } from '../support/server.mjs';

/** A page of it asks for these by its query: `/?name=Ann&color=tomato`. */
const ATTRIBUTES = ['token', 'name', 'email', 'color', 'label', 'position', 'theme'];

const CONTENT = `<main><h1>Plants that forgive you</h1><p>House plants for people who forget to water them.</p>
  <ul><li><b>Snake plant</b><span>€ 18</span></li><li><b>Pothos</b><span>€ 12</span></li><li><b>ZZ plant</b><span>€ 24</span></li></ul>
  <a href="#delivery">Delivery and returns</a></main>`;
/** Styles that would be seen if they got into the widget. */
const RUDE = '* { color: red !important; font: 30px fantasy !important } button { display: none } iframe { width: 9px !important }'
  + ' div, confab-support { opacity: 0.1; transform: scale(2); display: none !important }';

const escaped = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.codePointAt(0)};`);

/** The site, and a server that it is `listed` at or not. The site is `localhost`, the server `127.0.0.1`: two sites to a browser. */
export async function startSite({ listed = true, styles = RUDE, ...settings } = {}) {
  let server;
  const http = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    if (pathname === '/site.css') return response.writeHead(200, { 'content-type': 'text/css' }).end(styles);
    if (pathname !== '/') return response.writeHead(204).end();
    const attributes = ATTRIBUTES.filter((name) => searchParams.has(name))
      .map((name) => ` data-${name}="${escaped(searchParams.get(name))}"`);
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      // What README.md says that a site needs, and nothing more.
      'content-security-policy': `default-src 'none'; script-src ${server.url}; frame-src ${server.url}; style-src 'self'; `
        + "require-trusted-types-for 'script'; trusted-types 'none'",
    });
    response.end(`<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Fern &amp; Co.</title><link rel="stylesheet" href="/site.css"></head><body>${CONTENT}
      <script src="${server.url}/widget.js"${attributes.join('')} async></script></body></html>`);
    return undefined;
  });
  await new Promise((resolve) => { http.listen(0, '127.0.0.1', resolve); });
  http.unref();
  const url = `http://localhost:${http.address().port}`;
  server = await startServer({
    rate_limit_messages: 0, drain_seconds: 1, frame_ancestors: listed ? [url] : ['https://other.example'], ...settings,
  });
  return { server, url };
}

/** What a tab has asked the server for, beside its page. */
export const asked = (tab) => tab.requests.filter((path) => path.startsWith('/api') || path.startsWith('/socket.io'));

/** What the desk hears of a text. */
export const said = (desk, text) => desk.waitFor('new_customer_message', ({ message }) => message.content === text);

export const tokenOf = (id, claims = {}) => token({ user_id: id, username: `${id}`, ...claims });

/** Somebody at the console, without a screen. */
export async function openDesk(t, { server }, name = 'Sam') {
  const desk = await connect(`${server.url}/admin`, { token: token({ user_id: name.toLowerCase(), username: name, is_staff: true }) });
  t.after(() => desk.close());
  return desk;
}

const DESK = { viewport: { width: 1280, height: 800 } };
/**
 * Playwright turns off what keeps apart what a frame stores on different sites, and then Chromium lets a frame of another
 * site store nothing at all. The last such switch counts.
 */
const AS_BROWSERS_ARE = '--disable-features=HttpsUpgrades,MediaRouter,PaintHolding';

let browser;
after(async () => (await browser)?.close());

/** A browser of a visitor; its tabs share what the browser keeps. */
export async function openVisitor(t, site, options = {}) {
  browser ??= chromium.launch({ executablePath: CHROMIUM, args: [...ARGS, AS_BROWSERS_ARE] });
  return watched(t, await (await browser).newContext({ ...DESK, ...options }), site);
}

/** One that lets a frame of another site keep nothing. */
export async function openForgetful(t, site, options = {}) {
  return watched(t, await (await launch()).newContext({ ...DESK, ...options }), site);
}

async function watched(t, context, site) {
  const visitor = new Visitor(context, site);
  await context.exposeBinding('reportFault', (_, fault) => visitor.faults.push(fault));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      globalThis.reportFault(`policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(visitor.faults.filter((fault) => !visitor.allowed.some((pattern) => pattern.test(fault))), []);
  });
  return visitor;
}

class Visitor {
  faults = [];
  /** A page that is left does not wait for answers. */
  allowed = [/net::ERR_ABORTED$/];

  constructor(context, site) { Object.assign(this, { context, site }); }

  /** Something is blocked, stopped or cut off in this test. */
  mayLoseConnections() {
    this.allowed.push(
      /WebSocket connection to '[^']+' failed/, /WebSocket is already in CLOSING/, /^Failed to load resource: net::ERR_/,
      /\/(socket\.io|api)\/\S* net::ERR_/,
    );
  }

  async open(query = {}) {
    const page = await this.context.newPage();
    const tab = new Tab(this, page);
    await tab.visit(query);
    return tab;
  }
}

class Tab {
  /** Paths at the server that were asked for. */
  requests = [];
  warnings = [];

  constructor(visitor, page) {
    Object.assign(this, { visitor, page });
    page.setDefaultTimeout(DEADLINE_MS);
    page.on('console', (message) => {
      if (message.type() === 'error') visitor.faults.push(message.text());
      if (message.type() === 'warning') this.warnings.push(message.text());
    });
    page.on('pageerror', (error) => visitor.faults.push(String(error)));
    page.on('requestfailed', (request) => visitor.faults.push(`${request.url()} ${request.failure()?.errorText}`));
    page.on('request', (request) => this.requests.push(new URL(request.url()).pathname));
    page.on('websocket', (socket) => this.requests.push(new URL(socket.url()).pathname));

    this.launcher = page.locator('confab-support button');
    this.frame = page.frameLocator('confab-support iframe');
    this.log = this.frame.getByRole('log', { name: 'Messages' });
    this.composer = this.frame.getByRole('textbox', { name: 'Message', exact: true });
    this.typing = this.frame.getByRole('status', { name: 'Typing' });
    this.badge = page.locator('confab-support button span');
  }

  async visit(query = {}) { await this.page.goto(`${this.visitor.site.url}/?${new URLSearchParams(query)}`); }

  async toggle() {
    await this.launcher.click();
    if (await this.launcher.getAttribute('aria-expanded') === 'true') await this.composer.waitFor();
  }

  /** Calls the page's own `Confab`. */
  async call(name, ...args) {
    await this.page.waitForFunction(() => globalThis.Confab?.open);
    await this.page.evaluate(([method, values]) => { globalThis.Confab[method](...values); }, [name, args]);
  }

  message(text, state) {
    const messages = this.log.locator(`[data-testid=message]${state ? `[data-state=${state}]` : ''}`);
    return messages.filter({ has: this.frame.getByText(text, { exact: true }) });
  }

  async send(text) {
    await this.composer.fill(text);
    await this.composer.press('Enter');
    await this.message(text).waitFor();
  }

  async sees(text) { await this.message(text, 'sent').waitFor(); }

  async texts() { return this.log.getByTestId('text').allTextContents(); }

  async live(by) {
    await this.frame.locator('[role=status][data-phase=live]').waitFor({ state: 'attached', timeout: 3 * DEADLINE_MS });
    if (by) await this.frame.locator(`[data-by=${by}]`).waitFor({ state: 'attached', timeout: 3 * DEADLINE_MS });
  }
}
