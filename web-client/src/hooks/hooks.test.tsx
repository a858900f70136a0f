// @vitest-environment jsdom
import { act, cleanup, render, screen } from '@testing-library/react';
import { memo, StrictMode } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Client, createClient } from '../client/client';
import { FakeBrowser, type FakeTab } from '../client/testing/fakes';
import type { Message } from '../protocol/generated/Message';
import { ClientProvider, useConversations, useDraft, useMe, useRoom, useSession } from '.';

let tab: FakeTab;
let client: Client;
const lists = vi.fn();

const List = memo(({ messages }: { messages: readonly Message[] }) => {
  lists();
  return <p>{messages.map(({ message }) => message).join()}</p>;
});

function Room() {
  const room = useRoom('r');
  const [draft, setDraft] = useDraft('r');
  useConversations();
  return (
    <>
      <List messages={room.messages} />
      <output>
        {useMe().username} {room.phase} {room.typing.join()} {draft}
      </output>
      <button type="button" onClick={() => setDraft('a draft')}>
        write
      </button>
    </>
  );
}

function Screen() {
  const session = useSession();
  return session.phase === 'signed_in' ? <Room /> : <output>{session.phase}</output>;
}

const shown = () => screen.getByRole('status').textContent;
const pass = (ms = 0) => act(() => vi.advanceTimersByTimeAsync(ms));

beforeEach(async () => {
  vi.useFakeTimers();
  const browser = new FakeBrowser();
  browser.api.tokens.set('token', { id: 7, tenant: 'default', username: 'carol', is_guest: false, is_staff: false });
  tab = browser.tab('token');
  const one = { id: 'm1', room_id: 'r', user_id: 8, username: 'bob', message: 'hello', timestamp: '', seq: 1, rev: 1 };
  const { answers } = tab.sockets;
  answers.set('join_room', () => ({ success: true, room_id: 'r', room: { id: 'r' }, rev: 1 }));
  answers.set('get_messages', () => ({ success: true, messages: [one], has_more: false, rev: 1 }));
  client = createClient(tab.env);
  render(
    <StrictMode>
      <ClientProvider client={client}>
        <Screen />
      </ClientProvider>
    </StrictMode>,
  );
});
afterEach(() => {
  cleanup();
  client.dispose();
  vi.useRealTimers();
});

it('a room is joined once, though components are mounted twice', async () => {
  expect(shown()).toBe('starting');
  await pass(1000);
  expect(shown()).toContain('carol ready');
  expect(tab.sockets.last.asked('join_room')).toHaveLength(1);
  expect(tab.sockets.last.asked('leave_room')).toHaveLength(0);
});

it('typing does not render the messages again', async () => {
  await pass(1000);
  const before = lists.mock.calls.length;
  await act(async () => tab.sockets.last.receive('typing_update', { room_id: 'r', typing_users: [8] }));
  expect(shown()).toContain('ready 8');
  expect(lists.mock.calls.length).toBe(before);
});

it('a screen survives that the identity ends under it', async () => {
  await pass(1000);
  await act(async () => screen.getByRole('button').click());
  expect(shown()).toContain('a draft');
  await act(() => client.logout());
  await pass();
  expect(shown()).toBe('signed_out');
});
