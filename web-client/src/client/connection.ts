// One identity's connection to the server: it comes back by itself, and its requests always have a result.

import { createStore } from 'zustand/vanilla';
import type { ClientToServer, Exchange, ServerToClient } from '../protocol/events';
import type { ErrorBody } from '../protocol/generated/ErrorBody';
import { backoff } from './backoff';
import { isErrorBody, type OpenSocket, type Signals, type Socket, type SocketAuth } from './environment';
import type { Readable } from './readable';
import { fail, localError, ok, type Result } from './result';

export type ConnectionState =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'live' }
  /** `retry_at` null: trying right now */
  | { readonly phase: 'reconnecting'; readonly attempt: number; readonly retry_at: number | null }
  /** The browser says that there is no network. */
  | { readonly phase: 'offline' };

/** What a namespace can be asked, by name. */
type Exchanges<Requests> = { [Name in keyof Requests]: Exchange };

export type RequestOf<Requests extends Exchanges<Requests>> = <Name extends keyof Requests & string>(
  name: Name,
  payload: Requests[Name]['payload'],
  timeoutMs?: number,
) => Promise<Result<Requests[Name]['answer']>>;

export type Request = RequestOf<ClientToServer>;

export interface ConnectionEvents<Events = ServerToClient> {
  /** Each time the connection stands. What is requested at once is sent in that order, before anything else. */
  live(): void;
  /** It stood, and is gone. */
  down(): void;
  event<Name extends keyof Events & string>(name: Name, payload: Events[Name]): void;
}

export interface ConnectionOptions<Events = ServerToClient> {
  readonly openSocket: OpenSocket;
  readonly signals: Signals;
  readonly random: () => number;
  /** What to connect with; a failure is tried again later. */
  readonly auth: () => Promise<Result<SocketAuth>>;
  /** The server does not know us (any more). Whether it is worth another try at once; `again`: that was one. */
  readonly unauthorized: (error: ErrorBody, again: boolean) => Promise<boolean>;
  /** The server knows us, and this is not for us: it is not tried again. */
  readonly forbidden?: (error: ErrorBody) => void;
  /** The events that are listened to. */
  readonly names: readonly (keyof Events & string)[];
  readonly events: ConnectionEvents<Events>;
}

export interface Connection<Requests extends Exchanges<Requests> = ClientToServer> {
  readonly state: Readable<ConnectionState>;
  readonly isLive: () => boolean;
  /** Sent in the order of the calls. Never hangs: a lost connection is the result `disconnected`. */
  readonly request: RequestOf<Requests>;
  /** Without an answer; dropped while there is no connection. */
  tell<Name extends keyof Requests & string>(name: Name, payload: Requests[Name]['payload']): void;
  reconnectNow(): void;
  /** Gives up a connection that stands but does not answer. */
  restart(): void;
  dispose(): void;
}

const REQUEST_MS = 10_000;
const ATTEMPT_MS = 20_000;
/** A connection that lasted so long was a good one: waiting starts from the beginning. */
const STABLE_MS = 10_000;
/** Refusals that say something about who one is: waiting does not help. */
const ENDS_ACCESS = ['unauthorized', 'token_expired', 'account_disabled'];

