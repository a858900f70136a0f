import { describe, expect, it } from 'vitest';
import {
  act,
  answered,
  change,
  comeBack,
  connect,
  cut,
  desk,
  KIM,
  listed,
  me,
  open,
  pass,
  room,
  rooms,
  say,
  show,
  signals,
  sockets,
  state,
  stored,
  talk,
  tell,
  texts,
  time,
  unread,
} from '../testing/desk';

describe('the list', () => {
  it('is on the staff’s door, and says what is unread', () => {
    expect(sockets.last.namespace).toBe('/admin');
    expect(sockets.last.auth).toEqual({ token: 'token' });
    expect(state().phase).toBe('ready');
    expect(unread()).toBe(4);
  });

  it('puts the newest activity first, whoever wrote', () => {
    say('a', 'newest');
    expect(listed('waiting')).toEqual(['a', 'b']);
    stored('b', KIM, 'staff', 'spacer');
    answered('b', 'newer still');
    expect(listed('waiting')).toEqual(['b', 'a']);
    expect(state().rooms.get('b')?.last_message?.message).toBe('newer still');
  });

  it('follows status and who looks after it', () => {
    tell('room_status_update', { room_id: 'a', status: 'active', assigned_to: KIM, assigned_name: 'Kim' });
    expect(listed('active')).toEqual(['a']);
    expect(state().rooms.get('a')).toMatchObject({ assigned_to: KIM, assigned_name: 'Kim' });
    tell('room_status_update', { room_id: 'a', status: 'active', assigned_to: null, assigned_name: null });
    expect(state().rooms.get('a')).toMatchObject({ assigned_to: null, assigned_name: null });
  });

  it('shows who types and who looks at a room, but not me in another window', () => {
    act('a', 'typing', { is_typing: true, user_id: 'c-a', username: 'Ada', is_staff: false });
    act('a', 'typing', { is_typing: true, user_id: me.id, username: 'Sam' });
    act('a', 'viewing');
    act('a', 'viewing', { user_id: me.id, username: 'Sam' });
    expect(state().typists.map(({ username }) => username)).toEqual(['Ada']);
    expect(state().viewers.map(({ username }) => username)).toEqual(['Kim']);
    say('a', 'done');
    act('a', 'left');
    expect(state().typists).toEqual([]);
    expect(state().viewers).toEqual([]);
  });

  it('takes in a room that was opened, and its customer’s going', () => {
    change('c', {});
    act('c', 'opened', { user_id: 'c-c', is_staff: false, room: room('c', { created_at: time(500) }) });
    expect(listed('waiting')).toEqual(['c', 'b', 'a']);
    act('c', 'offline', { user_id: 'c-c', is_staff: false });
    expect(state().rooms.get('c')?.is_online).toBe(false);
  });

  it('asks for a room that it hears of without knowing it', async () => {
    change('z', {});
    say('z', 'from beyond the page');
    await pass(1000);
    expect(listed('waiting')[0]).toBe('z');
  });

  it('loads closed rooms by pages', async () => {
    for (let number = 0; number < 120; number += 1) {
      change(`old${number}`, { status: 'closed', created_at: time(number) });
    }
    for (const count of [50, 100, 120]) {
      desk.loadMore('closed');
      await pass();
      expect(listed('closed')).toHaveLength(count);
    }
    expect(state().loaded.closed.has_more).toBe(false);
    desk.loadMore('closed');
    expect(sockets.last.asked('get_rooms')).toHaveLength(3);
  });

  it('an answer that is older than what was heard changes nothing', async () => {
    sockets.answers.delete('get_rooms');
    desk.loadMore('closed');
    tell('room_status_update', { room_id: 'a', status: 'closed', assigned_to: null, assigned_name: null });
    sockets.last.answer('get_rooms', { success: true, rooms: [room('a', { status: 'waiting' })], next_cursor: null });
    await pass();
    expect(listed('closed')).toEqual(['a']);
  });
});

describe('a room on screen', () => {
  it('tells that I look at it, is read, and divides what was unread', async () => {
    answered('a', 'of Kim');
    say('a', 'three');
    await show('a');
    expect(texts('a')).toEqual(['a one', 'a two', 'of Kim', 'three']);
    expect(sockets.last.asked('view_room')).toEqual([{ room_id: 'a' }]);
    expect(sockets.last.asked('mark_read')).toEqual([{ room_id: 'a', seq: 4 }]);
    expect(talk('a').read_up_to).toBe(3);
    expect(unread()).toBe(2);
  });

  it('is read as it comes, while somebody looks at the page', async () => {
    await show('a');
    signals.send('hidden');
    say('a', 'unseen');
    await pass();
    expect(sockets.last.asked('mark_read')).toHaveLength(1);
    expect(unread()).toBe(3);
    signals.send('visible');
    await pass();
    expect(sockets.last.asked('mark_read').at(-1)).toEqual({ room_id: 'a', seq: 3 });
    expect(unread()).toBe(2);
  });

  it('is not looked at any more by whoever has been away for long', async () => {
    await show('a');
    signals.send('hidden');
    await pass(61_000);
    expect(sockets.last.asked('view_room').at(-1)).toEqual({ room_id: null });
    signals.send('visible');
    await pass();
    expect(sockets.last.asked('view_room').at(-1)).toEqual({ room_id: 'a' });
  });

  it('gives way to another one', async () => {
    const close = await show('a');
    close();
    await show('b');
    await pass(1000);
    expect(sockets.last.asked('view_room')).toEqual([{ room_id: 'a' }, { room_id: 'b' }]);
    expect(state().shown).toBe('b');
  });

  it('hears live what both sides read', async () => {
    await show('a');
    answered('a', 'of Kim');
    act('a', 'read', { seq: 3, user_id: 'c-a', is_staff: false });
    expect(talk('a').read_by).toEqual({ staff: 2, customer: 3 });
    act('b', 'read', { seq: 2, unread_count: 0 });
    expect(unread()).toBe(0);
  });

  it('that does not exist disappears', async () => {
    rooms.delete('a');
    await show('a');
    expect(talk('a').phase).toBe('missing');
    expect(listed('waiting')).toEqual(['b']);
  });

  it('that is gone when it is assigned disappears with what it showed', async () => {
    await show('a');
    sockets.answers.set('assign_room', () => ({ success: false, code: 'access_denied', message: 'no' }));
    await desk.assign('a', me.id);
    expect(listed('waiting')).toEqual(['b']);
    expect(talk('a')).toMatchObject({ phase: 'missing', messages: [] });
  });
});

