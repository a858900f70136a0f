// The doors by which a user holds a connection, each with what is the same for all: being let in, refused, told, closed.
import assert from 'node:assert/strict';

/**
 * `name`; `open(w, token)` resolves to `{told, closed, barrier}`: `told()` to the body of the `error` that came last,
 * `closed()` when the connection is gone, `barrier()` when the server has answered over it.
 * `refuses(w, token, code)` proves that a token gets nobody in, and why. A door more is an entry more.
 */
export const DOORS = [
  socketio('Socket.IO over websocket', ['websocket']),
  socketio('Socket.IO over polling', ['polling']),
  socketio('Socket.IO over polling, then websocket', ['polling', 'websocket']),
  {
    name: 'raw WebSocket',
    async open(w, token) {
      const client = await w.connect({ client: 'raw', token });
      return {
        told: () => client.waitFor('error'),
        closed: () => client.disconnected(),
        barrier: () => client.barrier(),
      };
    },
    // A bad token is taken for none here, so it is a room for users that it does not get anybody into.
    async refuses(w, token, code) {
      const { socket } = w.open({ client: 'raw', token, path: `/ws/chat/${w.id()}/` });
      const { code: closeCode, reason } = await socket.end();
      assert.ok([4401, 4403].includes(closeCode), `${closeCode} ${reason}`);
      assert.match(reason, new RegExp(`^${code}: .`));
    },
  },
];

/** The tenth of a second that an answer may take to get here is not the server's. */
export const AT_ONCE_MS = 1000;

function socketio(name, transports) {
  return {
    name,
    async open(w, token) {
      const client = await w.connect({ transports, token });
      return {
        told: () => client.waitFor('error'),
        closed: () => client.disconnected(),
        barrier: () => client.barrier(),
      };
    },
    async refuses(w, token, code) {
      await assert.rejects(w.connect({ transports, token }), new RegExp(`^Error: ${code}: .`));
    },
  };
}
