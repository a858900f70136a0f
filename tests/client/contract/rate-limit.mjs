// 20 messages in any 60 seconds, counted per user and exactly.
import assert from 'node:assert/strict';
import { assertRefusal, token } from '../support/clients.mjs';

const LIMIT = 20;
const WINDOW_MS = 60_000;
const MESSAGE = 'Rate limit exceeded. Please wait before sending more messages.';

/** For the test whose subject is the passing of time. */
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function spend(user, room_id, count = LIMIT) {
  const acks = await Promise.all(Array.from({ length: count }, (_, i) => user.request('chat_message', { room_id, message: `m${i}` })));
  for (const ack of acks) assert.equal(ack.success, true, JSON.stringify(ack));
  return acks;
}

function assertLimited(body, withinMs = WINDOW_MS) {
  assertRefusal(body, 'rate_limited');
  assert.equal(body.message, MESSAGE);
  assert.ok(Number.isInteger(body.retry_after_ms) && body.retry_after_ms > 0 && body.retry_after_ms <= withinMs, JSON.stringify(body));
}

export default {
  '20 messages are taken and the 21st is refused with the time to wait': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await spend(alice, room_id);
    for (let i = 0; i < 5; i += 1) assertLimited(await alice.request('chat_message', { room_id, message: 'one too many' }));
    await bob.waitFor('new_message', { seq: LIMIT });
    await bob.none('new_message', { message: 'one too many' }, { room: room_id });
    assert.equal((await alice.ok('get_messages', { room_id })).rev, LIMIT + 1);
    await alice.none('error');
  },

  '21 messages in flight at once are 20 taken and one refused, the last': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const acks = await Promise.all(Array.from({ length: LIMIT + 1 }, (_, i) => alice.request('chat_message', { room_id, message: `m${i}` })));
    assert.deepEqual(acks.map(({ success }) => success), [...Array(LIMIT).fill(true), false]);
    assertLimited(acks.at(-1));
  },

  'without an ack the refusal is an error event': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    for (let i = 0; i <= LIMIT; i += 1) alice.emit('chat_message', { room_id, message: `m${i}` });
    assertLimited(await alice.waitFor('error'));
    await alice.waitFor('new_message', { seq: LIMIT });
    await alice.barrier();
    assert.equal(alice.all('error').length, 1);
    assert.equal(alice.all('new_message').length, LIMIT);
  },

  'chat_message and private_message count together': async (w) => {
    const room_id = w.id();
    const [alice, bob] = await w.members(room_id, 'alice', 'bob');
    await spend(alice, room_id, LIMIT / 2);
    for (let i = 0; i < LIMIT / 2; i += 1) await alice.ok('private_message', { recipient_id: 'bob', message: `p${i}` });
    assertLimited(await alice.request('chat_message', { room_id, message: 'one too many' }));
    assertLimited(await alice.request('private_message', { recipient_id: 'bob', message: 'one too many' }));
    await bob.none('new_message', { message: 'one too many' }, { room: room_id });
  },

  'a refused private_message makes no conversation': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const bob = await w.user('bob');
    await spend(alice, room_id);
    assertLimited(await alice.request('private_message', { recipient_id: 'bob', message: 'one too many' }));
    assert.deepEqual((await bob.ok('get_user_conversations', {})).conversations, []);
    assert.deepEqual((await alice.ok('get_user_conversations', {})).conversations.map((known) => known.room_id), [room_id]);
  },

  'the messages of all rooms count together': async (w) => {
    const rooms = [w.id('one'), w.id('two')];
    const [alice] = await w.members(rooms[0], 'alice');
    await alice.ok('join_room', { room_id: rooms[1] });
    for (const room_id of rooms) await spend(alice, room_id, LIMIT / 2);
    for (const room_id of rooms) assertLimited(await alice.request('chat_message', { room_id, message: 'one too many' }));
  },

  'the connections of a user count together, also after reconnecting': async (w) => {
    const room_id = w.id();
    const [phone, laptop] = await w.members(room_id, 'alice', 'alice');
    await Promise.all([spend(phone, room_id, LIMIT / 2), spend(laptop, room_id, LIMIT / 2)]);
    assertLimited(await phone.request('chat_message', { room_id, message: 'one too many' }));
    assertLimited(await laptop.request('chat_message', { room_id, message: 'one too many' }));
    phone.close();
    laptop.close();
    const again = await w.user('alice', { transports: ['polling'] });
    assertLimited(await again.request('chat_message', { room_id, message: 'one too many' }));
  },

  'racing connections of a user get exactly 20 through': async (w) => {
    const room_id = w.id();
    const sockets = await w.members(room_id, ...Array(5).fill('alice'));
    const acks = await Promise.all(sockets.flatMap((socket) => (
      Array.from({ length: 10 }, (_, i) => socket.request('chat_message', { room_id, message: `m${i}` }))
    )));
    assert.equal(acks.filter(({ success }) => success).length, LIMIT);
    for (const ack of acks.filter(({ success }) => !success)) assertLimited(ack);
  },

  'another user is unaffected, by whatever tenant and type of id': async (w) => {
    const room_id = w.id();
    const [seven, text] = await w.members(room_id, 7, '7');
    const elsewhere = await w.connect({ token: token({ user_id: 7, username: 'Seven', tenant: w.id('tenant') }) });
    await elsewhere.ok('join_room', { room_id });
    await spend(seven, room_id);
    assertLimited(await seven.request('chat_message', { room_id, message: 'one too many' }));
    await spend(text, room_id);
    await spend(elsewhere, room_id);
  },

  'a retry by client_id does not count and is answered when the limit is reached': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const attempts = Array.from({ length: LIMIT }, (_, i) => ({ room_id, message: `m${i}`, client_id: `attempt ${i}` }));
    const acks = [];
    for (const attempt of attempts) {
      acks.push(await alice.ok('chat_message', attempt));
      assert.deepEqual(await alice.ok('chat_message', attempt), acks.at(-1));
    }
    assertLimited(await alice.request('chat_message', { room_id, message: 'new', client_id: 'attempt 20' }));
    assert.deepEqual(await alice.ok('chat_message', attempts[0]), acks[0]);
  },

  'what is refused for another reason does not count': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const bob = await w.user('bob');
    const { room_id: secret } = await bob.ok('create_room', { name: 'Secret', private: true });
    for (let i = 0; i < LIMIT; i += 1) {
      await alice.refused('invalid_payload', 'chat_message', { room_id, message: '' });
      await alice.refused('access_denied', 'chat_message', { room_id: secret, message: 'x' });
      await alice.refused('not_found', 'chat_message', { room_id: w.id('missing'), message: 'x' });
      await alice.refused('invalid_payload', 'private_message', { recipient_id: 'alice', message: 'x' });
    }
    await spend(alice, room_id);
    assertLimited(await alice.request('chat_message', { room_id, message: 'one too many' }));
  },

  'nothing but messages counts': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    for (let i = 0; i <= LIMIT; i += 1) {
      await alice.ok('join_room', { room_id });
      await alice.ok('typing', { room_id, is_typing: i % 2 === 0 });
      await alice.ok('get_messages', { room_id });
    }
    await spend(alice, room_id);
  },
};

