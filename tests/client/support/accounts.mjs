// Signing in over HTTP, as a frontend does it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { assertRefusal } from './clients.mjs';
import { request } from './raw.mjs';
import { SECRET } from './server.mjs';
import { assertSignedIn } from './shapes.mjs';

export const PASSWORD = 'correct horse battery';
/** What the server signs tokens of accounts with. */
export const ACCOUNTS_SECRET = createHash('sha256').update(`confab accounts\0${SECRET}`).digest('hex');
/** For servers whose throttle is not what is tested. */
export const UNTHROTTLED = { max_sign_ins_per_ip_per_minute: 0, max_sign_ins_per_account_per_minute: 0 };

const COOKIE = 'confab_refresh';
const STATUS = {
  invalid_payload: 400,
  unauthorized: 401,
  signed_out: 401,
  access_denied: 403,
  account_disabled: 403,
  forbidden: 403,
  origin_not_allowed: 403,
  not_found: 404,
  username_taken: 409,
  rate_limited: 429,
};

/** `POST /api/auth/<what>`. A text or bytes go as they are; a header that is null is left out. */
export function post(server, what, body = {}, headers = {}) {
  const whole = { 'Content-Type': 'application/json', ...headers };
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  return ask(server, `/api/auth/${what}`, {
    method: 'POST',
    headers: Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== null)),
    body: isRaw ? body : JSON.stringify(body),
  });
}

/** The answer to any request, with `json` and `cookie`, each undefined where there is none. */
export async function ask(server, path, options) {
  const answer = await request(server, path, options);
  const isJson = /^application\/json/.test(answer.headers['content-type'] ?? '');
  return { ...answer, json: isJson ? JSON.parse(answer.body) : undefined, cookie: refreshCookie(answer.headers) };
}

export const bearer = (accessToken) => ({ Authorization: `Bearer ${accessToken}` });

/** `GET /api/me` with an access token. */
export const me = (server, accessToken) => ask(server, '/api/me', { headers: bearer(accessToken) });

/** What a browser sends that has the cookie. */
export const withCookie = (value) => ({ Cookie: `theme=dark; ${COOKIE}=${value}; lang=en` });

export function assertOk(answer, status = 200) {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.json?.success, true, answer.body);
  return answer.json;
}

/** A refusal with the status that belongs to its code. */
export function assertRefused(answer, code, context = '') {
  assert.equal(answer.status, STATUS[code], `${context}: ${answer.status} ${answer.body}`);
  assertRefusal(answer.json, code, context);
  return answer.json;
}

/** Makes an account. Resolves to what its owner is given. */
export async function register(server, username, { password = PASSWORD, headers, ...rest } = {}) {
  const signedIn = assertOk(await post(server, 'register', { username, password, ...rest }, headers), 201);
  assertSignedIn(signedIn);
  return signedIn;
}

/** Signs in to an account. Resolves to what its owner is given. */
export async function login(server, username, { password = PASSWORD, headers, ...rest } = {}) {
  const signedIn = assertOk(await post(server, 'login', { username, password, ...rest }, headers));
  assertSignedIn(signedIn);
  return signedIn;
}

/** A new account with a name that no other test uses. */
export const account = (w, options) => register(w.server, w.id('user'), options);

/** Uses a refresh token. Resolves to what is given for it. */
export async function refresh(server, refresh_token) {
  const signedIn = assertOk(await post(server, 'refresh', { refresh_token }));
  assertSignedIn(signedIn);
  return signedIn;
}

export const logout = async (server, { refresh_token }) => assertOk(await post(server, 'logout', { refresh_token }));

/** Nobody gets in with this access token: not over HTTP, not with a new connection. */
export async function assertShutOut(w, accessToken) {
  assertRefused(await me(w.server, accessToken), 'unauthorized');
  for (const transports of [['websocket'], ['polling']]) {
    await assert.rejects(w.connect({ transports, token: accessToken }), /^Error: unauthorized: ./);
  }
}

/** The access token works, over HTTP and for new connections. */
export async function assertLetIn(w, accessToken, user) {
  assert.deepEqual(assertOk(await me(w.server, accessToken)).user, user);
  await (await w.connect({ token: accessToken })).barrier();
}

/** The one cookie that an answer sets: `{value, attributes}`. */
function refreshCookie(headers) {
  const set = headers['set-cookie'] ?? [];
  assert.ok(set.length <= 1, `more than one cookie: ${set}`);
  if (set.length === 0) return undefined;
  const [pair, ...attributes] = set[0].split(';').map((part) => part.trim());
  const [name, ...value] = pair.split('=');
  assert.equal(name, COOKIE);
  const named = attributes.map((attribute) => attribute.split('='));
  return { value: value.join('='), attributes: new Map(named.map(([key, text = true]) => [key.toLowerCase(), text])) };
}
