import { useCallback, useEffect, useState } from 'react';
import { useSocket } from './SocketContext.jsx';

const PAGE = 50;
const NOTHING = { room: null, messages: null, hasMore: false, people: new Map(), typing: [], error: null };

/** Each message once, in the room's order; of two versions of one the newer. */
function merge(list, incoming) {
  const byId = new Map(list.map((message) => [message.id, message]));
  for (const message of incoming) {
    const known = byId.get(message.id);
    if (!known || known.rev <= message.rev) byId.set(message.id, message);
  }
  return [...byId.values()].sort((a, b) => a.seq - b.seq);
}

/** merge, but leaving out what is older than the part of the history that is shown. */
const follow = (list, changes) =>
  merge(list ?? [], changes.filter((message) => !list?.length || message.seq >= list[0].seq));

/** One room, kept in step with the server through lost connections: its messages, people and who is typing. */
export function useRoom(roomId, outbox) {
  const { socket, emit } = useSocket();
  const [state, setState] = useState(NOTHING);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    if (!socket) return undefined;
    let gone = false; // this effect was cleaned up: late answers are not for us
    let joined = false; // in the room's live stream, so every revision arrives in order
    let loaded = false; // the history up to `rev` is in the list
    let rev = 0; // everything up to here has been seen

    const update = (patch) => {
      if (!gone) setState((old) => ({ ...old, ...(typeof patch === 'function' ? patch(old) : patch) }));
    };
    // Presence is heard of everybody in the tenant, so only who enters (and says a name) is added.
    const setPerson = (id, patch) =>
      update(({ people }) => {
        const person = people.get(id) ?? (patch.username ? { id } : null);
        return person ? { people: new Map(people).set(id, { ...person, ...patch }) } : {};
      });

    const join = () => {
      const since = loaded ? rev : undefined;
      emit('join_room', { room_id: roomId, since }, (ack) => {
        if (gone || !socket.connected) return;
        if (!ack.success) return update({ error: ack });
        joined = true;
        rev = ack.rev;
        update({ room: ack.room, error: null });
        if (ack.changes) update(({ messages }) => ({ messages: follow(messages, ack.changes) }));
        else load(); // the first time, or too much was missed
        emit('get_room_participants', { room_id: roomId }, (answer) => {
          if (answer.success) update({ people: new Map(answer.participants.map((person) => [person.id, person])) });
        });
      });
    };
    const load = () => {
      loaded = false;
      emit('get_messages', { room_id: roomId, limit: PAGE }, (ack) => {
        if (gone || !socket.connected) return;
        if (!ack.success) return update({ error: ack });
        // Replace by the answer, then append what arrives after it: that is the exact history.
        loaded = true;
        rev = ack.rev;
        update({ messages: ack.messages, hasMore: ack.has_more });
      });
    };

    const here = (handler) => (event) => event.room_id === roomId && handler(event);
    const handlers = {
      connect: join,
      disconnect: () => {
        joined = false;
        update({ typing: [] });
      },
      new_message: here((message) => {
        // A private message may arrive before we are back in the room; what lies between is still to come.
        if (joined) rev = Math.max(rev, message.rev);
        update(({ messages }) => ({ messages: follow(messages, [message]) }));
      }),
      typing_update: here(({ typing_users }) => update({ typing: typing_users })),
      user_joined: here(({ user_id, username }) => setPerson(user_id, { username, online: true })),
      user_left: here(({ user_id, username }) => setPerson(user_id, { username, online: false })),
      user_online: ({ user_id }) => setPerson(user_id, { online: true }),
      user_offline: ({ user_id }) => setPerson(user_id, { online: false }),
    };
    for (const [event, handler] of Object.entries(handlers)) socket.on(event, handler);

    // Our own message's acknowledgement may be here before its new_message is.
    const { onSent } = outbox;
    onSent.current = here((message) => update(({ messages }) => ({ messages: follow(messages, [message]) })));

    setState(NOTHING);
    if (socket.connected) join();
    return () => {
      gone = true;
      onSent.current = () => {};
      for (const [event, handler] of Object.entries(handlers)) socket.off(event, handler);
      emit('leave_room', { room_id: roomId });
    };
  }, [socket, emit, roomId, attempt, outbox.onSent]);

  const loadOlder = useCallback(
    (done) => {
      emit('get_messages', { room_id: roomId, limit: PAGE, before: state.messages[0].seq }, (ack) => {
        if (ack.success) setState((old) => ({ ...old, messages: merge(old.messages, ack.messages), hasMore: ack.has_more }));
        done(ack);
      });
    },
    [emit, roomId, state.messages],
  );
  const tryAgain = useCallback(() => setAttempt((count) => count + 1), []);

  return { ...state, loadOlder, tryAgain };
}
