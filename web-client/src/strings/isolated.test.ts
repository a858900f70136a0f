import { expect, test } from 'vitest';
import { en } from './en';
import { isolated } from './isolated';

test('a name turns nothing around it', () => {
  expect(isolated('evil\u202Etxt.exe')).toBe('\u2068evil\u202Etxt.exe\u2069');
  expect(isolated('נועה')).toBe('\u2068נועה\u2069');
});

test('a name cannot end its isolation', () => {
  expect(isolated('a\u2069\u202Eb')).toBe('\u2068a\u202Eb\u2069');
});

test('names that turn nothing stay as they are', () => {
  for (const name of ['ann', 'Aïcha B.', '山田', 'x (y)', '']) expect(isolated(name)).toBe(name);
});

test('sentences isolate the names in them', () => {
  const name = 'a\u202Eb';
  const sentences = [
    en.title(name, 2),
    en.shell.preview(name, 'x'),
    en.room.arrived(name, 'x'),
    en.room.messageLabel(name, '12:00'),
    en.typing.line([name]),
    en.typing.line([name, name, name]),
    en.people.write(name),
    en.composer.placeholder(name),
    en.userMenu.open(name),
  ];
  for (const sentence of sentences) expect(sentence).toContain(isolated(name));
});
