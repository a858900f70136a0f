// Python programs in tests: a virtual environment that is made for the test file, and gone when it ends.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { promisify } from 'node:util';

/** How long installing may take. */
export const INSTALL_MS = 180_000;

const run = promisify(execFile);

/** Runs a step and says what it was for where it fails: a machine without Python is a failure, not a skip. */
export async function step(purpose, command, args, timeout, options = {}) {
  try {
    return await run(command, args, { timeout, maxBuffer: 1 << 26, ...options });
  } catch (error) {
    const why = error.code === 'ENOENT' ? `${command} is not installed` : [error.message, error.stdout, error.stderr].join('\n');
    return assert.fail(`${purpose}: ${why}`);
  }
}

/** Makes an environment with some packages. Resolves to its folder of programs. */
export async function environment(...packages) {
  const folder = mkdtempSync(join(tmpdir(), 'confab-python-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  await step('making a virtual environment needs Python 3 with venv', 'python3', ['-m', 'venv', folder], INSTALL_MS);
  const programs = join(folder, 'bin');
  await step(`installing ${packages.join(', ')}`, join(programs, 'python'), ['-m', 'pip', 'install', '--quiet', ...packages], INSTALL_MS);
  return programs;
}
