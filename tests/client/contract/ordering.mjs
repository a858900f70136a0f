// One client's messages are stored in the order in which it sent them, and heard in that order by everybody.
import assert from 'node:assert/strict';

const MESSAGES = 500;
const REPEATS = 5;
const counted = (count) => Array.from({ length: count }, (_, i) => i + 1);

async function pipelined(w) {
  const room_id = w.id();
  const [sender, ...hearers] = await w.members(room_id, 'sender', 'one', 'two', 'three');
  const texts = counted(MESSAGES).map((i) => `message ${i}`);
  await Promise.all(texts.map((message) => sender.ok('chat_message', { room_id, message })));
  const acked = sender.trace.filter(({ ack }) => ack === 'chat_message').map(({ data }) => data.message);
  assert.deepEqual(acked.map(({ message }) => message), texts, 'acks come in the order of the messages');
  assert.deepEqual(acked.map(({ seq }) => seq), counted(MESSAGES));
  for (const hearer of [sender, ...hearers]) {
    await hearer.waitFor('new_message', { seq: MESSAGES });
    const heard = hearer.all('new_message');
    assert.deepEqual(heard.map(({ message }) => message), texts, hearer.name);
    assert.deepEqual(heard.map(({ rev }) => rev), counted(MESSAGES), hearer.name);
  }
}

async function ofSeveralSenders(w) {
  const room_id = w.id();
  const senders = await w.members(room_id, 'one', 'two', 'three');
  const hearer = await w.user('hearer');
  await hearer.ok('join_room', { room_id });
  await Promise.all(senders.flatMap((sender) => counted(100).map((i) => sender.ok('chat_message', { room_id, message: `${i}` }))));
  for (const listener of [...senders, hearer]) {
    await listener.waitFor('new_message', { seq: 300 });
    const heard = listener.all('new_message');
    assert.deepEqual(heard.map(({ rev }) => rev), counted(300), listener.name);
    for (const { id } of senders) {
      const own = heard.filter(({ user_id }) => user_id === id).map(({ message }) => Number(message));
      assert.deepEqual(own, counted(100), `${id} as heard by ${listener.name}`);
    }
  }
}

async function readsItsWrites(w) {
  const room_id = w.id();
  const [alice] = await w.members(room_id, 'alice');
  for (let i = 1; i <= 50; i += 1) {
    alice.emit('chat_message', { room_id, message: `message ${i}` });
    const { messages, rev } = await alice.ok('get_messages', { room_id, limit: 1 });
    assert.equal(rev, i);
    assert.deepEqual(messages.map(({ message, seq }) => [message, seq]), [[`message ${i}`, i]]);
  }
}

async function mixedPipeline(w) {
  const room_id = w.id();
  const alice = await w.user('alice');
  const [joined, said, list, left] = await Promise.all([
    alice.ok('join_room', { room_id }),
    alice.ok('chat_message', { room_id, message: 'hello' }),
    alice.ok('get_messages', { room_id }),
    alice.ok('leave_room', { room_id }),
  ]);
  assert.equal(joined.rev, 0);
  assert.deepEqual(list.messages, [said.message]);
  assert.deepEqual(left, { success: true });
  await alice.waitFor('new_message', { id: said.message.id });
}

export default {
  ...Object.fromEntries(counted(REPEATS).map((i) => [`${MESSAGES} messages sent at once arrive in order everywhere, time ${i}`, pipelined])),
  'the messages of several senders arrive everywhere in one order, each sender\'s in their own': ofSeveralSenders,
  'get_messages directly after chat_message has the message': readsItsWrites,
  'the events of a connection are handled one after the other': mixedPipeline,
};
