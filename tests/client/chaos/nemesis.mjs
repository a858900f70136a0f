// What goes wrong, and when: one fault after the other in each of two lanes, nodes in the one, services in the other.
import { setTimeout as sleep } from 'node:timers/promises';

const CUTS = ['refuse', 'hang', 'hang in', 'hang out', 'slow', 'reset'];
/** Long enough for a node that died to be missed, without anything else in the way. */
const NODES_ONLY_MS = 24_000;
/** How many faults last so long that leases end and clients lose their patience, where there is time for it. */
const LONG = { share: 0.2, lasts: [5000, 20_000], from: 180 };

/** Each: what it is called, what suffers, `begin`, and `end` after some time. */
const NODE_ACTS = {
  'kill node': {
    harms: ['node'],
    async begin({ node, random, leave }) {
      leave(node);
      await sleep(random.below(15));
      await node.kill();
    },
    end: ({ node }) => node.startAgain(),
  },
  'drain node': { harms: ['node'], begin: ({ node }) => node.stop(), end: ({ node }) => node.startAgain() },
};

const SERVICE_ACTS = {
  'kill redis': { harms: ['redis', 'counts'], begin: ({ stage }) => stage.redis.kill(), end: ({ stage }) => stage.redis.start() },
  'pause redis': { harms: ['redis'], begin: ({ stage }) => stage.redis.pause(), end: ({ stage }) => stage.redis.resume() },
  'flush redis': { harms: ['redis', 'counts'], begin: ({ stage }) => stage.command('FLUSHALL'), end() {} },
  'fill redis': {
    harms: ['redis'],
    begin: ({ stage }) => stage.command('CONFIG', 'SET', 'maxmemory', '1'),
    end: ({ stage }) => stage.command('CONFIG', 'SET', 'maxmemory', '0'),
  },
  'cut redis': { harms: ['redis'], cuts: 'redis' },
  'kill database': { harms: ['database'], begin: ({ stage }) => stage.postgres.kill(), end: ({ stage }) => stage.postgres.start() },
  'stop database': { harms: ['database'], begin: ({ stage }) => stage.postgres.end('SIGQUIT'), end: ({ stage }) => stage.postgres.start() },
  'pause database': { harms: ['database'], begin: ({ stage }) => stage.pausePostgres(), end: ({ stage }) => stage.resumePostgres() },
  'cut database': { harms: ['database'], cuts: 'postgres' },
};

const needs = ({ harms }) => (harms.includes('redis') ? 'redis' : 'postgres');
const serviceActs = (services) => Object.fromEntries(Object.entries(SERVICE_ACTS).filter(([, act]) => services.includes(needs(act))));

/** Which faults there are with some services. */
export const acts = (services) => [...Object.keys(NODE_ACTS), ...Object.keys(serviceActs(services))];

export class Nemesis {
  #isOver = false;
  /** Acts of which not all were done yet. */
  #pending = new Set();

  /** `leave(node)` is called before a node is killed. */
  constructor({ stage, tape, random, leave, seconds }) {
    Object.assign(this, { stage, tape, random, leave, seconds });
  }

  /** Whether every fault was there. */
  get hasDoneAll() { return this.#pending.size === 0; }

  start() {
    const ofServices = serviceActs(['redis', 'postgres'].filter((service) => this.stage[service]));
    this.#pending = new Set([NODE_ACTS, ofServices]);
    // A death first, while nothing is in the way of its being noticed.
    this.running = Promise.all([
      this.#act('kill node', NODE_ACTS, 3000).then(() => this.#lane(NODE_ACTS, [4000, 8000])),
      this.#calm(NODES_ONLY_MS).then(() => this.#lane(ofServices, [1500, 4500])),
    ]);
  }

  /** No more of it: resolves when all is as it was. */
  async end() {
    this.#isOver = true;
    await this.running;
  }

  /** All acts in any order, and again. */
  async #lane(acts, pause) {
    while (!this.#isOver) {
      for (const what of this.#shuffled(Object.keys(acts))) {
        await this.#calm(this.#between(pause));
        if (!this.#isOver) await this.#act(what, acts, this.#between(this.#lasts()));
      }
      if (!this.#isOver) this.#pending.delete(acts);
      // Services are left alone for so long now and then that presence can be judged.
      await this.#calm(acts === NODE_ACTS ? 100 : NODES_ONLY_MS);
    }
  }

  #lasts() { return this.seconds >= LONG.from && this.random.chance(LONG.share) ? LONG.lasts : [500, 4000]; }

  async #act(what, acts, lasts) {
    const { stage, tape, random, leave } = this;
    const node = random.pick(stage.nodes.filter(({ isUp }) => isUp)) ?? random.pick(stage.nodes);
    const { harms, cuts, ...own } = acts[what];
    const { begin, end, how } = cuts ? this.#cut(cuts) : own;
    const target = { stage, node, random, leave };
    const fault = tape.id('f');
    const at = acts === NODE_ACTS || cuts ? { node: node.name } : {};
    tape.note('fault', { fault, what, how, harms, ...at });
    await begin(target);
    await this.#calm(lasts);
    await end(target);
    tape.note('heal', { fault });
  }

  #cut(service) {
    const { random } = this;
    const mode = random.pick(CUTS);
    const cut = random.chance(0.5);
    return {
      how: cut ? `${mode}, cut after` : mode,
      begin: ({ node }) => node.ways[service].set(mode, { delay: mode === 'slow' ? this.#between([100, 900]) : 0 }),
      end: ({ node }) => node.ways[service].heal({ cut }),
    };
  }

  async #calm(ms) {
    const until = performance.now() + ms;
    while (!this.#isOver && performance.now() < until) await sleep(Math.min(100, until - performance.now()));
  }

  #between([least, most]) { return least + this.random.below(most - least); }

  #shuffled(list) {
    const left = [...list];
    return list.map(() => left.splice(this.random.below(left.length), 1)[0]);
  }
}
