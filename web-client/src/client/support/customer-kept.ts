// What a browser keeps of a customer. The guest session is for all tabs of the site that shows the widget; what is written
// and not sent belongs to a tab and to whoever wrote it. Tokens are not kept at all: the site has them.

import type { UserId } from '../../protocol/generated/UserId';
import type { Channel, Kept } from '../environment';
import type { Unsent } from '../unsent';
import { isUnsent } from '../unsent';

export interface Guest {
  readonly session: string;
  /** A name of our own for it, by which tabs speak of it. */
  readonly tag: string;
  readonly user_id: UserId;
}

/** Who was last signed in or out here; the newest marker wins. */
export interface Marker {
  /** The user, or nobody: somebody has signed out. */
  readonly user: string | null;
  /** The guest who became that user. */
  readonly from: string | null;
  readonly at: number;
}

/** What the visitor likes to say of themselves. */
export interface About {
  readonly name: string;
  readonly email: string;
}

export interface TabRecord {
  readonly draft: string;
  readonly about: About;
  readonly unsent: readonly Unsent[];
}

export const NOTHING: TabRecord = { draft: '', about: { name: '', email: '' }, unsent: [] };

export interface CustomerKept {
  guest(): Guest | null;
  saveGuest(guest: Guest): void;
  forgetGuest(tag: string): void;
  marker(): Marker;
  /** Says it to the other tabs too, with what they need to go on as that user. */
  mark(user: string | null, from: string | null, proof: string | null): Marker;
  /** Another tab has moved the marker, or (null) there may be a guest now. */
  onMoved(listener: (marker: Marker | null, proof: string | null) => void): void;
  record(owner: string): TabRecord;
  saveRecord(owner: string, record: TabRecord): void;
  /** Deletes what everybody else has written in this tab. */
  forgetOthers(owners: readonly string[]): void;
  areSocketsBlocked(): boolean;
  setSocketsBlocked(areBlocked: boolean): void;
  dispose(): void;
}

const GUEST = 'confab.support.guest';
const MARKER = 'confab.support.marker';
const RECORD = 'confab.support.tab:';
const BLOCKED = 'confab.support.blocked';
const CHANNEL_MS = 200;
const NO_MARKER: Marker = { user: null, from: null, at: 0 };

export function createCustomerKept(local: Kept, tab: Kept, channel: Channel): CustomerKept {
  let moved: (marker: Marker | null, proof: string | null) => void = () => {};

  function marker(): Marker {
    const value = parse(local.get(MARKER));
    return isMarker(value) ? value : NO_MARKER;
  }

  function guest(): Guest | null {
    const value = parse(local.get(GUEST));
    return isGuest(value) ? value : null;
  }

  channel.onMessage((data) => {
    if (typeof data !== 'object' || data === null || !('marker' in data) || !isMarker(data.marker)) return;
    // Storage that is blocked does not have it: then this tab remembers it.
    if (marker().at < data.marker.at) {
      local.set(MARKER, JSON.stringify(data.marker));
      if (data.marker.user === null) local.remove(GUEST);
    }
    moved(data.marker, 'proof' in data && isText(data.proof) ? data.proof : null);
  });
  let heard: ReturnType<typeof setTimeout> | undefined;
  const stop = local.onChange((key) => {
    if (key === GUEST) return moved(null, null);
    if (key !== MARKER && key !== null) return;
    // The channel tells it too, and more; where there is none, this has to do.
    clearTimeout(heard);
    heard = setTimeout(() => moved(marker(), null), CHANNEL_MS);
  });

  return {
    guest,
    saveGuest: (value) => local.set(GUEST, JSON.stringify(value)),
    forgetGuest: (tag) => {
      if (guest()?.tag === tag) local.remove(GUEST);
    },
    marker,
    mark: (user, from, proof) => {
      const next = { user, from, at: Math.max(Date.now(), marker().at + 1) };
      if (user === null) local.remove(GUEST);
      local.set(MARKER, JSON.stringify(next));
      channel.post({ marker: next, proof });
      return next;
    },
    onMoved: (listener) => {
      moved = listener;
    },
    record: (owner) => {
      const value = parse(tab.get(RECORD + owner));
      return isRecord(value) ? value : NOTHING;
    },
    saveRecord: (owner, record) => {
      const isEmpty = record.draft === '' && record.unsent.length === 0 && !record.about.name && !record.about.email;
      if (isEmpty) tab.remove(RECORD + owner);
      else tab.set(RECORD + owner, JSON.stringify(record));
    },
    forgetOthers: (owners) => {
      const stay = owners.map((owner) => RECORD + owner);
      for (const key of tab.keys()) if (key.startsWith(RECORD) && !stay.includes(key)) tab.remove(key);
    },
    areSocketsBlocked: () => tab.get(BLOCKED) !== null,
    setSocketsBlocked: (areBlocked) => (areBlocked ? tab.set(BLOCKED, '1') : tab.remove(BLOCKED)),
    dispose: () => {
      clearTimeout(heard);
      stop();
      channel.close();
    },
  };
}

function parse(json: string | null): unknown {
  try {
    return json === null ? null : JSON.parse(json);
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);

const isId = (value: unknown): value is UserId => isText(value) || typeof value === 'number';

const isGuest = (value: unknown): value is Guest =>
  isObject(value) && isText(value['session']) && isText(value['tag']) && isId(value['user_id']);

const isMarker = (value: unknown): value is Marker =>
  isObject(value) && isTextOrNull(value['user']) && isTextOrNull(value['from']) && typeof value['at'] === 'number';

function isRecord(value: unknown): value is TabRecord {
  if (!isObject(value) || !isText(value['draft']) || !isObject(value['about'])) return false;
  const { about, unsent } = value;
  return isText(about['name']) && isText(about['email']) && Array.isArray(unsent) && unsent.every(isUnsent);
}
