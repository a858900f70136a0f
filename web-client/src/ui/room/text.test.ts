import { expect, test } from 'vitest';
import { isEmojiOnly, piecesOf, safeHref, textLength } from './text';

test('counts what the server counts', () => {
  expect(textLength('aé👍')).toBe(3);
});

test('up to six emoji are shown large', () => {
  for (const text of ['🎉', '🙏🏽 ❤️', '👨‍👩‍👧', '🇸🇪', '1️⃣', '👍👍👍👍👍👍']) expect(isEmojiOnly(text), text).toBe(true);
  for (const text of ['', 'a', '12', 'ok 👍', '👍👍👍👍👍👍👍', '©x']) expect(isEmojiOnly(text), text).toBe(false);
});

test('only addresses that lead to pages and mail become links', () => {
  expect(safeHref('https://example.com')).toBe('https://example.com');
  expect(safeHref('mailto:a@example.com')).toBe('mailto:a@example.com');
  for (const href of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'ftp://example.com', '']) {
    expect(safeHref(href), href).toBeNull();
  }
});

test('no addresses are looked for in very long words', () => {
  const long = 'a.'.repeat(1_500);
  expect(piecesOf('see example.com')).toEqual([{ text: 'see example.com', isLinked: true }]);
  expect(piecesOf(`see example.com ${long} there`)).toEqual([
    { text: 'see example.com ', isLinked: true },
    { text: long, isLinked: false },
    { text: ' there', isLinked: true },
  ]);
  expect(piecesOf(long)).toEqual([{ text: long, isLinked: false }]);
});
