import { navigate, usePathname } from 'wouter/use-browser-location';
import { parsePersonPath, parseRoomPath } from '../client/room-path';
import type { RoomId } from '../protocol/generated/RoomId';
import type { UserId } from '../protocol/generated/UserId';

export type Place =
  | { readonly name: 'start' }
  | { readonly name: 'room'; readonly roomId: RoomId }
  | { readonly name: 'person'; readonly userId: UserId }
  | { readonly name: 'unknown' };

/** The staff's console, which is loaded when somebody goes there. */
export type StaffPlace =
  | { readonly name: 'list' }
  | { readonly name: 'room'; readonly roomId: RoomId }
  | { readonly name: 'unknown' };

const UNKNOWN: Place = { name: 'unknown' };

/** Matched by hand, on the path as the browser has it: the router decodes paths, which would decode ids twice. */
export function placeOf(pathname: string): Place {
  if (pathname === '/' || pathname === '') return { name: 'start' };
  const [, area, segment, ...rest] = pathname.split('/');
  if (segment === undefined || rest.length > 0) return UNKNOWN;
  if (area === 'rooms') {
    const roomId = parseRoomPath(segment);
    return roomId === null ? UNKNOWN : { name: 'room', roomId };
  }
  if (area === 'people') {
    const userId = parsePersonPath(segment);
    return userId === null ? UNKNOWN : { name: 'person', userId };
  }
  return UNKNOWN;
}

/** null: not the console. */
export function staffPlaceOf(pathname: string): StaffPlace | null {
  const [, area, rooms, segment, ...rest] = pathname.split('/');
  if (area !== 'staff') return null;
  if (rooms === undefined || (rooms === '' && segment === undefined)) return { name: 'list' };
  const roomId = rooms === 'rooms' && segment !== undefined && rest.length === 0 ? parseRoomPath(segment) : null;
  return roomId === null ? { name: 'unknown' } : { name: 'room', roomId };
}

export function useStaffPlace(): StaffPlace | null {
  return staffPlaceOf(usePathname());
}

export function usePlace(): Place {
  return placeOf(usePathname());
}

/** To the list: back in the history where that was the step before, so that the browser's own "back" leads further. */
export function leaveRoom(list = '/'): void {
  const state: unknown = history.state;
  if (typeof state === 'object' && state !== null && 'fromList' in state) history.back();
  else navigate(list, { replace: true });
}

/** The state of an entry that was opened from the list. */
export const FROM_LIST = { fromList: true };

export { navigate };
