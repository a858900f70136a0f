import { expect, it } from 'vitest';
import { parsePersonPath, parseRoomPath, personPath, roomPath } from './room-path';

it.each([
  [7, '/rooms/7'],
  ['7', '/rooms/%227%22'],
  ['general', '/rooms/general'],
  ['a/b ü', '/rooms/a%2Fb%20%C3%BC'],
  ['100%25', '/rooms/100%2525'],
  ['"', '/rooms/%22%22%22'],
  ['"7"', '/rooms/%22%227%22%22'],
  [-3, '/rooms/-3'],
  ['007', '/rooms/007'],
  [9007199254740991, '/rooms/9007199254740991'],
  ['9007199254740993', '/rooms/9007199254740993'],
  ['..', '/rooms/%22..%22'],
  ['.', '/rooms/%22.%22'],
])('the room %j has the address %s, and back', (id, path) => {
  expect(roomPath(id)).toBe(path);
  expect(parseRoomPath(path.slice('/rooms/'.length))).toBe(id);
});

it.each(['', '"', '""', '"a', '%E0%A4%A'])('the segment %j names nothing', (segment) => {
  expect(parseRoomPath(segment)).toBeNull();
});

it('people have addresses too', () => {
  expect(personPath('7')).toBe('/people/%227%22');
  expect(parsePersonPath('7')).toBe(7);
});
