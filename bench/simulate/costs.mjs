// What was measured (bench/load, on the machine that docs/scaling.md describes) and what is assumed. Seconds and bytes.

const us = 1e-6;

export const COSTS = {
  // Assumed: a disk that answers a flush in 2 ms; a database of 16 cores, one network hop away.
  flush: 2e-3,
  roundTrip: 0.2e-3,
  databaseCores: 16,
  // Read in src/store/append.rs: the statements of a batch after its locks (what was stored before, permissions, insert,
  // notifications), and one UPDATE for each room in it.
  statementsAfterLock: 4,
  updatesPerRoom: 1,
  /** PostgreSQL's CPU time for a batch. */
  storing: (messages, rooms) => 300 * us + messages * 20 * us + rooms * 30 * us,

  nodeCores: 2,
  drain: 10,
  pingInterval: 25,
  pingTimeout: 20,
  connectTimeout: 10,
  leaseEnds: 12.5,
  connectNode: 500 * us,
  connectDatabase: 1000 * us,
  look: 1e-3,
};
