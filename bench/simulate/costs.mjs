// What was measured (bench/load, on the machine that docs/scaling.md describes), what was counted there, and what is
// assumed. Seconds and bytes.

const us = 1e-6;

/** CPU time, measured with a release build; a few times more at low load, where nothing is done many at a time. */
const MEASURED = {
  /** A node takes a message in, stores it and acknowledges it. */
  take: 130 * us,
  /** A node hands an event to one more connection. */
  deliver: 5 * us,
  /** A node takes an envelope from Redis. */
  hear: 25 * us,
  /** The same with a list of companions: for each of them. */
  hearCompanion: 0.3 * us,
  /** A node tells one participant of a message: asks where they are, and publishes it. */
  tell: 50 * us,
  /** A node has PostgreSQL save something short. */
  ask: 150 * us,
  /** PostgreSQL stores a message, of a batch, and moves a room; and what a batch costs besides. */
  storeMessage: 20 * us,
  storeRoom: 20 * us,
  storeBatch: 300 * us,
  /** PostgreSQL keeps a notification, or that it was told; and a transaction that does. */
  keep: 10 * us,
  save: 150 * us,
  /** PostgreSQL answers a short query. */
  query: 30 * us,
  /** Redis takes a PUBLISH; hands it to one more node; copies a byte of it there. */
  publish: 1 * us,
  publishTo: 0.2 * us,
  publishByte: 0.27e-9,
  /** Redis counts a message for its user. */
  count: 8 * us,
  /** Redis says where a user is (HGETALL). */
  where: 1 * us,
  /** What it takes a node and PostgreSQL to let somebody in who is known, and PostgreSQL when they go. */
  connectNode: 1500 * us,
  connectDatabase: 330 * us,
  leaveDatabase: 250 * us,
  /** Redis' part of coming or going: presence, places, and what is held under the lease. */
  scripts: 16 * us,
  /** A query of a look into the store for 500 rooms or users. */
  look: 1000 * us,
  /** Memory: of a node for a connection; of Redis for a subscription, for a user online. */
  idleBytes: 50_000,
  subscriptionBytes: 223,
  onlineBytes: 739,
  /** A message in PostgreSQL's log, and on the disk with its indexes. */
  walBytes: 650,
  rowBytes: 700,
};

const COUNTED = {
  /** An envelope with a message of 100 characters, and a notification of it; a presence change's without companions. */
  envelope: 450,
  presence: 250,
  companion: 8,
  /** What a client is sent for it. */
  frame: 400,
  /** src/store/append.rs: the statements of a batch after its locks: what was stored before, permissions, insert, rooms,
   * notifications, COMMIT. */
  statementsAfterLock: 6,
  /** src/bus/redis/mod.rs: an event with more topics goes to every node. src/chat/presence/news.rs: the most companions. */
  wide: 32,
  mostCompanions: 5000,
  /** Settings, by default. */
  drain: 10,
  grace: 2,
  pingInterval: 25,
  pingTimeout: 20,
  connectTimeout: 10,
  notificationLimit: 1000,
  /** src/chat/nodes.rs: a lease holds for 8 s, and is looked at every 2 s. */
  leaseEnds: 10,
};

const ASSUMED = {
  flush: 2e-3,
  roundTrip: 0.2e-3,
  nodeCores: 4,
  databaseCores: 16,
  network: 1.25e9,
  /** No resource is planned to be busier. */
  busy: 0.7,
};

export const COSTS = {
  ...MEASURED,
  ...COUNTED,
  ...ASSUMED,
  /** PostgreSQL's CPU time for a batch. */
  storing: (messages, rooms) => MEASURED.storeBatch + messages * MEASURED.storeMessage + rooms * MEASURED.storeRoom,
};
