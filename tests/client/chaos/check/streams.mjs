// What one connection hears of a room: from its `join_room` on every revision, each once, in order, and every answer fits in.
import { removals, roomKey } from './reading.mjs';

export function* checkStreams(record) {
  for (const session of record.sessions.values()) yield* new Streams(record, session).check();
}

class Streams {
  #rooms = new Map();

  constructor(record, session) {
    Object.assign(this, { record, session });
  }

  * check() {
    for (const entry of this.session.entries) {
      if (entry.kind === 'event') yield* this.#heard(entry);
      else if (entry.kind === 'call') this.#asked(entry);
      else if (entry.kind === 'ack') yield* this.#answered(entry);
      else if (entry.kind === 'lost') this.#lost(entry);
    }
    if (this.session.down === Infinity) yield* this.#ended();
  }

  #room(room) {
    if (!this.#rooms.has(room)) this.#rooms.set(room, { room, joined: false, next: null, since: Infinity });
    return this.#rooms.get(room);
  }

  /** Who only listens to a conversation of two may be told late what was said before the first that they heard. */
  #isDirect(room) { return this.record.rooms.get(roomKey(this.session.tenant, room))?.form === 'direct'; }

  /** Whether the stream may have ended without a word: somebody tried to remove the user since it began. */
  #isUnsure(state, at) {
    const { record, session: { tenant, user } } = this;
    return state.unsure || removals(record, tenant, state.room, user).some(({ begin, end }) => begin < at && end > state.since);
  }

  #problem(state, entry, what) {
    return { rule: 'stream', room: roomKey(this.session.tenant, state.room), session: this.session.id, at: entry.at, n: entry.n, what: `${this.session.id} ${what}` };
  }

  * #heard(entry) {
    const { event, data } = entry;
    if (event === 'participant_removed' && data.user_id === this.session.user) {
      this.#rooms.delete(data.room_id);
      return;
    }
    if (event !== 'new_message') return;
    const state = this.#room(data.room_id);
    if (!state.joined && !state.unsure && !this.#isDirect(data.room_id)) {
      yield this.#problem(state, entry, `hears rev ${data.rev} without having joined`);
      return;
    }
    if (state.unsure) return;
    if (state.next === null) Object.assign(state, { since: entry.at, first: data.rev, late: new Set() });
    else if (data.rev < state.first && !state.joined && !state.late.has(data.rev)) state.late.add(data.rev);
    else if (data.rev < state.next) yield this.#problem(state, entry, `hears rev ${data.rev} again, or late: it was given everything below ${state.next}`);
    else if (data.rev > state.next && !this.#isUnsure(state, entry.at)) {
      yield this.#problem(state, entry, `hears rev ${data.rev} where ${state.next} comes next`);
    }
    state.next = Math.max(state.next ?? 0, data.rev + 1);
  }

  #asked({ event, payload }) {
    if (event === 'leave_room') this.#room(payload.room_id).unsure = true;
  }

  #lost({ call }) {
    const { event, payload } = this.record.calls.get(call);
    // It may be in the room or not.
    if (event === 'join_room') this.#room(payload.room_id).unsure = true;
  }

  * #answered(entry) {
    const { event, payload, answers } = this.record.calls.get(entry.call);
    if (answers > 1 || !entry.body?.success) {
      if (event === 'leave_room') this.#room(payload.room_id).unsure = true;
      return;
    }
    if (event === 'leave_room') this.#rooms.delete(payload.room_id);
    if (event === 'join_room') yield* this.#joined(entry, payload);
    if (event === 'get_messages') yield* this.#page(entry, payload);
    if (event === 'get_changes') yield* this.#contiguous(this.#room(payload.room_id), entry, entry.body.changes ?? [], payload.since + 1);
  }

  * #joined(entry, { room_id: room, since }) {
    const { rev, changes, reset } = entry.body;
    const state = this.#room(room);
    if (since !== undefined && !reset) {
      yield* this.#contiguous(state, entry, changes, since + 1);
      if (since + changes.length !== rev && since <= rev) {
        yield this.#problem(state, entry, `joins since ${since} at ${rev} and is given ${changes.length} changes`);
      }
    }
    yield* this.#fits(state, entry, rev, since === undefined || reset ? rev + 1 : since + 1);
    Object.assign(state, { joined: true, unsure: false, first: 0, next: rev + 1, since: entry.at });
  }

  * #page(entry, { room_id: room, before, after, limit = 50 }) {
    const { messages, rev, has_more: hasMore } = entry.body;
    const state = this.#room(room);
    yield* this.#contiguous(state, entry, messages, after === undefined ? undefined : after + 1);
    const [first, last] = [messages[0]?.rev, messages.at(-1)?.rev];
    if (before !== undefined) {
      const until = Math.min(before - 1, rev);
      if (until > 0 && last !== until) yield this.#problem(state, entry, `asks for what is before ${before} at ${rev} and is given what ends at ${last}`);
      return;
    }
    if (messages.length > limit) yield this.#problem(state, entry, `asks for ${limit} and is given ${messages.length}`);
    if (after !== undefined && hasMore) return;
    if (rev > (after ?? 0) && last !== rev) yield this.#problem(state, entry, `is given a page that ends at ${last} where the room is at ${rev}`);
    if (after === undefined && !hasMore && rev > 0 && first !== 1) yield this.#problem(state, entry, `is given a page from ${first} on, and told that there is no more`);
    if (!state.joined && !this.#isDirect(room)) return;
    yield* this.#fits(state, entry, rev, first ?? rev + 1);
    if (state.unsure) return;
    if (state.next === null) state.since = entry.at;
    state.first = 0;
    state.next = Math.max(state.next ?? 0, rev + 1);
  }

  /** An answer that holds everything from `first` to `rev` meets what was heard before. */
  * #fits(state, entry, rev, first) {
    if (state.next === null || this.#isUnsure(state, entry.at)) return;
    if (rev < state.next - 1) yield this.#problem(state, entry, `is answered at rev ${rev} and has heard ${state.next - 1} before`);
    if (rev >= state.next && first > state.next) {
      yield this.#problem(state, entry, `is answered at rev ${rev} with what begins at ${first}, and ${state.next} to ${first - 1} never came`);
    }
  }

  * #contiguous(state, entry, messages, from = messages[0]?.rev) {
    const wrong = messages.findIndex((message, i) => message.rev !== from + i);
    if (wrong >= 0) yield this.#problem(state, entry, `is given rev ${messages[wrong].rev} where ${from + wrong} comes next`);
  }

  /** Whoever is still there in the end has heard everything. */
  * #ended() {
    const { record, session } = this;
    for (const state of this.#rooms.values()) {
      const count = record.histories.get(roomKey(session.tenant, state.room))?.[0].messages.length;
      if (state.next === null || count === undefined || this.#isUnsure(state, record.end)) continue;
      if (state.next !== count + 1) {
        const last = { at: record.end, n: record.entries.length };
        yield this.#problem(state, last, `has heard ${state.next - 1} in the end, and the room is at ${count}`);
      }
    }
  }
}
