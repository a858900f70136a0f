import { createContext, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { io } from 'socket.io-client';
import { readGuest, readToken, saveGuest, saveToken, userOf } from './session.js';

const SERVER_URL = import.meta.env.VITE_CONFAB_URL || window.location.origin;
const ACK_TIMEOUT_MS = 10_000;
const TRY_AGAIN_MS = 3_000;

const SocketContext = createContext(null);
export const useSocket = () => useContext(SocketContext);

/** One socket for the whole page, who we are on it, and whether it is connected. */
export function SocketProvider({ children }) {
  const [token, setToken] = useState(readToken);
  const [guest, setGuest] = useState(() => {
    const { guest_session, ...user } = readGuest() ?? {};
    return guest_session ? user : null;
  });
  const [socket, setSocket] = useState(null);
  // 'connecting' | 'live' | 'reconnecting' | 'unauthorized' | 'closed'
  const [status, setStatus] = useState('connecting');
  const [reason, setReason] = useState('');

  useEffect(() => {
    const auth = token ? { token } : { guest_session: readGuest()?.guest_session };
    const socket = io(SERVER_URL, { auth, transports: ['websocket'] });
    let timer;

    socket.on('connect', () => setStatus('live'));
    // A lost connection comes back by itself (socket.active), one that the server ended does not.
    socket.on('disconnect', () => setStatus(socket.active ? 'reconnecting' : 'closed'));
    socket.on('connect_error', (error) => {
      setReason(error.message);
      if (socket.active) return setStatus('reconnecting');
      if (error.message.startsWith('unauthorized')) return setStatus('unauthorized');
      // Refused for another reason (too many connections, say): socket.io-client leaves trying again to us.
      setStatus('reconnecting');
      timer = setTimeout(() => socket.connect(), TRY_AGAIN_MS);
    });
    // Only a new guest is told its session; the next connections resume it.
    socket.on('session', ({ guest_session, user_id, username }) => {
      saveGuest({ guest_session, user_id, username });
      setGuest({ user_id, username });
      socket.auth = { guest_session };
    });

    setStatus('connecting');
    setSocket(socket);
    return () => {
      clearTimeout(timer);
      socket.disconnect();
    };
  }, [token]);

  // A link with #token=… that is opened in this very tab changes the address only.
  useEffect(() => {
    const follow = () => setToken(readToken());
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);

  /** With a callback, the callback is called exactly once, always with one object: `{success, …}`. */
  const emit = useCallback(
    (event, data, callback) => {
      if (!callback) return void (socket.connected && socket.emit(event, data));
      socket.timeout(ACK_TIMEOUT_MS).emit(event, data, (error, ack) => {
        callback(error ? { success: false, code: 'no_answer', message: 'The server did not answer.' } : ack);
      });
    },
    [socket],
  );

  const signIn = useCallback((newToken) => {
    saveToken(newToken);
    setToken(newToken);
  }, []);

  const me = useMemo(() => (token ? userOf(token) : guest), [token, guest]);
  const value = useMemo(
    () => ({ socket, emit, status, reason, isGuest: !token, me, signIn }),
    [socket, emit, status, reason, token, me, signIn],
  );
  return <SocketContext value={value}>{children}</SocketContext>;
}
