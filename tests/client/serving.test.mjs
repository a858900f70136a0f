// The web client as the binary serves it: its page at its addresses, what it is made of, and the headers of both.
import assert from 'node:assert/strict';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { ask, assertRefused } from './support/accounts.mjs';
import { request } from './support/raw.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const PAGES = [
  '/', '/?from=a-link', '/rooms/x', '/rooms/7', '/rooms/%D0%BA%D0%BE%D0%BC%D0%BD%D0%B0%D1%82%D0%B0%20%E2%84%967', '/rooms/a%2Fb',
  '/people/x', '/people/%237', '/staff', '/staff/rooms/x',
];
const NO_PAGES = [
  '/nothing-here', '/rooms', '/rooms/', '/rooms/x/y', '/people', '/people/', '/staff/', '/staff/rooms', '/index.php', '/favicon.ico', '/assets', '/assets/',
  '/assets/nothing-here.js', '/assets/index.js', '/assets/../Cargo.toml', '/assets/%2e%2e/%2e%2e/Cargo.toml', '/%2e%2e/%2e%2e/etc/passwd',
  '/src/main.tsx', '/api', '/api/', '/api/nothing-here',
];

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
  + "manifest-src 'self'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'self'";

/** What the emoji picker asks for in the folder that it is given. */
const EMOJI = ['en/data.json', 'en/messages.json'];

const FOREVER = 'max-age=31536000, immutable';
/** As the bundler names what it writes, or a folder with the version of what is in it. */
const NAMED_BY_CONTENT = /^\/assets\/(.+-[\w-]{8}\.\w+|[\w-]+-\d+\.\d+\.\d+\/.+)$/;

const ENCODINGS = [
  // Accept-Encoding, and what it gets.
  [undefined, undefined], ['identity', undefined], ['zstd, deflate', undefined], ['br;q=0, gzip;q=0', undefined],
  ['gzip', 'gzip'], ['gzip, deflate', 'gzip'], ['br;q=0, gzip', 'gzip'], ['br;q=0.1, gzip;q=0.9', 'gzip'],
  ['br', 'br'], ['gzip, deflate, br, zstd', 'br'], ['gzip;q=0.5, br;q=1.0', 'br'],
];

const decoded = ({ headers, bytes }) => ({
  undefined: (plain) => plain, gzip: gunzipSync, br: brotliDecompressSync,
})[headers['content-encoding']](bytes);

async function get(server, path, headers = {}) {
  const answer = await request(server, path, { headers });
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return answer;
}

function assertPageHeaders({ headers }, policy = POLICY, context = '') {
  assert.equal(headers['content-security-policy'], policy, context);
  assert.equal(headers['x-content-type-options'], 'nosniff', context);
  assert.equal(headers['referrer-policy'], 'no-referrer', context);
  assert.equal(headers['cross-origin-opener-policy'], 'same-origin', context);
}