describe('answering', () => {
  it('sends one after the other, each with what its writer had seen', async () => {
    await show('a');
    desk.room('a').send('first');
    desk.room('a').send('second');
    await pass();
    expect(sockets.last.asked('admin_message')).toMatchObject([
      { content: 'first', if_rev: 2 },
      { content: 'second', if_rev: 3 },
    ]);
    expect(texts('a')).toEqual(['a one', 'a two', 'first', 'second']);
    expect(talk('a').outgoing).toEqual([]);
  });

  it('what came too late is a draft again, before what was written since', async () => {
    await show('a');
    stored('a', KIM, 'staff', 'of Kim'); // on its way
    desk.room('a').send('too late');
    desk.room('a').send('and more');
    desk.drafts.set('a', 'half a thought');
    await pass();
    expect(desk.drafts.state.getState().get('a')).toBe('too late\nand more\nhalf a thought');
    expect(state().stale.has('a')).toBe(true);
    expect(talk('a').outgoing).toEqual([]);
    expect(texts('a')).toEqual(['a one', 'a two', 'of Kim']);
    desk.setAside('a');
    desk.room('a').send('all the same');
    await pass();
    expect(texts('a').at(-1)).toBe('all the same');
    expect(state().stale.size).toBe(0);
  });

  it('waits for the connection, and is refused if somebody answered meanwhile', async () => {
    await show('a');
    await cut();
    desk.room('a').send('written offline');
    stored('a', KIM, 'staff', 'of Kim');
    await comeBack();
    expect(texts('a')).toEqual(['a one', 'a two', 'of Kim']);
    expect(desk.drafts.state.getState().get('a')).toBe('written offline');
  });

  it('outlives a reload', async () => {
    await show('a');
    await cut();
    desk.room('a').send('written offline');
    desk.dispose();
    open();
    await show('a');
    await connect();
    expect(texts('a').at(-1)).toBe('written offline');
    expect(desk.hasUnsent()).toBe(false);
  });

  it('what cannot be stored because the conversation was closed stays to be seen', async () => {
    await show('a');
    sockets.answers.set('admin_message', () => ({ success: false, code: 'room_closed', message: 'closed' }));
    desk.room('a').send('hello?');
    await pass();
    expect(talk('a').outgoing).toMatchObject([{ text: 'hello?', state: 'failed', error: { code: 'room_closed' } }]);
  });
});

describe('after a gap', () => {
  it('everything is as the server has it, once', async () => {
    await show('a');
    act('a', 'typing', { is_typing: true });
    act('a', 'viewing');
    await cut();
    expect(state().typists).toEqual([]);
    expect(state().viewers).toEqual([]);
    stored('a', 'c-a', 'customer', 'meanwhile');
    stored('a', KIM, 'staff', 'of Kim');
    change('b', { status: 'closed' });
    change('c', {});
    await comeBack();
    expect(texts('a')).toEqual(['a one', 'a two', 'meanwhile', 'of Kim']);
    expect(listed('waiting')).toEqual(['a', 'c']);
    say('a', 'live again');
    expect(texts('a').at(-1)).toBe('live again');
  });

  it('a room that was left is right when it comes on screen again', async () => {
    const close = await show('a');
    close();
    await pass(1000);
    await cut();
    stored('a', 'c-a', 'customer', 'meanwhile');
    await comeBack();
    say('a', 'later');
    await show('a');
    expect(texts('a')).toEqual(['a one', 'a two', 'meanwhile', 'later']);
  });

  it('a room on screen that was closed meanwhile says so', async () => {
    await show('a');
    await cut();
    change('a', { status: 'closed' });
    await comeBack();
    expect(state().rooms.get('a')?.status).toBe('closed');
  });

  it('closed rooms that were looked at are asked for again', async () => {
    change('old', { status: 'closed' });
    desk.loadMore('closed');
    await pass();
    await cut();
    rooms.delete('old');
    change('older', { status: 'closed' });
    await comeBack();
    expect(listed('closed')).toEqual(['older']);
  });

  it('a hole in the stream is filled', async () => {
    await show('a');
    stored('a', 'c-a', 'customer', 'lost');
    say('a', 'heard');
    expect(texts('a')).toEqual(['a one', 'a two']);
    await pass(1500);
    expect(texts('a')).toEqual(['a one', 'a two', 'lost', 'heard']);
  });
});

describe('who may not', () => {
  it('is told so, and nothing is tried again', async () => {
    desk.dispose();
    open();
    await pass();
    tell('connect_error', new Error('4403 forbidden: for staff only'));
    await pass(120_000);
    expect(state()).toMatchObject({ phase: 'forbidden' });
    expect(sockets.all).toHaveLength(2);
  });

  it('an identity that ends leaves nothing', async () => {
    await show('a');
    desk.dispose();
    expect(state().rooms.size).toBe(0);
  });
});
