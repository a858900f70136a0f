// `confab doctor` in front of load balancers that are right, and of others that are wrong in one way each.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import dns from 'node:dns/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { behind, plain, through } from './doctor/ways.mjs';
import { NODES as NAMES, example } from './support/balancer.mjs';
import { freePort } from './support/program.mjs';
import { now, token } from './support/clients.mjs';
import { SECRET, startServer } from './support/server.mjs';
import { eventually } from './support/world.mjs';

const DOCTOR_MS = 25_000;

const [nodes, strict, hasty] = await Promise.all([
  Promise.all(NAMES.map((node_name) => startServer({ node_name, sticky_cookie: 'confab_node' }))),
  startServer({ node_name: 'strict', guests: false, allowed_origins: 'https://app.example', trusted_proxies: '192.0.2.1' }),
  startServer({ node_name: 'hasty', ping_interval_seconds: 1, ping_timeout_seconds: 1 }),
]);

/** Runs the doctor. Resolves to its findings, each `{level, about, text}`, and its exit code. */
async function ask(url, { wait = 1, ...options } = {}) {
  const args = Object.entries({ url, wait, ...options }).filter(([, value]) => value !== undefined);
  const begun = Date.now();
  const { code, stdout, stderr } = await nodes[0].command(['doctor', ...args.flatMap(([name, value]) => [`--${name}`, value])], { timeout: DOCTOR_MS });
  const findings = stdout.trim().split('\n').map((line) => {
    const [, level, about, text] = line.match(/^(ok|warning|problem) +(\S+) +(.+)$/) ?? assert.fail(`not a finding: ${line}${stderr}`);
    return { level, about, text };
  });
  return { code, stdout, stderr, findings, ms: Date.now() - begun };
}

/** The one finding about something that is no more than ok; its advice and all. */
function found({ findings, stdout }, level, about, ...patterns) {
  const those = findings.filter((finding) => finding.about === about && finding.level === level);
  const one = those.find(({ text }) => patterns.every((pattern) => pattern.test(text)));
  assert.ok(one, `no ${level} about ${about} that says ${patterns}:\n${stdout}`);
  return one;
}

/** Nothing but what was to be found. */
function nothingElse({ findings, stdout }, ...abouts) {
  const other = findings.filter(({ level, about }) => level !== 'ok' && !abouts.includes(about));
  assert.deepEqual(other, [], stdout);
}

/** What /healthz and /readyz answer, changed. */
const healthOf = (change) => (asked, answer) => {
  if (!/^\/(healthz|readyz)/.test(asked.url)) return answer;
  const health = change(JSON.parse(answer.body), asked);
  return { ...answer, status: health.http ?? answer.status, body: JSON.stringify(health) };
};

/** As if every other answer came from a second node. */
function secondNode(change) {
  let turn = 0;
  return healthOf((health) => {
    turn += 1;
    return turn % 2 ? { ...health, redis: { ok: true, ms: 0.3 } } : { redis: { ok: true, ms: 0.3 }, ...health, node: 'second', ...change(health) };
  });
}

const ahead = (seconds) => ({ time }) => ({ time: new Date(Date.parse(time) + seconds * 1000).toISOString() });

