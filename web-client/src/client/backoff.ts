const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** How long to wait after the `failures`th failure in a row: doubling, and spread so that not all come at once. */
export function backoff(failures: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return Math.round(full * (0.5 + random / 2));
}
