// The rate limit, on one node.
import perMinute, { SHORT, passing } from './contract/rate-limit.mjs';
import { startServer } from './support/server.mjs';
import { facts } from './support/world.mjs';

const [usual, short] = await Promise.all([startServer(), startServer(SHORT)]);

facts('20 in 60 seconds', usual, perMinute);
facts('3 in 2 seconds', short, passing);
