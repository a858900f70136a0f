// Keeps a customer connected: by a socket, or where none is let through by requests, and then by a socket again as soon
// as one is.

import { createStore } from 'zustand/vanilla';
import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import { backoff } from '../backoff';
import type { Signals } from '../environment';
import type { Readable } from '../readable';
import type { Result } from '../result';
import {
  type Credentials,
  isAboutWhoAsks,
  type OpenTransport,
  type Transport,
  type TransportEvents,
} from './customer-transport';

export type LinkState =
  /** There is nothing to be connected for. */
  | { readonly phase: 'idle' }
  | { readonly phase: 'connecting' }
  | { readonly phase: 'live'; readonly by: Transport['kind'] }
  /** `retry_at` null: trying right now */
  | { readonly phase: 'reconnecting'; readonly retry_at: number | null }
  /** The browser says that there is no network. */
  | { readonly phase: 'offline' };

export interface LinkOptions {
  readonly socket: OpenTransport;
  readonly rest: OpenTransport;
  readonly signals: Signals;
  readonly random: () => number;
  /** Whether the page before this one found that sockets are blocked. */
  readonly startsBlocked: boolean;
  readonly blocked: (isBlocked: boolean) => void;
  /** What to connect with; a failure is tried again later. */
  readonly credentials: () => Promise<Result<Credentials>>;
  /** The server says no to who asks. Whether it is worth another try at once; if not, the link stops. */
  readonly refused: (error: ErrorBody) => Promise<boolean>;
  readonly events: LinkEvents;
}

export interface LinkEvents extends Omit<TransportEvents, 'live' | 'ended'> {
  live(transport: Transport, with_: Credentials): void;
  down(): void;
}

export interface Link {
  readonly state: Readable<LinkState>;
  readonly transport: () => Transport | null;
  /** Connects, if it does not yet. */
  start(): void;
  /** Ends what there is; `start` begins anew. */
  stop(): void;
  /** Gives up a connection that stands but does not answer, or that is of somebody else. */
  restart(): void;
  dispose(): void;
}

/** Longer than this nobody is kept waiting for a socket while requests may work. */
const ATTEMPT_MS = 6000;
/** In the background there is time. */
const RETRY_ATTEMPT_MS = 20_000;
const FIRST_SOCKET_RETRY_MS = 20_000;
const LONGEST_SOCKET_RETRY_MS = 5 * 60_000;
const STABLE_MS = 10_000;
/** In a row, before it is given up: what answers with a refusal each time is not asked for ever. */
const MAX_REFUSALS = 3;

