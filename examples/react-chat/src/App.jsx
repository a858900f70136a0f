import { useEffect, useState } from 'react';
import { ChatRoom } from './ChatRoom.jsx';
import { Sidebar } from './Sidebar.jsx';
import { useSocket } from './SocketContext.jsx';
import { readRoom, roomHref } from './session.js';
import { useOutbox } from './useOutbox.js';

const TOAST_MS = 6_000;

export function App() {
  const { me } = useSocket();
  const [roomId, setRoomId] = useState(readRoom);
  const outbox = useOutbox();

  useEffect(() => {
    const follow = () => setRoomId(readRoom());
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);

  // One component for each user and room: nothing of one is left over in the next.
  const roomKey = JSON.stringify([me?.user_id, roomId]);
  return (
    <div className="app" data-view={roomId === null ? 'list' : 'room'}>
      <Sidebar roomId={roomId} />
      {roomId === null ? <Welcome /> : <ChatRoom key={roomKey} roomId={roomId} outbox={outbox} />}
      <Toasts />
    </div>
  );
}

function Welcome() {
  const { isGuest, status } = useSocket();
  const refused = status === 'unauthorized';
  return (
    <main className="welcome">
      <img src="./icon.svg" alt="" width="64" height="64" />
      <h2>{refused ? 'You are not signed in' : isGuest ? 'Welcome, guest' : 'Pick a conversation'}</h2>
      {refused ? (
        <p>The server did not take your token; it may have expired. Sign in with a new one, or go on as a guest.</p>
      ) : isGuest ? (
        <p>You can make a room of your own and talk in it. Other people’s rooms are open to you once they add you.</p>
      ) : (
        <p>Choose one from the list, make a new room, or write to somebody by their id.</p>
      )}
      {(isGuest || refused) && (
        <p className="note">
          With a token you can enter every public room and write to people. Whoever runs this server can print one:
          <code>confab token --user-id 1 --username alice</code>
        </p>
      )}
    </main>
  );
}

/** Notifications of the other rooms, and requests that failed without anybody waiting for the answer. */
function Toasts() {
  const { socket } = useSocket();
  const [toasts, setToasts] = useState([]);
  const dismiss = (key) => setToasts((old) => old.filter((toast) => toast.key !== key));

  useEffect(() => {
    if (!socket) return undefined;
    const timers = new Set();
    let count = 0;
    const show = (toast) => {
      const key = `${socket.id}/${(count += 1)}`;
      setToasts((old) => [...old.slice(-2), { ...toast, key }]);
      timers.add(setTimeout(() => dismiss(key), TOAST_MS));
    };
    const onNotification = ({ title, body, room_id }) => show({ title, body, room_id });
    const onError = ({ message }) => show({ title: 'Something went wrong', body: message });

    socket.on('notification', onNotification);
    socket.on('error', onError);
    return () => {
      timers.forEach(clearTimeout);
      setToasts([]);
      socket.off('notification', onNotification);
      socket.off('error', onError);
    };
  }, [socket]);

  return (
    <section className="toasts" aria-label="Notifications" aria-live="polite">
      {toasts.map(({ key, title, body, room_id }) => (
        <div className="toast" key={key}>
          {room_id === undefined ? (
            <p><strong>{title}</strong>{body}</p>
          ) : (
            <a href={roomHref(room_id)} onClick={() => dismiss(key)}><strong>{title}</strong>{body}</a>
          )}
          <button type="button" className="quiet" aria-label="Dismiss" onClick={() => dismiss(key)}>×</button>
        </div>
      ))}
    </section>
  );
}
