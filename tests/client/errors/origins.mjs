// The Origin check, as a browser would run into it. `null` for a header stands for none.
import assert from 'node:assert/strict';
import { assertRefusal } from '../support/clients.mjs';
import { request, upgrade } from '../support/raw.mjs';

const POLLING = '/socket.io/?EIO=4&transport=polling';
const WEBSOCKET = '/socket.io/?EIO=4&transport=websocket';
const FOREIGN = 'https://evil.example';

const headers = (Origin, Host) => ({ ...(Origin ? { Origin } : {}), ...(Host ? { Host } : {}) });

async function admits(server, origin, host) {
  const polling = await request(server, POLLING, { headers: headers(origin, host) });
  assert.equal(polling.status, 200, `polling from ${origin} at ${host}: ${polling.body}`);
  const websocket = await upgrade(server, WEBSOCKET, { headers: headers(origin, host) });
  assert.equal(websocket.status, 101, `websocket from ${origin} at ${host}: ${websocket.body}`);
  return polling;
}

async function refuses(server, origin, host) {
  for (const [ask, path] of [[request, POLLING], [upgrade, WEBSOCKET]]) {
    const answer = await ask(server, path, { headers: headers(origin, host) });
    assert.equal(answer.status, 403, `${path} from ${origin} at ${host}: ${answer.body}`);
    assert.match(answer.headers['content-type'], /^application\/json/);
    assertRefusal(JSON.parse(answer.body), 'origin_not_allowed');
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  }
}

export const byDefault = {
  'who names no origin is no browser and is admitted': ({ server }) => admits(server, null),

  'pages of the server itself are admitted': async ({ server }) => {
    await admits(server, server.url);
    await admits(server, 'http://chat.example:8080', 'chat.example:8080');
  },

  'pages of this machine are admitted': async ({ server }) => {
    for (const origin of ['http://localhost:3000', 'http://127.0.0.1:5173', 'http://[::1]:8000']) await admits(server, origin);
  },

  'foreign pages are refused with an error body': async ({ server }) => {
    await refuses(server, FOREIGN);
    await refuses(server, 'http://localhost.evil.example');
    await refuses(server, 'http://127.0.0.1.evil.example:3000');
    await refuses(server, 'http://chat.example.evil.example:8080', 'chat.example:8080');
    await refuses(server, 'http://chat.example:9999', 'chat.example:8080');
  },

  'the origin null, that of sandboxed frames, is refused': ({ server }) => refuses(server, 'null'),

  'a valid token does not make a foreign page welcome': async (w) => {
    const answer = await request(w.server, `${POLLING}&token=${w.token('alice')}`, { headers: headers(FOREIGN) });
    assert.equal(answer.status, 403);
  },

  'socket.io-client from a foreign page is not connected': async (w) => {
    for (const transports of [['websocket'], ['polling']]) {
      const client = w.open({ transports, token: w.token('alice'), extraHeaders: { Origin: FOREIGN } });
      await assert.rejects(client.ready);
      assert.equal(client.connected, false);
    }
  },
};

/** For a server whose allowed_origins are these. */
export const LISTED = ['https://app.example', 'http://other.example:8080'];

export const listed = {
  'listed origins are admitted and told so': async ({ server }) => {
    for (const origin of LISTED) {
      const answer = await admits(server, origin);
      assert.equal(answer.headers['access-control-allow-origin'], origin);
    }
  },

  'a preflight from a listed origin is answered': async ({ server }) => {
    const asks = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization,content-type' };
    const answer = await request(server, POLLING, { method: 'OPTIONS', headers: { Origin: LISTED[0], ...asks } });
    assert.ok([200, 204].includes(answer.status), `${answer.status}`);
    assert.equal(answer.headers['access-control-allow-origin'], LISTED[0]);
    assert.match(answer.headers['access-control-allow-headers'] ?? '', /authorization/i);
  },

  'what is not listed is refused': async ({ server }) => {
    for (const origin of [FOREIGN, 'http://app.example', 'https://app.example:8443', 'https://sub.app.example', 'https://app.example.evil.example']) {
      await refuses(server, origin);
    }
  },

  'socket.io-client connects from a listed page': async (w) => {
    for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
      const client = await w.connect({ transports, token: w.token('alice'), extraHeaders: { Origin: LISTED[0] } });
      await client.ok('join_room', { room_id: w.id() });
    }
  },
};

/** For a server whose allowed_origins is `*`. */
export const everyOrigin = {
  'where every origin is allowed, a foreign one is': async ({ server }) => {
    const answer = await admits(server, FOREIGN);
    assert.ok(['*', FOREIGN].includes(answer.headers['access-control-allow-origin']), answer.headers['access-control-allow-origin']);
    await admits(server, null);
  },
};
