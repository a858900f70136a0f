// The doors by which a user holds a connection, each with what is the same for all: being let in, refused, told, closed.
import assert from 'node:assert/strict';

/** How long a connection may last whose access has ended. */
export const AT_ONCE_MS = 1000;

/** With a close code in front, the namespace and the door of staff say it as contract and browsers want it. */
const CODES = { unauthorized: 4401, signed_out: 4401, account_disabled: 4403 };

/**
 * `name`; `open(w, token)` resolves to `{told, closed, barrier}`: `told()` to the body of the `error` that came, `closed()`
 * to the reason when the connection is gone, `barrier()` when the server has answered over it. `ends(reason, code)` checks
 * what a client reads of it. `refuses(w, token, code)` proves that a token lets nobody in as its user, and why. A door more
 * is an entry more.
 */
export const DOORS = [
  socketio('Socket.IO over websocket', { transports: ['websocket'] }),
  socketio('Socket.IO over polling', { transports: ['polling'] }),
  socketio('Socket.IO over polling, then websocket', { transports: ['polling', 'websocket'] }),
  socketio('Socket.IO, namespace /support', { namespace: '/support' }),
  websocket('raw WebSocket', { path: '/ws/chat/' }),
];

/** The doors of staff. */
export const DESKS = [
  socketio('Socket.IO, namespace /admin', { namespace: '/admin' }),
  websocket('raw WebSocket of staff', { path: '/ws/admin/chat/' }),
];

const connection = (client) => ({
  told: () => client.waitFor('error'),
  closed: () => client.disconnected(),
  // Refused everywhere, and answered all the same.
  barrier: () => client.refused('unknown_event', 'is_anybody_there', {}),
});

function socketio(name, options) {
  return {
    name,
    open: async (w, token) => connection(await w.connect({ ...options, token })),
    // "io server disconnect" would tell the client not to come back.
    ends: (reason) => assert.ok(['transport close', 'transport error'].includes(reason), reason),
    async refuses(w, token, code) {
      const refusal = options.namespace === '/admin' ? `${CODES[code]} ${code}: .` : `${code}: .`;
      await assert.rejects(w.connect({ ...options, token }), new RegExp(`^Error: ${refusal}`));
    },
  };
}

function websocket(name, options) {
  return {
    name,
    open: async (w, token) => connection(await w.connect({ client: 'raw', ...options, token })),
    ends: (reason, code) => assert.ok(reason.startsWith(`${CODES[code]} `), reason),
    async refuses(w, token, code) {
      if (code === 'unauthorized' && !options.path.includes('admin')) {
        // A bad token is as good as none at this door: whoever shows it is a stranger.
        const guest = await w.connect({ client: 'raw', ...options, token });
        assert.match((await guest.waitFor('session')).user_id, /^guest_/);
        return;
      }
      const error = await w.connect({ client: 'raw', ...options, token }).then(() => assert.fail('it was let in'), (refused) => refused);
      assert.equal(error.code, CODES[code], error.message);
    },
  };
}
