// The disk, and what an operator can get wrong: a full disk, a shared data folder, a newer database, wrong settings.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { World } from '../support/world.mjs';
import { Process, dataFolder, refusesToServe, serve } from './process.mjs';
import { assertWhole, history, until } from './support.mjs';

const ROOM = 'storage';
const UNLIMITED_RATE = { rate_limit_messages: 0 };
const run = promisify(execFile);

test('a full disk refuses messages, serves reads, and loses nothing that was acknowledged', { timeout: 55_000 }, async (t) => {
  const dataDir = dataFolder();
  const limited = await serve(dataDir, { settings: UNLIMITED_RATE, fileLimitKib: 2048 });
  const world = new World(t, limited);
  const writer = await world.user('writer');
  const reader = await world.user('reader');
  for (const client of [writer, reader]) await client.ok('join_room', { room_id: ROOM });

  const acked = [];
  const refused = [];
  const say = async (text) => {
    const ack = await writer.request('chat_message', { room_id: ROOM, message: text, client_id: text.split(' ')[0] });
    if (ack.success) {
      acked.push(ack.message);
    } else {
      // Not `internal`, not silence: a client can tell people what is wrong, and that nothing was stored.
      assert.equal(ack.code, 'storage_unavailable', JSON.stringify(ack));
      assert.equal(typeof ack.message, 'string');
      refused.push(text);
    }
  };
  // 16 MB at the most, into files of 2 MB.
  for (let i = 0; i < 2_000 && refused.length === 0; i += 1) await say(`${i} `.padEnd(8_000, '.'));
  t.diagnostic(`${acked.length} messages stored before the disk was full`);
  assert.ok(acked.length > 10, 'there was room for something');
  assert.equal(refused.length, 1, 'the disk was never full');

  for (let i = 0; i < 20; i += 1) await say(`again-${i} `.padEnd(8_000, '.'));
  // Reads work: this is the database, not the newest page in memory.
  const readable = await history(reader, ROOM);
  assert.deepEqual(readable.map(({ id }) => id), acked.map(({ id }) => id));
  await reader.ok('get_user_conversations', {});
  await until(() => reader.all('new_message').length >= acked.length, 'the other member hears what is stored');
  assert.deepEqual(reader.all('new_message').map(({ id }) => id), acked.map(({ id }) => id), 'and only that');
  const readiness = await fetch(`${limited.url}/readyz`);
  const complaints = limited.log.filter(({ level }) => level === 'ERROR');
  assert.ok(complaints.length > 0 || readiness.status === 503, 'an operator can see it');
  t.diagnostic(`/readyz ${readiness.status}, logged: ${JSON.stringify(complaints[0]?.fields)}`);
  assert.doesNotMatch(limited.text, /panicked/);
  assert.notEqual(await limited.stop(), null, 'it was killed');

  const roomy = await serve(dataDir, { settings: UNLIMITED_RATE });
  const later = new World(t, roomy);
  later.tenant = world.tenant;
  const again = await later.user('writer');
  const stored = await history(again, ROOM);
  assertWhole(stored);
  assert.deepEqual(stored.map(({ id, seq }) => [id, seq]), acked.map(({ id, seq }) => [id, seq]));
  for (const text of refused) await again.ok('chat_message', { room_id: ROOM, message: text, client_id: text.split(' ')[0] });
  const after = await history(again, ROOM);
  assertWhole(after);
  assert.equal(after.length, acked.length + refused.length);
  assert.equal(await roomy.stop(), 0);
});

test('a second server on the same data folder refuses to start and the first goes on', { timeout: 40_000 }, async (t) => {
  const dataDir = dataFolder();
  const first = await serve(dataDir);
  const said = await refusesToServe(dataDir);
  assert.match(said, /in use/);
  assert.ok(said.includes(dataDir), said);

  const client = await new World(t, first).user('writer');
  await client.ok('join_room', { room_id: ROOM });
  await client.ok('chat_message', { room_id: ROOM, message: 'still here' });
  assert.equal(await first.stop(), 0);
});

