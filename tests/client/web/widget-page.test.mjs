// The support widget as a part of another site’s page: its place, the keyboard, its looks, its size.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertAccessible } from './axe.mjs';
import { eventually } from './support.mjs';
import { openDesk, openVisitor, said, startSite } from './widget-site.mjs';

const MAX_BYTES = 100_000;
const MAX_LOADER_BYTES = 6000;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

let site;
before(async () => { site = await startSite(); });

describe('on the page', () => {
  test('a site that the server does not list is told so, once, and shows nothing', async (t) => {
    const unlisted = await startSite({ listed: false });
    const visitor = await openVisitor(t, unlisted);
    visitor.allowed.push(/frame-ancestors/, /chrome-error/, /ERR_BLOCKED_BY_(RESPONSE|CSP)/);
    const tab = await visitor.open();
    await eventually(() => assert.equal(tab.warnings.filter((text) => text.startsWith('Confab:')).length, 1), 20_000);
    assert.match(tab.warnings.join('\n'), new RegExp(`"${unlisted.url}".*frame_ancestors`));
    assert.equal(await tab.launcher.isVisible(), false);
  });

  test('the keyboard gets in, writes, and gets back to where it was', async (t) => {
    const tab = await (await openVisitor(t, site)).open();
    await tab.launcher.waitFor();
    await tab.launcher.focus();
    await tab.page.keyboard.press('Enter');
    await tab.composer.waitFor();
    await eventually(async () => assert.equal(await tab.composer.evaluate((field) => document.activeElement === field), true));
    assert.equal(await tab.launcher.getAttribute('aria-expanded'), 'true');
    await tab.page.keyboard.type('By keyboard');
    assert.equal(await tab.composer.inputValue(), 'By keyboard');
    await tab.page.keyboard.press('Escape');
    await eventually(async () => {
      assert.equal(await tab.launcher.getAttribute('aria-expanded'), 'false');
      assert.equal(await tab.launcher.evaluate((button) => button.getRootNode().activeElement === button), true);
    });
  });

  test('the page’s own styles do not reach it, and messages of others are not taken for its own', async (t) => {
    const tab = await (await openVisitor(t, site)).open({ label: 'Ask the gardener', color: 'rebeccapurple' });
    await tab.toggle();
    const { width, height } = await tab.launcher.boundingBox();
    assert.ok(Math.abs(width - 56) < 4 && Math.abs(height - 56) < 4);
    assert.equal((await tab.page.locator('confab-support iframe').boundingBox()).width, 392);
    await tab.frame.getByRole('heading', { name: 'Ask the gardener' }).waitFor();
    const back = await tab.frame.locator('header').evaluate((header) => getComputedStyle(header).backgroundColor);
    assert.equal(back, 'rgb(102, 51, 153)');
    await tab.page.evaluate(() => {
      postMessage({ confab: 'confab-widget', type: 'close' });
      postMessage({ confab: 'confab-widget', type: 'unread', count: 5 });
    });
    await tab.page.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 100); }));
    assert.equal(await tab.launcher.getAttribute('aria-expanded'), 'true');
    assert.equal(await tab.launcher.getAttribute('aria-label'), 'Close: Ask the gardener');
  });

  test('what the page asks of Confab before it is there is done then', async (t) => {
    const visitor = await openVisitor(t, site);
    await visitor.context.addInitScript(() => {
      if (globalThis.parent === globalThis) (globalThis.Confab ??= []).push((confab) => confab.open());
    });
    const tab = await visitor.open();
    await tab.composer.waitFor();
    await tab.call('close');
    await tab.composer.waitFor({ state: 'hidden' });
  });

  test('on a phone it fills the screen, and closes by its own button', async (t) => {
    const visitor = await openVisitor(t, site, PHONE);
    const tab = await visitor.open();
    await tab.launcher.tap();
    await tab.composer.waitFor();
    await eventually(async () => {
      const { x, y, width, height } = await tab.page.locator('confab-support iframe').boundingBox();
      assert.deepEqual([x, y, width, height], [0, 0, 390, 844]);
    });
    await tab.frame.getByRole('button', { name: 'Close chat' }).tap();
    await tab.composer.waitFor({ state: 'hidden' });
    await tab.launcher.waitFor();
  });

  for (const [name, options] of Object.entries({ 'a wide screen': {}, 'a phone': PHONE })) {
    test(`there is nothing that keeps anybody out, on ${name}`, async (t) => {
      const desk = await openDesk(t, site);
      const tab = await (await openVisitor(t, site, { reducedMotion: 'reduce', ...options })).open();
      await tab.toggle();
      await tab.composer.fill(`Everybody on ${name}`);
      await tab.frame.getByRole('button', { name: 'Send' }).click();
      const { room_id } = await said(desk, `Everybody on ${name}`);
      await desk.ok('admin_message', { room_id, content: 'Welcome, all of you: example.com' });
      await tab.log.getByRole('link').waitFor();
      const frame = tab.page.frames()[1];
      const evaluate = (work, ...args) => frame.evaluate(work, ...args);
      const emulateMedia = (media) => tab.page.emulateMedia(media);
      await assertAccessible(t, { page: { evaluate, emulateMedia, url: () => frame.url() } });
    });
  }

  test('until the first message it is small, and the page’s own part hardly anything', async (t) => {
    const visitor = await openVisitor(t, site);
    const page = await visitor.context.newPage();
    const sizes = [];
    page.on('requestfinished', (request) => {
      if (request.url().startsWith(site.server.url)) sizes.push(request.sizes().then((size) => [new URL(request.url()).pathname, size.responseBodySize]));
    });
    await page.goto(site.url);
    const frame = page.frameLocator('confab-support iframe');
    await page.locator('confab-support button').click();
    await frame.getByRole('textbox', { name: 'Message' }).fill('How much is this?');
    await frame.getByRole('textbox', { name: 'Message' }).press('Enter');
    await frame.locator('[data-testid=message][data-state=sent]').waitFor();
    const own = await Promise.all(sizes);
    const bytes = own.reduce((sum, [, size]) => sum + size, 0);
    const loader = Object.fromEntries(own)['/widget.js'];
    t.diagnostic(`${bytes} bytes, of which ${loader} on the page itself`);
    assert.ok(bytes < MAX_BYTES, own.map((each) => each.join(' ')).join('\n'));
    assert.ok(loader < MAX_LOADER_BYTES);
  });
});
