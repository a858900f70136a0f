// A made-up record in which all is well, for the tests of the checks: three people, two nodes, three rooms.
const EPOCH = Date.parse('2026-11-01T00:00:00.000Z');
const TENANT = 'east';

class Story {
  entries = [];
  at = 0;
  rooms = new Map();

  #ids = 0;

  constructor() {
    this.note('run', { seed: 1, epoch: EPOCH, nodes: 2, shared: true, limit: 20, window: 10_000, grace: 2000, typing: 5000 });
    for (const [room, form, pair] of [['hall', 'public'], ['den', 'private'], ['two', 'direct', ['ann', 'bob']]]) {
      this.note('room', { tenant: TENANT, room, form, ...(pair ? { pair } : {}) });
      this.rooms.set(room, { messages: [], inside: new Set() });
    }
  }

  note(kind, fields) {
    this.at += 4;
    const entry = { n: this.entries.length, at: this.at, kind, ...fields };
    this.entries.push(entry);
    return entry;
  }

  pass(ms) { this.at += ms; }

  come(user, node) {
    this.#ids += 1;
    const session = { id: `s${this.#ids}`, user, node };
    this.note('open', { session: session.id, actor: user, user, tenant: TENANT, node, door: 'websocket' });
    this.note('up', { session: session.id });
    return session;
  }

  ask({ id }, event, payload) {
    this.#ids += 1;
    const call = `c${this.#ids}`;
    this.note('call', { session: id, call, event, payload });
    return (body) => this.note('ack', { session: id, call, body: { success: true, ...body } });
  }

  hear(sessions, event, data) { for (const { id } of sessions) this.note('event', { session: id, event, data }); }

  join(session, room, since) {
    const { messages, inside } = this.rooms.get(room);
    const changes = since === undefined ? {} : { changes: messages.slice(since) };
    this.ask(session, 'join_room', { room_id: room, ...(since === undefined ? {} : { since }) })({ room_id: room, rev: messages.length, ...changes });
    inside.add(session);
  }

  /** Sends several without waiting; all in the room hear them. */
  say(session, room, ...ids) {
    const { messages, inside } = this.rooms.get(room);
    const asked = ids.map((id) => [id, this.ask(session, 'chat_message', { room_id: room, message: id, client_id: id })]);
    for (const [id, answer] of asked) {
      const rev = messages.length + 1;
      const message = {
        id: `m-${id}`, room_id: room, user_id: session.user, username: session.user, message: id, client_id: id, seq: rev, rev,
        timestamp: new Date(EPOCH + this.at).toISOString(),
      };
      messages.push(message);
      this.hear(inside, 'new_message', message);
      answer({ message });
    }
  }

  look(session, room) {
    const { messages } = this.rooms.get(room);
    this.ask(session, 'get_messages', { room_id: room })({ messages: [...messages], has_more: false, rev: messages.length });
  }

  /** Asks who is there. */
  list(session, ...online) {
    const participants = ['ann', 'bob', 'cat'].map((id) => ({ id, online: online.includes(id) }));
    this.ask(session, 'get_room_participants', { room_id: 'hall' })({ participants });
  }

  finish() {
    for (const [room, { messages }] of this.rooms) {
      for (const node of ['node-1', 'node-2']) this.note('history', { tenant: TENANT, room, node, reader: 'ann', messages: structuredClone(messages) });
    }
    for (const node of ['node-1', 'node-2']) this.note('log', { node, warnings: [], panics: [], lines: 10 });
    this.note('end', { codes: [0, 0], conflicts: [] });
    return structuredClone(this.entries);
  }
}

/** The record, and the names of what is in it. */
export function story() {
  const s = new Story();
  const [ann, bob, cat] = [s.come('ann', 'node-1'), s.come('bob', 'node-2'), s.come('cat', 'node-2')];
  for (const session of [ann, bob, cat]) s.join(session, 'hall');
  s.say(ann, 'hall', 'a1', 'a2', 'a3');
  s.look(bob, 'hall');
  s.list(bob, 'ann', 'bob', 'cat');

  s.ask(bob, 'typing', { room_id: 'hall', is_typing: true })({});
  s.hear([ann, cat], 'typing_update', { room_id: 'hall', typing_users: ['bob'], user_id: 'bob', is_typing: true });
  s.pass(5000);
  s.hear([ann, cat], 'typing_update', { room_id: 'hall', typing_users: [], user_id: 'bob', is_typing: false });

  s.rooms.get('two').inside = new Set([ann, bob]);
  s.say(bob, 'two', 'b1', 'b2');

  s.join(ann, 'den');
  s.ask(ann, 'add_participant', { room_id: 'den', user_id: 'cat' })({});
  s.join(cat, 'den');
  s.say(ann, 'den', 'a4');
  const removed = s.ask(ann, 'remove_participant', { room_id: 'den', user_id: 'cat' });
  s.hear([cat], 'participant_removed', { room_id: 'den', user_id: 'cat' });
  s.rooms.get('den').inside.delete(cat);
  removed({});
  s.pass(3000);
  s.say(ann, 'den', 'a5');
  const denied = s.ask(cat, 'chat_message', { room_id: 'den', message: 'c1', client_id: 'c1' });
  denied({ success: false, code: 'access_denied' });

  // As many as one may, and one that is refused.
  s.pass(10_000);
  s.say(ann, 'hall', ...Array.from({ length: 20 }, (_, i) => `b${i + 10}`.replace('b', 'l')));
  s.ask(ann, 'chat_message', { room_id: 'hall', message: 'l99', client_id: 'l99' })({ success: false, code: 'rate_limited' });

  for (const { inside } of s.rooms.values()) inside.delete(cat);
  s.note('down', { session: cat.id, why: 'close', own: true });
  s.pass(2000);
  s.hear([ann, bob], 'user_offline', { user_id: 'cat' });
  s.pass(8000);
  s.list(ann, 'ann', 'bob');
  const back = s.come('cat', 'node-1');
  s.hear([ann, bob, back], 'user_online', { user_id: 'cat' });
  s.join(back, 'hall', 3);
  s.pass(20_000);
  s.say(bob, 'hall', 'b3');
  s.pass(3000);
  for (const node of ['node-1', 'node-2']) s.note('present', { tenant: TENANT, node, online: ['ann', 'bob', 'cat'], connected: ['ann', 'bob', 'cat'] });
  return { entries: s.finish(), ann: ann.id, bob: bob.id, cat: cat.id, back: back.id };
}
