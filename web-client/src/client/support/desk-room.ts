// One support room at the desk. Staff hear every room's messages without entering it; what was said before comes when it is
// on screen, and again over each new connection.

import { createStore } from 'zustand/vanilla';
import type { AdminToServer } from '../../protocol/admin';
import type { CustomerRoom } from '../../protocol/generated/CustomerRoom';
import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { Rev } from '../../protocol/generated/Rev';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { UserId } from '../../protocol/generated/UserId';
import type { Viewer } from '../../protocol/generated/Viewer';
import { backoff } from '../backoff';
import type { Connection } from '../connection';
import type { Outbox } from '../outbox';
import type { Readable } from '../readable';
import { isBehind } from '../room-state';
import { createTypingNotice } from '../typing';
import { emptyTalk, readable, reduceTalk, type Talk, type TalkEvent } from './messages';

/** A room as components use it. */
export interface DeskRoom {
  readonly state: Readable<Talk>;
  /** The room is on screen until what this returns is called. */
  open(): () => void;
  send(text: string): void;
  retry(clientId: string): void;
  discard(clientId: string): void;
  loadOlder(): void;
  reload(): void;
  /** Call it freely: it tells the server no more often than needed. */
  setTyping(isTyping: boolean): void;
}

export interface DeskRoomOptions {
  readonly roomId: RoomId;
  readonly me: UserId;
  readonly connection: Pick<Connection<AdminToServer>, 'request' | 'tell' | 'isLive'>;
  readonly outbox: Pick<Outbox, 'send' | 'retry' | 'discard'>;
  readonly random: () => number;
  readonly opened: () => void;
  readonly closed: () => void;
  /** Whether somebody looks at the page: else nothing is read, and no colleague is told that I look at the room. */
  readonly isSeen: () => boolean;
  /** How many messages are unread. */
  readonly unread: () => number;
  /** Who looks at it, and how it stands. */
  readonly viewed: (viewers: readonly Viewer[], room: CustomerRoom | null, asked: number) => void;
  /** A place in what was heard of rooms. */
  readonly tick: () => number;
  readonly read: (unreadCount: number) => void;
  readonly gone: () => void;
}

export interface DeskSession extends DeskRoom {
  dispatch(event: TalkEvent): void;
  isOpen(): boolean;
  /** Asks for everything again: the connection is a new one, or something was missed. */
  enter(): void;
  /** Reads what is there, if somebody looks at it. */
  look(): void;
  cut(): void;
  dispose(): void;
}

const PAGE = 50;
/** Whoever comes back within this time has not left: screens change by unmounting and mounting. */
const LEAVE_DELAY_MS = 200;
/** A hole in the stream closes by itself, or it is a fault: then what is missing is asked for. */
const CATCH_UP_DELAY_MS = 1000;
/** A room without content says so then; it goes on trying. */
const MAX_FAILURES = 5;

