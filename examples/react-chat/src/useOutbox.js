import { useCallback, useEffect, useRef, useState } from 'react';
import { useSocket } from './SocketContext.jsx';
import { newId } from './session.js';

const ACK_TIMEOUT_MS = 10_000;
const SHORTEST_WAIT_MS = 200;

/**
 * Messages on their way. They are sent one after the other, so they are stored in the order they were written in, and
 * each keeps its client_id: when a connection is lost before the acknowledgement came, the message is sent again and
 * the server stores it once.
 *
 * items: messages like those of the server, with `state: 'pending' | 'failed'` and no id yet
 * heldUntil: the time at which the rate limit lets the next one through, 0 if it is not in the way.
 */
export function useOutbox() {
  const { socket, me } = useSocket();
  const queue = useRef([]);
  const pump = useRef(() => {});
  const onSent = useRef(() => {});
  const [items, setItems] = useState([]);
  const [heldUntil, setHeldUntil] = useState(0);

  const change = useCallback((newQueue) => {
    queue.current = newQueue;
    setItems(newQueue);
    pump.current();
  }, []);
  const replace = useCallback(
    (item, patch) => change(queue.current.map((each) => (each.client_id === item.client_id ? { ...each, ...patch } : each))),
    [change],
  );
  const discard = useCallback(
    (item) => change(queue.current.filter((each) => each.client_id !== item.client_id)),
    [change],
  );

  const userId = me?.user_id;
  useEffect(() => {
    if (!socket) return undefined;
    let busy = false;
    let timer = 0;

    pump.current = () => {
      // Only our own: what one user left unsent is not sent by the next one who signs in.
      const item = queue.current.find((each) => each.state === 'pending' && each.user_id === userId);
      if (!item || busy || timer || !socket.connected) return;
      busy = true;
      const { room_id, message, client_id } = item;
      socket.timeout(ACK_TIMEOUT_MS).emit('chat_message', { room_id, message, client_id }, (error, ack) => {
        busy = false;
        if (ack?.success) {
          onSent.current(ack.message);
          discard(item);
        } else if (ack && 'retry_after_ms' in ack) {
          const wait = Math.max(ack.retry_after_ms, SHORTEST_WAIT_MS);
          setHeldUntil(Date.now() + wait);
          timer = setTimeout(release, wait);
        } else if (ack) {
          replace(item, { state: 'failed', error: ack.message });
        } else if (socket.connected) {
          replace(item, { state: 'failed', error: 'The server did not answer.', unanswered: true });
        } // else the connection was lost: it stays pending, and 'connect' sends it again.
      });
    };
    const release = () => {
      timer = 0;
      setHeldUntil(0);
      pump.current();
    };
    const onConnect = () =>
      change(queue.current.map((each) => (each.unanswered ? { ...each, state: 'pending', unanswered: false } : each)));

    socket.on('connect', onConnect);
    pump.current();
    return () => {
      clearTimeout(timer);
      setHeldUntil(0);
      pump.current = () => {};
      socket.off('connect', onConnect);
    };
  }, [socket, userId, change, discard, replace]);

  const send = useCallback(
    (room_id, message) => {
      const timestamp = new Date().toISOString();
      change([...queue.current, { ...me, client_id: newId(), room_id, message, timestamp, state: 'pending' }]);
    },
    [change, me],
  );
  const retry = useCallback((item) => replace(item, { state: 'pending', error: undefined }), [replace]);

  return { items, heldUntil, send, retry, discard, onSent };
}
