// A million connections on 100 nodes: what is needed of everything, by the formulas of paper.mjs.
import { COSTS } from './costs.mjs';
import { databaseWork, message, presence } from './paper.mjs';

const NODES = 100;
const USERS = 1_000_000;
const SIZE = 30;
/** One message a minute and user; all come and go once in an hour, and share rooms with so many. */
const RATE = USERS / 60;
const CHANGES = (2 * USERS) / 3600;
const COMPANIONS = 150;
/** Channels a node: its users, and rooms as `fanout` finds them. */
const CHANNELS = 47_700;

export function report() {
  const said = message({ nodes: NODES, size: SIZE, notified: false });
  const came = presence({ nodes: NODES, companions: COMPANIONS });
  const perNode = USERS / NODES;
  const rows = [];
  const add = (what, formula, needs, unit, most) => rows.push({
    'what': what, 'formula': formula, 'needs': `${round(needs)} ${unit}`, 'there is': most ? `${round(most)} ${unit}` : '', '%': most ? (100 * needs) / most : NaN,
  });
  add('node: memory', 'users/M · idle', (perNode * COSTS.idleBytes) / 1e9, 'GB', 4);
  add('node: pings', 'users/M / 25 s', perNode / COSTS.pingInterval, '/s');
  add('node: deliveries', 'rate · n / M', (RATE * SIZE) / NODES, '/s');
  add('node: envelopes heard', '(rate · h + changes · M) / M', (RATE * said.outputs + CHANGES * came.outputs) / NODES, '/s');
  add('node: CPU', 'rate · cost / M + changes · hear', (RATE * said.nodeCpu) / NODES + CHANGES * came.hear + (CHANGES / 2 / NODES) * COSTS.connectNode, 'cores', COSTS.nodeCores);
  add('node: network', 'rate · (n · frame + h · envelope) / M', (RATE * said.nodeBytes + CHANGES * came.bytes) / NODES / 1e6, 'MB/s', COSTS.network / 1e6);
  add('Redis: copies', 'rate · h + changes · M', RATE * said.outputs + CHANGES * came.outputs, '/s');
  add('Redis: CPU for messages', 'rate · (count + publish + h · copy)', RATE * said.redisCpu, 'cores', 1);
  add('Redis: CPU for presence', 'changes · (publish + M · copy + scripts)', CHANGES * (came.redisCpu + COSTS.connectRedis), 'cores', 1);
  add('Redis: network', 'rate · h · envelope + changes · M · size', (RATE * said.redisBytes + CHANGES * came.bytes) / 1e6, 'MB/s', COSTS.network / 1e6);
  add('Redis: memory', 'M · channels · 223 + users · 739', (NODES * CHANNELS * COSTS.subscriptionBytes + USERS * COSTS.onlineBytes) / 1e9, 'GB', 8);
  add('PostgreSQL: CPU for messages', 'rate · (retry + message + room + batch / 1.7)', databaseWork({ nodes: NODES, rate: RATE, cost: said }), 'cores', COSTS.databaseCores);
  add('PostgreSQL: CPU for comings', 'changes/2 · (come + go)', (CHANGES / 2) * (COSTS.connectDatabase + COSTS.leaveDatabase), 'cores', COSTS.databaseCores);
  add('PostgreSQL: flushes', '1 / flush, shared', Math.min(RATE, 1 / COSTS.flush), '/s', 1 / COSTS.flush);
  add('PostgreSQL: log', 'rate · bytes', (RATE * COSTS.walBytes) / 1e6, 'MB/s', 200);
  add('PostgreSQL: a day', 'rate · 86,400 · bytes', (RATE * 86_400 * COSTS.rowBytes) / 1e9, 'GB');
  add('PostgreSQL: connections', 'M · (10 + 2)', NODES * 12, '', 1000);
  return rows;
}

const round = (value) => (value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(2))));
