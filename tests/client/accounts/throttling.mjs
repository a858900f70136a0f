// How often one can try: per account, so that nobody guesses a password, and per address, so that nobody tries all names.
import assert from 'node:assert/strict';
import { PASSWORD, ask, assertOk, assertRefused, bearer, post } from '../support/accounts.mjs';

export const PER_ACCOUNT = 2;
export const PER_ADDRESS = 3;

const MINUTE_MS = 60_000;

let addresses = 0;

/** Headers of a visitor whom nobody has heard of, behind a proxy on this machine. */
function visitor() {
  addresses += 1;
  return { 'X-Forwarded-For': `198.51.100.${addresses}` };
}

function attempt(w, { username = w.id('user'), password = PASSWORD, what = 'login', from = visitor() } = {}) {
  return post(w.server, what, { username, password }, from);
}

/** Refused for a while, of which both the body and the header tell. */
function assertThrottled(answer, most) {
  const { retry_after_ms, message } = assertRefused(answer, 'rate_limited');
  assert.match(message, /^Too many attempts/);
  assert.ok(Number.isInteger(retry_after_ms) && retry_after_ms > 0 && retry_after_ms <= MINUTE_MS / most, answer.body);
  assert.equal(answer.headers['retry-after'], String(Math.ceil(retry_after_ms / 1000)));
  assert.equal(answer.headers['set-cookie'], undefined);
}

/** For a server with max_sign_ins_per_account_per_minute = PER_ACCOUNT. */
export const byAccount = {
  'so many attempts for one account are looked at and no more, with the right password too': async (w) => {
    const [username, from] = [w.id('user'), visitor()];
    assertOk(await attempt(w, { username, what: 'register', from }), 201);
    for (let i = 1; i < PER_ACCOUNT; i += 1) assertRefused(await attempt(w, { username, password: 'a wrong one', from }), 'unauthorized');
    assertThrottled(await attempt(w, { username, from }), PER_ACCOUNT);
    assertThrottled(await attempt(w, { username, what: 'register', from }), PER_ACCOUNT);
    assertThrottled(await attempt(w, { username, password: 'a wrong one', from }), PER_ACCOUNT);
  },

  'a stranger who tries passwords does not lock the owner out, who is elsewhere': async (w) => {
    const [username, stranger] = [w.id('user'), visitor()];
    assertOk(await attempt(w, { username, what: 'register' }), 201);
    for (let i = 0; i < PER_ACCOUNT; i += 1) assertRefused(await attempt(w, { username, password: 'a wrong one', from: stranger }), 'unauthorized');
    assertThrottled(await attempt(w, { username, from: stranger }), PER_ACCOUNT);
    assertOk(await attempt(w, { username }));
  },

  'many addresses together have ten times as many attempts for one account': async (w) => {
    const username = w.id('user');
    for (let i = 0; i < 10 * PER_ACCOUNT; i += 1) assertRefused(await attempt(w, { username }), 'unauthorized');
    assertRefused(await attempt(w, { username }), 'rate_limited');
  },

  'other accounts are not held up': async (w) => {
    const [victim, other, from] = [w.id('user'), w.id('user'), visitor()];
    for (let i = 0; i < PER_ACCOUNT; i += 1) assertRefused(await attempt(w, { username: victim, from }), 'unauthorized');
    assertThrottled(await attempt(w, { username: victim, from }), PER_ACCOUNT);
    assertOk(await attempt(w, { username: other, what: 'register', from }), 201);
    assertOk(await attempt(w, { username: other, from }));
  },

  'names that are one are throttled as one': async (w) => {
    const [username, from] = [w.id('Zoë'), visitor()];
    for (const name of [username.toUpperCase(), username.normalize('NFD')]) assertRefused(await attempt(w, { username: name, from }), 'unauthorized');
    for (const name of [username, ` ${username.toLowerCase()} `]) assertThrottled(await attempt(w, { username: name, from }), PER_ACCOUNT);
  },

  'an account that is none is throttled alike': async (w) => {
    const [username, nobody, from] = [w.id('user'), w.id('user'), visitor()];
    assertOk(await attempt(w, { username, what: 'register', from }), 201);
    const answers = { [username]: [], [nobody]: [] };
    for (const name of [username, nobody]) {
      for (let i = 0; i < PER_ACCOUNT + 2; i += 1) answers[name].push((await attempt(w, { username: name, password: 'a wrong one', from })).status);
    }
    // The registration was the first attempt.
    assert.deepEqual(answers[username], [401, 429, 429, 429]);
    assert.deepEqual(answers[nobody], [401, 401, 429, 429]);
  },

  'a body that is bad is no attempt': async (w) => {
    const username = w.id('user');
    for (let i = 0; i <= PER_ACCOUNT; i += 1) assertRefused(await attempt(w, { username, password: 'short' }), 'invalid_payload');
    assertOk(await attempt(w, { username, what: 'register' }), 201);
  },
};

/** For a server with max_sign_ins_per_ip_per_minute = PER_ADDRESS. */
export const byAddress = {
  'so many attempts of one address are looked at and no more, for whatever accounts': async (w) => {
    const [from, username] = [visitor(), w.id('user')];
    assertOk(await attempt(w, { username, what: 'register', from }), 201);
    for (let i = 1; i < PER_ADDRESS; i += 1) assertRefused(await attempt(w, { from }), 'unauthorized');
    for (const what of ['login', 'register']) assertThrottled(await attempt(w, { what, from }), PER_ADDRESS);
    assertThrottled(await attempt(w, { username, from }), PER_ADDRESS);
  },

  'other addresses are not held up': async (w) => {
    const [from, username] = [visitor(), w.id('user')];
    for (let i = 0; i < PER_ADDRESS; i += 1) assertRefused(await attempt(w, { from }), 'unauthorized');
    assertThrottled(await attempt(w, { username, what: 'register', from }), PER_ADDRESS);
    assertOk(await attempt(w, { username, what: 'register' }), 201);
  },

  'a visitor is not another one by what they write into X-Forwarded-For': async (w) => {
    const address = visitor()['X-Forwarded-For'];
    const lie = () => ({ 'X-Forwarded-For': `${visitor()['X-Forwarded-For']}, ${address}` });
    for (let i = 0; i < PER_ADDRESS; i += 1) assertRefused(await attempt(w, { from: lie() }), 'unauthorized');
    assertThrottled(await attempt(w, { from: lie() }), PER_ADDRESS);
  },

  'the addresses of one IPv6 network are one visitor': async (w) => {
    const from = (network, host) => ({ 'X-Forwarded-For': `2001:db8:0:${network}::${host}` });
    for (let i = 0; i < PER_ADDRESS; i += 1) assertRefused(await attempt(w, { from: from(1, i + 1) }), 'unauthorized');
    assertThrottled(await attempt(w, { from: from(1, 99) }), PER_ADDRESS);
    assertRefused(await attempt(w, { from: from(2, 1) }), 'unauthorized');
  },

  'who is signed in refreshes, asks and signs out as often as they like': async (w) => {
    const from = visitor();
    const signedIn = assertOk(await attempt(w, { what: 'register', from }), 201);
    let { refresh_token } = signedIn;
    for (let i = 0; i < PER_ADDRESS * 3; i += 1) {
      ({ refresh_token } = assertOk(await post(w.server, 'refresh', { refresh_token }, from)));
      assertOk(await ask(w.server, '/api/me', { headers: { ...from, ...bearer(signedIn.access_token) } }));
    }
    for (let i = 0; i < PER_ADDRESS * 3; i += 1) assertOk(await post(w.server, 'logout', { refresh_token }, from));
  },
};
