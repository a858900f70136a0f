// What was measured (bench/load, on the machine that docs/scaling.md describes), what was counted there, and what is
// assumed. Seconds and bytes.

const us = 1e-6;

/** CPU time, with a release build, medians of some runs. */
const MEASURED = {
  /** A node takes a message in, has it counted and stored, and acknowledges it. */
  take: 110 * us,
  /** A node hands an event to one more connection. */
  deliver: 4.4 * us,
  /** A node hears a message, or a notification, from Redis; for each companion in a change of presence. */
  hear: 8 * us,
  hearTold: 16 * us,
  hearCompanion: 0.05 * us,
  /** A node tells one participant of a message: asks where they are, and publishes it. */
  tell: 18 * us,
  /** PostgreSQL stores a message, of a batch, and moves a room; and what a batch costs besides. */
  storeMessage: 11 * us,
  storeRoom: 15 * us,
  storeBatch: 220 * us,
  /** PostgreSQL keeps a notification, or that it was told; and a transaction that does, for it and for the node. */
  keep: 18 * us,
  save: 150 * us,
  saveNode: 90 * us,
  /** PostgreSQL answers whether a message was sent before. */
  query: 40 * us,
  /** Redis takes a PUBLISH, hands it to one more node, copies a byte of it: between one at a time and 512 at once. */
  publish: 2 * us,
  publishTo: 0.3 * us,
  publishByte: 0.28e-9,
  /** Redis counts a message for its user; says where a user is. */
  count: 8 * us,
  where: 1 * us,
  /** What it takes a node and PostgreSQL to let somebody in who is known, PostgreSQL when they go, and Redis. */
  connectNode: 450 * us,
  connectDatabase: 280 * us,
  leaveDatabase: 250 * us,
  connectRedis: 60 * us,
  /** Memory: of a node for a connection; of Redis for a subscription, for a user online. */
  idleBytes: 52_000,
  subscriptionBytes: 223,
  onlineBytes: 739,
  /** A message with a `client_id` in PostgreSQL's log, and on the disk with its indexes. */
  walBytes: 750,
  rowBytes: 450,
  /** What Redis is sent with a message of 100 characters, and with a change of presence without companions; a client. */
  envelope: 400,
  presence: 250,
  companion: 8,
  frame: 296,
};

/** Read in the source; a test compares. */
const READ = {
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
  /** To PostgreSQL and back. */
  roundTrip: 0.2e-3,
  /** A query about 500 rooms or users. */
  look: 1e-3,
  nodeCores: 4,
  databaseCores: 16,
  network: 1.25e9,
  /** No resource is planned to be busier. */
  busy: 0.7,
};

export const COSTS = {
  ...MEASURED,
  ...READ,
  ...ASSUMED,
  /** PostgreSQL's CPU time for a batch. */
  storing: (messages, rooms) => MEASURED.storeBatch + messages * MEASURED.storeMessage + rooms * MEASURED.storeRoom,
};
