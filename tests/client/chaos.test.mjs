// The checks of the chaos runs: nothing is found in a record in which all is well, and each kind of violation where there is one.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before as beforeAll, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, explain } from './chaos/check/index.mjs';
import { missing } from './chaos/counts.mjs';
import { Proxy } from './chaos/proxy.mjs';
import { story } from './chaos/story.mjs';

/** What is found after a record was changed, in words. */
function found(change) {
  const made = story();
  const entries = change(made) ?? made.entries;
  return check(entries).map((violation) => {
    assert.match(explain(entries, violation), /\[/, 'every violation can be explained');
    return `${violation.rule}: ${violation.what}`;
  });
}

const rooms = (entries, room) => entries.filter((entry) => entry.kind === 'history' && entry.room === room);
const event = (entries, session, name, match = () => true) => entries.find((entry) => (
  entry.kind === 'event' && entry.session === session && entry.event === name && match(entry.data)));
const acked = (entries, clientId) => {
  const { call } = entries.find(({ kind, payload }) => kind === 'call' && payload.client_id === clientId);
  return entries.find((entry) => entry.kind === 'ack' && entry.call === call);
};
const without = (entries, ...gone) => entries.filter((entry) => !gone.includes(entry));
/** Puts entries in before another, at its time. */
function before(entries, place, ...more) {
  entries.splice(entries.indexOf(place), 0, ...more.map((entry) => ({ at: place.at, n: place.n, ...entry })));
}
const wordOf = (id) => (message) => message.client_id === id;

/** A sentence, the change of the record, and what has to be found. */
const VIOLATIONS = {
  'an acknowledged message is lost': [({ entries }) => {
    for (const { messages } of rooms(entries, 'hall')) messages.pop();
  }, /acknowledged: .*b3 was acknowledged .* is lost/],
  'a message is stored twice': [({ entries }) => {
    for (const { messages } of rooms(entries, 'hall')) messages.push({ ...messages[0], id: 'm-again', seq: messages.length + 1, rev: messages.length + 1 });
  }, /stored: holds a1 twice, at 1 and/],
  'a message is at another place than acknowledged': [({ entries }) => {
    acked(entries, 'a5').body.message.rev = 7;
  }, /acknowledged: .*"rev":"7".* is stored as .*"rev":"2"/],
  'a message is stored that was refused': [({ entries }) => {
    acked(entries, 'a2').body = { success: false, code: 'access_denied' };
  }, /refused: .*a2 was refused \(access_denied\) and is stored/],
  'a message is stored that nobody sent': [({ entries }) => {
    for (const { messages } of rooms(entries, 'two')) messages.push({ ...messages[0], id: 'm-x', client_id: 'x', seq: 3, rev: 3 });
  }, /stored: holds x, which nobody sent/],
  'a history has a hole': [({ entries }) => {
    for (const { messages } of rooms(entries, 'hall')) messages.splice(1, 1);
  }, /history: has seq 3, rev 3 in place 2/],
  'a history is not given to who belongs to the room': [({ entries }) => {
    const [, history] = rooms(entries, 'hall');
    history.kind = 'unread';
    history.refused = { success: false, code: 'access_denied' };
  }, /history: is not given by node-2 to ann/],
  'two nodes tell different histories': [({ entries }) => { rooms(entries, 'hall')[1].messages.pop(); }, /history: differs at 24 between node-1 .* and node-2/],
  'a client is told another text': [({ entries, bob }) => {
    event(entries, bob, 'new_message', wordOf('a2')).data.message = 'a3';
  }, /told: .* was told .* and the history says/],
  'a live stream has a hole': [({ entries, bob }) => without(entries, event(entries, bob, 'new_message', wordOf('l12'))), /stream: .* hears rev 7 where 6 comes next/],
  'a live stream repeats something': [({ entries, bob }) => {
    const heard = event(entries, bob, 'new_message', wordOf('a2'));
    before(entries, heard, heard);
  }, /stream: .* hears rev 2 again/],
  'a live stream is out of order': [({ entries, bob }) => {
    const [one, other] = ['a1', 'a2'].map((id) => event(entries, bob, 'new_message', wordOf(id)));
    [one.data, other.data] = [other.data, one.data];
  }, /stream: .* hears rev 2 where 1 comes next/],
  'the last message does not reach everybody': [({ entries, back }) => without(entries, event(entries, back, 'new_message', wordOf('b3'))), /stream: .* has heard 23 in the end, and the room is at 24/],
  'what was missed does not come with since': [({ entries, back }) => {
    const join = entries.find(({ kind, body, session }) => kind === 'ack' && session === back && body.changes);
    join.body.changes.pop();
  }, /stream: .* joins since 3 at 23 and is given 19 changes/],
  'an answer does not meet the stream': [({ entries, bob }) => {
    const page = entries.find(({ kind, body, session }) => kind === 'ack' && session === bob && body.messages);
    page.body.messages.pop();
    page.body.rev -= 1;
  }, /stream: .* is answered at rev 2 and has heard 3 before/],
  'somebody hears a room without having joined it': [({ entries, cat, bob }) => {
    const other = event(entries, bob, 'new_message', wordOf('a1'));
    const den = rooms(entries, 'den')[0].messages[0];
    before(entries, other, { kind: 'event', session: cat, event: 'new_message', data: den });
  }, /stream: .* hears rev 1 without having joined/],
  'messages that were sent one after the other change places': [({ entries }) => {
    const calls = ['a1', 'a2'].map((id) => entries.find(({ kind, payload }) => kind === 'call' && payload.client_id === id));
    const [one, other] = calls.map((call) => entries.indexOf(call));
    [entries[one], entries[other]] = [{ ...calls[1], n: calls[0].n }, { ...calls[0], n: calls[1].n }];
  }, /order: .* sent .*a2 before .*a1, and they are stored at 2 and 1/],
  'what was acknowledged is not found': [({ entries, ann }) => {
    const after = entries.find(({ kind, payload }) => kind === 'call' && payload.client_id === 'l99');
    before(entries, after, { kind: 'call', session: ann, call: 'late', event: 'get_messages', payload: { room_id: 'hall', after: 22 } });
    before(entries, after, { kind: 'ack', session: ann, call: 'late', body: { success: true, messages: [], has_more: true, rev: 22 } });
  }, /fresh: late .* finds the room at 22 though node-1 had acknowledged 23/],
  'somebody who was removed hears more': [({ entries, cat }) => {
    const answer = acked(entries, 'a5');
    before(entries, answer, { kind: 'event', session: cat, event: 'new_message', data: answer.body.message });
  }, /access: cat was removed .* heard rev 2/],
  'somebody who was removed is let in': [({ entries, cat }) => {
    const answer = acked(entries, 'a5');
    before(entries, answer, { kind: 'call', session: cat, call: 'in', event: 'join_room', payload: { room_id: 'den' } });
    before(entries, answer, { kind: 'ack', session: cat, call: 'in', body: { success: true, rev: 2 } });
  }, /access: .* was answered join_room/],
  'somebody who was removed writes': [({ entries, cat }) => {
    const last = rooms(entries, 'den')[0].messages[1];
    const word = { ...last, id: 'm-c1', user_id: 'cat', username: 'cat', message: 'c1', client_id: 'c1', seq: 3, rev: 3 };
    for (const { messages } of rooms(entries, 'den')) messages.push(word);
    acked(entries, 'c1').body = { success: true, message: word };
    return without(entries, cat);
  }, /access: .* and .*c1, sent at .*, is stored at 3/],
  '21 in a window': [({ entries }) => {
    const last = rooms(entries, 'hall')[0].messages[22];
    const word = { ...last, id: 'm-l99', message: 'l99', client_id: 'l99' };
    for (const { messages } of rooms(entries, 'hall')) messages.push({ ...word, seq: 25, rev: 25 });
    acked(entries, 'l99').body = { success: true, message: { ...word, seq: 25, rev: 25 } };
  }, /limit: .* has 21 messages stored within/],
  'somebody is refused who has sent fewer': [({ entries }) => {
    acked(entries, 'c1').body.code = 'rate_limited';
  }, /limit: .*cat was refused .* with 0 messages/],
  'a ghost is online': [({ entries }) => {
    for (const entry of entries) if (entry.kind === 'present') entry.online.push('dan');
  }, /presence: node-1 says in the end that in east dan is online who is not/],
  'a client believes what is not so': [({ entries, ann, back }) => without(entries, event(entries, ann, 'user_online'), event(entries, back, 'user_online')), /presence: .* believes at \d+: cat offline/],
  'a client believes for long what is not so, and is told otherwise in the end': [({ entries, ann, bob }) => {
    const there = entries.find(({ kind, body }) => kind === 'ack' && body.changes?.length === 20);
    before(entries, there, { kind: 'event', session: ann, event: 'user_offline', data: { user_id: 'bob' } });
    const last = event(entries, bob, 'new_message', wordOf('b3'));
    before(entries, last, { kind: 'fault', fault: 'f1', what: 'kill redis', harms: ['redis'], at: last.at - 5 }, { kind: 'heal', fault: 'f1' });
    before(entries, last, { kind: 'event', session: ann, event: 'user_online', data: { user_id: 'bob' } });
  }, /presence: s1 .* believes at \d+[.\d]*: bob offline/],
  'a node lists somebody who is gone': [({ entries, ann }) => {
    const list = entries.find(({ kind, body, session }) => kind === 'ack' && session === ann && body.participants);
    list.body.participants[2].online = true;
  }, /belief: s1 on node-1 is given a list \(\w+\) with cat online, which is not so/],
  'a node lists nobody who is there': [({ entries, ann }) => {
    const list = entries.find(({ kind, body, session }) => kind === 'ack' && session === ann && body.participants);
    for (const one of list.body.participants) one.online = false;
  }, /belief: .* ann offline, which is not so, bob offline, which is not so$/],
  'the going that came before a coming is told after it': [({ entries, bob }) => {
    const on = event(entries, bob, 'user_online');
    entries.splice(entries.indexOf(on) + 1, 0, { ...event(entries, bob, 'user_offline'), at: on.at });
  }, /belief: s2 on node-2 was told until \d+: cat offline, which is not so/],
  'nobody is told that somebody went': [({ entries, ann }) => without(entries, event(entries, ann, 'user_offline')), /presence: .* never hears that cat is offline/],
  'nobody is told that somebody came': [({ entries, ann }) => without(entries, event(entries, ann, 'user_online')), /presence: .* never hears that cat is online/],
  'somebody is told twice': [({ entries, ann }) => {
    const told = event(entries, ann, 'user_offline');
    before(entries, told, told);
  }, /presence: .* hears user_offline of cat twice/],
  'somebody flaps who was never away': [({ entries, ann }) => {
    before(entries, event(entries, ann, 'user_offline'), { kind: 'event', session: ann, event: 'user_offline', data: { user_id: 'bob' } });
  }, /presence: .* hears that bob is offline .* who was not away/],
  'somebody types forever': [({ entries, ann }) => without(entries, event(entries, ann, 'typing_update', ({ is_typing: typing }) => !typing)), /typing: .* sees bob typing from/],
  'a request is answered twice': [({ entries }) => {
    const answer = acked(entries, 'a1');
    before(entries, answer, answer);
  }, /answers: .* was answered 2 times/],
  'a request is never answered': [({ entries }) => without(entries, acked(entries, 'c1'), entries.find(({ kind }) => kind === 'down')), /answers: .* was never answered/],
  'a request is refused for the database, and nothing was in its way': [({ entries }) => {
    acked(entries, 'c1').body.code = 'storage_unavailable';
  }, /answers: .* was answered storage_unavailable, and nothing/],
  'a change of membership is told twice': [({ entries, cat }) => {
    const told = event(entries, cat, 'participant_removed');
    before(entries, told, told);
  }, /members: s3 on node-2 hears participant_removed of cat at \d+ and at \d+ again/],
  'transactions of two nodes get in each other\'s way': [({ entries }) => {
    entries.find(({ kind }) => kind === 'end').conflicts.push(['deadlock detected', 1]);
  }, /locks: .* 1 times: deadlock detected/],
  'a message comes late': [({ entries, bob }) => {
    const heard = event(entries, bob, 'new_message', wordOf('a5'));
    assert.equal(heard, undefined);
    const last = event(entries, bob, 'new_message', wordOf('l29'));
    last.at += 5000;
  }, /late: .* heard rev 23 after \d+ ms/],
  'a message never reaches somebody who listens without having joined': [({ entries, ann }) => without(
    entries, event(entries, ann, 'new_message', wordOf('b1')), event(entries, ann, 'new_message', wordOf('b2')),
  ), /late: .* heard rev 1 never/],
  'a node says the same a thousand times': [({ entries }) => {
    entries.find(({ kind }) => kind === 'log').warnings.push(['Redis is away', 1000]);
  }, /log: node-1 logs 1000 times/],
  'a node takes all memory': [({ entries }) => { before(entries, entries.at(-1), { kind: 'sample', node: 'node-1', rss: 4e9 }); }, /memory: node-1 takes 4000 MB/],
};

describe('a record in which all is well', () => {
  it('has no violation', () => assert.deepEqual(found(() => {}), []));
  it('may have lost answers, of messages that are stored and of others', () => assert.deepEqual(found(({ entries }) => without(
    entries, acked(entries, 'l29'), acked(entries, 'c1'),
  ).concat()).filter((what) => !what.startsWith('answers')), []));
  it('may tell late what was said before somebody began to listen', () => assert.deepEqual(found(({ entries, ann }) => {
    const [one, other] = ['b1', 'b2'].map((id) => event(entries, ann, 'new_message', wordOf(id)));
    [one.data, other.data] = [other.data, one.data];
  }), []));
  it('may be late while a fault lasts', () => assert.deepEqual(found(({ entries, bob }) => {
    const last = event(entries, bob, 'new_message', wordOf('l29'));
    before(entries, last, { kind: 'fault', fault: 'f1', what: 'pause redis', harms: ['redis'] });
    last.at += 5000;
    before(entries, last, { kind: 'heal', fault: 'f1' });
  }), []));
});

describe('it is found that', () => {
  for (const [sentence, [change, expected]] of Object.entries(VIOLATIONS)) {
    it(sentence, () => {
      const all = found(change);
      assert.ok(all.some((what) => expected.test(what)), `found: ${all.join('\n') || 'nothing'}`);
    });
  }
  it('a run did nothing', () => {
    const nothing = { connections: 0, refused: {}, faults: {}, calls: 0 };
    assert.match(missing(nothing, { seconds: 60, acts: ['kill node'] }).join(), /calls: 0, at least 1200.*never: kill node.*rate limit/);
  });
});

describe('the way between a node and a service', () => {
  /** What the service was told, and whom it talks to. */
  let heard = '';
  let guests = [];
  let proxy;
  const service = net.createServer({ allowHalfOpen: true }, (guest) => {
    guests.push(guest);
    guest.on('error', () => {});
    guest.on('end', () => guest.end());
    guest.on('data', (piece) => {
      heard += piece;
      guest.write(piece);
    });
  });
  beforeAll(async () => {
    await new Promise((resolve) => { service.listen(0, '127.0.0.1', resolve); });
    proxy = await new Proxy(service.address().port).start();
  });
  after(async () => {
    await proxy.close();
    service.close();
  });

  async function node() {
    heard = '';
    const socket = net.connect(proxy.port, '127.0.0.1');
    const client = { socket, heard: '', isOver: false };
    socket.on('data', (piece) => { client.heard += piece; });
    socket.on('error', (error) => { client.error = error.code; });
    socket.on('close', () => { client.isOver = true; });
    return client;
  }

  const eventually = async (holds) => { for (let i = 0; i < 400 && !holds(); i += 1) await sleep(5); assert.ok(holds(), String(holds)); };

  it('passes everything on', async () => {
    const client = await node();
    const text = 'x'.repeat(3_000_000);
    client.socket.end(text);
    await eventually(() => client.heard.length === text.length);
    await eventually(() => client.isOver);
  });

  for (const [mode, reaches, returns] of [['hang', '', ''], ['hang out', '', ''], ['hang in', 'two', '']]) {
    it(`holds back what it is to hold back (${mode}), and loses none of it`, async () => {
      const client = await node();
      client.socket.write('one');
      await eventually(() => client.heard === 'one');
      await proxy.set(mode);
      client.socket.write('two');
      await sleep(100);
      assert.deepEqual([heard, client.heard], [`one${reaches}`, `one${returns}`]);
      await proxy.heal();
      await eventually(() => heard === 'onetwo' && client.heard === 'onetwo');
      client.socket.destroy();
    });
  }

  it('is slow, and keeps the order when it is fast again', async () => {
    const client = await node();
    await proxy.set('slow', { delay: 300 });
    const begin = performance.now();
    client.socket.write('one');
    await eventually(() => client.heard === 'one');
    assert.ok(performance.now() - begin >= 590, 'there and back');
    client.socket.write('two');
    await sleep(50);
    await proxy.heal();
    client.socket.write('three');
    await eventually(() => client.heard === 'onetwothree');
    client.socket.destroy();
  });

  it('refuses, cuts, and is there again', async () => {
    const client = await node();
    client.socket.write('one');
    await eventually(() => client.heard === 'one');
    await proxy.set('refuse');
    await eventually(() => client.isOver && client.error === 'ECONNRESET');
    const another = await node();
    await eventually(() => another.error === 'ECONNREFUSED');
    await proxy.heal();
    const third = await node();
    third.socket.write('three');
    await eventually(() => third.heard === 'three');
    await proxy.set('reset');
    await eventually(() => third.isOver);
    await proxy.heal();
    await eventually(() => guests.every(({ destroyed }) => destroyed));
  });
});
