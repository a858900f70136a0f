// Clients of all kinds write, read, come and go on three nodes, while nodes, Redis, PostgreSQL and what lies between them fail.
// What the clients recorded is what was promised. `make chaos SEED=7 MINUTES=30` does it for longer, with other chances.
//
// CONFAB_CHAOS_SEED, CONFAB_CHAOS_SECONDS, NODES, CONFAB_CHAOS_SERVICES (none: one node with its SQLite, and only the node
// fails), CONFAB_CHAOS_RECORD (where to keep the record; one with violations is kept anyway).
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { check, explain } from '../chaos/check/index.mjs';
import { count, missing } from '../chaos/counts.mjs';
import { acts } from '../chaos/nemesis.mjs';
import { run } from '../chaos/run.mjs';

const SHOWN = 10;

const seed = Number(process.env.CONFAB_CHAOS_SEED || 20_261_121);
const seconds = Number(process.env.CONFAB_CHAOS_SECONDS || 75);
const nodes = Number(process.env.NODES || 3);
const services = (process.env.CONFAB_CHAOS_SERVICES ?? (nodes > 1 ? 'postgres,redis' : '')).split(',');
const kept = process.env.CONFAB_CHAOS_RECORD;

test('nothing is lost, doubled, disordered or leaked, whatever fails', { timeout: (2 * seconds + 180) * 1000 }, async (t) => {
  const tape = await run({ seed, seconds, nodes, services, say: (what) => process.stderr.write(`${what}\n`) });
  const violations = check(tape.entries);
  const counts = count(tape.entries);
  t.diagnostic(`seed ${seed}: ${JSON.stringify(counts)}`);
  const path = kept || join(tmpdir(), `confab-chaos-${seed}.jsonl`);
  if (kept || violations.length > 0) tape.save(path);
  const all = violations.slice(0, SHOWN).map((violation) => explain(tape.entries, violation)).join('\n\n');
  assert.equal(violations.length, 0, `${violations.length} violations; seed ${seed}; the whole record is ${path}\n${all}\n`);
  assert.deepEqual(missing(counts, { seconds, acts: acts(services) }), [], `the run proves nothing; seed ${seed}`);
});
