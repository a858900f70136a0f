// The doors by which the matrix asks: each opens a connection in a namespace, with the face of a socket.io-client.

const PATHS = { '/': '/ws/chat/', '/support': '/ws/support/', '/admin': '/ws/admin/chat/' };

/**
 * `open(w, namespace, credentials)` gives a client that connects, see `support/clients.mjs`; `asks(row)` says whether a row of
 * the table is for the door. A door more is an entry more.
 */
export const DOORS = [
  socketio('Socket.IO over websocket', ['websocket']),
  socketio('Socket.IO over polling', ['polling']),
  {
    name: 'raw WebSocket',
    asks: isCommand,
    open: (w, namespace, auth) => w.open({ client: 'raw', path: PATHS[namespace], auth, label: namespace }),
  },
];

function isCommand({ namespace }) { return namespace.startsWith('/'); }

function socketio(name, transports) {
  return {
    name,
    asks: isCommand,
    open: (w, namespace, auth) => w.open({ transports, namespace: namespace === '/' ? '' : namespace, auth, label: namespace }),
  };
}

/** The code with which a connection was refused: `unauthorized: …`, `4401 unauthorized: …`. */
export const refusal = (error) => /^(?:\d{4} )?([a-z_]+): ./.exec(error.message)?.[1] ?? error.message;

/** What asks nothing but to be answered, after all that was on its way. */
export const MARKER = { '/': ['leave_room', { room_id: 'nowhere' }], '/support': ['get_room', {}], '/admin': ['get_rooms', { limit: 1 }] };
