// What was sent and not acknowledged, kept for this tab: over a reload, and over the end of a token that only ran out.

import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { Rev } from '../protocol/generated/Rev';
import type { RoomId } from '../protocol/generated/RoomId';
import type { Owner } from './drafts';
import { isErrorBody, type Kept } from './environment';

/** A message of mine; with an error, one that was given up. */
export interface Unsent {
  readonly client_id: string;
  readonly room_id: RoomId;
  readonly text: string;
  readonly created_at: string;
  /** Where it matters: the newest revision that its writer had before them. */
  readonly seen_rev?: Rev;
  readonly error?: ErrorBody;
}

export interface UnsentStore {
  load(): Unsent[];
  save(messages: readonly Unsent[]): void;
}

const PREFIX = 'confab.unsent:';

const keyOf = ({ tenant, user_id }: Owner): string => `${PREFIX}${JSON.stringify([tenant, user_id])}`;

/** Deletes the messages of everybody but `owner`, who may be nobody. */
export function forgetUnsent(kept: Kept, owner: Owner): void {
  for (const key of kept.keys()) if (key.startsWith(PREFIX) && !key.startsWith(keyOf(owner))) kept.remove(key);
}

/** `door`: whoever writes at two has two queues. */
export function unsentOf(kept: Kept, owner: Owner, door = ''): UnsentStore {
  const key = keyOf(owner) + door;
  return {
    load: () => {
      try {
        const list: unknown = JSON.parse(kept.get(key) ?? '[]');
        return Array.isArray(list) ? list.filter(isUnsent) : [];
      } catch {
        return [];
      }
    },
    save: (messages) => (messages.length > 0 ? kept.set(key, JSON.stringify(messages)) : kept.remove(key)),
  };
}

function isUnsent(value: unknown): value is Unsent {
  if (typeof value !== 'object' || value === null) return false;
  if (!('client_id' in value && 'room_id' in value && 'text' in value && 'created_at' in value)) return false;
  const { client_id, room_id, text, created_at } = value;
  const isId = typeof room_id === 'string' || typeof room_id === 'number';
  const isWhole = typeof client_id === 'string' && typeof text === 'string' && typeof created_at === 'string';
  const isSeen = !('seen_rev' in value) || typeof value.seen_rev === 'number';
  return isId && isWhole && isSeen && (!('error' in value) || isErrorBody(value.error));
}
