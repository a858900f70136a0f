// Who hears what: members of rooms on nodes at random, as a load balancer spreads them. A room's channel is subscribed on
// a node while somebody there is in the room; a user's while they are connected there (src/bus/topic.rs).
import { random } from './random.mjs';

/** Nodes that hear a room of `size` of `nodes`, on average. */
export const hearing = (nodes, size) => nodes * (1 - (1 - 1 / nodes) ** size);

/** The same, counted. */
export function countedHearing(nodes, size, { rooms = 2000, seed = 1 } = {}) {
  const next = random(seed);
  const seen = new Int32Array(nodes);
  let count = 0;
  for (let room = 1; room <= rooms; room += 1) {
    for (let i = 0; i < size; i += 1) {
      const node = Math.floor(next() * nodes);
      if (seen[node] !== room) {
        seen[node] = room;
        count += 1;
      }
    }
  }
  return count / rooms;
}

/**
 * A million users or fewer, each connected once and in the rooms that `sizes` say: pairs of a size and the part of all
 * places in rooms that are in rooms of about that size.
 */
export function subscriptions({ nodes, perNode, placesPerUser, sizes, seed = 1 }) {
  const next = random(seed);
  const users = nodes * perNode;
  let left = users * placesPerUser;
  const seen = new Int32Array(nodes);
  let [rooms, rooms_heard, places] = [0, 0, 0];
  for (const [mean, part] of sizes) {
    for (let share = left * part; share > 0;) {
      const size = Math.max(2, Math.min(users, Math.round(mean * (0.5 + next()))));
      share -= size;
      rooms += 1;
      places += size;
      for (let i = 0; i < size; i += 1) {
        const node = Math.floor(next() * nodes);
        if (seen[node] !== rooms) {
          seen[node] = rooms;
          rooms_heard += 1;
        }
      }
    }
  }
  return { rooms, places, channels: rooms_heard / nodes + perNode, perMessage: rooms_heard / rooms };
}

/** Places in rooms, as in a company's chat: most in small ones, some in large ones. */
const SIZES = [[5, 0.4], [30, 0.4], [1000, 0.2]];

export function report() {
  return [1, 3, 10, 30, 100].map((nodes) => {
    const found = subscriptions({ nodes, perNode: 10_000, placesPerUser: 5, sizes: SIZES });
    return {
      'nodes': nodes,
      'rooms': found.rooms,
      'channels a node': found.channels,
      'room of 2': hearing(nodes, 2),
      'of 5': hearing(nodes, 5),
      'of 30': hearing(nodes, 30),
      'of 1,000': hearing(nodes, 1000),
      'mean': found.perMessage,
      'all to all': nodes,
    };
  });
}
