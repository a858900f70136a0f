// @vitest-environment jsdom
import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useEnter, useSearch } from './use-search';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const search = async (query: string) => ({ ok: true, value: [`found for ${query}`] }) as const;
const settle = () => act(() => vi.advanceTimersByTimeAsync(200));

function show() {
  const opened: unknown[] = [];
  const hook = renderHook(
    ({ query }) => {
      const { found, isCurrent } = useSearch(search, query, true);
      return { isCurrent, enter: useEnter(query, isCurrent, () => opened.push(found?.[0])) };
    },
    { initialProps: { query: '' } },
  );
  return { opened, ...hook };
}

it('Enter waits for what the text as it stands finds', async () => {
  const { opened, result, rerender } = show();
  await settle();
  rerender({ query: 'zebra' });
  expect(result.current.isCurrent).toBe(false);
  act(() => result.current.enter());
  expect(opened).toEqual([]);
  await settle();
  expect(opened).toEqual(['found for zebra']);
});

it('Enter is forgotten when the text changes after it', async () => {
  const { opened, result, rerender } = show();
  rerender({ query: 'a' });
  act(() => result.current.enter());
  rerender({ query: 'ab' });
  await settle();
  expect(opened).toEqual([]);
});
