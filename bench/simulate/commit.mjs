// Group commit: nodes that store messages in one PostgreSQL, each in one transaction after the other, with what has come
// meanwhile (src/store/writer.rs). Their flushes of the log are shared too; a room that several write to is locked from
// the first statement to the commit (src/store/lock.rs).
import { COSTS } from './costs.mjs';
import { Events, Servers, mean, pause, quantile, random } from './random.mjs';

const MAX_BATCH = 512;

/**
 * `rate`: messages a second that come, on all nodes together; Infinity where there is always one more.
 * `hot`: all go to one room; else each goes to another.
 */
export function commits({ nodes, rate, hot, flush = COSTS.flush, seconds = 20, seed = 1 }) {
  const next = random(seed);
  const events = new Events();
  const writers = Array.from({ length: nodes }, () => ({ queue: [], busy: false }));
  const disk = { flushing: false, waiting: [] };
  const room = { locked: false, waiting: [] };
  const database = new Servers(events, COSTS.databaseCores);
  const batches = [];
  const waits = [];
  let flushes = 0;

  const begin = (writer) => {
    if (writer.busy || (rate !== Infinity && writer.queue.length === 0)) return;
    writer.busy = true;
    const batch = rate === Infinity ? Array(MAX_BATCH).fill(events.now) : writer.queue.splice(0, MAX_BATCH);
    events.after(2 * COSTS.roundTrip, () => lock(() => work(writer, batch)));
  };
  const lock = (then) => {
    if (!hot) return then();
    if (room.locked) return room.waiting.push(then);
    room.locked = true;
    return then();
  };
  const work = (writer, batch) => {
    const rooms = hot ? 1 : batch.length;
    const computed = () => toDisk(() => finish(writer, batch));
    events.after(COSTS.statementsAfterLock * COSTS.roundTrip, () => database.take(COSTS.storing(batch.length, rooms), computed));
  };
  const toDisk = (done) => {
    disk.waiting.push(done);
    if (!disk.flushing) flushNow();
  };
  const flushNow = () => {
    disk.flushing = true;
    flushes += 1;
    const done = disk.waiting.splice(0);
    events.after(flush, () => {
      disk.flushing = false;
      for (const each of done) each();
      if (disk.waiting.length && !disk.flushing) flushNow();
    });
  };
  const finish = (writer, batch) => {
    if (hot) {
      room.locked = false;
      const following = room.waiting.shift();
      if (following) lock(following);
    }
    batches.push(batch.length);
    if (rate !== Infinity) for (const came of batch) waits.push(events.now - came);
    writer.busy = false;
    begin(writer);
  };

  if (rate === Infinity) {
    for (const writer of writers) events.at(next() * flush, () => begin(writer));
  } else {
    const arrive = () => {
      const writer = writers[Math.floor(next() * nodes)];
      writer.queue.push(events.now);
      begin(writer);
      events.after(pause(next, 1 / rate), arrive);
    };
    events.after(pause(next, 1 / rate), arrive);
  }
  events.run(seconds);
  const stored = batches.reduce((sum, size) => sum + size, 0);
  return {
    rate: stored / seconds,
    batch: mean(batches),
    flushes: flushes / seconds,
    median: quantile(waits, 0.5) * 1000,
    p99: quantile(waits, 0.99) * 1000,
  };
}

export function report() {
  const rows = [];
  for (const hot of [false, true]) {
    for (const nodes of [1, 10, 100]) {
      for (const rate of [1000, 10_000, Infinity]) {
        const found = commits({ nodes, rate, hot, seconds: rate === Infinity ? 5 : 10 });
        const late = rate !== Infinity && found.rate < 0.9 * rate;
        rows.push({
          'to': hot ? 'one room' : 'a room each',
          'nodes': nodes,
          'come/s': rate === Infinity ? 'any' : rate,
          'stored/s': found.rate,
          'batch': found.batch,
          'flushes/s': found.flushes,
          'median ms': late ? 'grows' : found.median,
          'p99 ms': late ? 'grows' : found.p99,
        });
      }
    }
  }
  return rows;
}
