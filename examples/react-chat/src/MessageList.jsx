import { memo, useLayoutEffect, useRef, useState } from 'react';
import { useSocket } from './SocketContext.jsx';
import { Avatar, clock, day, useCountdown } from './ui.jsx';

const SAME_BREATH_MS = 5 * 60_000;

/** The history, oldest first, then what is still on its way: `waiting`, the outbox's items for this room. */
export function MessageList({ messages, waiting, hasMore, loadOlder, outbox }) {
  const { me } = useSocket();
  const scroller = useRef(null);
  const before = useRef({});
  const [loading, setLoading] = useState(false);
  const [away, setAway] = useState(false);

  const isMine = ({ user_id }) => user_id === me?.user_id;
  // Ours has the same key before and after the server knows it: it becomes 'sent' where it stands.
  const keyOf = (row) => (isMine(row) && row.client_id) || row.id;
  const rows = [...(messages ?? []), ...waiting];
  const newest = rows.length > 0 ? keyOf(rows.at(-1)) : null;
  const writing = waiting.some((item) => item.client_id === newest);

  // The list stands on its bottom edge (CSS column-reverse), so that it stays there by itself, and older pages put in
  // above move nothing. Who has scrolled up keeps their place when something is added below, unless they wrote it.
  useLayoutEffect(() => {
    const { current: box } = scroller;
    const { current: old } = before;
    if (newest !== old.newest && writing) box.scrollTop = 0;
    else if (newest !== old.newest && box.scrollTop < -60) box.scrollTop -= box.scrollHeight - old.height;
    before.current = { newest, height: box.scrollHeight };
  });

  const older = () => {
    setLoading(true);
    loadOlder(() => setLoading(false));
  };
  const onScroll = () => setAway(scroller.current.scrollTop < -300);

  return (
    <div className="history">
      <div className="scroller" ref={scroller} onScroll={onScroll} tabIndex={0} role="log" aria-label="Messages"
        aria-busy={!messages}>
        <ol>
          {hasMore && (
            <li className="older">
              <button type="button" className="quiet" onClick={older} disabled={loading}>Load older messages</button>
            </li>
          )}
          {messages && rows.length === 0 && <li className="empty">No messages yet. Say hello.</li>}
          {rows.map((row, index) => (
            <Message key={keyOf(row)} message={row} mine={isMine(row)} previous={rows[index - 1]}
              outbox={row.state && outbox} />
          ))}
        </ol>
      </div>
      {away && (
        <button type="button" className="newest" onClick={() => scroller.current.scrollTo({ top: 0 })}>
          Newest messages ↓
        </button>
      )}
    </div>
  );
}

const Message = memo(function Message({ message, mine, previous, outbox }) {
  const newDay = !previous || day(previous.timestamp) !== day(message.timestamp);
  const follows =
    !newDay &&
    previous.user_id === message.user_id &&
    Date.parse(message.timestamp) - Date.parse(previous.timestamp) < SAME_BREATH_MS;

  return (
    <>
      {newDay && <li className="day">{day(message.timestamp)}</li>}
      <li className="message" data-testid="message" data-state={message.state ?? 'sent'} data-mine={mine}
        data-follows={follows}>
        {!mine && !follows && <Avatar id={message.user_id} name={message.username} />}
        {!follows && (
          <p className="from">
            <span className={mine ? 'hidden' : 'name'}>{message.username}</span>
            <time dateTime={message.timestamp}>{clock(message.timestamp)}</time>
          </p>
        )}
        <p className="text" data-testid="text" dir="auto">{message.message}</p>
        {outbox && <Fate item={message} outbox={outbox} />}
      </li>
    </>
  );
});

/** What became of a message that the server has not acknowledged. Nothing to see while all goes well. */
function Fate({ item, outbox }) {
  const seconds = useCountdown(outbox.heldUntil);
  const failed = item.state === 'failed';
  if (!failed && seconds === 0) return <p className="hidden">Sending…</p>;
  return (
    <p className="fate">
      {failed ? <span role="alert">Not sent. {item.error}</span> : `Goes out in ${seconds} s`}
      {failed && <button type="button" className="link" onClick={() => outbox.retry(item)}>Retry</button>}
      <button type="button" className="link" onClick={() => outbox.discard(item)}>Discard</button>
    </p>
  );
}
