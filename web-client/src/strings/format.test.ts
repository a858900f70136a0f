import { expect, test } from 'vitest';
import { createFormat, pickLocale } from './format';

const format = createFormat('en-GB');
const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).getTime();
const now = at(21, 14, 30);

test('takes the variety of the language that the reader prefers', () => {
  expect(pickLocale('en', ['de-DE', 'en-GB'])).toBe('en-GB');
  expect(pickLocale('en', ['de-DE'])).toBe('en');
});

test('ages', () => {
  expect(format.ago(now - 59_000, now)).toBeNull();
  expect(format.ago(at(21, 14, 25), now)).toBe('5 minutes ago');
  expect(format.ago(at(20, 23), now)).toBe('yesterday');
  expect(format.ago(at(18, 9), now)).toBe('3 days ago');
});

test('is short where there is little room', () => {
  expect(format.short(at(21, 9, 5), now)).toBe('09:05');
  expect(format.short(at(20, 9), now)).toBe('Fri');
  expect(format.short(at(1, 9), now)).toBe('1 Nov');
});

test('names days by the calendar, not by the hours between', () => {
  expect(format.day(at(21, 0), now)).toBe('Today');
  expect(format.day(at(20, 23, 59), at(21, 0, 1))).toBe('Yesterday');
});

test('a clock without the part of the day', () => {
  expect(createFormat('en-US').clock(at(21, 14, 5))).toBe('2:05');
});
