// Promise 3 of the contract, on one node.
import ordering from './contract/ordering.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const server = await startServer({ rate_limit_messages: 0 });

for (const transports of [['websocket'], ['polling']]) facts(`in order over ${transports}`, server, ordering, { transports });
