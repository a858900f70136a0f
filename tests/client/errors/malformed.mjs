// What is refused as malformed, event by event, and that nothing comes of it.
import assert from 'node:assert/strict';
import { assertRefusal } from '../support/clients.mjs';

const MISSING = Symbol('missing');

const BAD_IDS = [MISSING, null, '', true, {}, [], ['general'], 1.5, 1e300, 'x'.repeat(129), 'a\0b'];
const BAD_TEXTS = [MISSING, null, 7, true, {}, ['text'], '', '   ', '\n\t', 'a\0b', 'x'.repeat(10_001), '🦀'.repeat(10_001)];
const BAD_FLAGS = [MISSING, null, 'yes', 1, 0, {}];
const BAD_QUERIES = [MISSING, null, 7, true, {}, [], ['text'], 'a\0b', 'x'.repeat(101), '🦀'.repeat(101)];
const BAD_LIMITS = [0, -1, 1.5, '10', true, {}, []];
const BAD_CLIENT_IDS = ['', 'x'.repeat(129), true, {}, []];

/** `valid` with one field after the other made bad. */
function spoiled(valid, fields) {
  return Object.entries(fields).flatMap(([field, values]) => values.map((value) => {
    const payload = { ...valid, [field]: value };
    if (value === MISSING) delete payload[field];
    return [payload];
  }));
}

/** What is no payload of anything. The array would be taken by a decoder that reads fields by position. */
const noObject = (valid) => [[], [null], ['text'], [''], [7], [true], [[]], [Object.values(valid)]];

const search = () => [...noObject({ query: 'bob' }), ...spoiled({ query: 'bob' }, { query: BAD_QUERIES, limit: BAD_LIMITS })];

const ofUser = () => [...noObject({ user_id: 'bob' }), ...spoiled({ user_id: 'bob' }, { user_id: BAD_IDS })];

const ofParticipant = (room_id) => {
  const valid = { room_id, user_id: 'bob' };
  return [...noObject(valid), ...spoiled(valid, { room_id: BAD_IDS, user_id: BAD_IDS })];
};

/** event → the arguments that are to be refused, for `room`. */
const malformed = {
  create_room: () => {
    const valid = { name: 'spoiled', private: false, participants: [] };
    return [...noObject(valid), ...spoiled(valid, {
      name: [MISSING, null, 7, true, {}, [], '', '   ', 'a\0b'],
      private: ['yes', 1, {}, []],
      participants: ['bob', 7, {}, [null], [{}], [[]], [1.5], [''], [true], ['x'.repeat(129)], ['a\0b']],
    })];
  },
  join_room: (room_id) => {
    const valid = { room_id };
    return [...noObject(valid), ...spoiled(valid, { room_id: BAD_IDS, since: ['1', -1, 1.5, true, {}, []] })];
  },
  leave_room: (room_id) => [...noObject({ room_id }), ...spoiled({ room_id }, { room_id: BAD_IDS })],
  chat_message: (room_id) => {
    const valid = { room_id, message: 'spoiled' };
    return [...noObject(valid), ...spoiled(valid, {
      room_id: BAD_IDS, message: BAD_TEXTS, client_id: BAD_CLIENT_IDS, reply_to: [7, true, {}, []], attachments: ['x', 7, {}, [{}], [true]],
    })];
  },
  typing: (room_id) => {
    const valid = { room_id, is_typing: true };
    return [...noObject(valid), ...spoiled(valid, { room_id: BAD_IDS, is_typing: BAD_FLAGS })];
  },
  get_messages: (room_id) => {
    const valid = { room_id };
    return [...noObject(valid), [{ room_id, before: 3, after: 1 }], ...spoiled(valid, {
      room_id: BAD_IDS, limit: [0, -1, 1.5, '10', true, {}], before: ['3', 1.5, true, {}], after: ['3', 1.5, true, {}],
    })];
  },
  get_room_participants: (room_id) => [...noObject({ room_id }), ...spoiled({ room_id }, { room_id: BAD_IDS })],
  private_message: () => {
    const valid = { recipient_id: 'bob', message: 'spoiled' };
    return [...noObject(valid), [{ recipient_id: 'alice', message: 'to myself' }], ...spoiled(valid, {
      recipient_id: BAD_IDS, message: BAD_TEXTS, client_id: BAD_CLIENT_IDS,
    })];
  },
  // Its payload is `{}`, so what is missing is not malformed.
  get_user_conversations: () => [['text'], [7], [true], [['x']]],
  search_users: search,
  search_rooms: search,
  add_participant: ofParticipant,
  remove_participant: ofParticipant,
  set_role: (room_id) => {
    const valid = { room_id, user_id: 'bob', role: 'admin' };
    return [...noObject(valid), ...spoiled(valid, {
      room_id: BAD_IDS, user_id: BAD_IDS, role: [MISSING, null, '', 'king', 'Owner', 7, true, {}, [], ['owner']],
    })];
  },
  rename_room: (room_id) => {
    const valid = { room_id, name: 'spoiled' };
    return [...noObject(valid), ...spoiled(valid, { room_id: BAD_IDS, name: [MISSING, null, 7, true, {}, [], '', '   ', 'a\0b', 'x'.repeat(101)] })];
  },
  archive_room: (room_id) => [...noObject({ room_id }), ...spoiled({ room_id }, { room_id: BAD_IDS, archived: ['yes', 1, 0, {}, []] })],
  mark_read: (room_id) => {
    const valid = { room_id, seq: 1 };
    const both = { ...valid, message_id: '0198c0de-0000-7000-8000-000000000000' };
    return [...noObject(valid), [both], ...spoiled(valid, { room_id: BAD_IDS, seq: [MISSING, null, '1', -1, 1.5, true, {}, []], message_id: [7, 'x', true, {}, []] })];
  },
  block_user: ofUser,
  unblock_user: ofUser,
  // As get_user_conversations.
  get_blocked_users: () => [['text'], [7], [true], [['x']]],
  authenticate: () => [...noObject({ token: 'x' }), ...spoiled({ token: 'x' }, { token: [MISSING, null, 7, true, {}, []] })],
};