export function createLink(options: LinkOptions): Link {
  const { signals, events } = options;
  const state = createStore<LinkState>(() => ({ phase: 'idle' }));
  let current: Transport | null = null; // that stands
  let trying: Transport | null = null;
  let run = 0; // of the newest attempt: whatever belongs to an older one is not listened to
  let isRunning = false;
  let hasBeenLive = false;
  let isBlocked = options.startsBlocked;
  let failures = 0;
  let refusals = 0;
  let liveSince = 0;
  let socketRetries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let socketTimer: ReturnType<typeof setTimeout> | undefined;

  function show(retry_at: number | null) {
    if (!signals.isOnline()) state.setState({ phase: 'offline' }, true);
    else if (!hasBeenLive && failures === 0) state.setState({ phase: 'connecting' }, true);
    else state.setState({ phase: 'reconnecting', retry_at }, true);
  }

  function drop(): boolean {
    run += 1;
    clearTimeout(timer);
    clearTimeout(socketTimer);
    trying?.dispose();
    trying = null;
    const wasLive = current !== null;
    current?.dispose();
    current = null;
    return wasLive;
  }

  /** `atLeast`: it is no use to come back before. */
  function lost(atLeast = 0) {
    if (drop()) events.down();
    if (!isRunning) return;
    if (liveSince > 0 && Date.now() - liveSince >= STABLE_MS) failures = 0;
    liveSince = 0;
    failures += 1;
    const wait = Math.max(backoff(failures, options.random()), atLeast);
    show(Date.now() + wait);
    timer = setTimeout(attempt, wait);
  }

  function tell(isNowBlocked: boolean) {
    if (isBlocked === isNowBlocked) return;
    isBlocked = isNowBlocked;
    options.blocked(isNowBlocked);
  }

  async function attempt() {
    if (drop()) events.down();
    const mine = run;
    show(null);
    const found = await options.credentials();
    if (mine !== run) return;
    if (!found.ok) return isAboutWhoAsks(found.error) ? stop() : lost(found.error.retry_after_ms);
    if (isBlocked) byRest(found.value);
    else bySocket(found.value, ATTEMPT_MS, () => byRest(found.value));
  }

  function bySocket(credentials: Credentials, patience: number, failed: () => void) {
    open(options.socket, credentials, patience, {
      live: () => tell(false),
      failed,
    });
  }

  function byRest(credentials: Credentials) {
    open(options.rest, credentials, RETRY_ATTEMPT_MS, {
      live: () => {
        tell(true);
        scheduleSocket();
      },
      // Nor that: it is the server or the network that is away, and nothing is known of sockets.
      failed: () => {
        tell(false);
        lost();
      },
    });
  }

  /** Tries a socket beside the requests that work, which go on until it stands. */
  async function trySocket() {
    clearTimeout(socketTimer);
    if (current?.kind !== 'rest' || trying) return;
    const mine = run;
    const found = await options.credentials();
    if (mine !== run || current?.kind !== 'rest' || trying) return;
    if (found.ok) bySocket(found.value, RETRY_ATTEMPT_MS, scheduleSocket);
    else scheduleSocket();
  }

  function scheduleSocket() {
    clearTimeout(socketTimer);
    const wait = Math.min(LONGEST_SOCKET_RETRY_MS, FIRST_SOCKET_RETRY_MS * 2 ** socketRetries);
    socketRetries += 1;
    socketTimer = setTimeout(trySocket, wait * (0.75 + options.random() / 2));
  }

  function open(
    openTransport: OpenTransport,
    credentials: Credentials,
    patience: number,
    outcome: { live: () => void; failed: () => void },
  ) {
    const mine = run;
    let isOurs = true;
    const isTrying = () => isOurs && mine === run && trying === transport;
    const heard = () => isOurs && current === transport;
    const failed = () => {
      if (!isTrying()) return;
      isOurs = false;
      clearTimeout(deadline);
      trying?.dispose();
      trying = null;
      outcome.failed();
    };
    const deadline = setTimeout(failed, patience);
    const transport: Transport = openTransport(credentials, {
      live: () => {
        if (!isTrying()) return;
        clearTimeout(deadline);
        const before = current;
        trying = null;
        current = transport;
        before?.dispose();
        if (before) events.down();
        hasBeenLive = true;
        refusals = 0;
        liveSince = Date.now();
        if (transport.kind === 'socket') socketRetries = 0;
        outcome.live();
        state.setState({ phase: 'live', by: transport.kind }, true);
        events.live(transport, credentials);
      },
      ended: (error) => {
        clearTimeout(deadline);
        const wasTrying = isTrying();
        const wasHeard = heard();
        if (!wasTrying && !wasHeard) return;
        if (error && isAboutWhoAsks(error)) return void refused(error);
        if (wasTrying) return failed();
        isOurs = false;
        lost();
      },
      message: (message) => heard() && events.message(message),
      changes: (room, messages, rev) => heard() && events.changes(room, messages, rev),
      reset: () => heard() && events.reset(),
      typing: (update) => heard() && events.typing(update),
      receipt: (receipt) => heard() && events.receipt(receipt),
      status: (update) => heard() && events.status(update),
      session: (session) => (heard() || isTrying()) && events.session(session),
    });
    trying = transport;
  }

  async function refused(error: ErrorBody) {
    if (drop()) events.down();
    const mine = run;
    show(null);
    refusals += 1;
    const isWorthIt = await options.refused(error);
    if (mine !== run || !isRunning) return;
    if (isWorthIt && refusals < MAX_REFUSALS) return attempt();
    if (isWorthIt) return lost();
    stop();
  }

  function start() {
    if (isRunning) return;
    isRunning = true;
    failures = 0;
    refusals = 0;
    hasBeenLive = false;
    void attempt();
  }

  function stop() {
    isRunning = false;
    if (drop()) events.down();
    state.setState({ phase: 'idle' }, true);
  }

  const unsubscribe = signals.subscribe((signal) => {
    if (!isRunning) return;
    if (signal === 'offline') {
      if (!current) show(null);
    } else if (signal !== 'hidden') {
      if (current?.kind === 'rest') void trySocket();
      else if (!current && !trying) void attempt();
    }
  });

  return {
    state,
    transport: () => current,
    start,
    stop,
    restart: () => {
      if (!isRunning) return;
      failures = 0;
      void attempt();
    },
    dispose: () => {
      unsubscribe();
      stop();
    },
  };
}
