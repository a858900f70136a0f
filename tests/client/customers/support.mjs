// Customers and staff, connected to their namespaces.
import assert from 'node:assert/strict';

export const STAFF = { is_staff: true };

/** A guest in /support, of the world's tenant. */
export async function guest(w, options = {}) {
  const { auth = {}, ...rest } = options;
  const client = await w.connect({ namespace: '/support', auth: { tenant: w.tenant, ...auth }, label: 'guest', ...rest });
  if (!auth.guest_session) {
    client.session = await client.waitFor('session');
    Object.assign(client, { id: client.session.user_id, username: client.session.username });
  }
  return client;
}

/** A signed-in customer in /support. */
export async function customer(w, id = w.id('customer'), { auth = {}, claims = {}, ...rest } = {}) {
  const client = await w.connect({
    namespace: '/support', auth: { token: w.token(id, claims), ...auth }, label: id, ...rest,
  });
  return Object.assign(client, { id, username: String(id).toUpperCase() });
}

/** Somebody of the staff at the desk, who was told where everything stands. */
export async function staff(w, id = w.id('staff'), options = {}) {
  const client = await w.connect({ namespace: '/admin', token: w.token(id, STAFF), label: id, ...options });
  const status = await client.waitFor('room_status');
  return Object.assign(client, { id, username: String(id).toUpperCase(), status });
}

/** Two round trips of a customer. */
export async function customerBarrier(client) {
  for (let i = 0; i < 2; i += 1) await client.ok('get_room', {});
}

/** Two round trips of staff. */
export async function deskBarrier(client) {
  for (let i = 0; i < 2; i += 1) await client.ok('get_rooms', { limit: 1 });
}

/** The texts of a list of messages. */
export const texts = (messages) => messages.map(({ content }) => content);

export function assertSupportMessage(message, fields) {
  for (const key of ['id', 'room_id', 'content', 'message', 'sender_type', 'sender_name', 'is_read', 'seq', 'rev', 'timestamp']) {
    assert.ok(key in message, `${key} is missing in ${JSON.stringify(message)}`);
  }
  assert.equal(message.content, message.message);
  for (const [key, value] of Object.entries(fields)) assert.deepStrictEqual(message[key], value, key);
}
