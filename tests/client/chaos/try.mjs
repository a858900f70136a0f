import { run } from './run.mjs';
const [seed = 1, seconds = 30, nodes = 1] = process.argv.slice(2).map(Number);
const tape = await run({ seed, seconds, nodes, say: console.error });
tape.save(`/tmp/chaos-${seed}.jsonl`);
console.error('saved');
process.exit(0);
