// Customer support: customers in /support, staff in /admin, and guests who turn out to be users.
import conversations from './customers/conversations.mjs';
import desk from './customers/desk.mjs';
import linking from './customers/linking.mjs';
import { TRANSPORTS } from './support/clients.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const server = await startServer({ guest_tenants: '*', max_guests_per_ip_per_minute: 0, max_pending_per_ip: 1000 });

for (const transports of TRANSPORTS) {
  const title = transports.join(', then ');
  facts(`conversations over ${title}`, server, conversations, { transports });
  facts(`the desk over ${title}`, server, desk, { transports });
  facts(`linking over ${title}`, server, linking, { transports });
}
