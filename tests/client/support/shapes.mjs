// The shapes of section 1, each checked in one place.
import assert from 'node:assert/strict';

export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const MESSAGE = ['id', 'room_id', 'user_id', 'username', 'message', 'timestamp', 'seq', 'rev'];
const ROOM = ['id', 'name', 'kind', 'private', 'created_by', 'created_at', 'rev'];
const CONVERSATION = ['room_id', 'name', 'kind', 'participants', 'last_message', 'unread_count', 'last_message_at'];
const PARTICIPANT = ['id', 'username', 'online', 'role', 'last_seen'];
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

/** `{user_id, username, last_seen?}` */
export function assertPresence(presence, fields = {}) {
  assertKeys(presence, 'last_seen' in presence ? ['user_id', 'username', 'last_seen'] : ['user_id', 'username']);
  if (presence.last_seen) assert.match(presence.last_seen, TIME);
  assertFields(presence, fields);
}

function assertPositive(number) {
  assert.ok(Number.isInteger(number) && number >= 1, `${number} is no revision`);
}
