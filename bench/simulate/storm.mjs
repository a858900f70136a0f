// What follows when a node with many users is gone: how they come back to the others, and what is told of it.
import { COSTS } from './costs.mjs';
import { Events, Servers, quantile, random } from './random.mjs';

/** When a client notices, in seconds after the end of its node. */
const NOTICES = {
  // The kernel closes the connections of a process that dies.
  'killed': () => 0,
  // Closed at random moments in half of drain_seconds (src/gateway/mod.rs).
  'drained': (next) => next() * COSTS.drain / 2,
  // Nobody closes anything: the client's engine waits for ping_interval + ping_timeout from the last ping.
  'cut off': (next) => COSTS.pingTimeout + next() * COSTS.pingInterval,
};

/** socket.io-client's first pause: reconnectionDelay 1 s, randomizationFactor 0.5; doubled each time, 5 s at the most. */
const backoff = (next, attempt) => Math.min(1 * 2 ** attempt, 5) * (0.5 + next());

/**
 * `users` were on the node or nodes that are gone; `nodes` remain. Of large ones a part is simulated, with as much less to
 * serve it.
 */
export function storm({ how, users, nodes, seed = 1 }) {
  const scale = Math.max(1, users / 50_000);
  const next = random(seed);
  const events = new Events();
  const gateways = Array.from({ length: Math.max(1, Math.round(nodes / scale)) }, () => new Servers(events, COSTS.nodeCores));
  const database = new Servers(events, COSTS.databaseCores);
  const came = new Map();
  const [back, took] = [[], []];
  let [again, told] = [0, 0];
  const come = (attempt, gone) => {
    const began = events.now;
    came.set(Math.floor(began), (came.get(Math.floor(began)) ?? 0) + scale);
    let [hasGivenUp, isIn] = [false, false];
    const isWaiting = () => !hasGivenUp;
    // A server closes whom it could not let in for so long.
    events.after(COSTS.connectTimeout, () => {
      if (isIn) return;
      hasGivenUp = true;
      again += scale;
      events.after(backoff(next, attempt + 1), () => come(attempt + 1, gone));
    });
    const enter = () => {
      if (hasGivenUp) return;
      isIn = true;
      back.push(events.now);
      took.push(events.now - began);
      // Offline was told when the grace period or the lease was over, online is now.
      if (events.now > (how === 'drained' ? gone + COSTS.grace : COSTS.leaseEnds)) told += 2 * scale;
    };
    const gateway = gateways[Math.floor(next() * gateways.length)];
    gateway.take(COSTS.connectNode, () => database.take(COSTS.connectDatabase * scale, enter, isWaiting), isWaiting);
  };
  for (let user = 0; user < users / scale; user += 1) {
    const gone = NOTICES[how](next);
    events.at(gone + backoff(next, 0), () => come(0, gone));
  }
  events.run();
  return {
    peak: Math.max(...came.values()),
    half: quantile(back, 0.5),
    all: quantile(back, 1),
    took: quantile(took, 0.99),
    again,
    told,
  };
}

export function report() {
  const rows = [];
  for (const [what, users, nodes] of [['1 of 3', 10_000, 2], ['1 of 100', 10_000, 99], ['50 of 100', 500_000, 50], ['all', 1_000_000, 100]]) {
    for (const how of what === 'all' ? ['killed'] : Object.keys(NOTICES)) {
      const found = storm({ how, users, nodes });
      rows.push({
        'nodes gone': `${what} ${how}`,
        'users': users,
        'most come/s': found.peak,
        'half back after s': found.half,
        'all after s': found.all,
        'p99 of connecting s': found.took,
        'tried again': found.again,
        'presence told': found.told,
      });
    }
  }
  return rows;
}