/** For `passing`. */
export const SHORT = { rate_limit_messages: 3, rate_limit_window_seconds: 2 };
const SHORT_MS = 2000;
/** The limiter's clock and a message's time are not read at the same moment. */
const TOLERANCE_MS = 150;

export const passing = {
  'after retry_after_ms one more is taken, and before it none': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    await spend(alice, room_id, 1);
    await sleep(800);
    await spend(alice, room_id, 2);
    const first = await alice.request('chat_message', { room_id, message: 'too soon' });
    assertLimited(first, SHORT_MS - 800 + TOLERANCE_MS);
    await sleep(first.retry_after_ms / 2);
    const second = await alice.request('chat_message', { room_id, message: 'too soon still' });
    assertLimited(second, first.retry_after_ms);
    await sleep(second.retry_after_ms + 5);
    await spend(alice, room_id, 1);
    // The other two of the window are 800 ms younger, so the next has to wait for the first of them.
    const third = await alice.request('chat_message', { room_id, message: 'too soon again' });
    assertLimited(third, 800 + TOLERANCE_MS);
  },

  'whoever keeps trying gets 3 in any 2 seconds, no more and no fewer': async (w) => {
    const room_id = w.id();
    const [alice] = await w.members(room_id, 'alice');
    const taken = [];
    const until = Date.now() + 3 * SHORT_MS - 300;
    while (Date.now() < until) {
      const ack = await alice.request('chat_message', { room_id, message: 'again' });
      if (ack.success) taken.push(Date.parse(ack.message.timestamp));
      else assertLimited(ack, SHORT_MS);
      await sleep(3);
    }
    for (let i = SHORT.rate_limit_messages; i < taken.length; i += 1) {
      const apart = taken[i] - taken[i - SHORT.rate_limit_messages];
      assert.ok(apart >= SHORT_MS - TOLERANCE_MS, `message ${i} came ${apart} ms after the third before it`);
    }
    // 3 windows began, and refusals do not push the next one away.
    assert.equal(taken.length, 3 * SHORT.rate_limit_messages, `${taken.length} were taken`);
  },
};
