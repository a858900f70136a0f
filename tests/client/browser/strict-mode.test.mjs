// React's StrictMode mounts every component twice, in development builds only: so one is built here. A frontend that
// forgets to leave, or to stop listening, shows every message twice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { token } from '../support/clients.mjs';
import { EXAMPLE, eventually, history, openWindow, startSite } from './support.mjs';

const vite = join(EXAMPLE, 'node_modules/vite/bin/vite.js');
const web_root = mkdtempSync(join(tmpdir(), 'confab-strict-mode-'));
after(() => rmSync(web_root, { recursive: true, force: true }));

let server;
before(async () => {
  if (!existsSync(vite)) throw new Error('vite is not installed: run "npm ci" in examples/react-chat');
  execFileSync(process.execPath, [vite, 'build', '--mode', 'development', '--outDir', web_root, '--emptyOutDir'], {
    cwd: EXAMPLE,
    env: { ...process.env, NODE_ENV: 'development' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  server = await startSite({ web_root });
});

test('message_appears_once_although_everything_is_mounted_twice', async (t) => {
  const tokens = { alice: token({ user_id: 1, username: 'alice' }), bob: token({ user_id: 2, username: 'bob' }) };
  const alice = await openWindow(t, server, { token: tokens.alice, room: 'strict' });
  await alice.ready();
  const bob = await openWindow(t, server, { token: tokens.bob, room: 'strict' });
  await bob.ready();
  assert.equal(alice.sockets.length, 2, 'mounted twice: the first socket was closed again');

  const said = ['one', 'two', 'three'];
  for (const text of said) await alice.send(text);
  await bob.sees('three');
  await bob.send('four');
  await alice.sees('four');
  for (const window of [alice, bob]) {
    await eventually(async () => assert.deepEqual(await window.texts(), [...said, 'four']));
    await window.assertNeverDoubled();
    await eventually(async () => assert.equal(await window.people.getByRole('listitem').count(), 2));
  }
  assert.deepEqual((await history(server, tokens.alice, 'strict')).map(({ message }) => message), [...said, 'four']);

  // Opening and leaving rooms mounts and unmounts too.
  await bob.visit({ room: 'elsewhere' });
  await bob.page.getByRole('heading', { name: 'elsewhere' }).waitFor();
  await alice.send('five');
  await bob.toasts.getByRole('link').filter({ hasText: 'five' }).waitFor();
  assert.equal(await bob.toasts.getByRole('link').count(), 1);
  await bob.visit({ room: 'strict' });
  await bob.sees('five');
  await eventually(async () => assert.deepEqual(await bob.texts(), [...said, 'four', 'five']));

  // The browser complains about the socket that was given up while it was connecting, and about nothing else.
  alice.assertNoFaults({ lostConnections: true });
  bob.assertNoFaults({ lostConnections: true });
});
