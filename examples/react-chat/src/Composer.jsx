import { useEffect, useRef, useState } from 'react';
import { useSocket } from './SocketContext.jsx';
import { useCountdown } from './ui.jsx';

const RENEW_TYPING_MS = 4_000; // the server forgets it after 10 s
const IDLE_MS = 5_000;
const drafts = new Map(); // what was begun in each room, for as long as the page lives

export function Composer({ roomId, outbox, typingNames }) {
  const { emit, me, status } = useSocket();
  const draft = JSON.stringify([me?.user_id, roomId]);
  const [text, setText] = useState(() => drafts.get(draft) ?? '');
  const typing = useRef({ since: 0, timer: 0 });
  const seconds = useCountdown(outbox.heldUntil);
  const ready = Boolean(me) && seconds === 0 && text.trim() !== '';

  const stopTyping = (tell) => {
    const { since, timer } = typing.current;
    clearTimeout(timer);
    typing.current = { since: 0, timer: 0 };
    if (since && tell) emit('typing', { room_id: roomId, is_typing: false });
  };
  useEffect(() => () => clearTimeout(typing.current.timer), []);

  const write = (value) => {
    setText(value);
    drafts.set(draft, value);
    if (!value.trim()) return stopTyping(true);
    clearTimeout(typing.current.timer);
    typing.current.timer = setTimeout(() => stopTyping(true), IDLE_MS);
    if (Date.now() - typing.current.since < RENEW_TYPING_MS) return;
    typing.current.since = Date.now();
    emit('typing', { room_id: roomId, is_typing: true });
  };

  const send = () => {
    if (!ready) return;
    outbox.send(roomId, text.trim());
    setText('');
    drafts.delete(draft);
    stopTyping(false); // the message itself ends it for the others
  };
  const onKeyDown = (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const onSubmit = (event) => {
    event.preventDefault();
    send();
  };

  return (
    <form className="composer" onSubmit={onSubmit} aria-label="Write a message">
      <div className="box">
        <textarea aria-label="Message" placeholder="Write a message" rows="1" maxLength={10000} value={text} dir="auto"
          autoFocus={window.matchMedia('(pointer: fine)').matches}
          onChange={(event) => write(event.target.value)} onKeyDown={onKeyDown} onBlur={() => stopTyping(true)} />
        <button type="submit" disabled={!ready}>{seconds > 0 ? <span className="digits">{seconds} s</span> : 'Send'}</button>
      </div>
      {/* One line that is always there, so that nothing jumps. */}
      {seconds > 0 ? (
        <p className="hint warn" role="status">
          That was a lot at once. You can send again in {seconds} s; what you write here stays.
        </p>
      ) : status === 'live' ? (
        <p className="hint" role="status" aria-label="Typing">{typingText(typingNames)}</p>
      ) : (
        <p className="hint" role="status">Not connected. What you send goes out when the connection is back.</p>
      )}
    </form>
  );
}

function typingText(names) {
  if (names.length === 0) return '';
  if (names.length > 3) return `${names.length} people are typing…`;
  return `${new Intl.ListFormat('en').format(names)} ${names.length > 1 ? 'are' : 'is'} typing…`;
}
