// How a connection of the raw WebSocket door ends, in a test's words.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { assertRefusal } from '../support/clients.mjs';

/** A client that is closed with `code`, having been told `error` once. Resolves to that error. */
export async function closed({ socket }, code, error) {
  const end = await socket.end();
  assert.equal(end.code, code, `${end.reason}; ${JSON.stringify(socket.frames.slice(-3))}`);
  assert.ok(end.reason.startsWith(`${error}: `), end.reason);
  assert.ok(Buffer.byteLength(end.reason) <= 123, end.reason);
  const [told, ...more] = socket.frames.filter((frame) => frame.type === 'error' && frame.code === error);
  assert.ok(told, `closed without an error frame: ${JSON.stringify(socket.frames.slice(-3))}`);
  assert.deepEqual(more, []);
  const { type, ...body } = told;
  assertRefusal(body, error);
  return body;
}

/** One that is closed before it was let in: the error is the first and last that it hears. */
export async function refused(client, code, error) {
  const told = await closed(client, code, error);
  await assert.rejects(client.ready);
  assert.equal(client.socket.frames.length, 1);
  return told;
}

/** When the upgrade was accepted. */
export async function opened({ socket: { ws } }) {
  if (ws.readyState === ws.CONNECTING) await once(ws, 'open');
}
