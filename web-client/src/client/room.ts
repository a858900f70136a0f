// One room: in its live stream while it is on screen, and exactly right again after every gap.

import { createStore } from 'zustand/vanilla';
import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { Participant } from '../protocol/generated/Participant';
import type { Room } from '../protocol/generated/Room';
import type { RoomId } from '../protocol/generated/RoomId';
import type { UserId } from '../protocol/generated/UserId';
import { backoff } from './backoff';
import type { Connection } from './connection';
import type { Outbox } from './outbox';
import type { Readable } from './readable';
import { emptyRoom, isBehind, type RoomEvent, type RoomModel, type RoomState, reduceRoom } from './room-state';
import { createTypingNotice } from './typing';

/** A room as components use it. */
export interface RoomHandle {
  readonly state: Readable<RoomState>;
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

export interface RoomOptions {
  readonly roomId: RoomId;
  readonly me: UserId;
  readonly connection: Pick<Connection, 'request' | 'tell' | 'isLive'>;
  readonly outbox: Pick<Outbox, 'send' | 'retry' | 'discard'>;
  readonly random: () => number;
  /** It comes on screen. */
  readonly opened: () => void;
  /** It was left; what came in was read if it was joined. */
  readonly closed: (wasRead: boolean) => void;
  /** Whether nobody looks at the page: then nothing in it is read. */
  readonly isAway: () => boolean;
  readonly entered: (room: Room) => void;
  readonly learn: (people: readonly Participant[]) => void;
  /** How many messages were unread when it came on screen. */
  readonly unread: () => number;
}

export interface RoomSession extends RoomHandle {
  dispatch(event: RoomEvent): void;
  /** Whether it is on screen, or was a moment ago. */
  isOpen(): boolean;
  /** The connection stands. */
  connected(): void;
  disconnected(): void;
  /** I am no participant any more, or am one again. */
  removed(): void;
  added(): void;
  /** Nobody looks at the page any more, or somebody does again. */
  away(): void;
  back(): void;
  dispose(): void;
}

const PAGE = 50;
/** Whoever comes back within this time has not left: screens change by unmounting and mounting. */
const LEAVE_DELAY_MS = 200;
/** A hole in a live stream closes by itself, or it is a fault: then what is missing is asked for. */
const CATCH_UP_DELAY_MS = 1000;
/** A room without content says so then; it goes on trying. */
const MAX_FAILURES = 5;

export function createRoom(options: RoomOptions): RoomSession {
  const { roomId, connection, outbox } = options;
  const state = createStore<RoomModel>(() => emptyRoom(roomId, options.me));
  const typing = createTypingNotice((is_typing) => connection.tell('typing', { room_id: roomId, is_typing }));
  let viewers = 0;
  let isOpen = false;
  let isJoined = false;
  let isOut = false; // removed: it is entered again when somebody opens it, not by itself
  let isCounted = false; // what was unread when it was opened
  let failures = 0;
  let run = 0; // of the newest entering: answers to an older one are not for us
  let leaving: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;

  function dispatch(event: RoomEvent) {
    const next = reduceRoom(state.getState(), event);
    if (next !== state.getState()) state.setState(next, true);
    if (isJoined && isBehind(next) && again === undefined) {
      again = setTimeout(() => {
        again = undefined;
        if (isJoined && isBehind(state.getState())) enter();
      }, CATCH_UP_DELAY_MS);
    }
  }

  /** Joins and brings the state up to date. All is asked for at once; the server answers in that order. */
  async function enter() {
    const mine = ++run;
    clearTimeout(again);
    again = undefined;
    if (isOut || !connection.isLive() || options.isAway()) return;
    const { rev, needs_page } = state.getState();
    const isKnown = rev !== null && !needs_page;
    const joining = connection.request('join_room', isKnown ? { room_id: roomId, since: rev } : { room_id: roomId });
    const loading = isKnown ? null : requestPage();
    const asking = connection.request('get_room_participants', { room_id: roomId });
    const joined = await joining;
    if (mine !== run) return;
    if (!joined.ok) return refused(joined.error);
    isJoined = true;
    dispatch({ type: 'joined', ack: joined.value });
    options.entered(joined.value.room);
    if (loading || state.getState().needs_page) {
      const page = await (loading ?? requestPage());
      if (mine !== run) return;
      if (!page.ok) return refused(page.error);
      dispatch({ type: 'page', page: page.value });
    }
    failures = 0;
    count();
    const people = await asking;
    if (mine !== run || !people.ok) return;
    options.learn(people.value.participants);
    dispatch({ type: 'participants', participants: people.value.participants });
  }

  const requestPage = () => connection.request('get_messages', { room_id: roomId, limit: PAGE });

  /** Once for each opening; after that what comes is read as it comes. */
  function count() {
    if (!isCounted) dispatch({ type: 'unread', count: options.unread() });
    isCounted = true;
  }

  function refused(error: ErrorBody) {
    // The next connection enters again.
    if (error.code === 'disconnected') return;
    if (error.code === 'access_denied' || error.code === 'not_found') {
      isJoined = false;
      return dispatch({ type: 'refused', phase: error.code === 'not_found' ? 'missing' : 'denied' });
    }
    failures += 1;
    if (error.code === 'invalid_payload' || failures >= MAX_FAILURES) dispatch({ type: 'refused', phase: 'failed' });
    if (error.code !== 'invalid_payload') again = setTimeout(enter, backoff(failures, options.random()));
  }

  function leave() {
    if (!isOpen) return;
    isOpen = false;
    goOut();
  }

  function goOut() {
    const wasJoined = isJoined;
    run += 1;
    typing.set(false);
    connection.tell('leave_room', { room_id: roomId });
    cut();
    options.closed(wasJoined);
  }

  function goIn() {
    isCounted = false;
    failures = 0;
    options.opened();
    dispatch({ type: 'opened' });
    enter();
  }

  function cut() {
    run += 1;
    isJoined = false;
    clearTimeout(again);
    again = undefined;
    typing.forget();
    dispatch({ type: 'cut' });
  }

  function removed() {
    isOut = true;
    cut();
    dispatch({ type: 'refused', phase: 'removed' });
  }

  function letIn() {
    if (!isOut) return;
    isOut = false;
    dispatch({ type: 'reloading' });
  }

  function open() {
    viewers += 1;
    clearTimeout(leaving);
    if (!isOpen) {
      isOpen = true;
      letIn();
      goIn();
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
    send: (text) => {
      const trimmed = text.trim();
      if (trimmed === '') return;
      outbox.send(roomId, trimmed);
      // After the message, so that nobody sees the typing end before there is something to read.
      typing.set(false);
    },
    retry: (clientId) => outbox.retry(clientId),
    discard: (clientId) => outbox.discard(clientId),
    loadOlder: () => void loadOlder(),
    reload: () => {
      failures = 0;
      dispatch({ type: 'reloading' });
      if (isOpen) enter();
    },
    setTyping: (isTyping) => {
      if (isJoined) typing.set(isTyping);
    },
    connected: () => {
      failures = 0;
      if (isOpen) enter();
    },
    disconnected: cut,
    removed,
    added: () => {
      letIn();
      if (isOpen && !isJoined) enter();
    },
    away: () => {
      if (isOpen) goOut();
    },
    back: () => {
      if (isOpen) goIn();
    },
    dispose: () => {
      run += 1;
      isJoined = false;
      clearTimeout(leaving);
      clearTimeout(again);
      typing.forget();
    },
  };
}
