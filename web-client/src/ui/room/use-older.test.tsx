// @vitest-environment jsdom
import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useOlder } from './use-older';

type Pages = Parameters<typeof useOlder>[1];

let resized = () => {};
class FakeObserver {
  constructor(callback: () => void) {
    resized = callback;
  }
  observe() {}
  disconnect() {}
}

function log(clientHeight: number): HTMLElement {
  const element = document.createElement('div');
  element.append(document.createElement('ol'));
  Object.defineProperties(element, {
    clientHeight: { value: clientHeight, configurable: true },
    scrollHeight: { value: 500, configurable: true },
  });
  return element;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('ResizeObserver', FakeObserver);
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function show(clientHeight: number) {
  const onLoadOlder = vi.fn();
  const scroller = { current: log(clientHeight) };
  const idle: Pages = { messages: [], has_older: true, loading_older: false };
  const hook = renderHook((room: Pages) => useOlder(scroller, room, onLoadOlder), { initialProps: idle });
  const answer = (more: Partial<Pages>) => {
    hook.rerender({ ...idle, loading_older: true });
    hook.rerender({ ...idle, ...more });
  };
  return { onLoadOlder, scroller, answer, ask: () => act(() => hook.result.current()) };
}

it('asks as long as there is less than a screenful', () => {
  const { onLoadOlder } = show(500);
  vi.advanceTimersByTime(50);
  expect(onLoadOlder).toHaveBeenCalledTimes(1);
});

it('asks when the screen has become higher than what is there', () => {
  const { onLoadOlder, scroller } = show(300);
  vi.advanceTimersByTime(50);
  expect(onLoadOlder).not.toHaveBeenCalled();
  Object.defineProperty(scroller.current, 'clientHeight', { value: 900 });
  act(() => resized());
  expect(onLoadOlder).toHaveBeenCalledTimes(1);
});

it('waits longer after each refusal', () => {
  const { onLoadOlder, answer, ask } = show(500);
  vi.advanceTimersByTime(50);
  answer({});
  ask();
  vi.advanceTimersByTime(2_900);
  expect(onLoadOlder).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(200);
  expect(onLoadOlder).toHaveBeenCalledTimes(2);
  answer({});
  vi.advanceTimersByTime(5_900);
  expect(onLoadOlder).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(200);
  expect(onLoadOlder).toHaveBeenCalledTimes(3);
});
