// @vitest-environment jsdom
import { afterEach, describe, expect, it, vi } from 'vitest';
import { browserEnvironment } from './browser';
import { createDrafts } from './drafts';

it('a token is taken out of the address at once, and nothing else of it', () => {
  window.history.replaceState({ of: 'the router' }, '', '/rooms/7?a=b#token=one.two&x=y');
  const heard = vi.fn();
  const stop = browserEnvironment().watchHandedToken(heard);
  expect(heard.mock.calls).toEqual([['one.two']]);
  expect(window.location.href.replace(window.location.origin, '')).toBe('/rooms/7?a=b#x=y');
  expect(window.history.state).toEqual({ of: 'the router' });
  window.history.replaceState(null, '', '/#token=three');
  window.dispatchEvent(new Event('hashchange'));
  expect(heard).toHaveBeenLastCalledWith('three');
  expect(window.location.hash).toBe('');
  stop();
});

it('asks before the page is left only while that is unsafe', () => {
  let isUnsafe = true;
  const stop = browserEnvironment().guardLeaving(() => isUnsafe);
  const leave = () => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }));
  expect(leave()).toBe(true);
  isUnsafe = false;
  expect(leave()).toBe(false);
  stop();
});

it('does without a storage that is switched off', () => {
  const broken = vi.spyOn(window, 'localStorage', 'get').mockImplementation(() => {
    throw new DOMException('denied', 'SecurityError');
  });
  const { local } = browserEnvironment();
  local.set('key', 'value');
  expect([local.get('key'), local.keys()]).toEqual(['value', ['key']]);
  local.remove('key');
  expect(local.get('key')).toBeNull();
  broken.mockRestore();
});

it('does not go back to what was stored before storing failed', () => {
  const { local } = browserEnvironment();
  local.set('key', 'old');
  const full = vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  local.set('key', 'new');
  expect([local.get('key'), browserEnvironment().local.get('key')]).toEqual(['new', null]);
  full.mockRestore();
  local.set('key', 'newer');
  expect([local.get('key'), browserEnvironment().local.get('key')]).toEqual(['newer', 'newer']);
});

it('hears what other tabs store', () => {
  const { local } = browserEnvironment();
  const drafts = createDrafts(local, { tenant: 'default', user_id: 7 });
  const key = 'confab.draft:["default",7]:"room"';
  const stored = (storageArea: Storage) => window.dispatchEvent(new StorageEvent('storage', { key, storageArea }));
  window.localStorage.setItem(key, 'of another tab');
  stored(window.sessionStorage);
  expect(drafts.state.getState().get('room')).toBeUndefined();
  stored(window.localStorage);
  expect(drafts.state.getState().get('room')).toBe('of another tab');
  window.localStorage.removeItem(key);
  stored(window.localStorage);
  expect(drafts.state.getState().size).toBe(0);
  drafts.dispose();
});

it('does without a channel to other tabs', () => {
  vi.stubGlobal('BroadcastChannel', () => {
    throw new DOMException('denied', 'SecurityError');
  });
  expect(() => browserEnvironment().channel.post('something')).not.toThrow();
  vi.unstubAllGlobals();
});

describe('locks over all tabs', () => {
  const withLocks = (request: (name: string, options: LockOptions, work: () => Promise<unknown>) => unknown) =>
    vi.stubGlobal('navigator', { locks: { request } });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('are done without where they are refused', async () => {
    withLocks(() => Promise.reject(new DOMException('denied', 'SecurityError')));
    expect(await browserEnvironment().exclusively(async () => 'done')).toBe('done');
  });

  it('are not waited for without end', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort('too long'));
    withLocks(async (_, { signal }) => signal?.throwIfAborted());
    expect(await browserEnvironment().exclusively(async () => 'done')).toBe('done');
    expect(timeout).toHaveBeenCalledWith(20_000);
    timeout.mockRestore();
  });

  it('do the work once, also when it fails', async () => {
    withLocks((_name, _options, work) => work());
    const work = vi.fn(() => Promise.reject(new Error('failed')));
    await expect(browserEnvironment().exclusively(work)).rejects.toThrow('failed');
    expect(work).toHaveBeenCalledTimes(1);
  });
});

it('makes ids that differ', () => {
  const { newId } = browserEnvironment();
  expect(newId()).toMatch(/^[0-9a-f]{32}$/);
  expect(newId()).not.toBe(newId());
});

it('does one thing at a time, also after a failure', async () => {
  const { exclusively } = browserEnvironment();
  const order: number[] = [];
  const first = exclusively(async () => {
    await Promise.resolve();
    order.push(1);
    throw new Error('failed');
  });
  const second = exclusively(async () => order.push(2));
  await expect(first).rejects.toThrow('failed');
  await second;
  expect(order).toEqual([1, 2]);
});
