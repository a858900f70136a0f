// HTTP as no socket.io-client would speak it: with an Origin, a Host or a version of one's own.
import { randomBytes } from 'node:crypto';
import http from 'node:http';

const DEADLINE_MS = 10_000;

/** Resolves to `{status, headers, body, bytes}`: the body as text and as it came. */
export function request(server, path, { method = 'GET', headers = {}, body, localAddress } = {}) {
  return new Promise((resolve, reject) => {
    const asked = http.request(`${server.url}${path}`, { method, headers, localAddress, agent: false }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        resolve({ status: response.statusCode, headers: response.headers, body: bytes.toString(), bytes });
      });
    });
    asked.setTimeout(DEADLINE_MS, () => asked.destroy(new Error(`no answer to ${method} ${path} within ${DEADLINE_MS} ms`)));
    asked.on('error', reject);
    // An upgrade that was granted: the status is the fact, the connection is not used.
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode, headers: response.headers, body: '', bytes: Buffer.alloc(0) });
    });
    asked.end(body);
  });
}

/** Asks for a WebSocket; `status` is 101 where it is granted. */
export function upgrade(server, path, { headers = {} } = {}) {
  const websocket = {
    Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
  };
  return request(server, path, { headers: { ...websocket, ...headers } });
}
