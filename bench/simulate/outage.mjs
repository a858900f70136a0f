// Redis is away: every node looks into PostgreSQL for what it does not hear (src/chat/missed.rs), over and over, and what
// that costs there; and how much later messages from other nodes come.
import { COSTS } from './costs.mjs';
import { Events, Servers, mean, random } from './random.mjs';

/** Keys in one query. */
const AMONG = 500;

/** The queries of one look. */
export function queries({ rooms, users, roomsWithNews }) {
  const chunks = Math.ceil(rooms / AMONG);
  // Standings, and who belongs to the rooms of the chunk.
  const ofRooms = chunks * (1 + Math.ceil(users / Math.max(1, chunks) / AMONG));
  // Users, guests or sessions, direct rooms, notifications.
  const ofUsers = Math.ceil(users / AMONG) * 4;
  return ofRooms + ofUsers + roomsWithNews;
}

/** `rate`: messages a second in all. */
export function outage({ nodes, rooms, users, rate, roomSize, seconds = 30, seed = 1 }) {
  const next = random(seed);
  const events = new Events();
  const database = new Servers(events, COSTS.databaseCores);
  const delays = [];
  const looks = [];
  for (let node = 0; node < nodes; node += 1) {
    let last = 0;
    const look = () => {
      const start = events.now;
      // Rooms that have members here and in which something was said since.
      const said = rate * (start - last) * Math.min(1, roomSize / nodes);
      const roomsWithNews = Math.round(rooms * (1 - Math.exp(-said / rooms)));
      let left = queries({ rooms, users, roomsWithNews });
      const one = () => {
        if (left === 0) return done();
        left -= 1;
        return events.after(COSTS.roundTrip, () => database.take(COSTS.look, one));
      };
      const done = () => {
        const took = events.now - start;
        looks.push(took);
        // Said at any time since the last look began; found at the end of this one.
        delays.push((start - last) / 2 + took);
        last = start;
        // Asked for every second; no more than a fifth of the time, and a pause of 0.3 s.
        events.after(Math.max(1 - took, 0.3, took * 5), look);
      };
      one();
    };
    events.at(next(), look);
  }
  events.run(seconds);
  return {
    queries: queries({ rooms, users, roomsWithNews: 0 }),
    took: mean(looks),
    delay: mean(delays.slice(nodes)),
    load: database.worked / seconds / COSTS.databaseCores,
  };
}

export function report() {
  const rows = [];
  for (const nodes of [3, 10, 30, 100]) {
    for (const users of [1000, 10_000]) {
      const found = outage({ nodes, users, rooms: users / 2, rate: (nodes * users) / 60, roomSize: 20 });
      rows.push({
        'nodes': nodes,
        'users a node': users,
        'rooms a node': users / 2,
        'queries a look': found.queries,
        'a look takes s': found.took,
        'messages later by s': found.delay,
        'database busy %': found.load * 100,
      });
    }
  }
  return rows;
}
