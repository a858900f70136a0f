import { describe, expect, it } from 'vitest';
import type { Message } from '../../protocol/generated/Message';
import type { SenderType } from '../../protocol/generated/SenderType';
import { emptyTalk, isRead, readable, reduceTalk, type Talk, type TalkEvent } from './messages';

const SAM = 1;
const KIM = 2;
const ADA = 'ada';

/** Written `c`ustomer, `s`taff (Sam), `k`: Kim, or `.` system; upper case: read. */
function history(script: string, from = 1): Message[] {
  return [...script].map((letter, at) => message(from + at, letter.toLowerCase(), letter !== letter.toLowerCase()));
}

function message(seq: number, letter: string, is_read = false): Message {
  const senders: Record<string, [number | string, SenderType]> = {
    c: [ADA, 'customer'],
    s: [SAM, 'staff'],
    k: [KIM, 'staff'],
    '.': [SAM, 'system'],
  };
  const [user_id, sender_type] = senders[letter] ?? [ADA, 'customer'];
  const text = `text ${seq}`;
  const names = { username: String(user_id), sender_name: String(user_id) };
  const place = { id: `m${seq}`, room_id: 'r', timestamp: '2026-01-01T00:00:00.000Z', seq, rev: seq };
  return { ...place, ...names, user_id, message: text, content: text, sender_type, is_read };
}

const page = (messages: Message[], has_more = false) => ({ messages, has_more, rev: messages.at(-1)?.rev ?? 0 });
const play = (talk: Talk, ...events: TalkEvent[]) => events.reduce(reduceTalk, talk);
const loaded = (script: string) => play(emptyTalk('r', SAM, 'staff'), { type: 'page', page: page(history(script)) });
const seqs = (talk: Talk) => talk.messages.map(({ seq }) => seq);

describe('over a new connection', () => {
  it('takes what was written meanwhile, each once, and keeps what was loaded before', () => {
    const older = loaded('cscscs');
    const talk = play(
      { ...older, has_older: true },
      { type: 'refreshed', page: page(history('cscc', 5), true) },
      { type: 'message', message: message(9, 'c') },
    );
    expect(seqs(talk)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(talk.rev).toBe(9);
  });

  it('begins anew where more was missed than a page', () => {
    const talk = play(loaded('cs'), { type: 'refreshed', page: page(history('ccc', 10), true) });
    expect(seqs(talk)).toEqual([10, 11, 12]);
    expect(talk.has_older).toBe(true);
  });

  it('begins anew where the server has gone back', () => {
    const talk = play(loaded('cscs'), { type: 'refreshed', page: page(history('cs')) });
    expect(seqs(talk)).toEqual([1, 2]);
    expect(talk.rev).toBe(2);
    expect(seqs(play(talk, { type: 'message', message: message(3, 'k') }))).toEqual([1, 2, 3]);
  });

  it('what came before its answer has its place, and what comes twice is there once', () => {
    const talk = play(
      loaded('cs'),
      { type: 'message', message: message(5, 'c') },
      { type: 'message', message: message(4, 'k') },
    );
    expect(seqs(talk)).toEqual([1, 2]);
    const whole = play(
      talk,
      { type: 'refreshed', page: page(history('csckc')) },
      { type: 'message', message: message(5, 'c') },
    );
    expect(seqs(whole)).toEqual([1, 2, 3, 4, 5]);
  });

  it('keeps the messages that did not change', () => {
    const before = loaded('cs');
    const after = play(before, { type: 'refreshed', page: page(history('csc')) });
    expect(after.messages[0]).toBe(before.messages[0]);
  });
});

describe('how far each side has read', () => {
  it('is in the messages that are loaded', () => {
    const talk = loaded('CScs');
    expect(talk.read_by).toEqual({ staff: 1, customer: 2 });
    expect(talk.messages.map((one) => isRead(talk, one))).toEqual([true, true, false, false]);
  });

  it('moves forward when it is told, also for messages that are there already', () => {
    const talk = play(
      loaded('cscs'),
      { type: 'read', by: 'customer', seq: 4 },
      { type: 'read', by: 'customer', seq: 2 },
    );
    expect(talk.read_by).toEqual({ staff: 0, customer: 4 });
    expect(talk.messages.map((one) => isRead(talk, one))).toEqual([false, true, false, true]);
  });

  it('is found again over a new connection', () => {
    const talk = play(loaded('cs'), { type: 'refreshed', page: page(history('CSc')) });
    expect(talk.read_by).toEqual({ staff: 1, customer: 2 });
  });

  it('system messages are read by nobody', () => {
    const talk = play(loaded('c.'), { type: 'read', by: 'customer', seq: 9 }, { type: 'read', by: 'staff', seq: 9 });
    expect(talk.messages.map((one) => isRead(talk, one))).toEqual([true, false]);
  });

  it('does not survive that the room is refused', () => {
    const talk = play(loaded('CS'), { type: 'refused', phase: 'denied' });
    expect(talk).toMatchObject({ phase: 'denied', messages: [], side: 'staff', read_by: { customer: 0, staff: 0 } });
  });
});

describe('what is unread', () => {
  it('are messages of the other side: colleagues and notes in between do not count', () => {
    const talk = play(loaded('cck.c'), { type: 'unread', count: 2 });
    expect(talk.read_up_to).toBe(1);
  });

  it('can be read up to the newest message of the other side', () => {
    expect(readable(loaded('csc.s'))).toBe(3);
    expect(readable(emptyTalk('r', SAM, 'staff'))).toBe(0);
  });
});
