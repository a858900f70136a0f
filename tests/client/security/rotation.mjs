// Keys that replace each other while the server runs, and tokens that try to be checked by the wrong one.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newKey, signedWith } from '../connecting/keys.mjs';
import { account, assertOk, assertRefused, me, post, refresh } from '../support/accounts.mjs';
import { now, token } from '../support/clients.mjs';
import { SECRET, startServer } from '../support/server.mjs';
import { eventually } from '../support/world.mjs';

/** In the order in which they came into use. */
export const SECRETS = ['the-first-secret-0123456789abcdefghij', 'the-second-secret-0123456789abcdefgh', SECRET];

const of = (w, secret) => token({ user_id: 'alice', username: 'ALICE', tenant: w.tenant }, { secret });

const takes = async (w, accessToken) => assertOk(await me(w.server, accessToken));
const refuses = async (w, accessToken, context) => assertRefused(await me(w.server, accessToken), 'unauthorized', context);

/** For a server with SECRETS, the last of them in use. */
export const secrets = {
  'tokens signed with a secret that was used before are taken, others are not': async (w) => {
    for (const secret of SECRETS) await takes(w, of(w, secret));
    await refuses(w, of(w, 'a-secret-that-nobody-ever-used-012345'));
    await (await w.connect({ token: of(w, SECRETS[0]) })).barrier();
  },

  'what the server signs is signed with the newest': async (w) => {
    const { stdout } = await w.server.command(['token', '--user-id', '7', '--username', 'Seven']);
    const [head, claims, signature] = stdout.trim().split('.');
    assert.equal(createHmac('sha256', SECRETS.at(-1)).update(`${head}.${claims}`).digest('base64url'), signature);
  },

  'a secret that was used before vouches for no account by itself': async (w) => {
    const claims = { user_id: 'alice', exp: now() + 3600, confab_session: '01890a5d-ac96-774b-bcce-b302099a8057' };
    const derived = createHash('sha256').update(`confab accounts\0${SECRETS[0]}`).digest('hex');
    await refuses(w, token(claims, { secret: derived }));
  },
};

/** Starts servers itself. */
export const accounts = {
  'who has signed in stays so when the secret is replaced': async (w) => {
    const server = await startServer({ accounts: 'open', jwt_secret: SECRETS[0] });
    const world = Object.assign(Object.create(w), { server });
    const alice = await account(world);
    await server.restart({ jwt_secret: SECRETS[1], jwt_previous_secrets: [SECRETS[0]] });
    const whoami = async (accessToken) => assertOk(await me(server, accessToken)).user;
    assert.deepEqual(await whoami(alice.access_token), alice.user);
    const next = await refresh(server, alice.refresh_token);
    await server.restart({ jwt_secret: SECRETS[1], jwt_previous_secrets: [] });
    assertRefused(await me(server, alice.access_token), 'unauthorized');
    assert.deepEqual(await whoami(next.access_token), alice.user);
    assertRefused(await post(server, 'refresh', { refresh_token: alice.refresh_token }), 'unauthorized');
    await server.stop();
  },

  'secrets that are too short, or that nothing follows, stop the start': async () => {
    await assert.rejects(startServer({ jwt_previous_secrets: ['short'] }), /jwt_previous_secrets: each must have at least 32 bytes/);
    await assert.rejects(startServer({ jwt_secret: null, jwt_previous_secrets: [SECRETS[0]] }), /jwt_previous_secrets: set the jwt_secret/);
  },
};

