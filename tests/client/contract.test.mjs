// The contract, fact by fact, from every client and over every transport that it names, on one node.
import { describe } from 'node:test';
import contract, { HASTY, SETTINGS, hasty } from './contract/index.mjs';
import { CLIENTS, TRANSPORTS } from './support/clients.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const [server, impatient] = await Promise.all([startServer(SETTINGS), startServer(HASTY)]);

for (const client of CLIENTS) {
  for (const transports of TRANSPORTS) {
    describe(`socket.io-client ${client} over ${transports.join(', then ')}`, { concurrency: 3 }, () => {
      for (const [title, list] of Object.entries(contract)) facts(title, server, list, { client, transports });
      for (const [title, list] of Object.entries(hasty)) facts(title, impatient, list, { client, transports });
    });
  }
}
