// What the client needs of its surroundings, so that it also runs where there is no browser (and in tests).

import type { ErrorBody } from '../protocol/generated/ErrorBody';

/** localStorage or sessionStorage. */
export interface Kept {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
  /** Other tabs have changed it: this key, or (null) perhaps all. */
  onChange(listener: (key: string | null) => void): () => void;
}

/** Messages to and from the other tabs of this origin. */
export interface Channel {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  close(): void;
}

export type SocketAuth = { readonly token: string } | { readonly guest_session: string } | Record<never, never>;

/** What is used of a socket of socket.io-client. It connects by itself, once. */
export interface Socket {
  on(event: string, listener: (payload: unknown) => void): unknown;
  emit(event: string, ...parts: unknown[]): unknown;
  disconnect(): unknown;
}

/** The namespaces of the server: the chat, a customer's own support room, the staff's desk. */
export type SocketNamespace = '/' | '/support' | '/admin';

export type OpenSocket = (auth: SocketAuth, namespace?: SocketNamespace) => Socket;

export type Signal = 'online' | 'offline' | 'visible' | 'hidden';

/** What the browser tells of the network and the page. */
export interface Signals {
  isOnline(): boolean;
  /** Whether anybody can see the page. */
  isVisible(): boolean;
  subscribe(listener: (signal: Signal) => void): () => void;
}

export interface Environment {
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>;
  /** For the whole profile. */
  readonly local: Kept;
  /** For this tab, over reloads. */
  readonly tab: Kept;
  readonly channel: Channel;
  readonly openSocket: OpenSocket;
  readonly signals: Signals;
  /** Runs one piece of work at a time, over all tabs. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
  /** Calls with each token that is handed over in the address, which is taken out of it: now, and as they come. */
  readonly watchHandedToken: (listener: (token: string) => void) => () => void;
  /** Asks before the page is left, while `isUnsafe` says so. */
  readonly guardLeaving: (isUnsafe: () => boolean) => () => void;
  readonly newId: () => string;
  /** From 0 to below 1. */
  readonly random: () => number;
}

export const isErrorBody = (value: unknown): value is ErrorBody =>
  typeof value === 'object' &&
  value !== null &&
  'code' in value &&
  typeof value.code === 'string' &&
  'message' in value;
