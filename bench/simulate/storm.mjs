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

/** `users` were on the node or nodes that are gone; `nodes` remain. */
export function storm({ how, users, nodes, seed = 1 }) {
  const next = random(seed);
  const events = new Events();
  const gateways = Array.from({ length: nodes }, () => new Servers(events, COSTS.nodeCores));
  const database = new Servers(events, COSTS.databaseCores);
  const [back, took, attempts] = [[], [], new Map()];
  let refused = 0;
  const come = (attempt) => {
    const began = events.now;
    const second = Math.floor(began);
    attempts.set(second, (attempts.get(second) ?? 0) + 1);
    let givenUp = false;
    let done = false;
    const isWaiting = () => !givenUp;
    // A server gives a client so long to say who it is, and a client a server as long to answer.
    events.after(COSTS.connectTimeout, () => {
      if (done) return;
      givenUp = true;
      refused += 1;
      events.after(backoff(next, attempt + 1), () => come(attempt + 1));
    });
    gateways[Math.floor(next() * nodes)].take(COSTS.connectNode, () => {
      database.take(COSTS.connectDatabase, () => {
        if (givenUp) return;
        done = true;
        back.push(events.now);
        took.push(events.now - began);
      }, isWaiting);
    }, isWaiting);
  };
  for (let user = 0; user < users; user += 1) {
    events.at(NOTICES[how](next) + backoff(next, 0), () => come(0));
  }
  events.run();
  // Offline is told when the grace period or the lease is over, and online again when they come.
  const patience = how === 'drained' ? null : COSTS.leaseEnds;
  const offline = patience === null ? 0 : back.filter((time) => time > patience).length;
  return {
    peak: Math.max(...attempts.values()),
    half: quantile(back, 0.5),
    all: quantile(back, 1),
    took: quantile(took, 0.99),
    refused,
    told: 2 * offline,
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
        'tried again': found.refused,
        'presence told': found.told,
      });
    }
  }
  return rows;
}
