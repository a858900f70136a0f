// What frames hold: acknowledgements, errors, pings, heartbeats, and what no server may fall over.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertRefusal } from '../support/clients.mjs';
import { assertMessage } from '../support/shapes.mjs';

const errors = ({ socket }) => socket.frames.filter(({ type }) => type === 'error');

/** Numbers that look random and are the same in every run. */
function dice(seed) {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

const EVENTS = [
  'create_room', 'join_room', 'leave_room', 'chat_message', 'typing', 'get_messages', 'get_room_participants', 'private_message',
  'get_user_conversations', 'search_users', 'search_rooms', 'authenticate', 'auth', 'ping', 'pong', '', 'no_such_event', '__proto__',
];
const FIELDS = ['room_id', 'message', 'content', 'is_typing', 'limit', 'before', 'after', 'name', 'token', 'query', 'recipient_id', 'since', 'client_id', 'reply_to', 'attachments', 'x'];
const ODD = [null, true, 0, -1, 1.5, 1e300, '', ' ', 'room', 'a\0b', '🦀', '\ud800', [], {}, [[[]]], { a: { b: null } }, 'x'.repeat(3000)];

/** An object that is a frame, most often a wrong one. */
function oddFrame(roll) {
  const frame = { type: roll(8) ? EVENTS[roll(EVENTS.length)] : ODD[roll(ODD.length)] };
  for (let i = roll(5); i > 0; i -= 1) frame[FIELDS[roll(FIELDS.length)]] = ODD[roll(ODD.length)];
  return frame;
}

/** Something that is no JSON object. */
function garbage(roll) {
  const kind = roll(5);
  if (kind === 0) return Buffer.from(Array.from({ length: roll(50) }, () => roll(256)));
  if (kind === 1) return JSON.stringify([oddFrame(roll)]);
  if (kind === 2) return JSON.stringify(ODD[roll(13)]);
  if (kind === 3) return JSON.stringify(oddFrame(roll)).slice(0, -1);
  return String.fromCharCode(...Array.from({ length: roll(60) }, () => 32 + roll(95)));
}

export default {
  'an ack holds the value that was asked with, whatever it is': async (w) => {
    const { socket } = await w.user('alice');
    for (const ack of [0, 1.5, '', 'x', false, [], {}, [{ a: [null] }]]) {
      const known = socket.frames.length;
      socket.send({ type: 'get_user_conversations', ack });
      socket.send({ type: 'no_such_event', ack });
      await socket.frame((frame) => socket.frames.indexOf(frame) >= known && frame.code === 'unknown_event');
      const [success, failure] = socket.frames.slice(known).filter(({ type }) => type === 'ack');
      assert.deepEqual(success, { type: 'ack', ack, success: true, conversations: [] });
      assert.deepEqual([failure.type, failure.ack, failure.code], ['ack', ack, 'unknown_event']);
    }
  },

  'without an ack success is silent and failure is an error': async (w) => {
    const alice = await w.user('alice');
    const room_id = w.id();
    for (const ack of [undefined, null]) {
      alice.socket.send({ type: 'join_room', room_id, ack });
      alice.socket.send({ type: 'get_messages', room_id, ack });
      alice.socket.send({ type: 'chat_message', room_id, ack });
    }
    await alice.barrier();
    const frames = alice.socket.frames.filter(({ type, ack }) => type === 'error' || (type === 'ack' && typeof ack !== 'number'));
    assert.equal(frames.length, 2);
    for (const { type, ...body } of frames) {
      assert.equal(type, 'error');
      assertRefusal(body, 'invalid_payload');
    }
  },

  'a message goes out as chat_message, with its fields under both names': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const { message } = await alice.ok('chat_message', { room_id, message: 'hello', client_id: 'c' });
    for (const client of [alice, bob]) {
      const frame = await client.socket.frame(({ type }) => type === 'chat_message');
      assert.deepEqual(Object.keys(frame).sort(), ['message', 'type']);
      const { content, sender_type, sender_name, created_at, is_read, ...rest } = frame.message;
      assertMessage(rest, { room_id, user_id: 'alice', message: 'hello', client_id: 'c' });
      assert.deepEqual(rest, message);
      assert.deepEqual({ content, sender_type, sender_name, created_at, is_read }, {
        content: 'hello', sender_type: 'user', sender_name: 'ALICE', created_at: message.timestamp, is_read: false,
      });
    }
  },

  'echo=0 leaves out the own messages, and nothing else': async (w) => {
    const room_id = w.id();
    const [bob] = await w.members(room_id, 'bob');
    const alice = await w.user('alice', { path: '/ws/chat/?echo=0' });
    await alice.ok('join_room', { room_id });
    await bob.say(room_id, [alice], 'one');
    const mine = await alice.say(room_id, [bob], 'two');
    await bob.say(room_id, [alice], 'three');
    await alice.ok('private_message', { recipient_id: 'bob', message: 'psst' });
    await bob.ok('private_message', { recipient_id: 'alice', message: 'psst yourself' });
    await alice.waitFor('new_message', { message: 'psst yourself' });
    assert.deepEqual(alice.all('new_message').map(({ message }) => message), ['one', 'three', 'psst yourself']);
    assert.deepEqual((await alice.ok('get_messages', { room_id })).messages[1], mine);
  },

  'ping is answered with pong, and by an ack where one is asked for': async (w) => {
    const { socket } = await w.user('alice');
    const known = socket.frames.length;
    socket.send({ type: 'ping' });
    socket.send({ type: 'ping', ack: 1 });
    await socket.frame(({ ack }) => ack === 1);
    const frames = socket.frames.slice(known).filter(({ type }) => type !== 'user_online');
    assert.deepEqual(frames, [{ type: 'pong' }, { type: 'pong' }, { type: 'ack', ack: 1, success: true }]);
  },

  'an answer to a heartbeat is no error': async (w) => {
    const alice = await w.user('alice');
    for (const type of ['pong', 'heartbeat']) alice.socket.send({ type });
    await alice.barrier();
    assert.deepEqual(errors(alice), []);
  },

  'frames that are none are answered, each once, and the connection goes on': async (w) => {
    const alice = await w.user('alice');
    const bad = [
      '', ' ', '{', 'null', '7', '"ping"', '[]', '["ping"]', '{}', '{"type":null}', '{"type":7}', '{"type":["ping"]}', '{"type":{}}',
      '{"type":"ping","type":"pong"}', '{"type":"ping"}{"type":"ping"}', '{"type":"ping",}', '[{"type":"ping"}]', '\u0000',
      Buffer.from('{"type":"ping"}'), Buffer.alloc(0), `{"type":"no","x":${'['.repeat(20_000)}`,
    ];
    for (const frame of bad) alice.socket.send(frame);
    await alice.barrier();
    assert.equal(errors(alice).length, bad.length);
    for (const { type, ...body } of errors(alice)) assertRefusal(body, 'invalid_payload');
    await alice.refused('unknown_event', `no${'x'.repeat(1000)}`);
    // Deep nesting is read without recursion, and without harm.
    alice.socket.send(`{"type":"get_user_conversations","ack":"deep","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
    assert.equal((await alice.socket.frame(({ ack }) => ack === 'deep')).success, true);
    const room_id = w.id();
    await alice.ok('join_room', { room_id });
    await alice.say(room_id, [alice]);
  },

  'thousands of random frames are answered, each once, and harm nobody': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    const { socket } = alice;
    const roll = dice(20_261_121);
    let [none, asked] = [0, 0];
    for (let i = 0; i < 4000; i += 1) {
      // What waits for its turn is served at a bounded pace.
      if (i % 5) {
        socket.send(garbage(roll));
        none += 1;
      } else {
        socket.send({ ...oddFrame(roll), ack: `f${asked}` });
        asked += 1;
      }
    }
    const acks = () => socket.frames.filter(({ type, ack }) => type === 'ack' && /^f/.test(ack)).map(({ ack }) => ack);
    for (let i = 0; i < 400 && acks().length < asked; i += 1) await sleep(50);
    assert.deepEqual(acks().map((ack) => Number(ack.slice(1))).sort((a, b) => a - b), Array.from({ length: asked }, (_, i) => i));
    await alice.barrier();
    assert.equal(errors(alice).length, none);
    assert.deepEqual(alice.disconnects, []);
    assert.ok(!socket.frames.some(({ code }) => code === 'internal'), 'a frame broke something');
    await bob.say(room_id, [bob]);
  },
};

/** For a server that sends one each second. */
export const heartbeats = {
  'a heartbeat comes by itself': async (w) => {
    const alice = await w.user('alice');
    const beats = () => alice.socket.frames.filter(({ type }) => type === 'heartbeat');
    const started = Date.now();
    for (let i = 0; i < 200 && beats().length < 3; i += 1) await sleep(50);
    const seconds = (Date.now() - started) / 1000;
    assert.ok(beats().length >= 3 && seconds > 2 && seconds < 6, `${beats().length} in ${seconds} s`);
    assert.deepEqual(beats()[0], { type: 'heartbeat' });
  },
};

/** For a server whose queue holds 16 requests. */
export const smallQueue = {
  'requests beyond the queue are answered overloaded, each once, and the rest in order': async (w) => {
    const alice = await w.user('alice');
    const room_id = w.id();
    await alice.ok('join_room', { room_id });
    const asked = Array.from({ length: 600 }, (_, i) => (
      i % 2 ? alice.request('get_messages', { room_id }) : alice.request('chat_message', { room_id, message: `${i}`, client_id: `${i}` })
    ));
    const answers = await Promise.all(asked);
    const refused = answers.filter(({ success }) => !success);
    assert.ok(refused.length > 0, 'nothing was refused');
    for (const body of refused) assertRefusal(body, 'overloaded');
    for (const body of answers.slice(0, 16)) assert.equal(body.success, true);
    const accepted = answers.flatMap((body, i) => (body.message && body.success ? [`${i}`] : []));
    await alice.waitFor('new_message', { message: accepted.at(-1) });
    assert.deepEqual(alice.all('new_message').map(({ message }) => message), accepted);
    assert.deepEqual(alice.disconnects, []);
  },
};
