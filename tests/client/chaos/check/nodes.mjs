// What the nodes themselves showed: their memory, and how much they had to say.

/** A debug build, with its caches. */
const MAX_RSS = 600e6;
/** Of one kind, on one node, for each fault that could cause it. */
const WARNINGS_PER_FAULT = 6;
const WARNINGS_ANYWAY = 20;

export function* checkNodes(record) {
  for (const { kind, node, rss, at } of record.entries) {
    if (kind === 'sample' && rss > MAX_RSS) {
      yield { rule: 'memory', at, what: `${node} takes ${Math.round(rss / 1e6)} MB` };
      return;
    }
  }
  for (const { kind, node, warnings, panics } of record.entries) {
    if (kind !== 'log') continue;
    const faults = record.faults.filter((fault) => fault.node === undefined || fault.node === node).length;
    for (const [text, count] of warnings) {
      if (count > WARNINGS_ANYWAY + WARNINGS_PER_FAULT * faults) yield { rule: 'log', what: `${node} logs ${count} times (${faults} faults): ${text}` };
    }
    for (const text of panics) yield { rule: 'log', what: `${node} panicked: ${text}` };
  }
}
