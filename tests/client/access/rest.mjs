// The door of those who hold no connection: each command as the request over HTTP that stands for it.
import assert from 'node:assert/strict';
import { Caller, written } from '../support/rest.mjs';

/** Commands that stand for a request; the others need a connection. */
const ROUTES = {
  '/': {
    create_room: 'POST /rooms',
    get_messages: 'GET /rooms/{room_id}/messages',
    get_room_participants: 'GET /rooms/{room_id}/participants',
    get_room: 'GET /rooms/{room_id}',
    get_changes: 'GET /rooms/{room_id}/changes',
    get_user_rooms: 'GET /rooms',
    get_user_conversations: 'GET /conversations',
    chat_message: 'POST /rooms/{room_id}/messages',
    mark_read: 'POST /rooms/{room_id}/read',
    add_participant: 'POST /rooms/{room_id}/participants',
    remove_participant: 'DELETE /rooms/{room_id}/participants',
    rename_room: 'PATCH /rooms/{room_id}',
    archive_room: 'DELETE /rooms/{room_id}',
    private_message: 'POST /private-messages',
    block_user: 'POST /blocks',
    unblock_user: 'DELETE /blocks/{user_id}',
    get_blocked_users: 'GET /blocks',
    search_users: 'GET /search',
    search_rooms: 'GET /search',
  },
  '/support': {
    get_room: 'GET /support/room',
    open_room: 'POST /support/room',
  },
  '/admin': {
    get_rooms: 'GET /admin/rooms',
    admin_message: 'POST /admin/rooms/{room_id}/messages',
    assign_room: 'POST /admin/rooms/{room_id}/assign',
    close_room: 'POST /admin/rooms/{room_id}/close',
  },
};

/** Requests that stand for no command: rows of the table's last part, or of the tests of accounts. */
export const SIGNING_IN = ['GET /auth', 'POST /auth/register', 'POST /auth/login', 'POST /auth/refresh', 'POST /auth/logout', 'POST /guest-sessions'];

/** All requests that stand for a command. */
export const ROUTED = Object.values(ROUTES).flatMap((routes) => Object.values(routes));

export const REST = {
  name: 'REST',
  asks: ({ namespace, command }) => namespace === 'HTTP' || command in (ROUTES[namespace] ?? {}),
  open: (w, namespace, { token, guest_session } = {}) => new RestClient(w.server, namespace, { token, guest_session }),
};

/** The face of a client that is connected, for one who is not. */
class RestClient {
  ready = Promise.resolve();
  trace = [];

  constructor(server, namespace, credentials) {
    Object.assign(this, { namespace, http: new Caller(server, credentials) });
  }

  /** The answer to the request that stands for a command. */
  async request(command, payload) {
    const [method, path] = ROUTES[this.namespace][command].split(' ');
    const fields = asked(command, payload);
    return this.send(method, path, fields, command);
  }

  async send(method, path, { ...fields }, what = `${method} ${path}`) {
    const filled = path.replace(/\{(\w+)\}/g, (_, name) => {
      const value = written(fields[name]);
      delete fields[name];
      return value;
    });
    const hasBody = method === 'POST' || method === 'PATCH';
    const query = new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)]));
    const { status, json } = await this.http.ask(method, hasBody || query.size === 0 ? filled : `${filled}?${query}`, hasBody ? fields : undefined);
    assert.equal(json.success, status < 300, `${method} ${path}: ${status} ${JSON.stringify(json)}`);
    this.trace.push({ ack: what, data: json });
    return json;
  }

  close() {}
}

/** What is searched for is named by the query's field. */
function asked(command, { query, ...rest }) {
  if (command === 'search_users') return { users: query, ...rest };
  return command === 'search_rooms' ? { rooms: query, ...rest } : { ...rest, ...(query === undefined ? {} : { query }) };
}
