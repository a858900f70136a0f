import { beforeEach, describe, expect, it } from 'vitest';
import {
  bob,
  chat,
  comeBack,
  conversation,
  conversations,
  cut,
  list,
  message,
  names,
  pass,
  phase,
  room,
  say,
  seqs,
  serve,
  sockets,
} from './testing/chat';

const LISTED = [conversation('b', message('b', 3)), conversation('a', message('a', 2))];

const change = (room_id: string, user_id: number, username: string) => ({ room_id, user_id, username, by: 9 });
const removed = (room_id: string) => sockets.last.receive('participant_removed', change(room_id, 7, 'me'));
const added = (room_id: string) => sockets.last.receive('participant_added', change(room_id, 7, 'me'));
const listed = () => conversations().map(({ room_id }) => room_id);
const stateOf = (id: string) => chat.room(id).state.getState();

describe('a room from which I was removed', () => {
  beforeEach(async () => {
    list(...LISTED);
    chat.conversations.reload();
    await pass();
  });

  it('is gone from the list at once, and says so where it is on screen', async () => {
    chat.room('a').open();
    await pass();
    list(...LISTED.slice(0, 1));
    removed('a');
    expect(listed()).toEqual(['b']);
    expect(stateOf('a')).toMatchObject({ phase: 'removed', messages: [], room: null, participants: null });
    await pass(1000);
    expect(listed()).toEqual(['b']);
    expect(phase('a')).toBe('removed');
  });

  it('does not come back with a list that was asked for before', async () => {
    sockets.answers.delete('get_user_conversations');
    chat.conversations.reload();
    removed('a');
    sockets.last.answer('get_user_conversations', { success: true, conversations: LISTED });
    await pass();
    expect(listed()).toEqual(['b']);
  });

  it('is not entered again by itself, not with the next connection either', async () => {
    chat.room('a').open();
    await pass();
    removed('a');
    chat.room('a').setTyping(true);
    await cut();
    await comeBack();
    await pass(60_000);
    expect(phase('a')).toBe('removed');
    expect(sockets.last.asked('join_room')).toEqual([]);
    expect(names()).not.toContain('typing');
  });

  it('is asked for when it is opened again', async () => {
    const close = chat.room('a').open();
    await pass();
    removed('a');
    close();
    await pass(1000);
    chat.room('a').open();
    await pass();
    expect(phase('a')).toBe('ready');
    expect(seqs('a')).toEqual([1, 2, 3]);
  });

  it('shows nothing of what an answer brings that was on its way', async () => {
    sockets.answers.delete('get_messages');
    chat.room('a').open();
    await pass();
    removed('a');
    sockets.last.answer('get_messages', { success: true, messages: [message('a', 1)], has_more: false, rev: 1 });
    await pass();
    expect(stateOf('a')).toMatchObject({ phase: 'removed', messages: [] });
  });

  it('forgets its messages though it is not on screen', async () => {
    const close = chat.room('a').open();
    await pass();
    close();
    await pass(1000);
    removed('a');
    expect(stateOf('a').messages).toEqual([]);
  });

  it('is there again when I am added again', async () => {
    chat.room('a').open();
    await pass();
    list(...LISTED.slice(0, 1));
    removed('a');
    await pass(1000);
    list(...LISTED);
    added('a');
    await pass(300);
    expect(listed()).toEqual(['b', 'a']);
    expect(phase('a')).toBe('ready');
    say(message('a', 4));
    expect(seqs('a')).toEqual([1, 2, 3, 4]);
  });
});

describe('a room that I was added to', () => {
  it('comes into the list', async () => {
    await pass();
    list(...LISTED);
    added('a');
    await pass(300);
    expect(listed()).toEqual(['b', 'a']);
  });

  it('opens where it was closed to me', async () => {
    chat.room('closed').open();
    await pass();
    expect(phase('closed')).toBe('denied');
    sockets.answers.set('join_room', () => ({ success: true, room_id: 'closed', room: room('closed'), rev: 0 }));
    added('closed');
    await pass();
    expect(phase('closed')).toBe('ready');
    serve();
  });
});

describe('a room on screen', () => {
  beforeEach(async () => {
    list(...LISTED);
    chat.conversations.reload();
    chat.room('a').open();
    await pass();
  });

  it('knows who was added and who was removed', () => {
    sockets.last.receive('user_online', { user_id: 12, username: 'carol' });
    sockets.last.receive('participant_added', change('a', 12, 'carol'));
    const carol = { id: 12, username: 'carol', online: true, role: 'member', last_seen: null };
    expect(stateOf('a').participants).toEqual([bob, carol]);
    sockets.last.receive('participant_removed', change('a', 8, 'bob'));
    expect(stateOf('a').participants).toEqual([carol]);
    expect(phase('a')).toBe('ready');
  });

  it('takes a new name, there and in the list', () => {
    sockets.last.receive('room_updated', { room: { ...room('a'), name: 'Kitchen', archived: true }, by: 8 });
    expect(stateOf('a').room).toMatchObject({ name: 'Kitchen', archived: true });
    expect(conversations().find(({ room_id }) => room_id === 'a')).toMatchObject({ name: 'Kitchen', archived: true });
  });

  it('knows new roles', () => {
    sockets.last.receive('room_updated', { room: room('a'), by: 9, user_id: 8, role: 'admin' });
    expect(stateOf('a').participants).toEqual([{ ...bob, role: 'admin' }]);
  });
});
