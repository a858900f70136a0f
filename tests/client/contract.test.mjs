// Section 1 of the contract and what of section 2 is there, fact by fact, from every client and over every transport that it names.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import blocks from './contract/blocks.mjs';
import membership from './contract/membership.mjs';
import messages from './contract/messages.mjs';
import notifications from './contract/notifications.mjs';
import presence from './contract/presence.mjs';
import privateMessages from './contract/private.mjs';
import receipts from './contract/receipts.mjs';
import rooms from './contract/rooms.mjs';
import search from './contract/search.mjs';
import typing, { timeouts } from './contract/typing.mjs';
import { CLIENTS, TRANSPORTS } from './support/clients.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const [server, hasty] = await Promise.all([
  // Typing lasts longer than any test waits, so that what clears it in a test is not the time.
  startServer({ rate_limit_messages: 0, presence_grace_seconds: 1, typing_timeout_seconds: 60 }),
  startServer({ rate_limit_messages: 0, typing_timeout_seconds: 1 }),
]);

const connection = {
  'the transport is the one that was asked for, after the upgrade': async (w) => {
    const alice = await w.user('alice');
    assert.equal(alice.transport, w.options.transports.at(-1));
    await alice.ok('join_room', { room_id: w.id() });
    assert.equal(alice.transport, w.options.transports.at(-1));
  },
};

function contract(client, transports) {
  const options = { client, transports };
  // Those that wait for time to pass run beside those that do not.
  describe(`socket.io-client ${client} over ${transports.join(', then ')}`, { concurrency: 3 }, () => {
    facts('presence', server, presence, options);
    facts('connection', server, connection, options);
    facts('rooms', server, rooms, options);
    facts('messages', server, messages, options);
    facts('private messages', server, privateMessages, options);
    facts('typing', server, typing, options);
    facts('typing timeouts', hasty, timeouts, options);
    facts('notifications', server, notifications, options);
    facts('search', server, search, options);
    facts('membership', server, membership, options);
    facts('receipts', server, receipts, options);
    facts('blocks', server, blocks, options);
  });
}

for (const client of CLIENTS) {
  for (const transports of TRANSPORTS) contract(client, transports);
}
