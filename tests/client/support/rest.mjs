// Requests to /api as a program sends them that holds no connection.
import assert from 'node:assert/strict';
import http from 'node:http';
import { assertRefusal } from './clients.mjs';
import { request } from './raw.mjs';

const STATUS = {
  invalid_payload: 400,
  unauthorized: 401,
  signed_out: 401,
  token_expired: 401,
  access_denied: 403,
  account_disabled: 403,
  blocked: 403,
  forbidden: 403,
  not_found: 404,
  last_owner: 409,
  room_closed: 409,
  room_archived: 409,
  stale_reply: 409,
  guest_already_linked: 409,
  rate_limited: 429,
  too_many_connections: 429,
  restarting: 503,
};

/** An id as it is written in a path or a query. */
export const written = (id) => encodeURIComponent(typeof id === 'number' ? `#${id}` : String(id).replace(/^#/, '##'));

/** Somebody who asks by HTTP: `{token}`, `{guest_session}` or nobody. */
export class Caller {
  constructor(server, { token, guest_session, headers = {} } = {}) {
    this.server = server;
    this.headers = {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(guest_session === undefined ? {} : { 'X-Guest-Session': guest_session }),
      ...headers,
    };
  }

  /** The answer, with `json`. */
  async ask(method, path, body, headers = {}) {
    const answer = await request(this.server, `/api${path}`, { method, ...this.#with(body, headers) });
    return { ...answer, json: JSON.parse(answer.body) };
  }

  /** A request that has to succeed. Resolves to what the answer says. */
  async ok(method, path, body, headers) {
    const answer = await this.ask(method, path, body, headers);
    assert.ok(answer.status === 200 || answer.status === 201, `${method} ${path}: ${answer.status} ${answer.body}`);
    assert.equal(answer.json.success, true, answer.body);
    return answer.json;
  }

  /** The same, made: 201. */
  async made(path, body, headers) {
    const answer = await this.ask('POST', path, body, headers);
    assert.equal(answer.status, 201, `${path}: ${answer.body}`);
    return answer.json;
  }

  /** A request that has to be refused with `code`, and the status that goes with it. */
  async refused(code, method, path, body, headers) {
    const answer = await this.ask(method, path, body, headers);
    assert.equal(answer.status, STATUS[code], `${method} ${path}: ${answer.status} ${answer.body}`);
    assertRefusal(answer.json, code, `${method} ${path}`);
    return answer;
  }

  /** Sends a request without waiting for it: `{answer, hangUp}`. An answer that is given up never comes. */
  hold(method, path, body) {
    const { headers, body: bytes } = this.#with(body, {});
    let asked;
    const answer = new Promise((resolve, reject) => {
      asked = http.request(`${this.server.url}/api${path}`, { method, headers, agent: false }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, json: JSON.parse(Buffer.concat(parts)) }));
      });
      asked.on('error', (error) => (asked.destroyed && error.code === 'ECONNRESET' ? undefined : reject(error)));
      asked.end(bytes);
    });
    const sent = new Promise((resolve) => { asked.once('finish', resolve); });
    return { answer, sent, hangUp: () => asked.destroy() };
  }

  #with(body, headers) {
    const whole = { ...this.headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers };
    const bytes = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return { headers: whole, body: bytes };
  }
}

/** A user of a world, by HTTP only. */
export const rest = (w, id, claims) => new Caller(w.server, { token: w.token(id, claims) });

/** A new guest by HTTP only, with `session`. */
export async function restGuest(w) {
  const session = await new Caller(w.server).made('/guest-sessions');
  return Object.assign(new Caller(w.server, { guest_session: session.guest_session }), { session, id: session.user_id });
}