describe('what is right', { concurrency: 2 }, () => {
  for (const program of ['nginx', 'haproxy']) {
    it(`nothing is found behind the ${program} of the examples`, async () => {
      const [node] = nodes;
      await behind(example(program, [node, node, node]), async (url) => {
        const result = await ask(url, { token: token({ user_id: 'alice' }) });
        nothingElse(result);
        assert.equal(result.code, 0, result.stderr);
        for (const about of ['address', 'nodes', 'clocks', 'websocket', 'upgrade', 'stickiness', 'polling', 'size', 'idle', 'token']) found(result, 'ok', about);
      }, program);
    });

    it(`all nodes behind the ${program} of the examples are met, and sessions stay`, async () => {
      await behind(example(program, nodes), async (url) => {
        const result = await ask(url);
        found(result, 'ok', 'nodes', /3 nodes: node-1, node-2, node-3/);
        found(result, 'ok', 'versions', /node-1, node-2, node-3/);
        found(result, 'ok', 'stickiness');
        found(result, 'problem', 'redis', /use no Redis/, /redis_url/);
        nothingElse(result, 'redis');
      }, program);
    });
  }

  it('a server without a load balancer is fine', async () => {
    const result = await ask(nodes[1].url);
    nothingElse(result);
    assert.equal(result.code, 0);
    found(result, 'ok', 'token', /guests may come in/);
  });

  it('a path behind the host is left out, and said to be', async () => {
    const result = await ask(`${hasty.url}/chat`);
    found(result, 'warning', 'address', /\/chat of --url was left out/, /connect to http:\/\/127/);
    nothingElse(result, 'address');
    assert.equal(result.code, 0);
  });

  it('a ping ends the watch of silent connections', async () => {
    const result = await ask(hasty.url, { wait: 15 });
    nothingElse(result);
    assert.equal(result.findings.filter(({ about, text }) => about === 'idle' && /until the server's next ping/.test(text)).length, 2, result.stdout);
    assert.ok(result.ms < 10_000, `${result.ms} ms`);
  });

  it('no guest and no user is left behind', async () => {
    const before = nodes[2].log().length;
    await ask(nodes[2].url);
    assert.deepEqual(nodes[2].log().slice(before).filter((line) => /guest/i.test(line)), []);
    await ask(nodes[2].url, { token: token({ user_id: 'visitor' }) });
    await eventually(async () => {
      const metrics = await (await fetch(`${nodes[2].url}/metrics`)).text();
      const counts = [...metrics.matchAll(/^confab_connections\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
      assert.ok(counts.length > 0 && counts.every((count) => count === 0), `${counts}`);
    });
  });
});

describe('load balancers that are wrong', { concurrency: 2 }, () => {
  it('no Upgrade header', () => behind(plain([nodes[0]], { upgrade: false, location: 'proxy_set_header Connection "";' }), async (url) => {
    const result = await ask(url, { token: token({ user_id: 'bob' }) });
    found(result, 'problem', 'websocket', /long-polling works/, /\$http_upgrade/);
    found(result, 'ok', 'token');
    nothingElse(result, 'websocket');
    assert.equal(result.code, 1);
  }));

  it('requests in turn, without a cookie', async () => {
    const without = await Promise.all(NAMES.map((node_name) => startServer({ node_name })));
    await behind(plain(without), async (url) => {
      const result = await ask(url);
      found(result, 'problem', 'stickiness', /does not know the session/, /unknown to node node-\d/, /no cookie was set/, /sticky_cookie/);
      nothingElse(result, 'stickiness', 'upgrade', 'redis');
      assert.equal(result.code, 1);
    });
    await Promise.all(without.map((node) => node.stop()));
  });

  it('requests in turn, though there is a cookie', () => behind(plain(nodes), async (url) => {
    const result = await ask(url);
    found(result, 'problem', 'stickiness', /does not go by the cookie.*\(confab_node\)/);
  }));

  it('stickiness by nothing but a cookie', () => {
    const inHttp = nodes.map(({ port }, i) => `upstream node_${i + 1} { server 127.0.0.1:${port}; }`).join(' ');
    const map = `map $cookie_confab_node $chosen { ${NAMES.map((name, i) => `${name} node_${i + 1};`).join(' ')} default nodes; } map $http_upgrade $up { default upgrade; '' ''; }`;
    const config = plain(nodes, { http: `${inHttp} ${map}` }).replace('proxy_pass http://nodes', 'proxy_pass http://$chosen');
    return behind(config, async (url) => {
      const result = await ask(url);
      found(result, 'ok', 'stickiness');
      found(result, 'warning', 'cookies', /without cookies came to other nodes/, /withCredentials/);
      nothingElse(result, 'cookies', 'redis');
    });
  });

  it('idle connections are cut after 3 s', () => behind(plain([nodes[0]], { location: 'proxy_read_timeout 3s;' }).replace('proxy_read_timeout 75s;', ''), async (url) => {
    const result = await ask(url, { token: token({ user_id: 'carol' }), wait: 5 });
    found(result, 'problem', 'idle', /a WebSocket .* cut after [23]\.\d s/, /above 45 s/, /proxy_read_timeout/);
    found(result, 'problem', 'idle', /a long poll .* cut after [23]\.\d s \(504 Gateway/);
    nothingElse(result, 'idle');
  }));

  it('a cache', () => {
    const cache = 'proxy_cache_path cache keys_zone=answers:1m;';
    return behind(plain([nodes[0]], { http: cache, location: 'proxy_cache answers; proxy_cache_valid 200 1m; proxy_ignore_headers Set-Cookie;' }), async (url) => {
      const result = await ask(url);
      found(result, 'problem', 'cache', /same session/);
    });
  });

  it('answers that are held back', async () => {
    const hold = async (asked, answer) => {
      if (asked.method === 'GET' && /sid=/.test(asked.url)) await new Promise((resolve) => { setTimeout(resolve, 2000); });
      return answer;
    };
    await through(nodes[0], hold, async (url) => {
      const result = await ask(url, { wait: 8 });
      found(result, 'problem', 'polling', /arrives [2-4]\.\d s late/, /proxy_buffering off/);
    });
  });

  it('small bodies only', () => behind(plain([nodes[0]], { location: 'client_max_body_size 100k;' }), async (url) => {
    const result = await ask(url);
    found(result, 'problem', 'size', /262144 bytes.*413/, /client_max_body_size/);
    nothingElse(result, 'size');
  }));

  it('compressed polling', () => behind(plain([nodes[0]], { http: 'gzip on; gzip_proxied any; gzip_types text/plain; gzip_min_length 10;' }), async (url) => {
    const result = await ask(url);
    found(result, 'warning', 'compression');
    nothingElse(result, 'compression');
    assert.equal(result.code, 0, 'a warning is no problem');
  }));

  it('no X-Forwarded-For', () => behind(plain([nodes[0]], { forwarded: false }), async (url) => {
    const result = await ask(url);
    found(result, 'warning', 'addresses', /does not tell node-1/, /\$proxy_add_x_forwarded_for/);
    nothingElse(result, 'addresses');
  }));

  it('a proxy that is not trusted', () => behind(plain([strict]), async (url) => {
    const result = await ask(url);
    found(result, 'warning', 'addresses', /strict does not believe/, /trusted_proxies/);
  }));

  it('no Host', async (t) => {
    const name = hostname();
    const address = await dns.lookup(name).then(({ address: is }) => is, () => undefined);
    if (name === 'localhost' || !address?.startsWith('127.')) return t.skip(`${name} is not this machine's loopback address`);
    return behind(plain([nodes[0]], { host: false }), async (url) => {
      const result = await ask(url.replace('127.0.0.1', name));
      found(result, 'problem', 'origin', /pages of this very address/, /\$http_host/);
      nothingElse(result, 'origin');
    });
  });

  it('a node that is gone', async () => {
    const gone = { port: await freePort() };
    await behind(plain([nodes[0], gone], { location: 'proxy_next_upstream off;' }), async (url) => {
      const result = await ask(url);
      assert.equal(result.code, 1);
      assert.match(result.stdout, /502/);
    });
  });
});

describe('nodes that do not agree', { concurrency: 2 }, () => {
  const cases = [
    ['a clock that is 3 s ahead', secondNode(ahead(3)), 'warning', 'clocks', /second is 3\.\d s ahead of that of node-1/],
    ['a clock that is 90 s behind', secondNode(ahead(-90)), 'problem', 'clocks', /node-1 is (90|89)\.\d s ahead of that of second/],
    ['clocks that agree, and differ from here', healthOf((health) => ({ ...health, ...ahead(-7)(health) })), 'warning', 'clocks', /node-1 is [67]\.\d s behind the one here/],
    ['two releases', secondNode(() => ({ version: '0.0.9' })), 'warning', 'versions', /0\.0\.9 on second; .* on node-1/],
    ['a node that drains', secondNode(() => ({ status: 'draining', http: 503 })), 'warning', 'draining', /^second:/],
    ['a database that does not answer', secondNode(() => ({ status: 'unavailable', http: 503 })), 'problem', 'readiness', /^second:.*database/],
    ['a database that is slow', secondNode(() => ({ database: { ok: true, ms: 480 } })), 'warning', 'database', /second waits 480 ms/],
    ['a Redis that is away', secondNode(() => ({ status: 'degraded', redis: { ok: false, ms: 0 } })), 'problem', 'redis', /second has lost Redis/],
    ['a Redis that is slow', secondNode(() => ({ redis: { ok: true, ms: 75 } })), 'warning', 'redis', /second waits 75 ms/],
  ];
  for (const [what, change, level, about, pattern] of cases) {
    it(what, () => through(nodes[0], change, async (url) => {
      const result = await ask(url);
      found(result, level, about, pattern);
      // Our own proxy passes no upgrade, and says nothing of addresses.
      nothingElse(result, about, 'websocket', 'addresses');
    }));
  }
});

describe('who is let in', { concurrency: 2 }, () => {
  it('an origin that is not allowed', async () => {
    const result = await ask(strict.url, { origin: 'https://other.example' });
    found(result, 'problem', 'origin', /https:\/\/other\.example may not connect/, /allowed_origins/);
    assert.equal(result.code, 1);
  });

  it('an origin that is', async () => found(await ask(strict.url, { origin: 'https://app.example' }), 'ok', 'origin'));

  it('an origin as it is copied out of a browser', async () => found(await ask(strict.url, { origin: 'HTTPS://App.example:443/' }), 'ok', 'origin', /https:\/\/app\.example may/));

  it('an origin whose headers are doubled on the way', () => behind(plain([strict], { location: 'add_header Access-Control-Allow-Origin *;' }), async (url) => {
    found(await ask(url, { origin: 'https://app.example' }), 'problem', 'origin', /doubled/);
  }));

  it('an origin whose headers are lost on the way', () => behind(plain([strict], { location: 'proxy_hide_header Access-Control-Allow-Origin;' }), async (url) => {
    found(await ask(url, { origin: 'https://app.example' }), 'problem', 'origin', /lost on the way/);
  }));

  const tokens = [
    ['garbage', 'garbage'],
    ['of another secret', token({ user_id: 'eve' }, { secret: `${SECRET}-not` })],
    ['that has ended', token({ user_id: 'eve', exp: now() - 60 })],
    ['that is for refreshing', token({ user_id: 'eve', token_type: 'refresh' })],
  ];
  for (const [what, wrong] of tokens) {
    it(`a token ${what}`, async () => {
      const result = await ask(nodes[0].url, { token: wrong });
      found(result, 'problem', 'token', /not let in: unauthorized: ./, /confab token inspect/);
      nothingElse(result, 'token');
      assert.ok(!result.stdout.includes(wrong) || wrong === 'garbage', 'it is not printed');
      assert.equal(result.code, 1);
    });
  }

  it('no token where there are no guests', async () => {
    const result = await ask(strict.url);
    found(result, 'warning', 'token', /guests are off here/, /--token/);
  });
});

describe('addresses that lead nowhere', { concurrency: 2 }, () => {
  const only = (result, ...patterns) => {
    assert.equal(result.findings.length, 1, result.stdout);
    assert.equal(result.code, 1);
    const [{ level, text }] = result.findings;
    assert.equal(level, 'problem');
    for (const pattern of patterns) assert.match(text, pattern);
  };

  it('nobody listens', async () => only(await ask(`http://127.0.0.1:${await freePort()}`), /is not reached: .*refused/i));

  it('no such name', async () => only(await ask('http://no-such-host.invalid'), /is not reached/));

  it('TLS where there is none', async () => only(await ask(nodes[0].url.replace('http:', 'https:')), /no secure connection/));

  it('another server', () => through(nodes[0], () => ({ status: 404, headers: {}, body: '<h1>It works!</h1>' }), async (url) => {
    only(await ask(url), /is not Confab.*404 It works!\./);
  }));

  it('a load balancer without nodes', async () => behind(plain([{ port: await freePort() }]), async (url) => {
    only(await ask(url), /answers 502: it reaches no node/);
  }));

  it('a redirect', () => behind(plain([nodes[0]], { location: 'return 301 https://chat.example$request_uri;' }), async (url) => {
    only(await ask(url), /sends clients on to https:\/\/chat\.example/, /Use that address/);
  }));

  it('options that make no sense', async () => {
    for (const url of ['nonsense', 'ftp://127.0.0.1', 'localhost:3000', 'http://']) {
      const { code, stdout, stderr } = await nodes[0].command(['doctor', '--url', url]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, url === 'http://' ? /--url/ : /--url .*: must begin with http:\/\/ or https:\/\//);
    }
    for (const [option, value] of [['--token', ''], ['--origin', 'app.example'], ['--origin', 'https://app.example/page']]) {
      const { code, stdout, stderr } = await nodes[0].command(['doctor', '--url', nodes[0].url, option, value]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.ok(stderr.includes(option), stderr);
    }
  });
});

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'confab-tls-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const config = () => plain([nodes[0]]).replace('listen 127.0.0.1:8080;', `listen 127.0.0.1:8080 ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};`);

  it('a certificate that nobody knows', () => behind(config(), async (url) => {
    const result = await ask(url.replace('http:', 'https:'));
    found(result, 'problem', 'tls', /certificate/, /SSL_CERT_FILE/);
    assert.equal(result.code, 1);
  }));

  it('one that this machine trusts', () => behind(config(), async (url) => {
    process.env.SSL_CERT_FILE = certificate;
    const result = await ask(url.replace('http:', 'https:'), { token: token({ user_id: 'dave' }) }).finally(() => { delete process.env.SSL_CERT_FILE; });
    found(result, 'ok', 'websocket');
    found(result, 'ok', 'idle', /WebSocket/);
    // It is not marked for TLS: the node does not know of it.
    found(result, 'warning', 'cookies', /confab_node is not limited to TLS/);
    nothingElse(result, 'cookies');
  }));
});
