import { beforeEach, describe, expect, it } from 'vitest';
import {
  chat,
  comeBack,
  conversation,
  conversations,
  cut,
  history,
  list,
  message,
  notify,
  pass,
  room,
  say,
  sockets,
  store,
  unread,
} from './testing/chat';

const LISTED = [conversation('b', message('b', 3), 2), conversation('quiet', null), conversation('a', message('a', 2))];

describe('the conversations', () => {
  beforeEach(async () => {
    list(...LISTED);
    chat.conversations.reload();
    await pass();
  });

  it('are listed as the server sorts them: newest first, one without a message where it was made', () => {
    expect(unread()).toEqual([
      ['b', 2],
      ['quiet', 0],
      ['a', 0],
    ]);
  });

  it('show at once what a notification counts, and soon what it is about', async () => {
    const one = message('a', 4, { username: 'eve' });
    store(one);
    notify(one, 1);
    expect(unread()).toContainEqual(['a', 1]);
    await pass(300);
    expect(unread()[0]).toEqual(['a', 1]);
    expect(conversations()[0]?.last_message).toEqual(one);
  });

  it('are read while on screen, and stay so when left', async () => {
    const close = chat.room('b').open();
    expect(unread()).toContainEqual(['b', 0]);
    await pass();
    expect(chat.room('b').state.getState().read_up_to).toBe(1);
    say(message('b', 4));
    close();
    await pass(1000);
    say(message('a', 3)); // the list is made anew
    expect(unread()[0]).toEqual(['b', 0]);
    notify(message('b', 5), 1);
    expect(unread()[0]).toEqual(['b', 1]);
  });

  it('know where the unread ones begin though the list comes with the room', async () => {
    await cut();
    const close = chat.room('b').open();
    await comeBack();
    expect(chat.room('b').state.getState().read_up_to).toBe(1);
    expect(unread()).toContainEqual(['b', 0]);
    close();
  });

  it('move up with my own messages too', async () => {
    sockets.answers.set('chat_message', () => {
      store(message('a', 4, { user_id: 7 }));
      return { success: true, message: history('a').at(-1) };
    });
    chat.room('a').send('hello');
    await pass();
    expect(unread()[0]).toEqual(['a', 0]);
    expect(conversations()[0]?.last_message?.seq).toBe(4);
  });

  it('are asked for once when something comes of an unknown room', async () => {
    const asked = sockets.last.asked('get_user_conversations').length;
    list(conversation('new', message('new', 9), 2), ...LISTED);
    notify(message('new', 8), 1);
    sockets.last.receive('new_message', message('new', 9));
    await pass(300);
    expect(sockets.last.asked('get_user_conversations')).toHaveLength(asked + 1);
    expect(unread()[0]).toEqual(['new', 2]);
  });

  it('do not go back when the list is older than what was told meanwhile', async () => {
    sockets.answers.delete('get_user_conversations');
    chat.conversations.reload();
    say(message('a', 4));
    notify(message('a', 4), 1);
    sockets.last.answer('get_user_conversations', { success: true, conversations: LISTED });
    await pass();
    expect(unread()[0]).toEqual(['a', 1]);
    expect(conversations()[0]?.last_message?.seq).toBe(4);
  });

  it('have a room that I made, before its first message', async () => {
    sockets.answers.set('create_room', () => ({ success: true, room_id: 'mine', room: room('mine') }));
    await chat.createRoom({ name: 'mine', private: true });
    expect(conversations().map(({ room_id }) => room_id)).toContain('mine');
  });
});
