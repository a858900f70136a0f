// A site with a support widget. It has one user, Ann, whose session is a cookie; for her it signs tokens that Confab takes.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const confab = process.env.CONFAB_URL ?? 'http://127.0.0.1:3000';
const secret = process.env.CONFAB_JWT_SECRET;
const port = Number(process.env.PORT ?? 4000);
if (!secret) {
  console.error('usage: CONFAB_JWT_SECRET=… [CONFAB_URL=http://127.0.0.1:3000] [PORT=4000] node server.mjs');
  process.exit(2);
}

const TOKEN_S = 600;

/** A JWT, HS256. In an application a library does this. */
function tokenFor(user_id, username) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ user_id, username, iat: now, exp: now + TOKEN_S })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const file = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');
const files = {
  '/': ['text/html; charset=utf-8', () => file('index.html').replace('{{CONFAB_URL}}', confab)],
  '/site.js': ['text/javascript', () => file('site.js')],
  '/site.css': ['text/css', () => file('site.css')],
};

// All that the widget needs of a strict policy: its script and its frame.
const POLICY = `default-src 'none'; script-src 'self' ${confab}; frame-src ${confab}; style-src 'self'; connect-src 'self'; `
  + "require-trusted-types-for 'script'";

const session = (value) => ({ 'set-cookie': `session=${value}; HttpOnly; SameSite=Strict; Path=/` });

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://site');
  const isSignedIn = /(^|; )session=ann($|;)/.test(request.headers.cookie ?? '');
  const known = files[pathname];
  if (request.method === 'GET' && known) {
    const [type, read] = known;
    response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(read());
  } else if (request.method === 'POST' && pathname === '/sign-in') {
    response.writeHead(204, session('ann')).end();
  } else if (request.method === 'POST' && pathname === '/sign-out') {
    response.writeHead(204, session('; Max-Age=0')).end();
  } else if (request.method === 'GET' && pathname === '/token') {
    const token = isSignedIn ? tokenFor('ann', 'Ann') : null;
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify({ token }));
  } else {
    response.writeHead(404).end();
  }
});
server.listen(port, () => console.log(`http://localhost:${server.address().port}`));
