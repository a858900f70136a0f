// The raw WebSocket door: all of section 1 of the contract over it, word for word, and what only this door has.
import assert from 'node:assert/strict';
import contractMessages from './contract/messages.mjs';
import notifications from './contract/notifications.mjs';
import presence from './contract/presence.mjs';
import privateMessages from './contract/private.mjs';
import contractRooms from './contract/rooms.mjs';
import search from './contract/search.mjs';
import typing, { timeouts } from './contract/typing.mjs';
import conversations from './customers/conversations.mjs';
import desk from './customers/desk.mjs';
import linking from './customers/linking.mjs';
import malformed, { unknownEvents } from './errors/malformed.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';
import closing, { draining, expiry, fewConnections, fewGuests, fewPending, pings, signingOut, strictRooms } from './websocket/closing.mjs';
import coming, { afterTheTimeout, withCookie, withoutGuests } from './websocket/coming.mjs';
import frames, { heartbeats, smallQueue } from './websocket/frames.mjs';
import interplay, { limited } from './websocket/interplay.mjs';
import rooms from './websocket/rooms.mjs';

const options = { client: 'raw' };
const free = { rate_limit_messages: 0 };

/** All facts but those that `pattern` names, of which there have to be some. */
function without(facts, pattern) {
  const rest = Object.entries(facts).filter(([fact]) => !pattern.test(fact));
  assert.ok(rest.length < Object.keys(facts).length);
  return Object.fromEntries(rest);
}

const [server, hasty, ...others] = await Promise.all([
  // Typing lasts longer than any test waits, so that what clears it in a test is not the time.
  startServer({ ...free, presence_grace_seconds: 1, typing_timeout_seconds: 60 }),
  startServer({ ...free, typing_timeout_seconds: 1 }),
  startServer(),
  startServer({ guests: false }),
  startServer({ token_cookie: 'chat_token' }),
  startServer({ connect_timeout_seconds: 1 }),
  startServer({ create_rooms_on_join: false }),
  startServer({ max_connections_per_user: 1 }),
  startServer({ max_pending_per_ip: 2 }),
  startServer({ max_guests_per_ip_per_minute: 1 }),
  startServer({ accounts: 'open' }),
  startServer({ ping_interval_seconds: 1, ping_timeout_seconds: 1 }),
  startServer({ heartbeat_seconds: 1 }),
  startServer({ ...free, command_queue: 16 }),
  startServer({ guest_tenants: '*', max_guests_per_ip_per_minute: 0 }),
]);
const [
  limitedServer, guestless, cookies, impatient, strict, single, narrow, guestly, accounts, nervous, lively, short, support,
] = others;

facts('presence', server, presence, options);
facts('contract rooms', server, contractRooms, options);
facts('contract messages', server, contractMessages, options);
facts('private messages', server, privateMessages, options);
facts('typing', server, typing, options);
facts('typing timeouts', hasty, timeouts, options);
facts('notifications', server, notifications, options);
facts('search', server, search, options);
// A frame is its own payload, which is always an object, and these need nothing in it.
const objects = without(malformed, /get_user_conversations|get_blocked_users/);
facts('malformed requests', server, { ...objects, ...unknownEvents }, options);

facts('conversations', support, conversations, options);
// Refusals of this door are close codes.
facts('the desk', support, without(desk, /the refusal begins with its code/), options);
facts('linking', support, linking, options);

facts('rooms in the address', server, rooms, options);
facts('who comes', server, coming, options);
facts('without guests', guestless, withoutGuests, options);
facts('cookies', cookies, withCookie, options);
facts('silence', impatient, afterTheTimeout, options);
facts('frames', server, frames, options);
facts('heartbeats', lively, heartbeats, options);
facts('a small queue', short, smallQueue, options);
facts('together with Socket.IO', server, interplay, options);
facts('one rate limit', limitedServer, limited, options);
facts('closing', server, closing, options);
facts('expiry', server, expiry, options);
facts('rooms are not made', strict, strictRooms, options);
facts('few connections', single, fewConnections, options);
facts('few pending', narrow, fewPending, options);
facts('few guests', guestly, fewGuests, options);
facts('signing out', accounts, signingOut, options);
facts('pings', nervous, pings, options);
facts('draining', server, draining, options);
