// The rules and the dashboard in examples/monitoring speak of metrics and labels that a server really has.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { account, assertRefused, login, me, post } from './support/accounts.mjs';
import { request } from './support/raw.mjs';
import { startServer } from './support/server.mjs';
import { World, eventually } from './support/world.mjs';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../examples/monitoring/', import.meta.url));
const read = (name) => readFileSync(join(folder, name), 'utf8');
const HISTOGRAM = /_(bucket|sum|count)$/;

const server = await startServer({ accounts: 'open' });

/** The expressions of the rules and the names that they record. YAML of ours: an expression is a line or a block. */
function rules() {
  const lines = read('alerts.yml').split('\n');
  const expressions = [];
  lines.forEach((line, i) => {
    const [, indent, text] = line.match(/^( *)expr: (.+)$/) ?? [];
    if (text === undefined) return;
    if (text !== '>-') return void expressions.push(text);
    const rest = lines.slice(i + 1);
    const end = rest.findIndex((next) => next.search(/\S/) <= indent.length);
    expressions.push(rest.slice(0, end).join(' '));
  });
  const recorded = [...read('alerts.yml').matchAll(/record: (\S+)/g)].map(([, name]) => name);
  assert.ok(expressions.length >= 20 && recorded.length >= 8, `${expressions.length} rules`);
  return { expressions, recorded };
}

/** The expressions of the dashboard. */
function panels() {
  const expressions = JSON.parse(read('dashboard.json')).panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(expressions.length >= 20, `${expressions.length} expressions`);
  return expressions;
}

/** The series of a server: by the metric's name the names of its labels. */
function series(text) {
  const found = new Map();
  for (const [, name, labels = ''] of text.matchAll(/^(confab_\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = found.get(name) ?? new Set();
    for (const [, label] of labels.matchAll(/(\w+)="/g)) known.add(label);
    found.set(name, known);
  }
  return found;
}

/** Everything that a server counts, at least once. */
async function live(w) {
  const room_id = w.id();
  const [alice, bob] = await w.members(room_id, 'alice', 'bob');
  await alice.say(room_id, [bob]);
  await alice.refused('invalid_payload', 'chat_message', { room_id });
  await assert.rejects(w.connect({ token: 'garbage' }));
  const carol = await account(w);
  await login(w.server, carol.user.username);
  assertRefused(await post(w.server, 'login', { username: carol.user.username, password: 'wrong horse battery' }), 'unauthorized');
  await me(w.server, carol.access_token);
}

const exported = async () => series((await request(server, '/metrics')).body);

it('every metric and label in the rules and the dashboard is exported by a server', { timeout: 60_000 }, async (t) => {
  await live(new World(t, server));
  const { expressions, recorded } = rules();
  const all = [...expressions, ...panels()];
  const names = new Set(all.flatMap((expression) => expression.match(/\bconfab_\w+/g) ?? []));
  assert.ok(names.size >= 12, [...names].join(', '));
  await eventually(async () => {
    const there = await exported();
    for (const name of names) assert.ok(there.has(name), `${name} is not exported`);
  });
  const there = await exported();
  for (const expression of all) {
    for (const [, name, selector] of expression.matchAll(/\b(confab_\w+)\{([^}]*)\}/g)) {
      for (const [, label] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)) {
        assert.ok(there.get(name).has(label), `${name} has no label ${label}: ${expression}`);
      }
    }
    // What is summed by a label has it.
    for (const [, labels, name] of expression.matchAll(/by \(([^)]*)\) \((?:rate|increase)?\(?(confab_\w+)/g)) {
      for (const label of labels.split(',').map((text) => text.trim())) assert.ok(there.get(name).has(label), `${name} has no label ${label}: ${expression}`);
    }
    for (const name of expression.match(/\bconfab:[\w:]+/g) ?? []) assert.ok(recorded.includes(name), `${name} is not recorded`);
  }
});

it('every metric of a server has its help, and is named in the README', { timeout: 60_000 }, async (t) => {
  await live(new World(t, server));
  const { body } = await request(server, '/metrics');
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  const names = new Set([...(await exported()).keys()].map((name) => name.replace(HISTOGRAM, '')));
  for (const name of names) {
    assert.ok(body.includes(`# HELP ${name} `), `${name} has no help`);
    assert.ok(readme.includes(`\`${name}`), `${name} is not in the README`);
  }
});

const promtool = (process.env.PATH ?? '').split(delimiter).map((path) => join(path, 'promtool')).find((path) => existsSync(path));

it('Prometheus reads the rules, and they say what their tests say', { timeout: 60_000, skip: promtool ? false : 'promtool is not installed' }, async () => {
  const options = { cwd: folder };
  await run(promtool, ['check', 'rules', 'alerts.yml'], options);
  await run(promtool, ['check', 'config', 'prometheus.yml'], options);
  await run(promtool, ['test', 'rules', 'alerts.test.yml'], options);
});

it('what a server exports is what Prometheus wants it to be', { timeout: 60_000, skip: promtool ? false : 'promtool is not installed' }, async (t) => {
  await live(new World(t, server));
  const { body } = await request(server, '/metrics');
  const check = run(promtool, ['check', 'metrics']);
  check.child.stdin.end(body);
  await check;
});
