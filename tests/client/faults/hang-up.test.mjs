// Checking a password costs 19 MiB and a core for a while. How many are checked at once is for the server to say, not for
// visitors who send one and hang up.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PASSWORD, UNTHROTTLED, assertRefused, post } from '../support/accounts.mjs';
import { startServer } from '../support/server.mjs';

const VISITORS = 60;
/** Two passwords are checked at once; five of them fit in here, a dozen do not. */
const MOST_GROWTH_BYTES = 100 * 1024 * 1024;

const server = await startServer({ accounts: 'open', ...UNTHROTTLED });

/** The most memory that the process has ever had resident. */
const peakBytes = () => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) * 1024;

/** Sends the request and resolves to its connection. */
function send(body) {
  const head = ['POST /api/auth/login HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', `Content-Length: ${body.length}`];
  return new Promise((resolve, reject) => {
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write(`${head.join('\r\n')}\r\n\r\n${body}`, () => resolve(socket)));
    socket.on('error', reject);
    socket.resume();
  });
}

test('visitors who hang up do not have more passwords checked at once', { timeout: 60_000 }, async () => {
  const nobody = { username: 'nobody', password: PASSWORD };
  // The one that everything is compared with has been checked.
  assertRefused(await post(server, 'login', nobody), 'unauthorized');
  const before = peakBytes();
  const sockets = await Promise.all(Array.from({ length: VISITORS }, () => send(JSON.stringify(nobody))));
  for (const socket of sockets) {
    socket.destroy();
    // Long enough for the server to notice, too short for a password.
    await sleep(2);
  }
  assertRefused(await post(server, 'login', nobody), 'unauthorized');
  const growth = peakBytes() - before;
  assert.ok(growth < MOST_GROWTH_BYTES, `the server grew by ${Math.round(growth / 1024 / 1024)} MiB`);
});
