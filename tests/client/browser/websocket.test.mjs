// The raw WebSocket door from a page, by the browser's own WebSocket: what it hears, and why it is closed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { now, token } from '../support/clients.mjs';
import { startServer } from '../support/server.mjs';
import { launch } from './support.mjs';

const [server, strict] = await Promise.all([
  startServer({ max_connections_per_user: 1, drain_seconds: 1 }),
  startServer({ guests: false, create_rooms_on_join: false }),
]);

/** A page of the server's own origin, or of another name for it. */
async function openPage(t, site, origin = site.url) {
  const context = await (await launch()).newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${origin}/healthz`);
  return page;
}

/** Runs in the page: opens a WebSocket and resolves to all that happened, when it is closed or `last` has come. */
function listen({ url, send, last }) {
  return new Promise((resolve) => {
    const happened = { opened: false, frames: [], close: null };
    const socket = new WebSocket(url);
    globalThis.sockets = [...(globalThis.sockets ?? []), socket];
    socket.onopen = () => {
      happened.opened = true;
      for (const frame of send ?? []) socket.send(JSON.stringify(frame));
    };
    socket.onmessage = ({ data }) => {
      happened.frames.push(JSON.parse(data));
      if (happened.frames.at(-1).type === last) resolve(happened);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      happened.close = { code, reason, wasClean };
      resolve(happened);
    };
  });
}

const address = (site, path, query = {}) => `${site.url.replace('http', 'ws')}${path}?${new URLSearchParams(query)}`;
const alice = token({ user_id: 7, username: 'alice' });

test('a page chats and hears itself', async (t) => {
  const page = await openPage(t, server);
  const url = address(server, '/ws/chat/lobby/', { token: alice });
  const { frames } = await page.evaluate(listen, { url, last: 'chat_message', send: [{ type: 'chat_message', content: 'hello' }] });
  const { message } = frames.at(-1);
  assert.deepEqual([message.content, message.sender_name, message.user_id, message.room_id], ['hello', 'alice', 7, 'lobby']);
  assert.ok(frames.some(({ type, user_id: id }) => type === 'user_joined' && id === 7));

  await t.test('and reads that there are too many connections: 4429', async () => {
    const { opened, close } = await page.evaluate(listen, { url });
    assert.equal(opened, true);
    assert.deepEqual(close, { code: 4429, reason: 'too_many_connections: Too many connections', wasClean: true });
  });
});

test('a page reads why it is not let in', async (t) => {
  const page = await openPage(t, strict);
  const bob = token({ user_id: 'bob' });
  const cases = [
    [4401, 'unauthorized', '/ws/chat/', {}, [{ type: 'ping' }]],
    [4401, 'unauthorized', '/ws/chat/', { token: 'garbage' }],
    [4401, 'unauthorized', '/ws/chat/lobby/', {}, [{ type: 'auth', token: token({ user_id: 7, exp: now() - 100 }) }]],
    [4401, 'unauthorized', '/ws/admin/chat/', { token: 'garbage' }],
    [4403, 'forbidden', '/ws/admin/chat/', { token: bob }],
    [4404, 'not_found', '/ws/chat/nowhere/', { token: bob }],
  ];
  for (const [code, error, path, query, send] of cases) {
    const { opened, frames, close } = await page.evaluate(listen, { url: address(strict, path, query), send });
    assert.equal(opened, true, path);
    assert.deepEqual([close.code, close.wasClean], [code, true], `${path}: ${JSON.stringify(close)}`);
    assert.ok(close.reason.startsWith(`${error}: `), close.reason);
    assert.equal(frames.find(({ type }) => type === 'error')?.code, error);
  }
});

test('a page of another site is connected only where its origin is listed', async (t) => {
  // This machine's own pages may always connect, so the other site has a name of which only the browser knows where it is.
  const origin = `http://app.localhost:${server.port}`;
  const hospitable = await startServer({ allowed_origins: [origin] });
  const page = await openPage(t, server, origin);
  const query = { token: token({ user_id: 'dave' }) };
  const welcome = await page.evaluate(listen, { url: address(hospitable, '/ws/chat/', query), send: [{ type: 'ping' }], last: 'pong' });
  assert.equal(welcome.opened, true);
  const { opened, close } = await page.evaluate(listen, { url: address(strict, '/ws/chat/', query) });
  assert.equal(opened, false);
  assert.equal(close.code, 1006);
});

test('a page reads that the server restarts: 1012', async (t) => {
  const page = await openPage(t, server);
  const url = address(server, '/ws/chat/', { token: token({ user_id: 'carol' }) });
  const closed = page.evaluate(listen, { url });
  await page.waitForFunction(() => globalThis.sockets?.[0]?.readyState === WebSocket.OPEN);
  await server.stop();
  assert.equal((await closed).close.code, 1012);
});
