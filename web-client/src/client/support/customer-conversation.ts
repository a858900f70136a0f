// One customer's conversation: shown at once, kept right over every gap, and what is written in it sent once.

import { createStore } from 'zustand/vanilla';
import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { Rev } from '../../protocol/generated/Rev';
import type { Session } from '../../protocol/generated/Session';
import type { UserId } from '../../protocol/generated/UserId';
import { backoff } from '../backoff';
import type { Signals } from '../environment';
import { createOutbox, type Outbox } from '../outbox';
import type { Readable } from '../readable';
import { fail, localError, type Result } from '../result';
import { createTypingNotice } from '../typing';
import type { About, TabRecord } from './customer-kept';
import { createLink, type LinkOptions, type LinkState } from './customer-link';
import {
  type Conversation,
  type ConversationEvent,
  EMPTY,
  isBehind,
  readableSeq,
  reduceConversation,
  unreadOf,
} from './customer-state';
import type { Credentials, OpenTransport, Transport } from './customer-transport';

export interface ConversationOptions {
  readonly socket: OpenTransport;
  readonly rest: OpenTransport;
  readonly signals: Signals;
  readonly newId: () => string;
  readonly random: () => number;
  readonly sockets: Pick<LinkOptions, 'startsBlocked' | 'blocked'>;
  readonly credentials: () => Promise<Result<Credentials>>;
  readonly refused: (error: ErrorBody) => Promise<boolean>;
  readonly me: () => UserId | null;
  /** Connected as that one. */
  readonly connected: (as: Credentials) => void;
  readonly session: (session: Session) => void;
  /** What is written and not sent, for the tab to keep. */
  readonly load: () => TabRecord;
  readonly save: (record: TabRecord) => void;
}

export interface Talk {
  readonly conversation: Conversation;
  readonly draft: string;
  readonly about: About;
}

export interface CustomerConversation {
  readonly state: Readable<Talk>;
  readonly link: Readable<LinkState>;
  connect(): void;
  disconnect(): void;
  reconnect(): void;
  /** In the same connection, if there is one; else the next one is made with what `credentials` says then. */
  authenticate(token: string): Promise<Result<unknown> | null>;
  send(text: string): void;
  retry(clientId: string): void;
  discard(clientId: string): void;
  setDraft(text: string): void;
  setAbout(about: About): void;
  loadOlder(): void;
  /** Whether somebody looks at it: then what comes is read. */
  setVisible(isVisible: boolean): void;
  unsent(): TabRecord;
  /** Goes on with what `load` says now: the writer has become somebody. */
  reload(): void;
  /** What is shown is not theirs (any more); what they have written stays. */
  forgetRoom(): void;
  dispose(): void;
}

/** All of a customer's messages go into their one conversation, whichever room that is by then. */
const THE_ROOM = 'support';
/** A hole in a live stream closes by itself, or it is a fault: then what is missing is asked for. */
const CATCH_UP_DELAY_MS = 1000;