export function createConnection<Requests extends Exchanges<Requests> = ClientToServer, Events = ServerToClient>(
  options: ConnectionOptions<Events>,
): Connection<Requests> {
  const { signals, events } = options;
  const state = createStore<ConnectionState>(() => ({ phase: 'connecting' }));
  const pending = new Set<(result: { ok: false; error: ErrorBody }) => void>();
  let socket: Socket | null = null;
  let run = 0; // of the newest attempt: whatever belongs to an older one is not listened to
  let isTrying = false;
  let failures = 0;
  let refusals = 0;
  let liveSince = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isDisposed = false;

  const isLive = () => state.getState().phase === 'live';

  function show(retryAt: number | null) {
    const isFirst = failures === 0 && liveSince === 0;
    if (!signals.isOnline()) state.setState({ phase: 'offline' }, true);
    else if (isFirst) state.setState({ phase: 'connecting' }, true);
    else state.setState({ phase: 'reconnecting', attempt: Math.max(1, failures), retry_at: retryAt }, true);
  }

  /** Ends what there is, so that the next attempt begins with nothing. */
  function drop() {
    run += 1;
    isTrying = false;
    clearTimeout(timer);
    socket?.disconnect();
    socket = null;
    const wasLive = isLive();
    for (const settle of pending) settle(fail(localError('disconnected')));
    pending.clear();
    return wasLive;
  }

  function lost(delay?: number) {
    const wasLive = drop();
    if (isDisposed) return;
    if (wasLive && Date.now() - liveSince >= STABLE_MS) failures = 0;
    failures += 1;
    const wait = delay ?? backoff(failures, options.random());
    show(Date.now() + wait);
    // The browser may be wrong about the network (a server on this machine needs none), so it is tried all the same.
    timer = setTimeout(attempt, wait);
    if (wasLive) events.down();
  }

  async function attempt() {
    drop();
    const mine = run;
    isTrying = true;
    show(null);
    timer = setTimeout(lost, ATTEMPT_MS);
    const auth = await options.auth();
    if (mine !== run || isDisposed) return;
    if (!auth.ok) return lost();
    socket = options.openSocket(auth.value);
    listen(socket, (handler) => (payload) => {
      if (mine === run && !isDisposed) handler(payload);
    });
  }

  function listen(current: Socket, ours: (handler: (payload: unknown) => void) => (payload: unknown) => void) {
    current.on(
      'connect',
      ours(() => {
        clearTimeout(timer);
        isTrying = false;
        refusals = 0;
        liveSince = Date.now();
        state.setState({ phase: 'live' }, true);
        events.live();
      }),
    );
    current.on(
      'disconnect',
      ours(() => lost()),
    );
    current.on(
      'connect_error',
      ours((error) => refused(error)),
    );
    for (const name of options.names) {
      // The one place where what the server says gets its type.
      current.on(
        name,
        ours((payload) => events.event(name, payload as Events[typeof name])),
      );
    }
  }

  async function refused(cause: unknown) {
    const error = refusal(cause);
    if (error?.code === 'forbidden' && options.forbidden) {
      drop();
      return options.forbidden(error);
    }
    if (!error || !ENDS_ACCESS.includes(error.code)) return lost();
    drop();
    const mine = run;
    isTrying = true;
    refusals += 1;
    const isWorthIt = await options.unauthorized(error, refusals > 1);
    if (mine !== run || isDisposed) return;
    if (isWorthIt) return attempt();
    refusals = 0;
    lost();
  }

  function reconnectNow() {
    if (!isDisposed && !isLive() && !isTrying) attempt();
  }

  const request: RequestOf<Requests> = (name, payload, timeoutMs = REQUEST_MS) => {
    const current = socket;
    if (!current || !isLive()) return Promise.resolve(fail(localError('disconnected')));
    return new Promise((resolve) => {
      const settle = (result: Result<Requests[typeof name]['answer']>) => {
        clearTimeout(deadline);
        pending.delete(settle);
        resolve(result);
      };
      const deadline = setTimeout(() => settle(fail(localError('timeout'))), timeoutMs);
      pending.add(settle);
      current.emit(name, payload, (ack: unknown) => settle(fromAck(ack)));
    });
  };

  const unsubscribe = signals.subscribe((signal) => {
    if (signal === 'offline') {
      if (!isLive()) show(null);
      return;
    }
    if (signal !== 'hidden') reconnectNow();
  });
  attempt();

  return {
    state,
    isLive,
    request,
    tell: (name, payload) => {
      if (isLive()) socket?.emit(name, payload);
    },
    reconnectNow,
    restart: () => {
      if (isLive()) lost(0);
    },
    dispose: () => {
      isDisposed = true;
      unsubscribe();
      drop();
    },
  };
}

function fromAck<T>(ack: unknown): Result<T> {
  if (typeof ack === 'object' && ack !== null && 'success' in ack && ack.success === true) return ok(ack as T);
  return fail(isErrorBody(ack) ? ack : { success: false, code: 'internal', message: 'The answer makes no sense.' });
}

/** The server's own words begin with a code, on the staff's door after a number; else it is a transport that failed. */
function refusal(cause: unknown): ErrorBody | null {
  if (!(cause instanceof Error)) return null;
  const [, code, message] = /^(?:\d{4} )?([a-z_]+): (.*)$/s.exec(cause.message) ?? [];
  return code && message ? { success: false, code, message } : null;
}
