// Ids in addresses. They keep their JSON type: the number 7 is `7`, the text "7" is `"7"`, and a text that begins with
// a quote is quoted too, so that each segment means one id, and so are the dots that browsers take out of addresses.

import type { RoomId } from '../protocol/generated/RoomId';
import type { UserId } from '../protocol/generated/UserId';

const isNumber = (text: string): boolean => Number.isSafeInteger(Number(text)) && String(Number(text)) === text;

function toSegment(id: RoomId | UserId): string {
  const text = String(id);
  const isPlain = typeof id === 'number' || !(isNumber(text) || text.startsWith('"') || text === '.' || text === '..');
  return encodeURIComponent(isPlain ? text : `"${text}"`);
}

function parseSegment(segment: string): string | number | null {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    return null;
  }
  if (isNumber(text)) return Number(text);
  if (text.startsWith('"')) return text.length > 2 && text.endsWith('"') ? text.slice(1, -1) : null;
  return text === '' ? null : text;
}

/** A support room at the staff's desk. */
export const deskPath = (id: RoomId): string => `/staff/rooms/${toSegment(id)}`;
export const roomPath = (id: RoomId): string => `/rooms/${toSegment(id)}`;
export const personPath = (id: UserId): string => `/people/${toSegment(id)}`;

/** The id that a segment of an address (as it stands there, still encoded) names, or null if it names none. */
export const parseRoomPath = (segment: string): RoomId | null => parseSegment(segment);
export const parsePersonPath = (segment: string): UserId | null => parseSegment(segment);
