// The contract from Python, in a virtual environment that is made for the test.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { INSTALL_MS, environment, step } from './support/python.mjs';
import { startServer } from './support/server.mjs';
import { World } from './support/world.mjs';

const PACKAGE = 'python-socketio[client]==5.18.1';
const SMOKE_MS = 60_000;
const SMOKE = fileURLToPath(new URL('python/smoke.py', import.meta.url));

const server = await startServer();

describe('python-socketio', () => {
  it('joins, chats, hears and is refused over websocket and polling', { timeout: INSTALL_MS + SMOKE_MS }, async (t) => {
    const programs = await environment(PACKAGE);
    const w = new World(t, server);
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    await step('smoke.py', join(programs, 'python'), [SMOKE, server.url, w.token('python'), room_id], SMOKE_MS);
    await alice.barrier();
    assert.deepEqual(
      alice.all('new_message').map(({ user_id, message }) => [user_id, message]),
      [['python', 'from Python by websocket 🐍'], ['python', 'from Python by polling 🐍']],
    );
  });
});
