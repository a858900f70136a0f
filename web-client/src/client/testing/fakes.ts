// A browser profile with its tabs, and a server, for tests: all in memory, nothing by itself.

import type { User } from '../../protocol/generated/User';
import type { Channel, Environment, Kept, Signal, Signals, Socket, SocketAuth, SocketNamespace } from '../environment';

interface Sent {
  readonly name: string;
  readonly payload: unknown;
  readonly ack: ((answer: unknown) => void) | undefined;
}

export class FakeSocket implements Socket {
  readonly sent: Sent[] = [];
  isClosed = false;
  readonly #listeners = new Map<string, (payload: unknown) => void>();
  readonly auth: SocketAuth;
  readonly namespace: SocketNamespace;
  readonly #answer: (name: string, payload: unknown) => object | undefined;

  constructor(
    auth: SocketAuth,
    answer: (name: string, payload: unknown) => object | undefined,
    namespace: SocketNamespace,
  ) {
    this.auth = auth;
    this.namespace = namespace;
    this.#answer = answer;
  }

  on(event: string, listener: (payload: unknown) => void) {
    this.#listeners.set(event, listener);
  }

  emit(name: string, payload: unknown, ack?: (answer: unknown) => void) {
    const answer = this.#answer(name, payload);
    this.sent.push({ name, payload, ack: answer ? undefined : ack });
    if (answer) queueMicrotask(() => ack?.(answer));
  }

  disconnect() {
    this.isClosed = true;
  }

  /** What the server tells, or the library: `connect`, `disconnect`, `connect_error`. */
  receive(event: string, payload?: unknown) {
    this.#listeners.get(event)?.(payload);
  }

  /** The payloads of the requests of that name. */
  asked(name: string): unknown[] {
    return this.sent.filter((sent) => sent.name === name).map(({ payload }) => payload);
  }

  /** Answers the oldest request of that name that was not answered yet. */
  answer(name: string, answer: object) {
    const place = this.sent.findIndex((sent) => sent.name === name && sent.ack);
    const sent = this.sent[place];
    if (!sent) throw new Error(`nobody waits for ${name}`);
    this.sent[place] = { ...sent, ack: undefined };
    sent.ack?.(answer);
  }
}

/** Keeps the sockets that were opened; `answers` are given at once to requests of that name. */
export class FakeSockets {
  readonly all: FakeSocket[] = [];
  readonly answers = new Map<string, (payload: unknown) => object>();
  /** Whether each one connects by itself. */
  accepts = false;

  readonly open = (auth: SocketAuth, namespace: SocketNamespace = '/'): FakeSocket => {
    const socket = new FakeSocket(auth, (name, payload) => this.answers.get(name)?.(payload), namespace);
    this.all.push(socket);
    if (this.accepts) queueMicrotask(() => socket.receive('connect'));
    return socket;
  };

  get last(): FakeSocket {
    const socket = this.all.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }
}

export class FakeSignals implements Signals {
  online = true;
  visible = true;
  readonly #listeners = new Set<(signal: Signal) => void>();

  isOnline() {
    return this.online;
  }

  isVisible() {
    return this.visible;
  }

