import { describe, expect, it } from 'vitest';
import type { Participant } from '../protocol/generated/Participant';
import { emptyRoom, isBehind, type Outgoing, type RoomEvent, type RoomModel, reduceRoom } from './room-state';
import { joined, live, ME, message, messages, page, range, reset } from './testing/room-events';

const item = (client_id: string, more: Partial<Outgoing> = {}): RoomEvent => ({
  type: 'outgoing',
  item: { client_id, text: client_id, created_at: '2026-01-01T00:00:00.000Z', state: 'sending', ...more },
});
const mine = (seq: number, client_id: string) => message(seq, { user_id: ME, client_id });
const sent = (seq: number, client_id: string): RoomEvent => ({
  type: 'sent',
  client_id,
  message: mine(seq, client_id),
});

const play = (...events: RoomEvent[]): RoomModel => events.reduce(reduceRoom, emptyRoom('r', ME));
const seqs = (state: RoomModel) => state.messages.map(({ seq }) => seq);
const outgoing = (state: RoomModel) => state.outgoing.map(({ client_id }) => client_id);

describe('the history', () => {
  it('is loading until the newest page is there', () => {
    expect(play(joined(3)).phase).toBe('loading');
    const state = play(joined(3), page(1, 3));
    expect(state).toMatchObject({ phase: 'ready', has_older: false, room: { name: 'R' } });
    expect(seqs(state)).toEqual([1, 2, 3]);
  });

  it('appends what comes live', () => {
    expect(seqs(play(joined(3), page(1, 3), live(4), live(5)))).toEqual([1, 2, 3, 4, 5]);
  });

  it('takes what came live before the page', () => {
    const state = play(joined(3), live(5), live(4), page(1, 3));
    expect(seqs(state)).toEqual([1, 2, 3, 4, 5]);
    expect(isBehind(state)).toBe(false);
  });

  it('does not append behind a hole, and says that it is behind', () => {
    const state = play(page(1, 3), live(6));
    expect(seqs(state)).toEqual([1, 2, 3]);
    expect(isBehind(state)).toBe(true);
    const filled = [live(4), live(5)].reduce(reduceRoom, state);
    expect(seqs(filled)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(isBehind(filled)).toBe(false);
  });

  it('takes what waited behind a hole when the changes close it', () => {
    const state = play(page(1, 3), live(7), joined(6, messages(4, 6)));
    expect(seqs(state)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('shows each message once, whatever comes twice', () => {
    const state = play(page(1, 3), live(4), live(4), joined(5, messages(2, 5)), live(5), page(3, 5), live(3));
    expect(seqs(state)).toEqual([3, 4, 5]);
  });

  it('remembers that it is behind when too much waits', () => {
    const state = play(page(1, 3), ...range(5, 400).map((seq) => live(seq)));
    expect(state.early.length).toBeLessThanOrEqual(200);
    expect(isBehind(state)).toBe(true);
    expect(seqs(reduceRoom(state, joined(400, messages(4, 400))))).toEqual(range(1, 400));
  });

  it('is replaced by a page after a reset, and what came meanwhile follows', () => {
    const state = play(page(1, 3), reset(2000), live(2001), page(1951, 2000));
    expect(seqs(state)).toEqual(range(1951, 2001));
    expect(state).toMatchObject({ has_older: true, needs_page: false });
  });

  it('keeps what it has when a page comes that is older', () => {
    expect(seqs(play(page(1, 3), live(4), page(1, 2)))).toEqual([1, 2, 3, 4]);
  });

  it('begins anew when the server went back', () => {
    const state = play(page(1, 9), joined(4), live(5), page(1, 4));
    expect(seqs(state)).toEqual([1, 2, 3, 4, 5]);
  });

  it('needs a page after joining without changes, unless nothing happened', () => {
    expect(play(page(1, 3), joined(5)).needs_page).toBe(true);
    expect(play(page(1, 3), joined(3)).needs_page).toBe(false);
  });

  it('keeps the identity of messages that are the same', () => {
    const before = play(page(1, 3));
    const after = reduceRoom(before, page(1, 3));
    expect(after.messages[1]).toBe(before.messages[1]);
    expect(reduceRoom(before, { type: 'typing', users: [8] }).messages).toBe(before.messages);
    expect(reduceRoom(before, live(2)).messages).toBe(before.messages);
  });
});

describe('edits', () => {
  const edited = (seq: number, rev: number) => message(seq, { rev, message: `edited at ${rev}` });

  it('replace in place', () => {
    const state = play(page(1, 3), { type: 'message', message: edited(2, 4) }, live(5));
    expect(seqs(state)).toEqual([1, 2, 3, 5]);
    expect(state.messages[1]?.message).toBe('edited at 4');
  });

  it('are not undone by what is older', () => {
    const state = play(page(1, 3), { type: 'message', message: edited(2, 4) }, live(2), joined(4, [message(2)]));
    expect(state.messages[1]?.rev).toBe(4);
  });

  it('of messages that are not loaded are left out, without a hole', () => {
    const state = play(page(51, 100), { type: 'message', message: edited(3, 101) }, live(102));
    expect(seqs(state)).toEqual([...range(51, 100), 102]);
    expect(isBehind(state)).toBe(false);
  });

  it('come with changes in the order of the changes', () => {
    const state = play(page(1, 3), joined(6, [message(4), edited(1, 5), message(6)]));
    expect(seqs(state)).toEqual([1, 2, 3, 4, 6]);
    expect(state.messages[0]?.rev).toBe(5);
  });
});

describe('older pages', () => {
  const older = (before: number, from: number): RoomEvent => ({
    type: 'older',
    before,
    page: { messages: messages(from, before - 1), has_more: from > 1, rev: 100 },
  });

  it('go before what is there', () => {
    const state = play(page(51, 100), { type: 'older_asked' }, live(101), older(51, 1));
    expect(seqs(state)).toEqual(range(1, 101));
    expect(state).toMatchObject({ has_older: false, loading_older: false });
  });

  it('are dropped when the list was replaced meanwhile', () => {
    const state = play(page(51, 100), { type: 'older_asked' }, reset(2000), page(1951, 2000), older(51, 1));
    expect(seqs(state)).toEqual(range(1951, 2000));
    expect(state).toMatchObject({ has_older: true, loading_older: false });
  });

  it('are not loading any more after a failure or the end of the connection', () => {
    expect(play(page(51, 100), { type: 'older_asked' }, { type: 'older_failed' }).loading_older).toBe(false);
    expect(play(page(51, 100), { type: 'older_asked' }, { type: 'cut' }).loading_older).toBe(false);
  });
});

describe('my own messages', () => {
  it.each([
    ['ack, then new_message', [sent(4, 'a'), { type: 'message', message: mine(4, 'a') } as RoomEvent]],
    ['new_message, then ack', [{ type: 'message', message: mine(4, 'a') } as RoomEvent, sent(4, 'a')]],
    ['ack alone', [sent(4, 'a')]],
    ['new_message alone', [{ type: 'message', message: mine(4, 'a') } as RoomEvent]],
    ['changes, then the ack of a retry', [joined(4, [mine(4, 'a')]), item('a'), sent(4, 'a')]],
  ])('appear once: %s', (_, events) => {
    const state = play(page(1, 3), item('a'), ...events);
    expect(seqs(state)).toEqual([1, 2, 3, 4]);
    expect(outgoing(state)).toEqual([]);
  });

  it('stay in sight when acknowledged behind a hole', () => {
    const state = play(page(1, 3), item('a'), sent(6, 'a'));
    expect(seqs(state)).toEqual([1, 2, 3]);
    expect(outgoing(state)).toEqual(['a']);
    const after = reduceRoom(state, joined(6, [message(4), message(5), mine(6, 'a')]));
    expect(seqs(after)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(outgoing(after)).toEqual([]);
  });

  it('stay in sight when acknowledged before the page', () => {
    const state = play(item('a'), sent(2, 'a'));
    expect(outgoing(state)).toEqual(['a']);
    expect(outgoing(reduceRoom(state, page(1, 2)))).toEqual([]);
  });

  it('go when the acknowledged one is older than what is loaded', () => {
    expect(outgoing(play(page(51, 100), item('a'), sent(3, 'a')))).toEqual([]);
  });

  it('keep their order, fail, and are retried and discarded', () => {
    const error = { success: false as const, code: 'invalid_payload', message: 'too long' };
    const state = play(page(1, 3), item('a'), item('b'), item('c'), item('a', { state: 'failed', error }));
    expect(outgoing(state)).toEqual(['a', 'b', 'c']);
    expect(state.outgoing[0]).toMatchObject({ state: 'failed', error });
    expect(outgoing(reduceRoom(state, { type: 'discarded', client_id: 'b' }))).toEqual(['a', 'c']);
  });

  it("of another user's client_id are not mistaken for mine", () => {
    const state = play(page(1, 3), item('a'), live(4, { client_id: 'a' }));
    expect(outgoing(state)).toEqual(['a']);
  });
});

describe('typing and people', () => {
  const bob: Participant = { id: 8, username: 'bob', online: false, role: 'member', last_seen: null };

  it('never shows me, and ends with the message or the connection', () => {
    const state = play(page(1, 3), { type: 'typing', users: [ME, 8, '8'] });
    expect(state.typing).toEqual([8, '8']);
    expect(reduceRoom(state, live(4)).typing).toEqual(['8']);
    expect(reduceRoom(state, { type: 'cut' }).typing).toEqual([]);
    expect(reduceRoom(state, { type: 'typing', users: [8, '8', ME] })).toBe(state);
  });

  it('follows who enters and who is online', () => {
    const entered: RoomEvent = { type: 'entered', membership: { room_id: 'r', user_id: '8', username: 'eve' } };
    expect(play(entered).participants).toBeNull();
    const state = play({ type: 'participants', participants: [bob] }, entered, entered);
    expect(state.participants?.map(({ id }) => id)).toEqual([8, '8']);
    const online = reduceRoom(state, { type: 'presence', user_id: 8, online: true, last_seen: null });
    expect(online.participants?.[0]?.online).toBe(true);
    expect(reduceRoom(online, { type: 'presence', user_id: 9, online: true, last_seen: null })).toBe(online);
  });
});

describe('where the unread ones begin', () => {
  const unread = (count: number): RoomEvent => ({ type: 'unread', count });

  it('counts those of others only', () => {
    const own = live(4, { user_id: ME });
    expect(play(page(1, 3), own, live(5), unread(2)).read_up_to).toBe(2);
    expect(play(page(1, 3), unread(0)).read_up_to).toBe(0);
  });

  it('waits for older pages, and does not count what came later', () => {
    const state = play(page(51, 100), unread(60), live(101));
    expect(state.read_up_to).toBe(0);
    const older = { messages: messages(1, 50), has_more: false, rev: 101 };
    expect(reduceRoom(state, { type: 'older', before: 51, page: older }).read_up_to).toBe(40);
  });

  it('is forgotten with the next opening', () => {
    expect(play(page(1, 3), unread(1), { type: 'opened' }).read_up_to).toBe(0);
  });
});

describe('refusals', () => {
  it('leave nothing of a room that may not be entered, but what I wrote', () => {
    const state = play(page(1, 3), item('a'), { type: 'refused', phase: 'denied' });
    expect(state).toMatchObject({ phase: 'denied', messages: [], room: null, rev: null });
    expect(outgoing(state)).toEqual(['a']);
  });

  it('of loading do not hide what is there', () => {
    expect(play({ type: 'refused', phase: 'failed' }).phase).toBe('failed');
    expect(play(page(1, 3), { type: 'refused', phase: 'failed' }).phase).toBe('ready');
  });
});
