// Pictures of the support widget, for README and for people to look at: only with SCREENSHOTS=folder.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { openDesk, openVisitor, startSite } from './widget-site.mjs';

const folder = process.env.SCREENSHOTS;
const skip = !folder;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
/** A site that looks like one. */
const SHOP = `
  body { margin: 0; background: #f6f3ea; color: #26331f; font: 17px/1.6 Georgia, serif }
  main { max-width: 46rem; padding: 4rem 3rem }
  h1 { margin: 0 0 .5rem; font-size: 3rem; font-weight: 500; line-height: 1.1 }
  ul { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); padding: 1rem 0; list-style: none }
  li { display: flex; justify-content: space-between; padding: 9rem 1rem 1rem; border-radius: 12px; background: linear-gradient(#c9d8b6, #a9c28f) }
  a { color: inherit }
  @media (prefers-color-scheme: dark) { body { background: #161a13; color: #dfe6d8 } li { background: linear-gradient(#39482d, #2a3820) } }
  @media (max-width: 500px) { main { padding: 2rem 1.25rem } h1 { font-size: 2.2rem } }`;
const SCRIPT = [
  ['customer', 'Hello! My snake plant has yellow leaves. Is that the light, or do I water it too much?'],
  ['staff', 'Hello! Most likely it is the water 🙂 How often do you give it some?'],
  ['customer', 'Every Sunday'],
  ['customer', 'And it stands in the bathroom.'],
  ['staff', 'Then every third Sunday is plenty. Let the soil dry all the way down first; there are pictures at https://fern.example/snake-plant'],
  ['customer', '🙏'],
];

let site;
before(async () => {
  if (skip) return;
  mkdirSync(folder, { recursive: true });
  site = await startSite({ styles: SHOP });
});

const open = async (t, options = {}) => {
  const visitor = await openVisitor(t, site, { locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', ...options });
  const tab = await visitor.open({ label: 'Ask Fern & Co.', name: 'Ann' });
  await tab.page.clock.setFixedTime(new Date(Date.now() - (Date.now() % 3600_000) + 24 * 60_000));
  await tab.launcher.waitFor();
  return tab;
};

async function picture({ page }, name) {
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(folder, `widget-${name}.png`), animations: 'disabled', caret: 'hide' });
}

async function converse(t, tab) {
  const desk = await openDesk(t, site);
  await tab.toggle();
  let room_id;
  for (const [who, text] of SCRIPT) {
    if (who === 'customer') {
      await tab.composer.fill(text);
      await tab.frame.getByRole('button', { name: 'Send' }).click();
      ({ room_id } = await desk.waitFor('new_customer_message', ({ message }) => message.content === text));
    } else {
      await desk.ok('admin_message', { room_id, content: text });
    }
    await tab.log.getByTestId('text').filter({ hasText: text.slice(0, 12) }).waitFor();
  }
  await desk.ok('view_room', { room_id });
  await desk.ok('mark_read', { room_id, seq: SCRIPT.length });
  return { desk, room_id };
}

test('closed, with something to read', { skip }, async (t) => {
  const tab = await open(t);
  const { desk, room_id } = await converse(t, tab);
  await tab.toggle();
  await desk.ok('admin_message', { room_id, content: 'You are welcome!' });
  await tab.badge.getByText('1').waitFor();
  await picture(tab, 'closed');
});

test('open, with nothing written yet', { skip }, async (t) => {
  const tab = await open(t);
  await tab.toggle();
  await picture(tab, 'open');
});

test('a conversation, light and dark', { skip }, async (t) => {
  const tab = await open(t);
  const { desk, room_id } = await converse(t, tab);
  await desk.ok('typing', { room_id, is_typing: true });
  await tab.typing.filter({ hasText: 'Sam is typing' }).waitFor();
  await tab.frame.getByText('Seen').waitFor();
  await picture(tab, 'conversation');
  await tab.page.emulateMedia({ colorScheme: 'dark' });
  await picture(tab, 'dark');
});

test('a phone', { skip }, async (t) => {
  const tab = await open(t, PHONE);
  await converse(t, tab);
  await tab.frame.getByText('Seen').waitFor();
  await picture(tab, 'phone');
});
