// Simulations and arithmetic behind docs/scaling.md: seeded, so they say the same each time, in some seconds.
//
//     node bench/simulate.mjs [name …]     prints tables, all of them without a name
//     node bench/simulate.mjs --write      puts them into docs/scaling.md
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { report as commit } from './simulate/commit.mjs';
import { report as fanout } from './simulate/fanout.mjs';
import { report as million } from './simulate/million.mjs';
import { report as outage } from './simulate/outage.mjs';
import { changes, costs, first } from './simulate/paper.mjs';
import { report as storm } from './simulate/storm.mjs';
import { table } from './simulate/table.mjs';

export const REPORTS = { costs, first, commit, fanout, changes, storm, outage, million };
export const DOCUMENT = new URL('../docs/scaling.md', import.meta.url);
/** A table in the document, and the name of what makes it. */
export const BLOCK = /(<!-- node bench\/simulate.mjs (\w+) -->\n```text\n)([^]*?)(\n```)/g;

export const rendered = (name) => table(REPORTS[name]());

function main(names) {
  if (names.includes('--write')) {
    const text = readFileSync(DOCUMENT, 'utf8');
    writeFileSync(DOCUMENT, text.replace(BLOCK, (_, head, name, __, tail) => head + rendered(name) + tail));
    return;
  }
  for (const name of names.length ? names : Object.keys(REPORTS)) console.log(`${name}\n\n${rendered(name)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2));
