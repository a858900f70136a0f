import type { Session } from '../protocol/generated/Session';
import type { OpenSocket } from './environment';
import { fail, localError, ok, type Result } from './result';
import type { Identity } from './session';

const PATIENCE_MS = 15_000;

export const guestOf = ({ guest_session, user_id, username }: Session): Identity => ({
  kind: 'guest',
  // Guests have no token that could name another tenant.
  user: { id: user_id, tenant: 'default', username, is_guest: true, is_staff: false },
  secret: guest_session,
});

/** A connection that says nothing about itself is a new guest, and is told its session. */
export function newGuest(openSocket: OpenSocket): Promise<Result<Identity>> {
  return new Promise((resolve) => {
    const socket = openSocket({});
    const finish = (result: Result<Identity>) => {
      clearTimeout(timer);
      socket.disconnect();
      resolve(result);
    };
    const timer = setTimeout(() => finish(fail(localError('timeout'))), PATIENCE_MS);
    // The one place where this event gets its type.
    socket.on('session', (session) => finish(ok(guestOf(session as Session))));
    socket.on('connect_error', (error) => {
      const [, code, message] = (error instanceof Error && /^([a-z_]+): (.*)$/s.exec(error.message)) || [];
      finish(fail(code && message ? { success: false, code, message } : localError('unreachable')));
    });
  });
}
