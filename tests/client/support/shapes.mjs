// The shapes of section 1, each checked in one place.
import assert from 'node:assert/strict';

export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const MESSAGE = ['id', 'room_id', 'user_id', 'username', 'message', 'timestamp', 'seq', 'rev'];
const ROOM = ['id', 'name', 'kind', 'private', 'created_by', 'created_at', 'rev'];
const CONVERSATION = ['room_id', 'name', 'kind', 'participants', 'last_message', 'unread_count', 'last_message_at'];
const PARTICIPANT = ['id', 'username', 'online', 'role', 'last_seen'];
const USER_FOUND = ['id', 'username', 'online', 'last_seen'];
const ROOM_FOUND = ['room', 'participant_count', 'is_participant'];
const USER = ['id', 'tenant', 'username', 'is_guest', 'is_staff'];
const SIGNED_IN = ['success', 'access_token', 'expires_at', 'user'];
const NOTIFICATION = ['kind', 'room_id', 'message_id', 'title', 'body', 'unread_count'];

/** Exactly these keys. */
export function assertKeys(object, keys) {
  assert.deepEqual(Object.keys(object).sort(), [...keys].sort());
}

/** These fields with these values, ids compared with `===` as the frontends do. */
export function assertFields(object, fields) {
  for (const [key, value] of Object.entries(fields)) {
    assert.deepStrictEqual(object[key], value, `${key} of ${JSON.stringify(object)}`);
  }
}

/** A message as `new_message` has it: more fields may come, these have to be there. */
export function assertMessage(message, fields = {}) {
  for (const key of MESSAGE) assert.ok(key in message, `${key} is missing in ${JSON.stringify(message)}`);
  assert.match(message.id, UUID7);
  assert.match(message.timestamp, TIME);
  assert.equal(typeof message.username, 'string');
  assert.equal(typeof message.message, 'string');
  assertPositive(message.seq);
  assertPositive(message.rev);
  if ('attachments' in message) assert.ok(Array.isArray(message.attachments));
  assertFields(message, fields);
}

export function assertRoom(room, fields = {}) {
  assertKeys(room, ROOM);
  assert.match(room.created_at, TIME);
  assert.ok(Number.isInteger(room.rev) && room.rev >= 0);
  assertFields(room, fields);
}

export function assertConversation(conversation, fields = {}) {
  assertKeys(conversation, CONVERSATION);
  assert.ok(Array.isArray(conversation.participants));
  assert.ok(Number.isInteger(conversation.unread_count) && conversation.unread_count >= 0);
  if (conversation.last_message) {
    assertMessage(conversation.last_message, { room_id: conversation.room_id });
    assert.match(conversation.last_message_at, TIME);
  }
  assertFields(conversation, fields);
}

export function assertParticipant(participant, fields = {}) {
  assertKeys(participant, PARTICIPANT);
  assert.ok(participant.last_seen === null || TIME.test(participant.last_seen), JSON.stringify(participant));
  assertFields(participant, fields);
}

export function assertNotification(notification, fields = {}) {
  assertKeys(notification, NOTIFICATION);
  assert.match(notification.message_id, UUID7);
  assertFields(notification, fields);
}

/** One of `search_users`. */
export function assertUserFound(user, fields = {}) {
  assertKeys(user, USER_FOUND);
  assert.equal(typeof user.username, 'string');
  assert.equal(typeof user.online, 'boolean');
  assert.ok(user.last_seen === null || (!user.online && TIME.test(user.last_seen)), JSON.stringify(user));
  assertFields(user, fields);
}

/** One of `search_rooms`. */
export function assertRoomFound(found, fields = {}, roomFields = {}) {
  assertKeys(found, ROOM_FOUND);
  assertRoom(found.room, { kind: 'public', private: false, ...roomFields });
  assert.ok(Number.isInteger(found.participant_count) && found.participant_count >= 0, JSON.stringify(found));
  assert.equal(typeof found.is_participant, 'boolean');
  assertFields(found, fields);
}

/** Whoever calls, as `/api` says it. */
export function assertUser(user, fields = {}) {
  assertKeys(user, USER);
  assertFields(user, fields);
}

/** What one is given who has signed in. The refresh token is in here or in a cookie. */
export function assertSignedIn(body, userFields = {}) {
  assertKeys(body, 'refresh_token' in body ? [...SIGNED_IN, 'refresh_token'] : SIGNED_IN);
  assert.match(body.access_token, JWT);
  if ('refresh_token' in body) assert.match(body.refresh_token, JWT);
  assert.match(body.expires_at, TIME);
  assertUser(body.user, { is_guest: false, ...userFields });
}

/** `{user_id, username, last_seen?}` */
export function assertPresence(presence, fields = {}) {
  assertKeys(presence, 'last_seen' in presence ? ['user_id', 'username', 'last_seen'] : ['user_id', 'username']);
  if (presence.last_seen) assert.match(presence.last_seen, TIME);
  assertFields(presence, fields);
}

function assertPositive(number) {
  assert.ok(Number.isInteger(number) && number >= 1, `${number} is no revision`);
}
