// A support conversation without a socket on either side, and with one on the other.
import assert from 'node:assert/strict';
import { Caller, rest, restGuest } from '../support/rest.mjs';
import { assertKeys, assertMessage } from '../support/shapes.mjs';

const staffOf = (w) => rest(w, 'agent', { is_staff: true });

export default {
  'a customer opens a room once: 201 for the first time, 200 afterwards': async (w) => {
    const customer = rest(w, 'alice');
    assert.deepEqual(await customer.ok('GET', '/support/room'), { success: true, room: null });
    const opened = await customer.ask('POST', '/support/room', { email: 'alice@example.com' });
    assert.equal(opened.status, 201, opened.body);
    assertKeys(opened.json, ['success', 'room_id', 'room', 'created']);
    const again = await customer.ask('POST', '/support/room');
    assert.deepEqual([again.status, again.json.created, again.json.room_id], [200, false, opened.json.room_id]);
    assert.equal((await customer.ok('GET', '/support/room')).room.id, opened.json.room_id);
  },

  'a customer and staff talk, and one of them waits for the other': async (w) => {
    const [customer, staff] = [rest(w, 'alice'), staffOf(w)];
    const { room_id } = await customer.ok('POST', '/support/room', {});
    const { message } = await customer.made(`/rooms/${room_id}/messages`, { message: 'help' });
    assertMessage(message, { content: 'help', sender_type: 'customer' });
    const [listed] = (await staff.ok('GET', '/admin/rooms?status=waiting&limit=10')).rooms;
    assert.deepEqual([listed.id, listed.status, listed.unread_count], [room_id, 'waiting', 1]);
    const held = customer.hold('GET', `/rooms/${room_id}/changes?since=${message.rev}&wait=30`);
    await held.sent;
    const reply = await staff.made(`/admin/rooms/${room_id}/messages`, { content: 'with what?', if_rev: message.rev });
    assertMessage(reply.message, { content: 'with what?', sender_type: 'staff' });
    assert.deepEqual((await held.answer).json.changes.map(({ id }) => id), [reply.message.id]);
    await staff.refused('stale_reply', 'POST', `/admin/rooms/${room_id}/messages`, { content: 'so?', if_rev: message.rev - 1 });
    assert.equal((await staff.ok('POST', `/admin/rooms/${room_id}/assign`, {})).room.assigned_to, 'agent');
    assert.equal((await staff.ok('POST', `/admin/rooms/${room_id}/close`)).room.status, 'closed');
    await customer.refused('room_closed', 'POST', `/rooms/${room_id}/messages`, { message: 'hello?' });
  },

  'a guest who signs in has the rooms that the guest had, and no other user gets them': async (w) => {
    const guest = await restGuest(w);
    const { room_id } = await guest.ok('POST', '/support/room', { name: 'Ann' });
    await guest.made(`/rooms/${room_id}/messages`, { message: 'before' });
    // Guests are guests of the tenant `default`.
    const user = (id) => rest(w, id, { tenant: 'default' });
    const [ann, eve] = [w.id('ann'), w.id('eve')];
    const { guest_session } = guest.session;
    await user(ann).ok('POST', '/guest-sessions/link', { guest_session });
    await user(ann).ok('POST', '/guest-sessions/link', { guest_session });
    await user(eve).refused('guest_already_linked', 'POST', '/guest-sessions/link', { guest_session });
    await user(ann).refused('not_found', 'POST', '/guest-sessions/link', { guest_session: 'nothing' });
    assert.equal((await user(ann).ok('GET', '/support/room')).room.id, room_id);
    await user(eve).refused('access_denied', 'GET', `/rooms/${room_id}/messages`);
    const other = await restGuest(w);
    const both = new Caller(w.server, { token: w.token(ann, { tenant: 'default' }), guest_session: other.session.guest_session });
    const { room_id: second } = await other.made('/rooms', { name: 'Mine', private: true });
    await both.ok('GET', `/rooms/${second}`);
  },
};
