// Section 1 of the contract and what of section 2 is there: the lists of facts by their titles.
import assert from 'node:assert/strict';
import blocks from './blocks.mjs';
import membership from './membership.mjs';
import messages from './messages.mjs';
import notifications from './notifications.mjs';
import presence from './presence.mjs';
import privateMessages from './private.mjs';
import receipts from './receipts.mjs';
import rooms from './rooms.mjs';
import search from './search.mjs';
import typing, { timeouts } from './typing.mjs';

const connection = {
  'the transport is the one that was asked for, after the upgrade': async (w) => {
    const alice = await w.user('alice');
    assert.equal(alice.transport, w.options.transports.at(-1));
    await alice.ok('join_room', { room_id: w.id() });
    assert.equal(alice.transport, w.options.transports.at(-1));
  },
};

// Typing lasts longer than any test waits, so that what clears it in a test is not the time.
export const SETTINGS = { rate_limit_messages: 0, presence_grace_seconds: 1, typing_timeout_seconds: 60 };
/** For a server with `SETTINGS`. Those that wait for time to pass come first: they run beside those that do not. */
export default {
  presence,
  connection,
  rooms,
  messages,
  'private messages': privateMessages,
  typing,
  notifications,
  search,
  membership,
  receipts,
  blocks,
};

export const HASTY = { rate_limit_messages: 0, typing_timeout_seconds: 1 };
/** For a server with `HASTY`. */
export const hasty = { 'typing timeouts': timeouts };
