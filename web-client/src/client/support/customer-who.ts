// Who a customer is, and what is kept under whose name.

import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { User } from '../../protocol/generated/User';
import { type Guest, NOTHING, type TabRecord } from './customer-kept';

export type Who =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'guest'; readonly guest: Guest }
  /** `guest`: who becomes the user with the next connection. */
  | { readonly kind: 'user'; readonly user: User; readonly token: string; readonly guest: Guest | null };

export const NOBODY: Who = { kind: 'nobody' };

/** A user's id is unique in its tenant, and keeps its type: `7` and `"7"` are two. */
export const keyOf = ({ tenant, id }: User): string => JSON.stringify([tenant, id]);

/** Whose what is written and not sent is. `since`: when somebody last signed in or out; nobody is not the same before and after. */
export function ownerOf(who: Who, since: number): string {
  if (who.kind === 'user') return `user:${keyOf(who.user)}`;
  return who.kind === 'guest' ? `guest:${who.guest.tag}` : `new:${since}`;
}

/** What a tab tells the others when somebody has signed in. */
export const proofOf = (user: User, token: string): string => JSON.stringify({ user, token });

export function provenBy(proof: string | null): Who | null {
  const value: unknown = proof === null ? null : JSON.parse(proof);
  if (typeof value !== 'object' || value === null || !('user' in value && 'token' in value)) return null;
  return { kind: 'user', user: value.user as User, token: String(value.token), guest: null };
}

/** Codes that stay so until the site or the server does something about it. */
export const isFinal = ({ code }: ErrorBody): boolean => code === 'unauthorized' || code === 'access_denied';

/** What one had written before a reload comes first. */
export function merged(before: TabRecord, now: TabRecord): TabRecord {
  const known = new Set(now.unsent.map(({ client_id }) => client_id));
  return {
    draft: now.draft || before.draft,
    about: NOTHING.about,
    unsent: [...before.unsent.filter(({ client_id }) => !known.has(client_id)), ...now.unsent],
  };
}
