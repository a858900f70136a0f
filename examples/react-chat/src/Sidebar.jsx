import { useEffect, useRef, useState } from 'react';
import { Account, JoinRoom, NewRoom, PrivateMessage } from './Forms.jsx';
import { useSocket } from './SocketContext.jsx';
import { roomHref } from './session.js';
import { Avatar, when } from './ui.jsx';

const STATUS = {
  connecting: 'Connecting…',
  live: 'Live',
  reconnecting: 'Reconnecting…',
  unauthorized: 'Signed out',
  closed: 'Disconnected',
};

export function Sidebar({ roomId }) {
  const { status, me, isGuest } = useSocket();
  const conversations = useConversations(roomId);
  const last = ({ user_id, username, message }) => `${user_id === me?.user_id ? 'You' : username}: ${message}`;

  return (
    <nav className="sidebar" aria-label="Conversations">
      <header>
        <img src="./icon.svg" alt="" width="30" height="30" />
        <h1>Confab</h1>
        <span className="status" role="status" aria-label="Connection" data-state={status}>{STATUS[status]}</span>
      </header>
      <div className="actions">
        <NewRoom />
        <JoinRoom />
        {!isGuest && <PrivateMessage />}
      </div>
      <ul className="conversations" aria-label="Conversations">
        {conversations?.map(({ room_id, name, last_message, last_message_at, unread_count }) => (
          <li key={JSON.stringify(room_id)}>
            <a href={roomHref(room_id)} aria-current={room_id === roomId ? 'page' : undefined}>
              <Avatar id={room_id} name={name} />
              <span className="name">{name}</span>
              {last_message_at && <time dateTime={last_message_at}>{when(last_message_at)}</time>}
              <span className="last">{last_message ? last(last_message) : 'No messages yet'}</span>
              {unread_count > 0 && room_id !== roomId && (
                <span className="badge" role="img" aria-label={`${unread_count} unread`}>
                  {unread_count > 99 ? '99+' : unread_count}
                </span>
              )}
            </a>
          </li>
        ))}
        {conversations?.length === 0 && <li className="empty">Nothing here yet. Make a room to start talking.</li>}
      </ul>
      <Account />
    </nav>
  );
}

/** The list as the server gives it on every connect, kept up to date by what is heard. Null until it is known. */
function useConversations(roomId) {
  const { socket, emit, me } = useSocket();
  const [list, setList] = useState(null);
  const known = useRef(new Set());

  useEffect(() => {
    known.current = new Set(list?.map((each) => each.room_id));
  }, [list]);

  useEffect(() => {
    if (!socket) return undefined;
    let timer = 0;
    const load = () => {
      clearTimeout(timer);
      timer = 0;
      emit('get_user_conversations', {}, (ack) => ack.success && setList(ack.conversations));
    };
    // A burst of news is one question.
    const loadSoon = () => {
      timer ||= setTimeout(load, 300);
    };
    const handlers = {
      connect: load,
      // About another room; the sender and the time are not in it, so the list is asked for again.
      notification: loadSoon,
      user_joined: ({ room_id, user_id }) => user_id === me?.user_id && !known.current.has(room_id) && loadSoon(),
      new_message: (message) => {
        if (!known.current.has(message.room_id)) return loadSoon();
        setList((old) => {
          const room = old.find((each) => each.room_id === message.room_id);
          const newest = { ...room, last_message: message, last_message_at: message.timestamp };
          return [newest, ...old.filter((each) => each !== room)];
        });
      },
    };
    for (const [event, handler] of Object.entries(handlers)) socket.on(event, handler);
    setList(null);
    if (socket.connected) load();
    return () => {
      clearTimeout(timer);
      for (const [event, handler] of Object.entries(handlers)) socket.off(event, handler);
    };
  }, [socket, emit, me?.user_id]);

  // What is open is read, and stays so when another one is opened.
  useEffect(() => {
    const asRead = (each) => (each.room_id === roomId ? { ...each, unread_count: 0 } : each);
    const read = () => setList((old) => old && old.map(asRead));
    read();
    return read;
  }, [roomId]);

  return list;
}
