// What the nodes themselves showed: their memory, how much they had to say, and what the database had to say of them.

/** A debug build, with its caches. */
const MAX_RSS = 600e6;
/** How often the same may be logged: one line when Redis goes, one when it is back; a line for each request that the database fails. */
const ANYWAY = 20;
const FOR_EACH_FAULT = { redis: 2, other: 100 };

export function* checkNodes(record) {
  for (const { kind, node, rss, at } of record.entries) {
    if (kind === 'sample' && rss > MAX_RSS) {
      yield { rule: 'memory', at, what: `${node} takes ${Math.round(rss / 1e6)} MB` };
      return;
    }
  }
  for (const { kind, codes, conflicts = [] } of record.entries) {
    if (kind !== 'end') continue;
    if (codes.some((code) => code !== 0)) yield { rule: 'exit', what: `the nodes end with ${codes}` };
    // Who has the locks first has no such conflict. Where one is, others are that nothing finds.
    for (const [text, count] of conflicts) yield { rule: 'locks', what: `transactions got in each other's way ${count} times: ${text}` };
  }
  for (const { kind, node, warnings, panics } of record.entries) {
    if (kind !== 'log') continue;
    const faults = record.faults.filter((fault) => fault.node === undefined || fault.node === node).length;
    for (const [text, count] of warnings) {
      const most = ANYWAY + faults * (/redis/i.test(text) ? FOR_EACH_FAULT.redis : FOR_EACH_FAULT.other);
      if (count > most) yield { rule: 'log', what: `${node} logs ${count} times (${faults} faults): ${text}` };
    }
    for (const text of panics) yield { rule: 'log', what: `${node} panicked: ${text}` };
  }
}
