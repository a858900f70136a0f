// The HTTP side of a customer's conversation: what the fallback is made of, and who one is.

import type { MarkedRead } from '../../protocol/generated/MarkedRead';
import type { Me } from '../../protocol/generated/Me';
import type { Message } from '../../protocol/generated/Message';
import type { MessagePage } from '../../protocol/generated/MessagePage';
import type { MessageSent } from '../../protocol/generated/MessageSent';
import type { OpenRoom } from '../../protocol/generated/OpenRoom';
import type { OwnSupportRoom } from '../../protocol/generated/OwnSupportRoom';
import type { Rev } from '../../protocol/generated/Rev';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { RoomOpened } from '../../protocol/generated/RoomOpened';
import type { Session } from '../../protocol/generated/Session';
import { type Environment, isErrorBody } from '../environment';
import { fail, localError, ok, type Result } from '../result';
import type { Credentials } from './customer-transport';

export interface Changes {
  readonly changes?: readonly Message[];
  readonly rev: Rev;
  /** Too much was missed: load the newest page. */
  readonly reset?: boolean;
}

export interface CustomerApi {
  me(token: string): Promise<Result<Me>>;
  newGuest(): Promise<Result<Session>>;
  link(token: string, guestSession: string): Promise<Result<unknown>>;
  room(who: Credentials): Promise<Result<OwnSupportRoom>>;
  open(who: Credentials, about: OpenRoom): Promise<Result<RoomOpened>>;
  send(who: Credentials, roomId: RoomId, message: string, clientId: string): Promise<Result<MessageSent>>;
  page(who: Credentials, roomId: RoomId, limit: number, before?: Rev): Promise<Result<MessagePage>>;
  changes(who: Credentials, roomId: RoomId, since: Rev, signal: AbortSignal): Promise<Result<Changes>>;
  markRead(who: Credentials, roomId: RoomId, seq: Rev): Promise<Result<MarkedRead>>;
}

const TIMEOUT_MS = 15_000;
/** How long the server holds a question back until there is something to tell. */
const WAIT_S = 25;
const WAIT_TIMEOUT_MS = (WAIT_S + 15) * 1000;

export function createCustomerApi(fetch: Environment['fetch']): CustomerApi {
  async function call<T>(
    path: string,
    who: Credentials,
    init: RequestInit = {},
    ended?: AbortSignal,
  ): Promise<Result<T>> {
    const controller = new AbortController();
    const abort = () => controller.abort();
    const timer = setTimeout(abort, ended ? WAIT_TIMEOUT_MS : TIMEOUT_MS);
    ended?.addEventListener('abort', abort);
    try {
      const response = await fetch(`/api${path}`, {
        ...init,
        headers: { ...headersOf(who), ...init.headers },
        credentials: 'omit',
        cache: 'no-store',
        signal: controller.signal,
      });
      const body: unknown = await response.json();
      const success = typeof body === 'object' && body !== null && 'success' in body ? body.success : null;
      if (response.ok && success === true) return ok(body as T);
      return fail(success === false && isErrorBody(body) ? body : localError('unreachable'));
    } catch {
      // No network, or something in between that answers in the server's place.
      return fail(localError('unreachable'));
    } finally {
      clearTimeout(timer);
      ended?.removeEventListener('abort', abort);
    }
  }

  const post = <T>(path: string, who: Credentials, body: object, headers: Record<string, string> = {}) =>
    call<T>(path, who, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  return {
    me: (token) => call('/me', { token }),
    newGuest: () => post('/guest-sessions', {}, {}),
    link: (token, guest_session) => post('/guest-sessions/link', { token }, { guest_session }),
    room: (who) => call('/support/room', who),
    open: (who, about) => post('/support/room', who, about),
    send: (who, roomId, message, clientId) =>
      post(`${pathOf(roomId)}/messages`, who, { message }, { 'idempotency-key': clientId }),
    page: (who, roomId, limit, before) => {
      const query = new URLSearchParams({
        limit: String(limit),
        ...(before !== undefined && { before: String(before) }),
      });
      return call(`${pathOf(roomId)}/messages?${query}`, who);
    },
    changes: (who, roomId, since, signal) =>
      call(`${pathOf(roomId)}/changes?since=${since}&wait=${WAIT_S}`, who, {}, signal),
    markRead: (who, roomId, seq) => post(`${pathOf(roomId)}/read`, who, { seq }),
  };
}

const pathOf = (roomId: RoomId): string => `/rooms/${encodeURIComponent(roomId)}`;

function headersOf({ token, guest_session }: Credentials): Record<string, string> {
  return {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(guest_session !== undefined && token === undefined && { 'x-guest-session': guest_session }),
  };
}