export function createConversation(options: ConversationOptions): CustomerConversation {
  const kept = options.load();
  const state = createStore<Talk>(() => ({ conversation: EMPTY, draft: kept.draft, about: kept.about }));
  const typing = createTypingNotice((isTyping) => link.transport()?.typing(isTyping));
  let unsent = kept.unsent;
  let outbox = openOutbox();
  let isVisible = false;
  /** The page of the connection that stands has come: what it does not know is not there. */
  let isReady = false;
  let isLoading = false;
  let loadFailures = 0;
  let owesRead: Rev = 0;
  let owesAbout = hasContent(kept.about);
  let statusCount = 0;
  let again: ReturnType<typeof setTimeout> | undefined;
  let isDisposed = false;

  const link = createLink({
    ...options.sockets,
    socket: options.socket,
    rest: options.rest,
    signals: options.signals,
    random: options.random,
    credentials: options.credentials,
    refused: options.refused,
    events: {
      live,
      down,
      message: (message) => {
        dispatch({ type: 'message', message });
        if (message.sender_type === 'customer') outbox.stored(message);
      },
      changes: (room_id, messages, rev) => {
        dispatch({ type: 'changes', room_id, messages, rev });
        for (const message of messages) if (message.sender_type === 'customer') outbox.stored(message);
      },
      reset: () => dispatch({ type: 'reset' }),
      typing: ({ room_id, typing_users }) => dispatch({ type: 'typing', room_id, users: typing_users }),
      receipt: ({ room_id, user_id, seq }) => dispatch({ type: 'receipt', room_id, by: user_id, seq }),
      status: ({ room_id, status }) => {
        statusCount += 1;
        dispatch({ type: 'status', room_id, status });
      },
      session: options.session,
    },
  });

  const current = () => state.getState().conversation;

  function dispatch(event: ConversationEvent) {
    const before = current();
    const next = reduceConversation(before, event);
    if (next === before) return;
    state.setState({ conversation: next });
    read();
    if (isReady && isBehind(next) && again === undefined && !isLoading) {
      again = setTimeout(load, next.needs_page ? 0 : CATCH_UP_DELAY_MS);
    }
  }

  // The connection

  function live(transport: Transport, as: Credentials) {
    loadFailures = 0;
    options.connected(as);
    dispatch({ type: 'me', id: options.me() });
    void begin(transport);
  }

  async function begin(transport: Transport) {
    await load();
    if (link.transport() !== transport) return;
    isReady = true;
    outbox.resume();
    if (owesRead > 0) tellRead(owesRead);
    // Over REST it is told; a socket tells only when it changes.
    if (transport.kind === 'rest') return;
    const before = statusCount;
    const found = await transport.room();
    if (found.ok && before === statusCount && link.transport() === transport) {
      dispatch({ type: 'room', room: found.value.room });
    }
  }

  function down() {
    isReady = false;
    isLoading = false;
    clearTimeout(again);
    again = undefined;
    typing.forget();
    dispatch({ type: 'cut' });
  }

  /** The newest page, until there is one. */
  async function load(): Promise<void> {
    clearTimeout(again);
    again = undefined;
    const transport = link.transport();
    if (!transport || isLoading) return;
    isLoading = true;
    const { room_id } = current();
    // Over REST a conversation that was closed is found by its id only.
    const wanted = transport.kind === 'rest' && room_id !== null ? { room_id } : {};
    const result = await transport.page(wanted);
    if (link.transport() !== transport) return;
    isLoading = false;
    if (result.ok) {
      dispatch({ type: 'page', page: result.value, isFirst: !isReady });
      for (const message of result.value.messages) outbox.stored(message);
    }
    // One that is still behind is not asked for without a pause.
    if (result.ok && !isBehind(current())) loadFailures = 0;
    else {
      loadFailures += 1;
      clearTimeout(again);
      again = setTimeout(load, result.ok ? CATCH_UP_DELAY_MS : backoff(loadFailures, options.random()));
    }
  }

  // Sending

  function openOutbox(): Outbox {
    return createOutbox({
      deliver: ({ text, client_id }) => transmit(text, String(client_id)),
      isLive: () => isReady && link.transport() !== null,
      newId: options.newId,
      kept: {
        load: () => [...unsent],
        save: (messages) => {
          unsent = messages;
          save();
        },
      },
      random: options.random,
      report: (_, event) => dispatch(event),
      sent: () => {},
      held: (until) => dispatch({ type: 'rate_limited', until }),
    });
  }

  async function transmit(text: string, clientId: string) {
    const transport = link.transport();
    if (!transport) return fail(localError('disconnected'));
    if (owesAbout) await introduce(transport);
    return transport.send(text, clientId);
  }

  /** Before the first message, so that whoever reads it knows from whom it is. Without it the message is sent all the same. */
  async function introduce(transport: Transport) {
    const { name, email } = state.getState().about;
    const opened = await transport.open({ ...(name && { name }), ...(email && { email }) });
    if (opened.ok || opened.error.code === 'invalid_payload') owesAbout = false;
  }

  const record = (): TabRecord => {
    const { draft, about } = state.getState();
    return { draft, about, unsent };
  };

  function save() {
    if (!isDisposed) options.save(record());
  }

  function showOutgoing() {
    for (const item of outbox.outgoingOf(THE_ROOM)) dispatch({ type: 'outgoing', item });
  }

  // Reading

  function read() {
    const { room_id } = current();
    const seq = readableSeq(current());
    if (!isVisible || room_id === null || seq <= current().read_seq) return;
    owesRead = seq;
    dispatch({ type: 'read', room_id, seq });
    if (isReady) tellRead(seq);
  }

  async function tellRead(seq: Rev) {
    const { room_id } = current();
    const transport = link.transport();
    if (room_id === null || !transport) return;
    const result = await transport.markRead(room_id, seq);
    if (result.ok && owesRead <= seq) owesRead = 0;
  }

  async function loadOlder() {
    const { room_id, messages, has_older, loading_older } = current();
    const first = messages[0];
    const transport = link.transport();
    if (!first || room_id === null || !has_older || loading_older || !transport || !isReady) return;
    dispatch({ type: 'older_asked' });
    const result = await transport.page({ room_id, before: first.seq });
    if (result.ok) dispatch({ type: 'older', before: first.seq, page: result.value });
    else dispatch({ type: 'older_failed' });
  }

  function forgetRoom() {
    const { outgoing, retry_at } = current();
    state.setState({ conversation: { ...EMPTY, outgoing, retry_at } });
    owesRead = 0;
  }

  showOutgoing();

  return {
    state,
    link: link.state,
    connect: link.start,
    disconnect: link.stop,
    reconnect: () => {
      link.start();
      link.restart();
    },
    authenticate: async (token) => link.transport()?.authenticate(token) ?? null,
    send: (text) => {
      const trimmed = text.trim();
      if (trimmed === '') return;
      state.setState({ draft: '' });
      outbox.send(THE_ROOM, trimmed);
      typing.set(false);
    },
    retry: (clientId) => outbox.retry(clientId),
    discard: (clientId) => outbox.discard(clientId),
    setDraft: (draft) => {
      state.setState({ draft });
      save();
      if (current().room_id !== null) typing.set(draft.trim() !== '');
    },
    setAbout: (about) => {
      state.setState({ about });
      owesAbout = hasContent(about);
      save();
      const transport = link.transport();
      if (owesAbout && transport && current().room_id !== null) void introduce(transport);
    },
    loadOlder: () => void loadOlder(),
    setVisible: (value) => {
      isVisible = value;
      read();
    },
    unsent: record,
    reload: () => {
      const next = options.load();
      outbox.dispose();
      unsent = next.unsent;
      state.setState({ draft: next.draft, about: next.about });
      owesAbout = hasContent(next.about);
      outbox = openOutbox();
      showOutgoing();
      if (isReady) outbox.resume();
    },
    forgetRoom,
    dispose: () => {
      isDisposed = true;
      clearTimeout(again);
      typing.forget();
      link.dispose();
      outbox.dispose();
      state.setState({ conversation: EMPTY, draft: '', about: { name: '', email: '' } });
    },
  };
}

const hasContent = ({ name, email }: About): boolean => name !== '' || email !== '';

/** How many messages wait to be read. */
export const unreadIn = ({ conversation }: Talk): number => unreadOf(conversation);
