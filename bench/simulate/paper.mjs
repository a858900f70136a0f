// Arithmetic: what a message and a presence change cost on so many nodes, and which resource is full first.
import { COSTS } from './costs.mjs';
import { hearing } from './fanout.mjs';

/**
 * A message in a room of `size` who are all online and in it, on `nodes`. `notified`: whether the room is small enough
 * for notifications, which are kept for all participants who are not in the room on the sender's node, and told to all.
 */
export function message({ nodes, size, notified = size <= COSTS.notificationLimit }) {
  const isDirect = size === 2;
  // A direct room's messages are published to its two users.
  const publishes = isDirect ? 2 : 1;
  const outputs = isDirect ? 2 : hearing(nodes, size);
  const heard = outputs * (1 - 1 / nodes);
  const others = notified ? size - 1 : 0;
  const elsewhere = others * (1 - 1 / nodes);
  // Each node saves that its users were told.
  const saves = Math.min(elsewhere, nodes);
  const copy = COSTS.publishTo + COSTS.envelope * COSTS.publishByte;
  return {
    publishes: publishes + others,
    outputs: outputs + others,
    rows: 1 + elsewhere,
    saves,
    nodeCpu: COSTS.take + heard * COSTS.hear + size * COSTS.deliver + others * COSTS.tell + elsewhere * COSTS.hearTold + saves * COSTS.saveNode,
    nodeBytes: size * COSTS.frame + (outputs + others) * COSTS.envelope,
    redisCpu: COSTS.count + (publishes + others) * COSTS.publish + (outputs + others) * copy + elsewhere * COSTS.where,
    redisBytes: (outputs + others) * COSTS.envelope,
    databaseCpu: COSTS.query + COSTS.storeMessage + COSTS.storeRoom + elsewhere * 2 * COSTS.keep + saves * COSTS.save,
  };
}

/** What there is of everything. */
export function capacity({ nodes, shards }) {
  const { busy } = COSTS;
  return {
    nodeCpu: ['nodes, CPU', nodes * COSTS.nodeCores * busy],
    nodeBytes: ['nodes, network', nodes * COSTS.network * busy],
    redisCpu: ['Redis, CPU', shards * busy],
    redisBytes: ['Redis, network', shards * COSTS.network * busy],
    databaseCpu: ['PostgreSQL, CPU', COSTS.databaseCores * busy],
  };
}

/** Batches a second: a node stores what has come while it stored the last. */
export function batches({ nodes, rate }) {
  const took = (2 + COSTS.statementsAfterLock) * COSTS.roundTrip + COSTS.flush + COSTS.storeBatch;
  return rate / (1 + (rate / nodes) * took);
}

/** What PostgreSQL works in a second. */
export const databaseWork = ({ nodes, rate, cost }) => rate * cost.databaseCpu + batches({ nodes, rate }) * COSTS.storeBatch;

/** Messages a second that each resource takes, least first. */
export function limits(cost, shape) {
  const all = Object.entries(capacity(shape)).map(([name, [label, most]]) => {
    const rate = name === 'databaseCpu' ? until(most, (one) => databaseWork({ nodes: shape.nodes, rate: one, cost })) : most / cost[name];
    return { name, label, rate };
  });
  return all.sort((one, other) => one.rate - other.rate);
}

/** The rate at which what grows with it has come to `most`. */
function until(most, work) {
  let [low, high] = [0, 1e9];
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (work(middle) < most) low = middle;
    else high = middle;
  }
  return low;
}

/** A user comes online or goes, who shares rooms with `companions`. */
export function presence({ nodes, companions }) {
  const known = Math.min(companions, COSTS.mostCompanions);
  const isWide = known + 1 > COSTS.wide;
  const publishes = isWide ? 1 : known + 1;
  const outputs = isWide ? nodes : known + 1;
  const bytes = COSTS.presence + known * COSTS.companion;
  return {
    publishes,
    outputs,
    bytes: outputs * bytes,
    redisCpu: publishes * COSTS.publish + outputs * (COSTS.publishTo + bytes * COSTS.publishByte),
    hear: COSTS.hear + known * COSTS.hearCompanion,
  };
}

const NODES = 100;
/** Messages in a batch of one of many nodes. */
const FEW = 2;
export const CASES = [
  { what: '2', size: 2, notified: true },
  { what: '30, notified', size: 30, notified: true },
  { what: '30', size: 30, notified: false },
  { what: '1,000, notified', size: 1000, notified: true },
  { what: '1,000', size: 1000, notified: false },
  { what: '100,000', size: 100_000, notified: false },
];

/** What a message costs on 100 nodes. */
export function costs() {
  return CASES.map(({ what, ...room }) => {
    const cost = message({ nodes: NODES, ...room });
    return {
      'room of': what,
      'PUBLISH': cost.publishes,
      'Redis sends': cost.outputs,
      'kB of it': cost.redisBytes / 1000,
      'rows': cost.rows,
      'saved': cost.saves,
      'CPU ms: nodes': cost.nodeCpu * 1000,
      'Redis': cost.redisCpu * 1000,
      'PostgreSQL': (cost.databaseCpu + COSTS.storeBatch / FEW) * 1000,
      'kB to clients': (room.size * COSTS.frame) / 1000,
    };
  });
}

/** Which resource is full first. */
export function first() {
  const says = ({ label, rate }) => `${label}: ${number(rate)}`;
  return [1, 8].flatMap((shards) => CASES.map(({ what, ...room }) => {
    const [one, two, three] = limits(message({ nodes: NODES, ...room }), { nodes: NODES, shards });
    return {
      'room of': what,
      'Redis servers': shards,
      'full first, at messages/s': says(one),
      'then': says(two),
      'then ': says(three),
      'each user, one in s': (NODES * 10_000) / one.rate,
    };
  }));
}

const number = (rate) => (rate >= 1000 ? Math.round(rate / 100) * 100 : Math.round(rate)).toLocaleString('en');

/** What a change of presence costs on 100 nodes, and how many Redis takes. */
export function changes() {
  return [5, 30, 300, 5000].map((companions) => {
    const cost = presence({ nodes: NODES, companions });
    const redis = COSTS.busy / Math.max(cost.redisCpu, cost.bytes / COSTS.network);
    return {
      'companions': companions,
      'PUBLISH': cost.publishes,
      'Redis sends': cost.outputs,
      'kB of it': cost.bytes / 1000,
      'ms of Redis': cost.redisCpu * 1000,
      'ms of each node': cost.hear * 1000,
      'Redis takes/s': redis,
      'a node of 10,000 cut off: s': 20_000 / redis,
    };
  });
}
