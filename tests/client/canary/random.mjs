// Chance that can be had again: everything random of a run comes from its seed.

/** `random()` in [0, 1): mulberry32. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (n) => Math.floor(next() * n),
    chance: (share) => next() < share,
    pick: (list) => list[Math.floor(next() * list.length)],
    /** One of `[weight, value]`, each as likely as it weighs. */
    weighted(choices) {
      let left = next() * choices.reduce((sum, [weight]) => sum + weight, 0);
      return choices.find(([weight]) => (left -= weight) < 0)?.[1] ?? choices[0][1];
    },
    word: () => `zz${Array.from({ length: 14 }, () => 'abcdefghijklmnop'[Math.floor(next() * 16)]).join('')}`,
  };
}
