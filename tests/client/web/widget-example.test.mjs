// The example site in examples/support-widget, as its README says to run it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SECRET, startServer } from '../support/server.mjs';
import { openDesk, openVisitor } from './widget-site.mjs';

const EXAMPLE = fileURLToPath(new URL('../../../examples/support-widget/server.mjs', import.meta.url));

async function startExample(t, server) {
  const env = { ...process.env, CONFAB_URL: server.url, CONFAB_JWT_SECRET: SECRET, PORT: '0' };
  const child = spawn(process.execPath, [EXAMPLE], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const [url] = await new Promise((resolve) => { createInterface({ input: child.stdout }).once('line', (line) => resolve([line])); });
  return { server, url };
}

test('the guest of the example signs in, goes on as Ann, and out', async (t) => {
  const site = await startExample(t, await startServer({ frame_ancestors: '*' }));
  const desk = await openDesk(t, site);
  const tab = await (await openVisitor(t, site)).open();
  await tab.page.getByRole('button', { name: 'Ask about delivery' }).click();
  await tab.send('Do you deliver to islands?');
  const said = (text) => desk.waitFor('new_customer_message', ({ message }) => message.content === text);
  const { room_id } = await said('Do you deliver to islands?');

  await tab.page.getByRole('button', { name: 'Sign in as Ann' }).click();
  await tab.page.getByRole('button', { name: 'Sign out' }).waitFor();
  await desk.waitFor('room_activity', { room_id, action: 'linked' });
  await tab.send('It is Ann');
  assert.equal((await said('It is Ann')).message.user_id, 'ann');

  await tab.visit();
  await desk.ok('admin_message', { room_id, content: 'We do!' });
  await tab.page.getByText('1 unread').waitFor();
  await tab.toggle();
  await tab.sees('We do!');
  assert.deepEqual(await tab.texts(), ['Do you deliver to islands?', 'It is Ann', 'We do!']);
  await tab.page.getByRole('button', { name: 'Sign out' }).click();
  await tab.frame.getByText('Hello! How can we help?').waitFor();
});