/** Runs `check` with a server whose keys are in files of a folder: `write(name, text)` replaces one. */
async function withFiles(w, settings, files, check) {
  const folder = mkdtempSync(join(tmpdir(), 'confab-keys-'));
  const path = (name) => join(folder, name);
  const write = (name, text) => {
    // As those do it who replace a file: the old one is there until the new one is whole.
    writeFileSync(path(`${name}.new`), text);
    renameSync(path(`${name}.new`), path(name));
  };
  try {
    for (const [name, text] of Object.entries(files)) write(name, text);
    const server = await startServer({ jwt_secret: null, ...settings(path) });
    await check(Object.assign(Object.create(w), { server }), { write, remove: (name) => rmSync(path(name)) });
    await server.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const set = (...keys) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
const jwks = (path) => ({ jwt_jwks: path('jwks.json') });
const eventuallyTaken = (w, accessToken) => eventually(() => takes(w, accessToken));
const warnings = (w) => w.server.log().filter((line) => line.includes('the keys before stay in force')).length;

export const files = {
  'several PEM keys, in one file and in more, are all taken': async (w) => {
    const keys = ['ES256', 'ES256', 'RS256', 'EdDSA'].map((algorithm) => newKey(algorithm));
    const [one, two, three, four] = keys;
    const settings = (path) => ({ jwt_public_key: [path('a.pem'), path('b.pem')] });
    await withFiles(w, settings, { 'a.pem': `# old\n${one.pem}\n# new\n${two.pem}${three.pem}`, 'b.pem': four.pem }, async (there) => {
      for (const key of keys) await takes(there, signedWith(w, key));
      await refuses(there, signedWith(w, newKey('ES256')));
    });
  },

  'a key that is added to the set is taken without a restart, one that is taken out is not': async (w) => {
    const [old, next] = [newKey('ES256', 'old'), newKey('RS256', 'next')];
    await withFiles(w, jwks, { 'jwks.json': set(old) }, async (there, { write }) => {
      await takes(there, signedWith(w, old));
      await refuses(there, signedWith(w, next));
      write('jwks.json', set(old, next));
      await eventuallyTaken(there, signedWith(w, next));
      await takes(there, signedWith(w, old));
      write('jwks.json', set(next));
      await eventually(() => refuses(there, signedWith(w, old)));
      await takes(there, signedWith(w, next));
    });
  },

  'a PEM file that is replaced is read again': async (w) => {
    const [old, next] = [newKey('EdDSA'), newKey('EdDSA')];
    await withFiles(w, (path) => ({ jwt_public_key: path('key.pem') }), { 'key.pem': old.pem }, async (there, { write }) => {
      write('key.pem', next.pem);
      await eventuallyTaken(there, signedWith(w, next));
      await refuses(there, signedWith(w, old));
    });
  },

  'a set that is broken or gone leaves the keys before in force, and is warned of once': async (w) => {
    const [old, next] = [newKey('ES256', 'old'), newKey('ES256', 'next')];
    await withFiles(w, jwks, { 'jwks.json': set(old) }, async (there, { write, remove }) => {
      for (const [i, broken] of ['{"keys":[', '{"keys":[]}', '[]'].entries()) {
        write('jwks.json', broken);
        await eventually(() => assert.equal(warnings(there), i + 1, broken));
        await takes(there, signedWith(w, old));
      }
      remove('jwks.json');
      await eventually(() => assert.equal(warnings(there), 4));
      await takes(there, signedWith(w, old));
      write('jwks.json', set(next));
      await eventuallyTaken(there, signedWith(w, next));
      assert.equal(warnings(there), 4);
    });
  },

  'two keys of one algorithm are told apart by their id, and without one both are tried': async (w) => {
    const [a, b] = [newKey('ES256', 'a'), newKey('ES256', 'b')];
    await withFiles(w, jwks, { 'jwks.json': set(a, b) }, async (there) => {
      for (const key of [a, b]) {
        await takes(there, signedWith(w, key));
        await takes(there, signedWith(w, key, { keyid: undefined }));
      }
      await refuses(there, signedWith(w, a, { keyid: 'b' }));
      await refuses(there, signedWith(w, a, { keyid: 'c' }));
    });
  },

  'keys that are for something else check no tokens': async (w) => {
    const [encrypts, other, good] = [newKey('RS256', 'enc'), newKey('RS256', 'pss'), newKey('ES256', 'good')];
    encrypts.jwk.use = 'enc';
    other.jwk.alg = 'PS256';
    const secret = { jwk: { kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), alg: 'HS256', kid: 'oct' } };
    await withFiles(w, jwks, { 'jwks.json': set(encrypts, other, secret, good) }, async (there) => {
      await takes(there, signedWith(w, good));
      for (const key of [encrypts, other]) await refuses(there, signedWith(w, key), key.kid);
      await refuses(there, of(w, SECRET));
      await refuses(there, token({ user_id: 'alice' }, { keyid: 'oct' }));
    });
  },

  'no token makes a public key a secret': async (w) => {
    const key = newKey('RS256', 'key');
    await withFiles(w, (path) => ({ ...jwks(path), jwt_public_key: path('key.pem') }), { 'jwks.json': set(key), 'key.pem': key.pem }, async (there) => {
      await takes(there, signedWith(w, key));
      const guesses = [key.pem, key.pem.trim(), JSON.stringify(key.jwk), key.jwk.n, Buffer.from(key.jwk.n, 'base64url'), set(key)];
      for (const secret of guesses) {
        for (const algorithm of ['HS256', 'HS384', 'HS512']) {
          await refuses(there, token({ user_id: 'alice' }, { secret, algorithm, keyid: 'key' }), `${algorithm} with ${secret}`);
        }
      }
      for (const alg of ['none', 'None', 'NONE', '']) {
        const parts = [{ alg, typ: 'JWT', kid: 'key' }, { user_id: 'alice', exp: now() + 60 }];
        const [head, claims] = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
        for (const signature of ['', 'x', signedWith(w, key).split('.')[2]]) await refuses(there, `${head}.${claims}.${signature}`, alg);
      }
      // Keys that the token itself brings along, or says where to find.
      const own = newKey('RS256', 'key');
      for (const header of [{ jwk: own.jwk }, { jku: 'https://evil.example/jwks.json' }, { x5u: 'https://evil.example' }]) {
        await refuses(there, token({ user_id: 'alice' }, { secret: own.privateKey, algorithm: 'RS256', header: { kid: 'key', ...header } }), JSON.stringify(header));
      }
    });
  },
};

/** For a server whose jwt_issuer is `us` and whose jwt_audience is `chat`. */
export const issuer = {
  'a token is from the issuer and for the audience that are asked for': async (w) => {
    const by = (claims) => w.token('alice', claims);
    await takes(w, by({ iss: 'us', aud: 'chat' }));
    await takes(w, by({ iss: 'us', aud: ['mail', 'chat'] }));
    const wrong = [{}, { iss: 'us' }, { aud: 'chat' }, { iss: 'them', aud: 'chat' }, { iss: 'us', aud: 'mail' }, { iss: 'us', aud: [] }, { iss: ['us', 'them'].slice(1), aud: 'chat' }, { iss: null, aud: 'chat' }, { iss: 'US', aud: 'chat' }, { iss: 'us', aud: 'chat ' }];
    for (const claims of wrong) await refuses(w, by(claims), JSON.stringify(claims));
  },
};
