// CPU time and memory of processes, from /proc. Time that a process has used says what something costs; how long it took
// on a machine that others use too does not.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

const read = (path) => { try { return readFileSync(path, 'utf8'); } catch { return ''; } };
const children = (pid) => read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);

/** CPU seconds that a process, its children, and those of its children that have ended have used so far. */
export function cpuSeconds(pid) {
  // The name stands in brackets and may hold anything; what follows does not.
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1).split(' ');
  const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map(Number);
  const own = (user + system + endedUser + endedSystem) / TICKS;
  return children(pid).reduce((sum, child) => sum + cpuSeconds(child), own || 0);
}

/** Resident bytes of one process. */
export function residentBytes(pid) {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return Number(kilobytes) * 1024;
}

/** What is spent from here on: call the result for the seconds of each of the named processes so far. */
export function spending(pids) {
  const before = Object.entries(pids).map(([name, pid]) => [name, pid, cpuSeconds(pid)]);
  const start = process.hrtime.bigint();
  return () => ({
    seconds: Number(process.hrtime.bigint() - start) / 1e9,
    cpu: Object.fromEntries(before.map(([name, pid, was]) => [name, cpuSeconds(pid) - was])),
  });
}

export function median(numbers) {
  return quantile(numbers, 0.5);
}

export function quantile(numbers, q) {
  const sorted = Float64Array.from(numbers).sort();
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : NaN;
}