export function createDeskRoom(options: DeskRoomOptions): DeskSession {
  const { roomId, connection, outbox } = options;
  const state = createStore<Talk>(() => emptyTalk(roomId, options.me, 'staff'));
  const typing = createTypingNotice((is_typing) => connection.tell('typing', { room_id: roomId, is_typing }));
  let viewers = 0;
  let isOpen = false;
  let isCounted = false; // what was unread when it was opened
  let readTo: Rev = 0; // up to where reading it was told
  let failures = 0;
  let run = 0; // of the newest entering: answers to an older one are not for us
  let leaving: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;

  function dispatch(event: TalkEvent) {
    const next = reduceTalk(state.getState(), event);
    if (next !== state.getState()) state.setState(next, true);
    if (event.type === 'message') look();
    if (isOpen && isBehind(next) && again === undefined) {
      again = setTimeout(() => {
        again = undefined;
        if (isOpen && isBehind(state.getState())) void enter();
      }, CATCH_UP_DELAY_MS);
    }
  }

  async function enter() {
    const mine = ++run;
    clearTimeout(again);
    again = undefined;
    if (!isOpen || !connection.isLive()) return;
    const asked = options.tick();
    const viewing = options.isSeen() ? connection.request('view_room', { room_id: roomId }) : null;
    const loading = connection.request('get_messages', { room_id: roomId, limit: PAGE });
    const viewed = await viewing;
    if (mine !== run) return;
    if (viewed && !viewed.ok) return refused(viewed.error);
    if (viewed) options.viewed(viewed.value.viewers, viewed.value.room, asked);
    const page = await loading;
    if (mine !== run) return;
    if (!page.ok) return refused(page.error);
    failures = 0;
    dispatch({ type: 'refreshed', page: page.value });
    count();
    look();
  }

  /** Once for each opening; after that what comes is read as it comes. */
  function count() {
    if (!isCounted) dispatch({ type: 'unread', count: options.unread() });
    isCounted = true;
  }

  async function look() {
    const talk = state.getState();
    const seq = readable(talk);
    if (!isOpen || !isCounted || !options.isSeen() || !connection.isLive()) return;
    if (seq <= Math.max(talk.read_by.staff, readTo)) return;
    const before = readTo;
    readTo = seq;
    const result = await connection.request('mark_read', { room_id: roomId, seq });
    if (!result.ok) {
      readTo = before;
      return;
    }
    dispatch({ type: 'read', by: 'staff', seq: result.value.seq });
    options.read(result.value.unread_count);
  }

  function refused(error: ErrorBody) {
    // The next connection asks again.
    if (error.code === 'disconnected') return;
    if (error.code === 'access_denied' || error.code === 'not_found') {
      dispatch({ type: 'refused', phase: error.code === 'not_found' ? 'missing' : 'denied' });
      return options.gone();
    }
    failures += 1;
    if (error.code === 'invalid_payload' || failures >= MAX_FAILURES) dispatch({ type: 'refused', phase: 'failed' });
    if (error.code !== 'invalid_payload') again = setTimeout(enter, backoff(failures, options.random()));
  }

  function leave() {
    if (!isOpen) return;
    isOpen = false;
    run += 1;
    clearTimeout(again);
    again = undefined;
    typing.set(false);
    options.closed();
  }

  function open() {
    viewers += 1;
    clearTimeout(leaving);
    if (!isOpen) {
      isOpen = true;
      isCounted = false;
      failures = 0;
      options.opened();
      dispatch({ type: 'opened' });
      void enter();
    }
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      viewers -= 1;
      if (viewers === 0) leaving = setTimeout(leave, LEAVE_DELAY_MS);
    };
  }

  async function loadOlder() {
    const { phase, messages, has_older, loading_older } = state.getState();
    const first = messages[0];
    if (phase !== 'ready' || !first || !has_older || loading_older || !connection.isLive()) return;
    dispatch({ type: 'older_asked' });
    const result = await connection.request('get_messages', { room_id: roomId, limit: PAGE, before: first.seq });
    if (result.ok) dispatch({ type: 'older', before: first.seq, page: result.value });
    else if (result.error.code !== 'disconnected') dispatch({ type: 'older_failed' });
  }

  return {
    state,
    open,
    dispatch,
    isOpen: () => isOpen,
    enter: () => {
      failures = 0;
      void enter();
    },
    look: () => void look(),
    send: (text) => {
      const { rev } = state.getState();
      const trimmed = text.trim();
      // Nobody answers what they have not seen.
      if (trimmed === '' || rev === null) return;
      outbox.send(roomId, trimmed, rev);
      typing.set(false);
    },
    retry: (clientId) => outbox.retry(clientId),
    discard: (clientId) => outbox.discard(clientId),
    loadOlder: () => void loadOlder(),
    reload: () => {
      failures = 0;
      dispatch({ type: 'reloading' });
      void enter();
    },
    setTyping: (isTyping) => {
      if (isOpen && connection.isLive()) typing.set(isTyping);
    },
    cut: () => {
      run += 1;
      readTo = 0;
      clearTimeout(again);
      again = undefined;
      typing.forget();
      dispatch({ type: 'cut' });
    },
    dispose: () => {
      run += 1;
      isOpen = false;
      clearTimeout(leaving);
      clearTimeout(again);
      typing.forget();
    },
  };
}
