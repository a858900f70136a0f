// What a room can hear, in short.

import type { Message } from '../../protocol/generated/Message';
import type { Room } from '../../protocol/generated/Room';
import type { RoomEvent } from '../room-state';

export const ME = 7;
export const room: Room = {
  id: 'r',
  name: 'R',
  kind: 'public',
  private: false,
  created_by: ME,
  created_at: '2026-01-01T00:00:00.000Z',
  rev: 0,
};

/** Message `seq`, unchanged since, of somebody else unless told. */
export function message(seq: number, more: Partial<Message> = {}): Message {
  const timestamp = new Date(seq * 1000).toISOString();
  return {
    id: `m${seq}`,
    room_id: 'r',
    user_id: 8,
    username: 'bob',
    message: `text ${seq}`,
    timestamp,
    seq,
    rev: seq,
    ...more,
  };
}

export const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
export const messages = (from: number, to: number) => range(from, to).map((seq) => message(seq));
export const page = (from: number, to: number, rev = to): RoomEvent => ({
  type: 'page',
  page: { messages: messages(from, to), has_more: from > 1, rev },
});
export const live = (seq: number, more: Partial<Message> = {}): RoomEvent => ({
  type: 'message',
  message: message(seq, more),
});
export const joined = (rev: number, changes?: Message[]): RoomEvent => ({
  type: 'joined',
  ack: { room_id: 'r', room: { ...room, rev }, rev, ...(changes ? { changes } : {}) },
});
export const reset = (rev: number): RoomEvent => ({ type: 'joined', ack: { room_id: 'r', room, rev, reset: true } });
