// What every simulation here is made of: chance that repeats, and events in the order of their times.

/** Numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How long until the next of what comes independently of each other. */
export const pause = (next, mean) => -Math.log(1 - next()) * mean;

/** Things that happen at some time: `at(time, what)` plans one, `run(end)` does them in order. */
export class Events {
  now = 0;

  #heap = [];
  #count = 0;

  at(time, what) {
    const heap = this.#heap;
    heap.push({ time, order: this.#count, what });
    this.#count += 1;
    for (let i = heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i], heap[parent])) break;
      [heap[i], heap[parent]] = [heap[parent], heap[i]];
      i = parent;
    }
  }

  after(delay, what) { this.at(this.now + delay, what); }

  run(end = Infinity) {
    while (this.#heap.length && this.#heap[0].time <= end) {
      const { time, what } = this.#take();
      this.now = time;
      what();
    }
  }

  #take() {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length) {
      heap[0] = last;
      for (let i = 0; ;) {
        let least = i;
        for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && before(heap[child], heap[least])) least = child;
        if (least === i) break;
        [heap[i], heap[least]] = [heap[least], heap[i]];
        i = least;
      }
    }
    return first;
  }
}

const before = (one, other) => one.time < other.time || (one.time === other.time && one.order < other.order);

/**
 * So many that serve, first come first served. `take(time, done)`: `done` is called when it has been served for `time`;
 * `isWanted`, if it is given, is asked before.
 */
export class Servers {
  /** How long all of them together have worked. */
  worked = 0;

  #free;
  #queue = [];
  #first = 0;

  constructor(events, count) {
    this.events = events;
    this.#free = count;
  }

  take(time, done, isWanted) {
    this.#queue.push({ time, done, isWanted });
    if (this.#free > 0) this.#serve();
  }

  #serve() {
    while (this.#first < this.#queue.length) {
      const { time, done, isWanted } = this.#queue[this.#first];
      this.#first += 1;
      if (isWanted && !isWanted()) continue;
      this.#free -= 1;
      this.worked += time;
      this.events.after(time, () => {
        this.#free += 1;
        done();
        if (this.#free > 0) this.#serve();
      });
      return;
    }
    this.#queue = [];
    this.#first = 0;
  }
}

export function quantile(numbers, q) {
  const sorted = Float64Array.from(numbers).sort();
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : NaN;
}

export const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
