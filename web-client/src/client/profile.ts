// What this browser profile keeps about who is signed in. Every tab is the one that the marker names; who signs in, out
// or over moves the marker and tells the other tabs, and the newest marker wins.

import type { UserId } from '../protocol/generated/UserId';
import type { Channel, Kept } from './environment';
import type { Identity, IdentityKind } from './session';

/** Who is signed in, since when (ms since the epoch). Nobody with a user: whose token ran out, and who may come back. */
export interface Marker {
  readonly kind: IdentityKind | 'none';
  readonly tenant: string | null;
  /** Unique in its tenant. */
  readonly user_id: UserId | null;
  readonly at: number;
}

export type TabMessage =
  /** The marker has moved; with it what the other tabs cannot get otherwise. */
  | { readonly type: 'moved'; readonly marker: Marker; readonly secret: string | null }
  | { readonly type: 'secret_wanted'; readonly marker: Marker }
  | { readonly type: 'secret'; readonly marker: Marker; readonly secret: string };

export const NOBODY: Marker = { kind: 'none', tenant: null, user_id: null, at: 0 };

export const isSamePerson = (a: Marker, b: Marker): boolean =>
  a.kind === b.kind && a.tenant === b.tenant && a.user_id === b.user_id;

export interface Profile {
  marker(): Marker;
  /** Says who is signed in from now on, in all tabs. The secret is a guest session or a token that was handed over. */
  move(identity: Identity | null, expired?: boolean): Marker;
  /** Keeps for this tab (a token) or the profile (a guest session) what proves that person after a reload, and nothing else.
   *  null: what is kept already, if it is theirs. */
  keepSecret(marker: Marker, secret: string | null): void;
  secret(marker: Marker): string | null;
  /** Asks the other tabs for the token that one of them was handed. */
  askTabs(marker: Marker): Promise<string | null>;
  /** A log-out that the server has not heard of yet. */
  owesLogout(): boolean;
  oweLogout(isOwed: boolean): void;
  onMoved(listener: (marker: Marker, secret: string | null) => void): void;
  dispose(): void;
}

const MARKER = 'confab.identity';
const GUEST = 'confab.guest';
const TOKEN = 'confab.token';
const LOGOUT = 'confab.logout';
const TABS_ANSWER_MS = 700;

export function createProfile(local: Kept, tab: Kept, channel: Channel): Profile {
  let moved: (marker: Marker, secret: string | null) => void = () => {};
  const waiting = new Set<(message: TabMessage) => void>();

  function marker(): Marker {
    const value = parse(local.get(MARKER));
    return isMarker(value) ? value : NOBODY;
  }

  function secret({ kind, tenant, user_id, at }: Marker): string | null {
    const kept = kind === 'guest' ? local.get(GUEST) : kind === 'token' ? tab.get(TOKEN) : null;
    const value: unknown = parse(kept);
    // A tab that was away may hold what proved somebody else, or what the same person had before.
    if (!Array.isArray(value) || typeof value[3] !== 'string') return null;
    return value[0] === tenant && value[1] === user_id && value[2] === at ? value[3] : null;
  }

  function keepSecret(owner: Marker, value: string | null) {
    const kept = value ?? secret(owner);
    local.remove(GUEST);
    tab.remove(TOKEN);
    if (kept === null) return;
    const proof = JSON.stringify([owner.tenant, owner.user_id, owner.at, kept]);
    if (owner.kind === 'guest') local.set(GUEST, proof);
    if (owner.kind === 'token') tab.set(TOKEN, proof);
  }

  channel.onMessage((data) => {
    if (!isTabMessage(data)) return;
    if (data.type === 'moved') {
      // Storage that is blocked does not have it: then this tab remembers it.
      if (marker().at < data.marker.at) local.set(MARKER, JSON.stringify(data.marker));
      moved(data.marker, data.secret);
    }
    if (data.type === 'secret') for (const listener of waiting) listener(data);
    if (data.type === 'secret_wanted') {
      const own = data.marker.kind === 'token' && isSamePerson(data.marker, marker()) ? secret(data.marker) : null;
      if (own) channel.post({ type: 'secret', marker: data.marker, secret: own } satisfies TabMessage);
    }
  });

  return {
    marker,
    secret,
    keepSecret,
    move: (identity, expired = false) => {
      const before = marker();
      const at = Math.max(Date.now(), before.at + 1);
      const next: Marker = identity
        ? { kind: identity.kind, tenant: identity.user.tenant, user_id: identity.user.id, at }
        : { ...(expired ? before : NOBODY), kind: 'none', at };
      const value = identity && identity.kind !== 'account' ? identity.secret : null;
      keepSecret(next, value);
      local.set(MARKER, JSON.stringify(next));
      channel.post({ type: 'moved', marker: next, secret: value } satisfies TabMessage);
      return next;
    },
    askTabs: (wanted) =>
      new Promise((resolve) => {
        const finish = (value: string | null) => {
          clearTimeout(timer);
          waiting.delete(listener);
          resolve(value);
        };
        const listener = (message: TabMessage) => {
          if (message.type === 'secret' && isSamePerson(message.marker, wanted)) finish(message.secret);
        };
        const timer = setTimeout(() => finish(null), TABS_ANSWER_MS);
        waiting.add(listener);
        channel.post({ type: 'secret_wanted', marker: wanted } satisfies TabMessage);
      }),
    owesLogout: () => local.get(LOGOUT) !== null,
    oweLogout: (isOwed) => (isOwed ? local.set(LOGOUT, '1') : local.remove(LOGOUT)),
    onMoved: (listener) => {
      moved = listener;
    },
    dispose: () => channel.close(),
  };
}

function parse(json: string | null): unknown {
  try {
    return json === null ? null : JSON.parse(json);
  } catch {
    return null;
  }
}

function isMarker(value: unknown): value is Marker {
  if (typeof value !== 'object' || value === null) return false;
  return 'kind' in value && 'tenant' in value && 'user_id' in value && 'at' in value && typeof value.at === 'number';
}

function isTabMessage(value: unknown): value is TabMessage {
  return typeof value === 'object' && value !== null && 'type' in value && 'marker' in value && isMarker(value.marker);
}
