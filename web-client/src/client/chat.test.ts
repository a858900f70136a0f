import { describe, expect, it } from 'vitest';
import {
  bob,
  chat,
  comeBack,
  conversation,
  cut,
  history,
  list,
  message,
  names,
  notify,
  pass,
  phase,
  room,
  say,
  seqs,
  serve,
  signals,
  sockets,
  store,
  unread,
} from './testing/chat';

describe('a room on screen', () => {
  it('is joined, loaded and followed, and left a moment after it was closed', async () => {
    const close = chat.room('a').open();
    await pass();
    expect(phase('a')).toBe('ready');
    say(message('a', 4));
    expect(seqs('a')).toEqual([1, 2, 3, 4]);
    expect(chat.room('a').state.getState().participants).toEqual([bob]);
    close();
    await pass(199);
    expect(names()).not.toContain('leave_room');
    await pass(1);
    expect(names()).toContain('leave_room');
  });

  it('is joined once though it is mounted, unmounted and mounted', async () => {
    await pass();
    const close = chat.room('a').open();
    close();
    close();
    chat.room('a').open();
    const other = chat.room('a').open();
    await pass(1000);
    other();
    await pass(1000);
    expect(sockets.last.asked('join_room')).toHaveLength(1);
    expect(names()).not.toContain('leave_room');
  });

  it('is exactly right after a lost connection', async () => {
    chat.room('a').open();
    await pass();
    await cut();
    for (const seq of [4, 5, 6]) store(message('a', seq));
    await comeBack();
    expect(sockets.last.asked('join_room')).toEqual([{ room_id: 'a', since: 3 }]);
    expect(seqs('a')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('is loaded anew when too much was missed', async () => {
    chat.room('a').open();
    await pass();
    await cut();
    for (let seq = 4; seq <= 100; seq += 1) store(message('a', seq));
    sockets.answers.set('join_room', () => ({ success: true, room_id: 'a', room: room('a'), rev: 100, reset: true }));
    await comeBack();
    expect(seqs('a')).toEqual(Array.from({ length: 50 }, (_, index) => 51 + index));
    chat.room('a').loadOlder();
    await pass();
    expect(seqs('a')).toHaveLength(100);
  });

  it('catches up by itself when the stream has a hole', async () => {
    chat.room('a').open();
    await pass();
    store(message('a', 4)); // never told
    say(message('a', 5));
    expect(seqs('a')).toEqual([1, 2, 3]);
    await pass(1000);
    expect(seqs('a')).toEqual([1, 2, 3, 4, 5]);
  });

  it('that was left keeps its messages, and takes no later one beyond a hole', async () => {
    const close = chat.room('a').open();
    await pass();
    close();
    await pass(1000);
    store(message('a', 4));
    say(message('a', 5)); // as in a private conversation
    await pass(5000);
    expect(seqs('a')).toEqual([1, 2, 3]);
    chat.room('a').open();
    await pass();
    expect(seqs('a')).toEqual([1, 2, 3, 4, 5]);
    expect(sockets.last.asked('get_messages')).toHaveLength(1);
  });

  it('that was left before the answer came is not entered', async () => {
    await pass();
    sockets.answers.delete('join_room');
    chat.room('a').open()();
    await pass(200);
    sockets.last.answer('join_room', { success: true, room_id: 'a', room: room('a'), rev: 3 });
    await pass();
    chat.room('a').setTyping(true);
    expect(phase('a')).toBe('loading');
    expect(sockets.last.asked('typing')).toEqual([]);
  });

  it('says that it may not be entered', async () => {
    chat.room('closed').open();
    await pass();
    expect(phase('closed')).toBe('denied');
  });

  it('tries again where a failure passes, says so after a while, and loads when asked to', async () => {
    sockets.answers.set('join_room', () => ({ success: false, code: 'storage_unavailable', message: '' }));
    chat.room('a').open();
    await pass();
    expect(phase('a')).toBe('loading');
    await pass(60_000);
    expect(phase('a')).toBe('failed');
    serve();
    chat.room('a').reload();
    await pass();
    expect(phase('a')).toBe('ready');
  });

  it('is heard again after many failures, without being asked', async () => {
    chat.room('a').open();
    chat.room('b').open();
    await pass();
    await cut();
    store(message('a', 4));
    const refused = { success: false, code: 'overloaded', message: '' };
    sockets.answers.set('join_room', () => refused);
    await comeBack();
    await pass(120_000);
    expect(phase('a')).toBe('ready');
    serve();
    await pass(30_000);
    expect(seqs('a')).toEqual([1, 2, 3, 4]);
    sockets.answers.set('join_room', () => refused);
    chat.room('c').open();
    await pass(120_000);
    expect(phase('c')).toBe('failed');
    serve();
    await pass(30_000);
    expect(phase('c')).toBe('ready');
  });

  it('is not read while the page is hidden, after a minute', async () => {
    chat.room('a').open();
    list(conversation('a', message('a', 3)));
    await pass();
    signals.send('hidden');
    await pass(59_999);
    expect(names()).not.toContain('leave_room');
    signals.send('visible');
    signals.send('hidden');
    await pass(60_000);
    expect(names()).toContain('leave_room');
    store(message('a', 4));
    list(conversation('a', message('a', 4), 1));
    notify(message('a', 4), 1);
    await cut();
    await comeBack();
    expect(sockets.last.asked('join_room')).toEqual([]);
    expect(unread()).toEqual([['a', 1]]);
    signals.send('visible');
    await pass();
    expect(sockets.last.asked('join_room')).toEqual([{ room_id: 'a', since: 3 }]);
    expect(seqs('a')).toEqual([1, 2, 3, 4]);
    expect(unread()).toEqual([['a', 0]]);
  });

  it('that could not be entered was not read', async () => {
    list(conversation('closed', message('closed', 3), 2));
    await pass();
    await chat.conversations.reload();
    await pass();
    const close = chat.room('closed').open();
    await pass();
    close();
    await pass(1000);
    expect(unread()).toEqual([['closed', 2]]);
  });

  it('keeps 20 rooms that were left', async () => {
    await pass();
    const first = chat.room('room 0');
    for (let i = 0; i <= 25; i += 1) {
      const close = chat.room(`room ${i}`).open();
      await pass();
      close();
      await pass(1000);
    }
    expect(chat.room('room 25').state.getState().phase).toBe('ready');
    expect(chat.room('room 0')).not.toBe(first);
    expect(chat.room('room 0').state.getState().phase).toBe('loading');
  });
});

describe('after a reconnect', () => {
  it('first comes the list, then the rooms, then what was not acknowledged', async () => {
    chat.room('a').open();
    await pass();
    chat.room('a').send('hello');
    await cut();
    await comeBack();
    const order = names().filter((name) => name !== 'get_room_participants');
    expect(order).toEqual(['get_user_conversations', 'join_room', 'chat_message']);
  });

  it('a message that was stored unheard appears once', async () => {
    chat.room('a').open();
    await pass();
    chat.room('a').send('hello');
    const { client_id } = sockets.last.asked('chat_message')[0] as { client_id: string };
    await cut();
    store(message('a', 4, { user_id: 7, message: 'hello', client_id }));
    sockets.answers.set('chat_message', () => ({ success: true, message: history('a').at(-1) }));
    await comeBack();
    expect(seqs('a')).toEqual([1, 2, 3, 4]);
    expect(chat.room('a').state.getState().outgoing).toEqual([]);
    expect(chat.hasUnsent()).toBe(false);
  });

  it('whoever is not told of is not online any more', async () => {
    await pass();
    const online = (id: number) => chat.people.state.getState().presence.get(id)?.online ?? false;
    sockets.last.receive('user_online', { user_id: 9, username: 'eve' });
    sockets.last.receive('user_online', { user_id: 8, username: 'bob' });
    chat.room('a').open();
    await cut();
    await comeBack();
    expect([online(8), online(9)]).toEqual([true, true]);
    await pass(3000);
    expect([online(8), online(9)]).toEqual([true, false]);
  });

  it('a connection that only looked alive is given up', async () => {
    await pass();
    sockets.answers.delete('get_user_conversations');
    signals.send('visible');
    await pass(5000);
    serve();
    await pass(1);
    expect(sockets.all).toHaveLength(2);
    expect(chat.connection.state.getState().phase).toBe('live');
  });
});

describe('typing', () => {
  it('is told at most every 4 s, and ends after 5 s of silence, with the message, and on leaving', async () => {
    const close = chat.room('a').open();
    await pass();
    const told = () => sockets.last.asked('typing').map((payload) => (payload as { is_typing: boolean }).is_typing);
    for (let second = 0; second < 8; second += 1) {
      chat.room('a').setTyping(true);
      await pass(1000);
    }
    expect(told()).toEqual([true, true]);
    await pass(4000);
    expect(told()).toEqual([true, true, false]);
    chat.room('a').setTyping(true);
    chat.room('a').send('hello');
    expect(names().slice(-2)).toEqual(['chat_message', 'typing']);
    chat.room('a').setTyping(false);
    expect(told()).toEqual([true, true, false, true, false]);
    chat.room('a').setTyping(true);
    close();
    await pass(200);
    expect(names().slice(-2)).toEqual(['typing', 'leave_room']);
  });
});

describe('a private message', () => {
  it('whose fate is unknown is sent again with the same id', async () => {
    await pass();
    const first = chat.messageUser(8, 'hello');
    await cut();
    expect(await first).toMatchObject({ ok: false, error: { code: 'disconnected' } });
    const [before] = sockets.last.asked('private_message');
    await comeBack();
    sockets.answers.set('private_message', () => ({ success: true, room_id: 'direct', message: message('direct', 1) }));
    expect(await chat.messageUser(8, ' hello ')).toEqual({ ok: true, value: 'direct' });
    await chat.messageUser(8, 'hello');
    const [again, next] = sockets.last.asked('private_message');
    expect(again).toEqual(before);
    expect(next).not.toEqual(before);
  });
});
