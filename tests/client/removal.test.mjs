// What a removed user is given, on one node.
import removal from './contract/removal.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const server = await startServer({ rate_limit_messages: 0, typing_timeout_seconds: 60 });

facts('losing access', server, removal);