  subscribe(listener: (signal: Signal) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  send(signal: Signal) {
    if (signal === 'online' || signal === 'offline') this.online = signal === 'online';
    else this.visible = signal === 'visible';
    for (const listener of [...this.#listeners]) listener(signal);
  }
}

export function fakeKept(): Kept & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return {
    entries,
    get: (key) => entries.get(key) ?? null,
    set: (key, value) => void entries.set(key, value),
    remove: (key) => void entries.delete(key),
    keys: () => [...entries.keys()],
    onChange: () => () => {},
  };
}

interface Account {
  readonly user: User;
  readonly password: string;
}

/** The HTTP side of a server: accounts, and what proves who one is. */
export class FakeApi {
  readonly accounts = new Map<string, Account>();
  readonly tokens = new Map<string, User>();
  readonly guests = new Map<string, User>();
  /** Sessions that cookies name. */
  readonly sessions = new Map<string, User>();
  readonly calls: string[] = [];
  isReachable = true;
  tokenMs = 15 * 60_000;
  /** By how much its clock is ahead of the browser's. */
  aheadMs = 0;
  #count = 0;

  account(username: string, id: number): User {
    const user = { id, tenant: 'default', username, is_guest: false, is_staff: false };
    this.accounts.set(username, { user, password: `${username}-password` });
    return user;
  }

  handle(path: string, init: RequestInit, cookies: { session: string | null }): [number, object] {
    this.calls.push(path.replace('/api/', ''));
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : {};
    const headers = new Headers(init.headers);
    switch (path) {
      case '/api/auth':
        return [200, { success: true, accounts: true, registration: true, guests: true }];
      case '/api/auth/login': {
        const { username, password } = body as { username: string; password: string };
        const account = this.accounts.get(username);
        if (account?.password !== password) return refusal();
        cookies.session = this.#next('session');
        this.sessions.set(cookies.session, account.user);
        return [200, this.#signedIn(account.user)];
      }
      case '/api/auth/refresh': {
        const user = this.sessions.get(cookies.session ?? '');
        return user ? [200, this.#signedIn(user)] : refusal();
      }
      case '/api/auth/logout':
        this.sessions.delete(cookies.session ?? '');
        cookies.session = null;
        return [200, { success: true }];
      case '/api/me': {
        const token = headers.get('authorization')?.replace('Bearer ', '');
        const user = this.tokens.get(token ?? '') ?? this.guests.get(headers.get('x-guest-session') ?? '');
        return user ? [200, { success: true, user }] : refusal();
      }
      default:
        return [404, {}];
    }
  }

  #signedIn(user: User): object {
    const now = Date.now() + this.aheadMs;
    const [iat, exp] = [now / 1000, (now + this.tokenMs) / 1000];
    const access_token = jwt(this.#next('access'), { iat, exp, confab_session: 'session' });
    this.tokens.set(access_token, user);
    return { success: true, access_token, expires_at: new Date(now + this.tokenMs).toISOString(), user };
  }

  #next(what: string): string {
    this.#count += 1;
    return `${what}-${this.#count}`;
  }
}

/** What looks like a signed token. */
export const jwt = (header: string, claims: object): string => `${header}.${btoa(JSON.stringify(claims))}.signature`;

function refusal(): [number, object] {
  return [401, { success: false, code: 'unauthorized', message: 'no' }];
}

export interface FakeTab {
  readonly env: Environment;
  readonly sockets: FakeSockets;
  readonly signals: FakeSignals;
  readonly tab: ReturnType<typeof fakeKept>;
  /** A link with a token is opened in this tab. */
  hand(token: string): void;
  /** While it sleeps it hears nothing of the others. */
  isAsleep: boolean;
}

/** One browser profile: what its tabs share. */
export class FakeBrowser {
  readonly api = new FakeApi();
  readonly local = fakeKept();
  readonly cookies: { session: string | null } = { session: null };
  readonly #channels = new Set<{ owner: FakeTab | null; listener: (message: unknown) => void }>();
  #lock: Promise<unknown> = Promise.resolve();

  /** A tab; with a token if the address that it opens has one. */
  tab(handed?: string, kept = fakeKept()): FakeTab {
    const sockets = new FakeSockets();
    sockets.accepts = true;
    const signals = new FakeSignals();
    let hand: (token: string) => void = () => {};
    const own: { tab: FakeTab | null } = { tab: null };
    const env: Environment = {
      fetch: async (path, init) => {
        await Promise.resolve();
        if (!this.api.isReachable) throw new TypeError('network');
        const [status, body] = this.api.handle(path, init, this.cookies);
        return new Response(JSON.stringify(body), { status });
      },
      local: this.local,
      tab: kept,
      channel: this.#channel(own),
      openSocket: sockets.open,
      signals,
      exclusively: (work) => {
        const next = this.#lock.then(work);
        this.#lock = next.catch(() => {});
        return next;
      },
      watchHandedToken: (listener) => {
        hand = listener;
        if (handed) listener(handed);
        return () => {};
      },
      guardLeaving: () => () => {},
      newId: () => crypto.randomUUID(),
      random: () => 0.5,
    };
    const tab: FakeTab = { env, sockets, signals, tab: kept, hand: (token) => hand(token), isAsleep: false };
    own.tab = tab;
    return tab;
  }

  #channel(own: { tab: FakeTab | null }): Channel {
    const end = { owner: null as FakeTab | null, listener: (_: unknown) => {} };
    return {
      post: (message) => {
        for (const other of this.#channels) {
          if (other !== end) queueMicrotask(() => other.owner?.isAsleep || other.listener(structuredClone(message)));
        }
      },
      onMessage: (listener) => {
        end.listener = listener;
        queueMicrotask(() => {
          end.owner = own.tab;
        });
        this.#channels.add(end);
      },
      close: () => this.#channels.delete(end),
    };
  }
}
