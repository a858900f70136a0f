// The HTTP side: signing in, and who one is.

import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { Me } from '../protocol/generated/Me';
import type { SignedIn } from '../protocol/generated/SignedIn';
import type { WaysIn } from '../protocol/generated/WaysIn';
import { type Environment, isErrorBody, type SocketAuth } from './environment';
import { fail, localError, ok, type Result } from './result';

export interface Api {
  ways(): Promise<Result<WaysIn>>;
  login(username: string, password: string): Promise<Result<SignedIn>>;
  register(username: string, password: string): Promise<Result<SignedIn>>;
  /** The refresh token is in a cookie that no script can read. */
  refresh(): Promise<Result<SignedIn>>;
  logout(): Promise<Result<unknown>>;
  me(auth: SocketAuth): Promise<Result<Me>>;
}

const TIMEOUT_MS = 15_000;

const FINAL = ['unauthorized', 'signed_out', 'token_expired', 'account_disabled', 'access_denied'];

/** Whether the same proof of who one is can still be good later: unless the server has said that it is not. */
export const isPassing = ({ code }: ErrorBody): boolean => !FINAL.includes(code);

export function createApi(fetch: Environment['fetch']): Api {
  async function call<T>(path: string, init: RequestInit): Promise<Result<T>> {
    try {
      const response = await fetch(path, {
        ...init,
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const body: unknown = await response.json();
      const success = typeof body === 'object' && body !== null && 'success' in body ? body.success : null;
      if (response.ok && success === true) return ok(body as T);
      return fail(success === false && isErrorBody(body) ? body : localError('unreachable'));
    } catch {
      // No network, or something in between that answers in the server's place.
      return fail(localError('unreachable'));
    }
  }

  const post = <T>(path: string, body: object) =>
    call<T>(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  return {
    ways: () => call('/api/auth', {}),
    login: (username, password) => post('/api/auth/login', { username, password, cookie: true }),
    register: (username, password) => post('/api/auth/register', { username, password, cookie: true }),
    refresh: () => post('/api/auth/refresh', {}),
    logout: () => post('/api/auth/logout', {}),
    me: (auth) => call('/api/me', { headers: headersOf(auth) }),
  };
}

function headersOf(auth: SocketAuth): Record<string, string> {
  if ('token' in auth) return { authorization: `Bearer ${auth.token}` };
  return 'guest_session' in auth ? { 'x-guest-session': auth.guest_session } : {};
}
