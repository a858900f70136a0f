// Long-polling whose requests come to a node that does not have their session, as behind a load balancer without
// stickiness; and the cookie that a load balancer can go by.
import assert from 'node:assert/strict';
import { request, upgrade } from '../support/raw.mjs';

const POLLING = '/socket.io/?EIO=4&transport=polling';
const CORS = 'access-control-allow-origin';

async function open(server, headers) {
  const { status, headers: answered, body } = await request(server, POLLING, { headers });
  assert.equal(status, 200, body);
  return { sid: JSON.parse(body.slice(1)).sid, cookies: answered['set-cookie'] };
}

/** The id of a session that the node does not have any more, as good as one of another node. */
async function foreign(server) {
  const { sid } = await open(server);
  assert.equal((await request(server, `${POLLING}&sid=${sid}`, { method: 'POST', body: '1' })).status, 200);
  return sid;
}

/** For a server with node_name=left. */
export const strays = {
  'a request of a session that the node does not have is told the cause': async ({ server }) => {
    const sid = await foreign(server);
    for (const [ask, path, options] of [
      [request, `${POLLING}&sid=${sid}`, {}],
      [request, `${POLLING}&sid=${sid}`, { method: 'POST', body: '3' }],
      [request, `${POLLING}&sid=nonsense`, {}],
      [upgrade, `/socket.io/?EIO=4&transport=websocket&sid=${sid}`, {}],
      [upgrade, '/socket.io/?EIO=4&transport=websocket&sid=nonsense', {}],
    ]) {
      const { status, headers, body } = await ask(server, path, options);
      assert.equal(status, 400, path);
      assert.match(headers['content-type'], /^application\/json/);
      const { code, message, ...more } = JSON.parse(body);
      assert.deepEqual([code, more], [1, {}], 'the shape of Engine.IO');
      assert.match(message, /^Session ID unknown to node left\b.*ended.*stickiness is missing/);
    }
  },

  'a page that may connect can read it': async ({ server }) => {
    const headers = { Origin: 'http://localhost:5173' };
    const answer = await request(server, `${POLLING}&sid=${await foreign(server)}`, { headers });
    assert.equal(answer.headers[CORS], headers.Origin);
  },

  'the log says it once, not each time': async ({ server }) => {
    for (let i = 0; i < 5; i += 1) await request(server, `${POLLING}&sid=nonsense`);
    const lines = server.log().map((line) => JSON.parse(line)).filter(({ fields }) => /sticky sessions/.test(fields.message));
    assert.equal(lines.length, 1, JSON.stringify(lines));
    assert.deepEqual([lines[0].level, lines[0].fields.node], ['WARN', 'left']);
  },

  'other refusals of the library stay as they are': async ({ server }) => {
    const { sid } = await open(server);
    const { status, body } = await request(server, `/socket.io/?EIO=4&transport=nonsense&sid=${sid}`);
    assert.equal(status, 400);
    assert.deepEqual(JSON.parse(body), { code: '0', message: 'Transport unknown' });
  },

  'asking for a WebSocket leaves the session that is upgraded as it was': async ({ server }) => {
    const { sid } = await open(server);
    assert.equal((await upgrade(server, `/socket.io/?EIO=4&transport=websocket&sid=${sid}`)).status, 101);
    const { status, body } = await request(server, `${POLLING}&sid=${sid}`, { method: 'POST', body: '3' });
    assert.ok(status === 200 || /Session ID unknown/.test(body), `${status} ${body}`);
  },

  'no cookie is set unless a setting says so': async ({ server }) => assert.equal((await open(server)).cookies, undefined),
};

/** For a server with node_name=left, sticky_cookie=at and allowed_origins=https://app.example. */
export const cookie = {
  'who begins with long-polling is given the name of the node': async ({ server }) => {
    assert.deepEqual((await open(server)).cookies, ['at=left; HttpOnly; SameSite=Lax; Path=/socket.io']);
    assert.deepEqual((await open(server, { Cookie: 'at=right' })).cookies?.length, 1);
    assert.equal((await open(server, { Cookie: 'a=b; at=left' })).cookies, undefined, 'it is there');
  },

  'a page of another site is given a cookie that its browser keeps': async ({ server }) => {
    const { cookies } = await open(server, { Origin: 'https://app.example' });
    assert.deepEqual(cookies, ['at=left; HttpOnly; SameSite=None; Partitioned; Secure; Path=/socket.io']);
  },

  'a WebSocket needs none': async ({ server }) => {
    const { status, headers } = await upgrade(server, '/socket.io/?EIO=4&transport=websocket');
    assert.deepEqual([status, headers['set-cookie']], [101, undefined]);
  },
};
