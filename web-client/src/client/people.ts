import { createStore } from 'zustand/vanilla';
import type { PresenceUpdate } from '../protocol/generated/PresenceUpdate';
import type { Timestamp } from '../protocol/generated/Timestamp';
import type { UserId } from '../protocol/generated/UserId';
import type { Readable } from './readable';

export interface Presence {
  readonly online: boolean;
  readonly last_seen: Timestamp | null;
}

export interface PeopleState {
  readonly names: ReadonlyMap<UserId, string>;
  readonly presence: ReadonlyMap<UserId, Presence>;
}

interface Known extends Presence {
  readonly id: UserId;
  readonly username: string;
}

export interface People {
  readonly state: Readable<PeopleState>;
  /** Told now, by a list or an event. */
  learn(people: readonly Known[]): void;
  update(update: PresenceUpdate, online: boolean): void;
  /** A name that may be an old one, as messages carry it: good if there is no other. */
  called(id: UserId, username: string): void;
  /** Another connection: what was known may be over. */
  doubt(): void;
  /** Whoever was not told of since `doubt` is not known to be online. */
  settle(): void;
}

export function createPeople(me: Pick<Known, 'id' | 'username'>): People {
  const state = createStore<PeopleState>(() => ({ names: new Map([[me.id, me.username]]), presence: new Map() }));
  let heardOf = new Set<UserId>();

  function learn(people: readonly Known[]) {
    const { names, presence } = state.getState();
    const renamed = people.filter(({ id, username }) => names.get(id) !== username);
    const moved = people.filter(({ id, online, last_seen }) => {
      const known = presence.get(id);
      return known?.online !== online || known.last_seen !== last_seen;
    });
    for (const { id } of people) heardOf.add(id);
    if (renamed.length === 0 && moved.length === 0) return;
    state.setState({
      names: withEntries(names, renamed, ({ username }) => username),
      presence: withEntries(presence, moved, ({ online, last_seen }) => ({ online, last_seen })),
    });
  }

  return {
    state,
    learn,
    update: ({ user_id, username, last_seen }, online) =>
      learn([{ id: user_id, username, online, last_seen: online ? null : (last_seen ?? null) }]),
    called: (id, username) => {
      const { names } = state.getState();
      if (!names.has(id)) state.setState({ names: new Map(names).set(id, username) });
    },
    doubt: () => {
      heardOf = new Set();
    },
    settle: () => {
      const { presence } = state.getState();
      const sure = [...presence].filter(([id, { online }]) => !online || heardOf.has(id));
      if (sure.length < presence.size) state.setState({ presence: new Map(sure) });
    },
  };
}

function withEntries<T>(
  map: ReadonlyMap<UserId, T>,
  people: readonly Known[],
  value: (person: Known) => T,
): ReadonlyMap<UserId, T> {
  return people.length === 0 ? map : new Map([...map, ...people.map((person) => [person.id, value(person)] as const)]);
}
