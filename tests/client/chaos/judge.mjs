// Judges a record that was saved: `node chaos/judge.mjs FILE`.
import { check, explain } from './check/index.mjs';
import { count } from './counts.mjs';
import { load } from './tape.mjs';

const MOST = 20;
const entries = load(process.argv[2]);
const violations = check(entries);
console.log(JSON.stringify(count(entries), null, 2));
for (const violation of violations.slice(0, MOST)) console.log(explain(entries, violation));
console.log(`${violations.length} violations`);
