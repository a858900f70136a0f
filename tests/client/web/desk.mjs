// The staff's console in a browser, and customers who write from somewhere else.
import { randomUUID } from 'node:crypto';
import { connect, token } from '../support/clients.mjs';
import { openProfile } from './support.mjs';

let lastId = 0;

/** Somebody of the staff: `{id, name, token}`. */
export function staffMember(name, claims = {}) {
  lastId += 1;
  const id = `staff-${lastId}`;
  return { id, name, token: token({ user_id: id, username: name, is_staff: true, ...claims }) };
}

/** A guest who asks for help, over a plain client. */
export async function customer(t, server, name, { message, email, ...options } = {}) {
  const client = await connect(server.url, { namespace: '/support', ...options });
  t?.after(() => client.close());
  const { guest_session } = await client.waitFor('session');
  // Who comes back is the same guest.
  client.socket.auth = { guest_session };
  const { room_id } = await client.ok('open_room', { name, ...(email && { email }) });
  const written = message === undefined ? undefined : (await client.ok('chat_message', { content: message })).message;
  return Object.assign(client, {
    room: room_id,
    written,
    writes: async (content) => (await client.ok('chat_message', { content, client_id: randomUUID() })).message,
    hears: (content) => client.waitFor('new_message', { content }),
  });
}

/** A console in a window of its own profile, signed in by a link. */
export async function openDesk(t, server, member, path = '/staff', options = {}) {
  const profile = await openProfile(t, server, options);
  const window = await profile.newTab();
  await options.beforeVisit?.(window);
  await window.visit(`${path}#token=${member.token}`);
  return onDesk(window, member);
}

/** What a console has beside what every window has. */
export async function onDesk(window, member) {
  const { page } = window;
  Object.assign(window, {
    rows: page.getByRole('list', { name: 'Customers' }),
    activity: page.getByRole('status', { name: 'Activity' }),
    row: (name) => window.rows.getByRole('link').filter({ hasText: name }),
    show: (status) => page.getByRole('group', { name: 'Status' }).getByText(status).click(),
    open: async (name) => {
      await window.row(name).click();
      await window.inRoom(name);
    },
    inRoom: async (name) => {
      await window.heading(name).waitFor();
      await page.locator('[role=log][aria-busy=false]').waitFor();
    },
    badge: (name, n) => window.row(name).getByText(`${n} unread message${n === 1 ? '' : 's'}`),
    /** `Sent` or `Read`, as it stands beside a message of the staff. */
    mark: (text, mark) => window.message(text, 'sent').getByText(mark, { exact: true }),
    ready: async () => {
      await window.live();
      await window.isSignedInAs(member.name);
      await page.locator('nav [aria-busy=false]').waitFor();
    },
  });
  await window.ready();
  return window;
}
