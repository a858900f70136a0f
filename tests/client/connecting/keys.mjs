// Public keys: RS256, ES256 and EdDSA from a PEM file, and all of them from a JWKS file.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { now, token } from '../support/clients.mjs';
import { refusedConnect, whoami } from './tokens.mjs';

const GENERATE = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

export const ALGORITHMS = Object.keys(GENERATE);

/** A key pair for every algorithm, and the files that a server reads. `remove` them at the end. */
export function keyFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'confab-keys-'));
  const pairs = Object.fromEntries(ALGORITHMS.map((algorithm) => [algorithm, GENERATE[algorithm]()]));
  const pem = {};
  const keys = [];
  for (const [algorithm, { publicKey }] of Object.entries(pairs)) {
    pem[algorithm] = join(folder, `${algorithm}.pem`);
    writeFileSync(pem[algorithm], publicKey.export({ type: 'spki', format: 'pem' }));
    keys.push({ ...publicKey.export({ format: 'jwk' }), kid: `key-${algorithm}`, alg: algorithm, use: 'sig' });
  }
  const jwks = join(folder, 'jwks.json');
  writeFileSync(jwks, JSON.stringify({ keys }));
  return { pairs, pem, jwks, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A new key pair and the text of its PEM file, and its entry in a JWKS. */
export function newKey(algorithm, kid) {
  const { publicKey, privateKey } = GENERATE[algorithm]();
  const jwk = { ...publicKey.export({ format: 'jwk' }), alg: algorithm, use: 'sig', ...(kid ? { kid } : {}) };
  return { algorithm, kid, privateKey, jwk, pem: publicKey.export({ type: 'spki', format: 'pem' }) };
}

/** A token of `id` signed with such a key. */
export const signedWith = (w, key, { id = 'alice', keyid = key.kid } = {}) => signed(w, key.algorithm, key, { id, keyid });

/** A token of `id`; `keyid` goes into its header. */
function signed(w, algorithm, { privateKey }, { id = 'alice', keyid } = {}) {
  const claims = { user_id: id, username: 'Alice', tenant: w.tenant, exp: now() + 3600 };
  if (algorithm !== 'EdDSA') return token(claims, { secret: privateKey, algorithm, ...(keyid ? { keyid } : {}) });
  // jsonwebtoken knows no EdDSA.
  const parts = [{ alg: 'EdDSA', typ: 'JWT', kid: keyid }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return [...parts, sign(null, Buffer.from(parts.join('.')), privateKey).toString('base64url')].join('.');
}

async function refuses(w, badToken, goodToken) {
  const error = await refusedConnect(w, { token: badToken }, { token: goodToken });
  assert.match(error.message, /^unauthorized: ./);
}

/** For a server whose jwt_public_key is the file of `algorithm`. */
export const publicKey = (algorithm, { pairs, pem }) => ({
  [`a token signed with ${algorithm} connects its user`]: async (w) => {
    const client = await w.connect({ token: signed(w, algorithm, pairs[algorithm], { id: 7 }) });
    assert.strictEqual((await whoami(client)).user_id, 7);
  },

  [`a token of another ${algorithm} key is refused`]: async (w) => {
    await refuses(w, signed(w, algorithm, GENERATE[algorithm]()), signed(w, algorithm, pairs[algorithm]));
  },

  [`a token signed with the text of the public ${algorithm} key is refused`]: async (w) => {
    const secret = readFileSync(pem[algorithm], 'utf8');
    await refuses(w, token({ user_id: 'alice', tenant: w.tenant }, { secret }), signed(w, algorithm, pairs[algorithm]));
  },

  [`a token of algorithm none is refused where ${algorithm} is asked for`]: async (w) => {
    const unsigned = token({ user_id: 'alice', tenant: w.tenant }, { secret: '', algorithm: 'none' });
    await refuses(w, unsigned, signed(w, algorithm, pairs[algorithm]));
  },
});

/** For a server whose jwt_jwks is the file of all keys. */
export const keySet = ({ pairs }) => ({
  ...Object.fromEntries(ALGORITHMS.map((algorithm) => [`a token signed with the ${algorithm} key of the set connects its user`, async (w) => {
    const client = await w.connect({ token: signed(w, algorithm, pairs[algorithm], { keyid: `key-${algorithm}` }) });
    assert.equal((await whoami(client)).user_id, 'alice');
  }])),

  'a token that names a key which is not in the set is refused': async (w) => {
    const good = signed(w, 'RS256', pairs.RS256, { keyid: 'key-RS256' });
    await refuses(w, signed(w, 'RS256', GENERATE.RS256(), { keyid: 'key-unknown' }), good);
  },

  'a token that names one key and is signed with another is refused': async (w) => {
    const good = signed(w, 'RS256', pairs.RS256, { keyid: 'key-RS256' });
    await refuses(w, signed(w, 'RS256', GENERATE.RS256(), { keyid: 'key-RS256' }), good);
    await refuses(w, signed(w, 'EdDSA', pairs.EdDSA, { keyid: 'key-RS256' }), good);
  },
});
