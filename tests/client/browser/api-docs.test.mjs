// The page that shows the API, in a browser that reaches nothing but the server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../support/server.mjs';
import { launch } from './support.mjs';

const server = await startServer();

test('the API is looked at and tried out in a browser, with nothing from elsewhere', { timeout: 60_000 }, async (t) => {
  const context = await (await launch()).newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const [complaints, elsewhere] = [[], []];
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== server.url && protocol !== 'data:') elsewhere.push(request.url());
  });
  await page.goto(`${server.url}/api/docs`);
  const ways = page.locator('#operations-Signing_in-ways_in');
  await ways.getByRole('button', { name: /\/api\/auth/ }).first().click();
  await ways.getByRole('button', { name: 'Try it out' }).click();
  await ways.getByRole('button', { name: 'Execute' }).click();
  await ways.locator('.live-responses-table .microlight', { hasText: '"registration"' }).waitFor();
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(complaints, []);
});
