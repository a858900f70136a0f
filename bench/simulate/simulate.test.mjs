// What docs/scaling.md quotes is what the simulations say, and they are about the server that there is.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { BLOCK, DOCUMENT, REPORTS, rendered } from '../simulate.mjs';
import { commits } from './commit.mjs';
import { COSTS } from './costs.mjs';
import { countedHearing, hearing } from './fanout.mjs';
import { queries } from './outage.mjs';
import { CASES, limits, message } from './paper.mjs';
import { storm } from './storm.mjs';

const source = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the document quotes each table as it is', () => {
  const quoted = [...readFileSync(DOCUMENT, 'utf8').matchAll(BLOCK)];
  assert.deepEqual(quoted.map(([, , name]) => name).sort(), Object.keys(REPORTS).sort());
  for (const [, , name, text] of quoted) assert.equal(text, rendered(name), `${name}: node bench/simulate.mjs --write`);
});

test('what it says in short is what the table says', () => {
  const [, short] = /## In short\n([^]*?)\n## /.exec(readFileSync(DOCUMENT, 'utf8'));
  const rows = short.split('\n').filter((line) => line.startsWith('|')).slice(2).map((line) => line.split('|').map((cell) => cell.trim()));
  assert.equal(rows.length, CASES.length);
  CASES.forEach(({ what, ...room }, i) => {
    const [, name, one, eight] = rows[i];
    assert.equal(name, what);
    const says = (shards, text) => {
      const [least] = limits(message({ nodes: 100, ...room }), { nodes: 100, shards });
      assert.ok(text.includes(least.label.split(',')[0]) && text.includes(Number(least.rate.toPrecision(2)).toLocaleString('en')), `${what}: ${text}`);
    };
    says(1, one);
    says(8, eight === 'the same' ? one : eight);
  });
});

test('what is counted on the way is what the server does', () => {
  const says = (path, pattern, value) => {
    const found = pattern.exec(source(path));
    assert.ok(found, `${path} does not say ${pattern}`);
    assert.equal(Number(found[1]), value, `${path}: ${pattern}`);
  };
  const setting = (name, value) => says('confab.default.toml', new RegExp(`^${name} = (\\d+)$`, 'm'), value);
  says('src/store/writer.rs', /MAX_BATCH: usize = (\d+);/, 512);
  says('src/store/among.rs', /AMONG: usize = (\d+);/, 500);
  says('src/bus/redis/mod.rs', /WIDE: usize = (\d+);/, COSTS.wide);
  says('src/bus/redis/mod.rs', /LOOK_EVERY: Duration = Duration::from_secs\((\d+)\);/, 1);
  says('src/chat/missed.rs', /PAUSE: Duration = Duration::from_millis\((\d+)\);/, 300);
  says('src/chat/missed.rs', /SHARE: u32 = (\d+);/, 5);
  says('src/chat/presence/news.rs', /MAX_COMPANIONS: u64 = (\d+);/, COSTS.mostCompanions);
  // It ends between two looks, a quarter of its length apart.
  says('src/chat/nodes.rs', /LEASE: Duration = Duration::from_secs\((\d+)\);/, COSTS.leaseEnds / 1.25);
  says('src/bus/redis/keeper.rs', /TIMES: u32 = (\d+);/, 4);
  setting('drain_seconds', COSTS.drain);
  setting('presence_grace_seconds', COSTS.grace);
  setting('ping_interval_seconds', COSTS.pingInterval);
  setting('ping_timeout_seconds', COSTS.pingTimeout);
  setting('connect_timeout_seconds', COSTS.connectTimeout);
  setting('notification_room_limit', COSTS.notificationLimit);
});

test('the metrics and the settings that the document names are there', () => {
  const document = readFileSync(DOCUMENT, 'utf8');
  const sources = readdirSync(new URL('../../src', import.meta.url), { recursive: true }).filter((path) => path.endsWith('.rs'));
  const code = sources.map((path) => source(`src/${path}`)).join('\n');
  for (const [name] of document.matchAll(/\bconfab_[a-z_]+/g)) assert.ok(code.includes(`"${name}"`), name);
  const settings = source('confab.default.toml');
  const foreign = ['pg_test_fsync', 'pg_stat_wal', 'pg_stat_activity', 'wait_event_type', 'wal_sync_time', 'instantaneous_output_kbps'];
  for (const [, name] of document.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)) {
    assert.ok(foreign.includes(name) || new RegExp(`^${name} = `, 'm').test(settings) || code.includes(`"${name}"`), name);
  }
  for (const [, name, value] of document.matchAll(/`([a-z]+(?:_[a-z]+)+)` \((\d[\d,]*)\)/g)) {
    assert.match(settings, new RegExp(`^${name} = ${value.replaceAll(',', '')}$`, 'm'), `${name} has another default`);
  }
});

test('as many nodes hear a room as the formula says', () => {
  for (const [nodes, size] of [[3, 2], [100, 2], [100, 30], [10, 1000]]) {
    const counted = countedHearing(nodes, size);
    assert.ok(Math.abs(counted / hearing(nodes, size) - 1) < 0.02, `${size} on ${nodes}: ${counted}`);
  }
});

test('what comes is stored, later where it has to wait', () => {
  const quiet = commits({ nodes: 1, rate: 10, hot: true, seconds: 60 });
  const alone = (2 + COSTS.statementsAfterLock) * COSTS.roundTrip + COSTS.storing(1, 1) + COSTS.flush;
  assert.ok(Math.abs(quiet.median / 1000 / alone - 1) < 0.01, `${quiet.median} ms`);
  assert.ok(Math.abs(quiet.rate / 10 - 1) < 0.2);
  const shared = commits({ nodes: 10, rate: 1000, hot: true });
  const own = commits({ nodes: 10, rate: 1000, hot: false });
  assert.ok(shared.median > 5 * own.median, 'one lock, taken in turn by ten nodes');
  assert.ok(own.flushes <= 1 / COSTS.flush);
  assert.deepEqual(commits({ nodes: 3, rate: 500, hot: true }), commits({ nodes: 3, rate: 500, hot: true }));
});

test('everybody comes back from a storm', () => {
  const killed = storm({ how: 'killed', users: 10_000, nodes: 99 });
  assert.ok(killed.half >= 0.5 && killed.all < COSTS.leaseEnds);
  assert.deepEqual([killed.again, killed.told], [0, 0]);
  const cut = storm({ how: 'cut off', users: 1000, nodes: 99 });
  assert.equal(cut.told, 2000, 'all were offline meanwhile');
  const all = storm({ how: 'killed', users: 1_000_000, nodes: 100 });
  assert.ok(all.all >= (1_000_000 * COSTS.connectDatabase) / COSTS.databaseCores, 'no sooner than the database lets them in');
});

test('the queries of a look, and what is full first, by hand', () => {
  assert.equal(queries({ rooms: 500, users: 500, roomsWithNews: 0 }), 2 + 4);
  assert.equal(queries({ rooms: 1000, users: 1000, roomsWithNews: 7 }), 2 * 2 + 2 * 4 + 7);
  const large = message({ nodes: 100, size: 100_000 });
  assert.equal(large.publishes, 1);
  assert.equal(Math.round(large.outputs), 100);
  const [least] = limits(large, { nodes: 100, shards: 1 });
  assert.equal(least.name, 'nodeCpu');
  assert.ok(Math.abs(least.rate - (100 * COSTS.nodeCores * COSTS.busy) / large.nodeCpu) < 1e-9);
});
