// What is written and not sent yet: per user and room, over reloads, and gone with the user.

import { createStore } from 'zustand/vanilla';
import type { RoomId } from '../protocol/generated/RoomId';
import type { UserId } from '../protocol/generated/UserId';
import type { Kept } from './environment';
import type { Readable } from './readable';

const PREFIX = 'confab.draft:';

/** Whose they are: a user's id is unique in its tenant. */
export interface Owner {
  readonly tenant: string | null;
  readonly user_id: UserId | null;
}

/** Ids keep their type: `7` and `"7"` are two. */
const prefixOf = ({ tenant, user_id }: Owner): string => `${PREFIX}${JSON.stringify([tenant, user_id])}:`;

/** Deletes the drafts of everybody but `owner`, who may be nobody. */
export function forgetDrafts(kept: Kept, owner: Owner): void {
  for (const key of kept.keys()) {
    if (key.startsWith(PREFIX) && !key.startsWith(prefixOf(owner))) kept.remove(key);
  }
}

export interface Drafts {
  readonly state: Readable<ReadonlyMap<RoomId, string>>;
  set(roomId: RoomId, text: string): void;
  dispose(): void;
}

export function createDrafts(kept: Kept, owner: Owner): Drafts {
  const prefix = prefixOf(owner);
  const state = createStore<ReadonlyMap<RoomId, string>>(() => read(kept, prefix));
  let isDisposed = false;
  const stop = kept.onChange((key) => {
    if (key === null || key.startsWith(prefix)) state.setState(read(kept, prefix), true);
  });
  return {
    state,
    set: (roomId, text) => {
      // A component that goes with its user may save what it held: too late.
      if (isDisposed || (state.getState().get(roomId) ?? '') === text) return;
      const texts = new Map(state.getState());
      const key = prefix + JSON.stringify(roomId);
      if (text === '') {
        texts.delete(roomId);
        kept.remove(key);
      } else {
        texts.set(roomId, text);
        kept.set(key, text);
      }
      state.setState(texts, true);
    },
    dispose: () => {
      isDisposed = true;
      stop();
      state.setState(new Map(), true);
    },
  };
}

function read(kept: Kept, prefix: string): Map<RoomId, string> {
  const texts = new Map<RoomId, string>();
  for (const key of kept.keys()) {
    if (!key.startsWith(prefix)) continue;
    const roomId = parseId(key.slice(prefix.length));
    const text = kept.get(key);
    if (roomId !== null && text) texts.set(roomId, text);
  }
  return texts;
}

function parseId(json: string): RoomId | null {
  try {
    const id: unknown = JSON.parse(json);
    return typeof id === 'string' || typeof id === 'number' ? id : null;
  } catch {
    return null;
  }
}