async function nothingHappened(room_id, alice, bob) {
  assert.equal((await alice.ok('get_messages', { room_id })).rev, 0);
  const { participants } = await alice.ok('get_room_participants', { room_id });
  assert.deepEqual(participants.map(({ id }) => id).sort(), ['alice', 'bob']);
  for (const user of [alice, bob]) {
    const { conversations } = await user.ok('get_user_conversations', {});
    assert.deepEqual(conversations.map((known) => known.room_id), [room_id]);
  }
  for (const event of ['new_message', 'user_joined', 'user_left', 'typing_update', 'notification', 'participant_added', 'participant_removed', 'room_updated', 'read_receipt', 'error']) await bob.none(event);
}

async function refusesAll(w, event, code, cases) {
  const room_id = w.id();
  const [alice, bob] = await w.members(room_id, 'alice', 'bob');
  for (const args of cases(room_id)) await alice.refused(code, event, ...args);
  await alice.none('error');
  await nothingHappened(room_id, alice, bob);
}

async function reportsAll(w, event, code, cases) {
  const room_id = w.id();
  const [alice, bob] = await w.members(room_id, 'alice', 'bob');
  const all = cases(room_id);
  for (const args of all) alice.emit(event, ...args);
  await alice.barrier();
  const errors = alice.all('error');
  assert.equal(errors.length, all.length);
  for (const error of errors) assertRefusal(error, code, `the error of ${event}`);
  await nothingHappened(room_id, alice, bob);
}

export default Object.fromEntries(Object.entries(malformed).flatMap(([event, cases]) => [
  [`every malformed ${event} is acknowledged as such, once, and changes nothing`, (w) => refusesAll(w, event, 'invalid_payload', cases)],
  [`every malformed ${event} without an ack is reported as an error, once`, (w) => reportsAll(w, event, 'invalid_payload', cases)],
]));

const UNKNOWN = ['no_such_event', 'new_message', 'user_joined', 'session', 'error', 'constructor', '__proto__', '', 'Chat_Message', 'чат'];

async function eachUnknown(w, check) {
  const room_id = w.id();
  const [alice, bob] = await w.members(room_id, 'alice', 'bob');
  for (const payload of [[], [{}], [null], ['text'], [{ room_id, message: 'x' }]]) {
    for (const name of UNKNOWN) await check(alice, [name, ...payload]);
  }
  await nothingHappened(room_id, alice, bob);
}

export const unknownEvents = {
  'an unknown event is acknowledged as such, once': (w) => eachUnknown(w, (alice, args) => alice.refused('unknown_event', ...args)),

  'an unknown event without an ack is reported as an error, once': (w) => eachUnknown(w, async (alice, args) => {
    alice.mark();
    alice.emit(...args);
    await alice.barrier();
    assert.equal(alice.all('error').length, 1, args[0]);
    assertRefusal(alice.all('error')[0], 'unknown_event', args[0]);
  }),
};

export const binary = {
  'a binary payload is refused': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const bytes = Buffer.from('bytes');
    // Nothing is read from the payload of these, so it does not matter what it is.
    const reading = Object.keys(malformed).filter((event) => !['get_user_conversations', 'get_blocked_users'].includes(event));
    for (const event of reading) await alice.refused('invalid_payload', event, bytes);
    await alice.refused('invalid_payload', 'chat_message', { room_id, message: bytes });
    await alice.refused('invalid_payload', 'join_room', { room_id: bytes });
    await alice.refused('invalid_payload', 'private_message', { recipient_id: 'bob', message: bytes });
    await alice.refused('unknown_event', 'no_such_event', bytes);
    await nothingHappened(room_id, alice, bob);
  },

  'a binary payload without an ack is reported as an error': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    alice.emit('chat_message', { room_id, message: Buffer.from('bytes') });
    assertRefusal(await alice.waitFor('error'), 'invalid_payload');
    await nothingHappened(room_id, alice, bob);
  },
};

export const limits = {
  '10,000 characters are a message, counted as people do and after trimming': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    for (const text of ['x'.repeat(10_000), '🦀'.repeat(10_000)]) {
      const message = await alice.say(room_id, [bob], `  ${text}\n`);
      assert.equal(message.message, text);
      assert.equal((await bob.waitFor('new_message', { id: message.id })).message, text);
    }
  },

  'a client_id of 128 characters is one': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const client_id = 'x'.repeat(128);
    const { message } = await alice.ok('chat_message', { room_id, message: 'x', client_id });
    assert.equal(message.client_id, client_id);
  },

  'a connection that was refused everything still works': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    for (let i = 0; i < 100; i += 1) alice.emit('chat_message', 'nonsense');
    const message = await alice.say(room_id, [alice, bob], 'still here');
    assert.equal(message.seq, 1);
    assert.equal(alice.all('error').length, 100);
    assert.deepEqual(alice.disconnects, []);
  },
};
