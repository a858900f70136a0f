// The contract from Python, in a virtual environment that is made for the test.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startServer } from './support/server.mjs';
import { World } from './support/world.mjs';

const PACKAGE = 'python-socketio[client]==5.18.1';
const INSTALL_MS = 180_000;
const SMOKE_MS = 60_000;
const SMOKE = fileURLToPath(new URL('python/smoke.py', import.meta.url));

const run = promisify(execFile);

/** Runs a step and says what it was for where it fails: a machine without Python is a failure, not a skip. */
async function step(purpose, command, args, timeout) {
  try {
    return await run(command, args, { timeout, maxBuffer: 1 << 24 });
  } catch (error) {
    const why = error.code === 'ENOENT' ? `${command} is not installed` : [error.message, error.stdout, error.stderr].join('\n');
    return assert.fail(`${purpose}: ${why}`);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'confab-python-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const server = await startServer();

describe('python-socketio', () => {
  it('joins, chats, hears and is refused over websocket and polling', { timeout: INSTALL_MS + SMOKE_MS }, async (t) => {
    await step('making a virtual environment needs Python 3 with venv', 'python3', ['-m', 'venv', folder], INSTALL_MS);
    const python = join(folder, 'bin', 'python');
    await step(`installing ${PACKAGE}`, python, ['-m', 'pip', 'install', '--quiet', PACKAGE], INSTALL_MS);

    const w = new World(t, server);
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    await step('smoke.py', python, [SMOKE, server.url, w.token('python'), room_id], SMOKE_MS);
    await alice.barrier();
    assert.deepEqual(
      alice.all('new_message').map(({ user_id, message }) => [user_id, message]),
      [['python', 'from Python by websocket 🐍'], ['python', 'from Python by polling 🐍']],
    );
  });
});
