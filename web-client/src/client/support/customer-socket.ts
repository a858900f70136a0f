// The conversation over a socket of namespace `/support`.

import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { Message } from '../../protocol/generated/Message';
import type { ReadReceipt } from '../../protocol/generated/ReadReceipt';
import type { RoomStatusUpdate } from '../../protocol/generated/RoomStatusUpdate';
import type { Session } from '../../protocol/generated/Session';
import type { TypingUpdate } from '../../protocol/generated/TypingUpdate';
import { isErrorBody, type Socket } from '../environment';
import { fail, localError, ok, type Result } from '../result';
import { type Credentials, isAboutWhoAsks, type OpenTransport, PAGE } from './customer-transport';

/** Opens a socket that connects by itself, once. What it needs may have to be fetched first. */
export type OpenSupportSocket = (credentials: Credentials) => Promise<Socket>;

const REQUEST_MS = 10_000;

export function socketTransport(openSocket: OpenSupportSocket): OpenTransport {
  return (credentials, events) => {
    const pending = new Set<(result: { ok: false; error: ErrorBody }) => void>();
    let socket: Socket | null = null;
    let isLive = false;
    let isOver = false;
    /** Why it is about to be closed, as the server has said. */
    let reason: ErrorBody | null = null;

    function close() {
      isOver = true;
      isLive = false;
      socket?.disconnect();
      for (const settle of pending) settle(fail(localError('disconnected')));
      pending.clear();
    }

    function end(error: ErrorBody | null) {
      if (isOver) return;
      close();
      events.ended(error);
    }

    function request<T>(name: string, payload: object): Promise<Result<T>> {
      const current = socket;
      if (!current || !isLive) return Promise.resolve(fail(localError('disconnected')));
      return new Promise((resolve) => {
        const settle = (result: Result<T>) => {
          clearTimeout(deadline);
          pending.delete(settle);
          resolve(result);
        };
        const deadline = setTimeout(() => settle(fail(localError('timeout'))), REQUEST_MS);
        pending.add(settle);
        current.emit(name, payload, (ack: unknown) => settle(fromAck(ack)));
      });
    }

    function listen(current: Socket) {
      // The one place where what the server says gets its type.
      const on = <T>(name: string, handler: (payload: T) => void) =>
        current.on(name, (payload) => {
          if (!isOver) handler(payload as T);
        });
      on('connect', () => {
        isLive = true;
        events.live();
      });
      on('disconnect', () => end(reason));
      on('connect_error', (cause) => end(refusalOf(cause)));
      on<ErrorBody>('error', (error) => {
        // It is about to be closed for that, or it answers what nobody waits for.
        if (isAboutWhoAsks(error)) reason = error;
      });
      on<Session>('session', events.session);
      on<Message>('new_message', events.message);
      on<TypingUpdate>('typing_update', events.typing);
      on<ReadReceipt>('read_receipt', events.receipt);
      on<RoomStatusUpdate>('room_status_update', events.status);
    }

    openSocket(credentials).then(
      (opened) => {
        if (isOver) return opened.disconnect();
        socket = opened;
        return listen(opened);
      },
      () => end(null),
    );

    return {
      kind: 'socket',
      open: (about) => request('open_room', about),
      room: () => request('get_room', {}),
      send: (content, client_id) => request('chat_message', { content, client_id }),
      page: (wanted) => request('get_messages', { ...wanted, limit: PAGE }),
      markRead: (room_id, seq) => request('mark_read', { room_id, seq }),
      typing: (is_typing) => {
        if (isLive) socket?.emit('typing', { is_typing });
      },
      authenticate: (token) => request('authenticate', { token }),
      dispose: close,
    };
  };
}

function fromAck<T>(ack: unknown): Result<T> {
  if (typeof ack === 'object' && ack !== null && 'success' in ack && ack.success === true) return ok(ack as T);
  return fail(isErrorBody(ack) ? ack : { success: false, code: 'internal', message: 'The answer makes no sense.' });
}

/** The server's own words begin with a code; anything else is a transport that failed. */
function refusalOf(cause: unknown): ErrorBody | null {
  if (!(cause instanceof Error)) return null;
  const [, code, message] = /^([a-z_]+)(?:: (.*))?$/s.exec(cause.message) ?? [];
  // `timeout`, `websocket error` and the like are the library's; codes of the server have a text.
  return code && message ? { success: false, code, message } : null;
}
