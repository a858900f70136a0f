// Arithmetic: what a message and a presence change cost on so many nodes, and which resource is full first.
import { COSTS } from './costs.mjs';
import { hearing } from './fanout.mjs';

/**
 * A message in a room of `size` who are all online and in it, on `nodes`. `notified`: whether the room is small enough
 * for notifications, which go to all participants who are not in the room on the sender's node.
 */
export function message({ nodes, size, notified = size <= COSTS.notificationLimit }) {
  const isDirect = size === 2;
  // A direct room's messages are published to its two users.
  const publishes = isDirect ? 2 : 1;
  const outputs = isDirect ? 2 : hearing(nodes, size);
  const others = notified ? size - 1 : 0;
  const elsewhere = others * (1 - 1 / nodes);
  const heard = outputs * (1 - 1 / nodes);
  return {
    publishes: publishes + others,
    outputs: outputs + others,
    rows: 1 + elsewhere,
    queries: 2 * elsewhere,
    nodeCpu: COSTS.take + (heard + others) * COSTS.hear + size * COSTS.deliver + 2 * elsewhere * COSTS.ask,
    nodeBytes: size * COSTS.frame + outputs * COSTS.envelope,
    redisCpu: COSTS.count + (publishes + others) * COSTS.publish + (outputs + others) * (COSTS.publishTo + COSTS.envelope * COSTS.publishByte) + elsewhere * COSTS.where,
    redisBytes: outputs * COSTS.envelope + others * COSTS.notification,
    databaseCpu: COSTS.storeMessage + COSTS.query + elsewhere * (COSTS.storeMessage + 2 * COSTS.query),
    // One writer a node: an UPDATE for the room, and its part of the rest of the batch.
    writer: COSTS.updatesPerRoom * COSTS.roundTrip + COSTS.storeMessage,
    // One task a node asks for each of the others, one after the other (src/chat/notifications.rs).
    notices: 2 * elsewhere * (COSTS.roundTrip + COSTS.query),
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
    writer: ['the writers', nodes],
    notices: ['the notifiers', nodes],
  };
}

/** Messages a second that each resource takes, least first. */
export function limits(cost, shape) {
  const all = Object.entries(capacity(shape)).map(([name, [label, most]]) => ({ name, label, rate: most / cost[name] }));
  return all.sort((one, other) => one.rate - other.rate);
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
const ROOMS = [['2', 2], ['30', 30], ['1,000', 1000], ['100,000', 100_000]];

/** What a message costs on 100 nodes. */
export function costs() {
  return ROOMS.flatMap(([label, size]) => (size > 2 && size <= COSTS.notificationLimit ? [true, false] : [size === 2]).map((notified) => {
    const cost = message({ nodes: NODES, size, notified });
    return {
      'room of': `${label}${size > 2 && size <= COSTS.notificationLimit ? (notified ? ', notified' : ', not notified') : ''}`,
      'PUBLISH': cost.publishes,
      'Redis sends': cost.outputs,
      'kB of it': cost.redisBytes / 1000,
      'rows': cost.rows,
      'queries': cost.queries,
      'CPU ms: nodes': cost.nodeCpu * 1000,
      'Redis': cost.redisCpu * 1000,
      'PostgreSQL': cost.databaseCpu * 1000,
      'kB to clients': (size * COSTS.frame) / 1000,
    };
  }));
}

/** Which resource is full first. */
export function first() {
  const rows = [];
  for (const shards of [1, 8]) {
    for (const [label, size] of ROOMS) {
      for (const notified of size > 2 && size <= COSTS.notificationLimit ? [true, false] : [size === 2]) {
        const found = limits(message({ nodes: NODES, size, notified }), { nodes: NODES, shards });
        const [one, two, three] = found;
        const says = ({ label: name, rate }) => `${name}: ${number(rate)}`;
        rows.push({
          'room of': `${label}${size > 2 && size <= COSTS.notificationLimit ? (notified ? ', notified' : ', not notified') : ''}`,
          'Redis servers': shards,
          'full first, at messages/s': says(one),
          'then': says(two),
          'then ': says(three),
          'each user, one in s': (NODES * 10_000) / one.rate,
        });
      }
    }
  }
  return rows;
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
