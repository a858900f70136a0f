import { useRef, useState } from 'react';
import { useSocket } from './SocketContext.jsx';
import { idFromText, idToText, newId, roomHref } from './session.js';
import { Avatar } from './ui.jsx';

const open = (roomId) => {
  window.location.hash = roomHref(roomId);
};

/** A small form that unfolds from its button. `submit(fields, done)` answers with done(ack). */
function Unfold({ label, title, button, submit, children }) {
  const details = useRef(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');

  const onSubmit = (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    submit(Object.fromEntries(new FormData(form)), (ack) => {
      setBusy(false);
      setError(ack.success ? '' : ack.message);
      if (!ack.success) return;
      form.reset();
      details.current.open = false;
    });
  };
  const onToggle = (event) => event.currentTarget.open && event.currentTarget.querySelector('input, textarea').focus();
  const onKeyDown = (event) => {
    if (event.key !== 'Escape') return;
    details.current.open = false;
    details.current.querySelector('summary').focus();
  };

  return (
    <details name="forms" ref={details} onToggle={onToggle} onKeyDown={onKeyDown}>
      <summary>{label}</summary>
      <form onSubmit={onSubmit} aria-label={title} autoComplete="off">
        {children}
        {error && <p className="error" role="alert">{error}</p>}
        <button type="submit" disabled={busy}>{button}</button>
      </form>
    </details>
  );
}

export function NewRoom() {
  const { emit } = useSocket();
  const submit = ({ name, closed, people }, done) => {
    const participants = people.split(',').filter((id) => id.trim()).map(idFromText);
    emit('create_room', { name, private: closed === 'on', participants }, (ack) => {
      if (ack.success) open(ack.room_id);
      done(ack);
    });
  };
  return (
    <Unfold label="New room" title="New room" button="Create room" submit={submit}>
      <label>Room name<input name="name" required maxLength={100} /></label>
      <label>People <small>user ids with commas between, if any</small><input name="people" placeholder="7, 12" /></label>
      <label className="check"><input type="checkbox" name="closed" /> Private: only for these people</label>
    </Unfold>
  );
}

export function JoinRoom() {
  const submit = ({ room }, done) => {
    open(idFromText(room));
    done({ success: true });
  };
  return (
    <Unfold label="Join" title="Join a room" button="Join room" submit={submit}>
      <label>Room id <small>a new id makes a public room</small><input name="room" required maxLength={128} /></label>
    </Unfold>
  );
}

export function PrivateMessage() {
  const { emit } = useSocket();
  const attempt = useRef({});
  const submit = ({ recipient, message }, done) => {
    // The same text to the same person, tried again, is the same message: it must not be stored twice.
    const key = JSON.stringify([recipient, message]);
    if (attempt.current.key !== key) attempt.current = { key, client_id: newId() };
    const { client_id } = attempt.current;
    emit('private_message', { recipient_id: idFromText(recipient), message, client_id }, (ack) => {
      if (ack.success) attempt.current = {};
      if (ack.success) open(ack.room_id);
      done(ack);
    });
  };
  return (
    <Unfold label="Message" title="Private message" button="Send privately" submit={submit}>
      <label>User id<input name="recipient" required maxLength={128} /></label>
      <label>Private message<textarea name="message" rows="3" required maxLength={10000} /></label>
    </Unfold>
  );
}

/** Who we are, signing in and out; and why not, if the server would not have us. */
export function Account() {
  const { me, isGuest, status, reason, signIn, socket } = useSocket();
  const refused = status === 'unauthorized';
  const submit = ({ token }, done) => {
    signIn(token.trim());
    done({ success: true });
  };
  return (
    <footer className="account">
      {refused && <p className="error" role="alert">{reason}</p>}
      {status === 'closed' && <button type="button" onClick={() => socket.connect()}>Connect again</button>}
      <div className="me" data-testid="me">
        <Avatar id={me?.user_id ?? ''} name={me?.username ?? '?'} />
        <span className="name">{me?.username ?? (isGuest ? 'Guest' : 'Unknown')}</span>
        <small>{isGuest ? 'Guest' : refused ? 'not signed in' : me && `id ${idToText(me.user_id)}`}</small>
        {!isGuest && (
          <button type="button" className="quiet" onClick={() => signIn(null)}>
            {refused ? 'Go on as a guest' : 'Sign out'}
          </button>
        )}
      </div>
      {(isGuest || refused) && (
        <Unfold label="Sign in with a token" title="Sign in" button="Sign in" submit={submit}>
          <label>Access token<textarea name="token" rows="3" required spellCheck="false" /></label>
        </Unfold>
      )}
    </footer>
  );
}
