import { useEffect, useState } from 'react';
import { Composer } from './Composer.jsx';
import { MessageList } from './MessageList.jsx';
import { useSocket } from './SocketContext.jsx';
import { idToText } from './session.js';
import { Avatar } from './ui.jsx';
import { useRoom } from './useRoom.js';

const NOTICE = {
  reconnecting: 'Connection lost. Trying to get it back…',
  unauthorized: <>You are signed out. <a href="#">Sign in again</a></>,
  closed: <>The server ended the connection. <a href="#">Connect again</a></>,
};

export function ChatRoom({ roomId, outbox }) {
  const { me, status, isGuest } = useSocket();
  const { room, messages, hasMore, people, typing, error, loadOlder, tryAgain } = useRoom(roomId, outbox);
  const [showPeople, setShowPeople] = useState(() => window.matchMedia('(min-width: 1100px)').matches);

  // What the history already shows is not shown as being on its way too.
  const stored = new Set(messages?.filter((message) => message.user_id === me?.user_id).map((message) => message.client_id));
  const waiting = outbox.items.filter(
    (item) => item.room_id === roomId && item.user_id === me?.user_id && !stored.has(item.client_id),
  );
  const names = typing.filter((id) => id !== me?.user_id).map((id) => people.get(id)?.username ?? String(id));
  const everybody = [...people.values()];
  const online = everybody.filter((person) => person.online).length;
  const other = room?.kind === 'direct' && everybody.find((person) => person.id !== me?.user_id);
  const title = other?.username ?? room?.name ?? (error ? idToText(roomId) : '');
  const withPeople = showPeople && !error;

  useEffect(() => {
    document.title = title ? `${title} · Confab` : 'Confab';
    return () => {
      document.title = 'Confab';
    };
  }, [title]);

  return (
    <main className="room" data-people={withPeople}>
      <header>
        <a className="back" href="#" aria-label="Back to conversations">‹</a>
        <h2>{title || '…'}</h2>
        <small>{room?.private && room.kind !== 'direct' ? 'Private · ' : ''}{room && `id ${idToText(room.id)}`}</small>
        {!error && (
          <button type="button" className="quiet" aria-expanded={showPeople} onClick={() => setShowPeople(!showPeople)}>
            People <span className="digits">{online}/{everybody.length}</span>
          </button>
        )}
      </header>
      {error ? (
        <section className="refused" role="alert">
          <h3>{error.message}</h3>
          {isGuest && (
            <p>Guests talk in rooms of their own and in those they were added to. Make one with “New room”, or sign in.</p>
          )}
          <button type="button" onClick={tryAgain}>Try again</button>
        </section>
      ) : (
        <MessageList messages={messages} waiting={waiting} hasMore={hasMore} loadOlder={loadOlder} outbox={outbox} />
      )}
      {NOTICE[status] && <p className="offline" data-testid="offline">{NOTICE[status]}</p>}
      {!error && <Composer roomId={roomId} outbox={outbox} typingNames={names} />}
      {withPeople && <People people={everybody} me={me} live={status === 'live'} />}
    </main>
  );
}

function People({ people, me, live }) {
  const sorted = people.toSorted((a, b) => b.online - a.online || a.username.localeCompare(b.username));
  return (
    <aside className="people" aria-label="People" data-live={live}>
      <h3>People{!live && ' (last known)'}</h3>
      <ul>
        {sorted.map(({ id, username, online, role }) => (
          <li key={JSON.stringify(id)} data-online={online}>
            <Avatar id={id} name={username} online={online} />
            <span className="name">{username}{id === me?.user_id && ' (you)'}</span>
            <small>{online ? 'online' : 'offline'}{role && role !== 'member' ? ` · ${role}` : ''}</small>
          </li>
        ))}
      </ul>
    </aside>
  );
}