/** The addresses in the page that a browser fetches. */
function addressesIn(html) {
  const all = [...html.matchAll(/<(?:script|link|img)\b[^>]*\b(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
  assert.ok(all.length > 0, 'the page names nothing: the binary was built without the web client');
  return all;
}

/** Paths of all that the page is made of: what it names, and what its scripts and styles name. */
async function assets(server) {
  const found = addressesIn((await get(server, '/')).body);
  for (const path of found) {
    if (!/\.(js|css)$/.test(path)) continue;
    const { body } = await get(server, path);
    const named = [...body.matchAll(/["'`(]\/?(assets\/[\w./-]+?)["'`)]/g)].map(([, name]) => `/${name}`);
    // The emoji picker is given a folder.
    const whole = named.flatMap((name) => (/\.[a-z]\w*$/.test(name) ? [name] : EMOJI.map((file) => `${name}/${file}`)));
    for (const name of whole) if (!found.includes(name)) found.push(name);
  }
  return found;
}

const page = {
  'the page is at all of its addresses, and asks to be looked at again': async ({ server }) => {
    const { body } = await get(server, '/');
    for (const path of PAGES) {
      const answer = await get(server, path);
      assert.match(answer.headers['content-type'], /^text\/html/, path);
      assert.equal(answer.headers['cache-control'], 'no-cache', path);
      assert.equal(answer.body, body, path);
      assertPageHeaders(answer, POLICY, path);
    }
    assert.match(body, /<div id="root">/, 'the binary was built without the web client');
  },

  'a browser that has the page is not sent it again': async ({ server }) => {
    for (const path of PAGES) {
      const { etag } = (await get(server, path)).headers;
      assert.match(etag, /^"[^"]+"$/, path);
      for (const known of [etag, `W/${etag}`, `"another", ${etag}`]) {
        const again = await request(server, path, { headers: { 'If-None-Match': known } });
        assert.deepEqual([again.status, again.body, again.headers.etag], [304, '', etag], `${path}: ${known}`);
        assert.equal(again.headers['cache-control'], 'no-cache');
        // A 304 replaces the headers that the browser has kept.
        assertPageHeaders(again, POLICY, path);
      }
      await get(server, path, { 'If-None-Match': '"another"' });
    }
  },

  'HEAD is answered as GET, without the page': async ({ server }) => {
    for (const path of PAGES) {
      const [{ headers: whole }, head] = [await get(server, path), await request(server, path, { method: 'HEAD' })];
      assert.deepEqual([head.status, head.body], [200, ''], path);
      for (const header of ['content-type', 'cache-control', 'etag', 'content-security-policy']) assert.equal(head.headers[header], whole[header]);
    }
  },

  'what is no page is not found, in JSON': async ({ server }) => {
    for (const path of NO_PAGES) {
      const answer = await ask(server, path);
      assertRefused(answer, 'not_found', path);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff', path);
      assert.doesNotMatch(answer.headers['cache-control'] ?? '', /immutable|max-age=[1-9]/, path);
    }
  },

  'every address in the page resolves, here and nowhere else': async ({ server }) => {
    const types = { js: /^(text|application)\/javascript/, css: /^text\/css/, svg: /^image\/svg\+xml/ };
    const found = addressesIn((await get(server, '/rooms/x')).body);
    for (const address of found) {
      assert.match(address, /^\/[^/]/, 'an address of this server, which does not depend on the page');
      const answer = await get(server, address);
      assert.notEqual(answer.body, '', address);
      const type = types[address.split('.').at(-1)];
      if (type) assert.match(answer.headers['content-type'], type, address);
    }
    for (const kind of [/\.js$/, /\.css$/]) assert.ok(found.some((address) => kind.test(address)), `${kind} in ${found}`);
  },

  'the page holds no script and no style of its own, which its policy would refuse': async ({ server }) => {
    const { body } = await get(server, '/');
    addressesIn(body);
    for (const [tag, content] of body.matchAll(/<script\b[^>]*>([^]*?)<\/script>/g)) {
      assert.match(tag, /\bsrc="/);
      assert.equal(content.trim(), '');
    }
    assert.doesNotMatch(body, /<style\b|\bstyle="|\bon\w+="|javascript:/i);
  },
};

const files = {
  'what the page is made of is kept forever, under names that change with the content': async ({ server }) => {
    const all = await assets(server);
    for (const path of all) {
      assert.match(path, NAMED_BY_CONTENT);
      const { headers } = await get(server, path);
      assert.equal(headers['cache-control'], FOREVER, path);
      assert.equal(headers['x-content-type-options'], 'nosniff', path);
      const again = await request(server, path, { headers: { 'If-None-Match': headers.etag } });
      assert.equal(again.status, 304, path);
    }
    assert.ok(all.length > addressesIn((await get(server, '/')).body).length, `no part is loaded when it is needed: ${all}`);
  },

  'scripts and styles come as brotli, as gzip or as they are, whichever the browser takes': async ({ server }) => {
    for (const path of (await assets(server)).filter((name) => /\.(js|css)$/.test(name))) {
      const plain = (await get(server, path)).bytes;
      const sizes = {};
      for (const [accepted, encoding] of ENCODINGS) {
        const answer = await get(server, path, accepted === undefined ? {} : { 'Accept-Encoding': accepted });
        const context = `${path} for ${accepted}`;
        assert.equal(answer.headers['content-encoding'], encoding, context);
        assert.match(answer.headers.vary ?? '', /accept-encoding/i, context);
        assert.equal(answer.headers['content-length'], String(answer.bytes.length), context);
        assert.ok(decoded(answer).equals(plain), context);
        sizes[encoding] = answer.bytes.length;
      }
      assert.ok(sizes.br <= sizes.gzip && sizes.gzip < plain.length, `${path}: ${JSON.stringify(sizes)}`);
    }
  },

  'the page comes in each of these forms too': async ({ server }) => {
    const plain = (await get(server, '/')).bytes;
    for (const [accepted, encoding] of ENCODINGS) {
      const answer = await get(server, '/', accepted === undefined ? {} : { 'Accept-Encoding': accepted });
      assert.equal(answer.headers['content-encoding'], encoding, accepted);
      assert.match(answer.headers.vary ?? '', /accept-encoding/i, accepted);
      assert.ok(decoded(answer).equals(plain), accepted);
      assertPageHeaders(answer, POLICY, accepted);
    }
  },

  'all that the page is made of is the same in every form': async ({ server }) => {
    for (const path of await assets(server)) {
      const plain = (await get(server, path)).bytes;
      for (const accepted of ['gzip', 'br']) assert.ok(decoded(await get(server, path, { 'Accept-Encoding': accepted })).equals(plain), path);
    }
  },
};

const FRAMES = ['https://app.example', 'http://other.example:8080'];

const framed = {
  'the sites that may frame the page are in its policy, and nothing else is': async ({ server }) => {
    for (const path of PAGES) assertPageHeaders(await get(server, path), `${POLICY} ${FRAMES.join(' ')}`, path);
  },

  'every site may frame the page where the setting says so': async () => {
    const server = await startServer({ frame_ancestors: '*' });
    assertPageHeaders(await get(server, '/'), `${POLICY} *`);
    await server.stop();
  },

  'a site that is none stops the start, which says why': async () => {
    const wrong = [
      'app.example', 'https://', 'https://app.example/', 'https://app.example/page', 'https://app.example?x', "'none'", "'unsafe-inline'",
      'https://app.example; script-src *', 'https://app.example https://other.example', 'https://app.example\nX-Header: x',
    ];
    for (const site of wrong) {
      await assert.rejects(startServer({ frame_ancestors: ['https://fine.example', site] }), (error) => {
        assert.match(error.message, /frame_ancestors: [^]* is not of the form https:\/\/host\[:port\]/, site);
        return true;
      });
    }
  },
};

const [server, inFrames] = await Promise.all([startServer(), startServer({ frame_ancestors: FRAMES })]);

facts('the page', server, page);
facts('its files', server, files);
facts('frames', inFrames, framed);