test('a database that another process has locked is refused', { timeout: 40_000 }, async (t) => {
  const dataDir = dataFolder();
  assert.equal(await (await serve(dataDir)).stop(), 0);
  const program = `import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()`;
  const locker = spawn('python3', ['-c', program, join(dataDir, 'confab.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => locker.kill());
  await once(locker.stdout, 'data');
  assert.match(await refusesToServe(dataDir), /locked by another process/);
  locker.stdin.end();
  await once(locker, 'exit');
  assert.equal(await (await serve(dataDir)).stop(), 0);
});

test('a database of a newer release is refused and left alone', { timeout: 40_000 }, async (t) => {
  const dataDir = dataFolder();
  const first = await serve(dataDir);
  const world = new World(t, first);
  const client = await world.user('writer');
  await client.ok('join_room', { room_id: ROOM });
  await client.ok('chat_message', { room_id: ROOM, message: 'from before' });
  assert.equal(await first.stop(), 0);

  const future = 'm20990101_000001_from_the_future';
  await sql(dataDir, `INSERT INTO seaql_migrations (version, applied_at) VALUES ('${future}', 4070908800)`);
  const said = await refusesToServe(dataDir);
  assert.match(said, /newer/);
  assert.ok(said.includes(future), said);

  await sql(dataDir, `DELETE FROM seaql_migrations WHERE version = '${future}'`);
  const later = new World(t, await serve(dataDir));
  later.tenant = world.tenant;
  const stored = await history(await later.user('writer'), ROOM);
  assert.deepEqual(stored.map(({ message }) => message), ['from before']);
});

test('wrong settings stop the start and all of them are named', { timeout: 30_000 }, async () => {
  const dataDir = dataFolder();
  writeFileSync(join(dataDir, 'confab.toml'), 'colour = "red"\n');
  const said = await refusesToServe(dataDir, { settings: { listen: 'nonsense', rate_limit_messages: 'abc' } });
  for (const name of ['colour', 'listen', 'rate_limit_messages']) {
    assert.match(said, new RegExp(`\\b${name}\\b`, 'i'), `${name} is not named`);
  }
  const left = readdirSync(dataDir).filter((name) => name !== 'confab.toml');
  assert.deepEqual(left, [], 'nothing was begun');
});

test('a secret of our own is made once, kept, and for our eyes only', { timeout: 40_000 }, async (t) => {
  const dataDir = dataFolder();
  const settings = { jwt_secret: null };
  const first = await serve(dataDir, { settings });
  const secret = readdirSync(dataDir).find((name) => name.includes('secret'));
  assert.ok(secret, `no secret among ${readdirSync(dataDir)}`);
  assert.equal((statSync(join(dataDir, secret)).mode & 0o777).toString(8), '600');
  assert.ok(statSync(join(dataDir, secret)).size >= 32, 'it is too short');
  const warned = () => first.log.some(({ level, fields }) => level === 'WARN' && /secret/i.test(fields.message));
  await until(warned, () => `a warning about it:\n${first.text}`);

  const minted = new Process(['token', '--user-id', '7', '--username', 'alice'], dataDir, { settings });
  assert.equal(await minted.code(), 0, minted.text);
  const token = minted.output.find((line) => /^ey[\w-]+\.[\w-]+\.[\w-]+$/.test(line.trim()))?.trim();
  assert.ok(token, minted.text);
  const id = async (server) => {
    const client = await new World(t, server).connect({ token });
    await client.ok('join_room', { room_id: ROOM });
    return (await client.waitFor('user_joined')).user_id;
  };
  assert.equal(await id(first), 7);
  assert.equal(await first.stop(), 0);

  const second = await serve(dataDir, { settings });
  assert.equal(await id(second), 7, 'the token still works');
  // The secret itself is nobody's business.
  const kept = readFileSync(join(dataDir, secret), 'utf8').trim();
  for (const server of [first, second]) assert.ok(!server.text.includes(kept), 'the secret is in the log');
});

/** Changes the database behind the server's back. Node 20 has no SQLite. */
async function sql(dataDir, statement) {
  const script = 'import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as db: db.execute(sys.argv[2])';
  await run('python3', ['-c', script, join(dataDir, 'confab.db'), statement]);
}
