// A support desk's server in memory, as its customers see it: over sockets and over HTTP, the same rooms behind both.

import type { Message } from '../../protocol/generated/Message';
import type { SenderType } from '../../protocol/generated/SenderType';
import type { SupportStatus } from '../../protocol/generated/SupportStatus';
import type { User } from '../../protocol/generated/User';
import type { UserId } from '../../protocol/generated/UserId';
import type { Socket } from '../environment';
import type { Credentials } from '../support/customer-transport';

interface Guest {
  readonly user_id: UserId;
  linkedTo: UserId | null;
}

interface Room {
  readonly id: string;
  owner: UserId;
  status: SupportStatus;
  readonly messages: Message[];
  name: string;
  email: string | null;
  customerRead: number;
}

type Body = Record<string, unknown>;

const refusal = (code: string, more: object = {}) => ({ success: false, code, message: `no: ${code}`, ...more });

class SupportSocket implements Socket {
  readonly listeners = new Map<string, (payload: unknown) => void>();
  readonly #server: SupportServer;
  user: UserId | null = null;

  constructor(server: SupportServer) {
    this.#server = server;
  }

  on(event: string, listener: (payload: unknown) => void) {
    this.listeners.set(event, listener);
  }

  emit(name: string, payload: unknown, ack?: (answer: unknown) => void) {
    const answer = this.#server.take(this, name, payload as Body);
    queueMicrotask(() => ack?.(answer));
  }

  tell(event: string, payload?: unknown) {
    queueMicrotask(() => this.listeners.get(event)?.(payload));
  }

  disconnect() {
    this.#server.sockets.delete(this);
    this.listeners.clear();
  }

  /** The server goes away. */
  cut() {
    const listener = this.listeners.get('disconnect');
    this.#server.sockets.delete(this);
    listener?.('transport close');
  }
}

export class SupportServer {
  readonly guests = new Map<string, Guest>();
  readonly tokens = new Map<string, User>();
  readonly rooms: Room[] = [];
  readonly sockets = new Set<SupportSocket>();
  /** What was asked over HTTP: `POST /support/room`. */
  readonly asked: string[] = [];
  readonly connects: Credentials[] = [];
  areSocketsBlocked = false;
  isReachable = true;
  /** The next messages are refused with it. */
  refuses: object | null = null;
  /** The next message is stored, and the answer to it lost. */
  losesAnswer = false;
  #count = 0;
  readonly #waiting = new Set<() => void>();

  user(token: string, id: number): User {
    const user = { id, tenant: 'default', username: `user ${id}`, is_guest: false, is_staff: false };
    this.tokens.set(token, user);
    return user;
  }

  readonly openSocket = async (as: Credentials): Promise<Socket> => {
    const socket = new SupportSocket(this);
    const isThere = this.isReachable && !this.areSocketsBlocked;
    setTimeout(() => {
      if (!isThere) return socket.tell('connect_error', new Error('websocket error'));
      this.connects.push(as);
      const found = this.#who(as);
      if ('refusal' in found) return socket.tell('connect_error', new Error(`${found.refusal}: no`));
      socket.user = found.id;
      this.sockets.add(socket);
      return socket.tell('connect');
    }, 1);
    return socket;
  };

  /** A token with a guest session links the guest. */
  #who({ token, guest_session }: Credentials): { id: UserId } | { refusal: string } {
    const guest = guest_session === undefined ? undefined : this.guests.get(guest_session);
    if (token !== undefined) {
      const user = this.tokens.get(token);
      if (!user) return { refusal: 'token_expired' };
      const isTaken = guest && guest.linkedTo !== null && guest.linkedTo !== user.id;
      if (isTaken) return { refusal: 'guest_already_linked' };
      if (guest) this.#link(guest, user);
      return { id: user.id };
    }
    return guest && guest.linkedTo === null ? { id: guest.user_id } : { refusal: 'unauthorized' };
  }

  #link(guest: Guest, user: User) {
    guest.linkedTo = user.id;
    for (const room of this.rooms) if (room.owner === guest.user_id) room.owner = user.id;
    for (const socket of [...this.sockets]) if (socket.user === guest.user_id) this.end(socket, 'guest_linked');
  }

  end(socket: SupportSocket, code: string) {
    socket.listeners.get('error')?.(refusal(code));
    socket.cut();
  }

  cut() {
    for (const socket of [...this.sockets]) socket.cut();
    this.#wake();
  }

  // What is asked

  take(socket: SupportSocket, name: string, payload: Body): object {
    const { user } = socket;
    if (user === null) return refusal('unauthorized');
    switch (name) {
      case 'get_room':
        return { success: true, room: this.#own(user) };
      case 'open_room':
        return this.#open(user, payload);
      case 'chat_message':
        return this.#say(user, String(payload['content']), String(payload['client_id']), null);
      case 'get_messages': {
        const room = this.rooms.find(({ id }) => id === payload['room_id']) ?? this.#newest(user);
        return this.#page(room, payload['before']);
      }
      case 'mark_read':
        return this.#read(user, Number(payload['seq']));
      case 'authenticate': {
        const next = this.tokens.get(String(payload['token']));
        if (!next) return refusal('token_expired');
        const guest = [...this.guests.values()].find((one) => one.user_id === user);
        socket.user = next.id;
        if (guest) this.#link(guest, next);
        return { success: true, expires_at: null };
      }
      default:
        return { success: true };
    }
  }

  readonly fetch = async (path: string, init: RequestInit): Promise<Response> => {
    await Promise.resolve();
    if (!this.isReachable) throw new TypeError('network');
    const method = init.method ?? 'GET';
    const url = new URL(path, 'http://server');
    const route = url.pathname.replace('/api', '');
    this.asked.push(`${method} ${route}`);
    const answer = await this.#http(`${method} ${route}`, url.searchParams, init);
    return new Response(JSON.stringify(answer), { status: 'code' in answer ? 400 : 200 });
  };

  async #http(request: string, query: URLSearchParams, init: RequestInit): Promise<object> {
    const headers = new Headers(init.headers);
    const body: Body = typeof init.body === 'string' ? JSON.parse(init.body) : {};
    const token = headers.get('authorization')?.replace('Bearer ', '');
    const guest_session = headers.get('x-guest-session') ?? undefined;
    if (request === 'POST /guest-sessions') return this.#newGuest();
    const found = this.#who({ ...(token && { token }), ...(guest_session && { guest_session }) });
    if ('refusal' in found) return refusal(found.refusal);
    const user = found.id;
    if (request === 'GET /me') return { success: true, user: this.tokens.get(token ?? '') };
    if (request === 'GET /support/room') return { success: true, room: this.#own(user) };
    if (request === 'POST /support/room') return this.#open(user, body);
    if (request === 'POST /guest-sessions/link') {
      const linked = this.#who({ token: token ?? '', guest_session: String(body['guest_session']) });
      return 'refusal' in linked ? refusal(linked.refusal) : { success: true };
    }
    const [, roomId, what] = /\/rooms\/([^/]+)\/(\w+)$/.exec(request) ?? [];
    const room = this.rooms.find(({ id }) => id === roomId);
    if (!room || room.owner !== user) return refusal('access_denied');
    if (what === 'read') return this.#read(user, Number(body['seq']));
    if (what === 'changes') return this.#changes(room, Number(query.get('since')), init.signal ?? undefined);
    if (request.startsWith('GET')) return this.#page(room, query.get('before') ?? undefined);
    return this.#say(user, String(body['message']), headers.get('idempotency-key') ?? '', room);
  }

  #newGuest(): object {
    this.#count += 1;
    const guest_session = `secret-${this.#count}`;
    const user_id = `guest_${this.#count}`;
    this.guests.set(guest_session, { user_id, linkedTo: null });
    return { success: true, guest_session, user_id, username: `Guest ${this.#count}` };
  }

  // Rooms

  #newest(user: UserId): Room | undefined {
    const own = this.rooms.filter(({ owner }) => owner === user);
    return own.find(({ status }) => status !== 'closed') ?? own.at(-1);
  }

  #own(user: UserId): object | null {
    const room = this.#newest(user);
    if (!room || room.status === 'closed') return null;
    const { id, status } = room;
    const known = { customer_name: room.name, customer_email: room.email, created_at: '2026-01-01T00:00:00.000Z' };
    return { id, status, ...known, unread_count: 0, rev: room.messages.length };
  }

  #open(user: UserId, { name, email }: Body): object {
    let room = this.#newest(user);
    const created = !room || room.status === 'closed';
    if (!room || created) {
      const id = `room-${this.rooms.length + 1}`;
      room = { id, owner: user, status: 'waiting', messages: [], name: 'Guest', email: null, customerRead: 0 };
      this.rooms.push(room);
    }
    if (typeof name === 'string') room.name = name;
    if (typeof email === 'string') room.email = email;
    return { success: true, room_id: room.id, room: this.#own(user), created };
  }

  #say(user: UserId, content: string, clientId: string, to: Room | null): object {
    if (this.refuses) return this.refuses;
    const stored = this.rooms.flatMap(({ messages }) => messages).find(({ client_id }) => client_id === clientId);
    if (stored) return { success: true, message: stored };
    if (to?.status === 'closed') return refusal('room_closed');
    this.#open(user, {});
    const room = this.#newest(user);
    if (!room) return refusal('internal');
    const message = this.#store(room, 'customer', user, content, clientId);
    if (!this.losesAnswer) return { success: true, message };
    this.losesAnswer = false;
    this.cut();
    return refusal('disconnected');
  }

  #store(room: Room, sender_type: SenderType, user_id: UserId, content: string, client_id?: string): Message {
    const seq = room.messages.length + 1;
    const message: Message = {
      id: `${room.id}-${seq}`,
      room_id: room.id,
      user_id,
      username: String(user_id),
      message: content,
      content,
      sender_type,
      sender_name: String(user_id),
      timestamp: new Date().toISOString(),
      seq,
      rev: seq,
      ...(client_id !== undefined && { client_id }),
    };
    room.messages.push(message);
    this.#tell(room, 'new_message', message);
    this.#wake();
    return message;
  }

  /** Staff write, to the newest room. */
  reply(content: string, room = this.rooms.at(-1)) {
    if (!room) throw new Error('there is no room');
    this.#store(room, 'staff', 'sam', content);
    this.status('active', room);
  }

  close(room = this.rooms.at(-1)) {
    if (!room) throw new Error('there is no room');
    this.#store(room, 'system', 'sam', 'sam closed the conversation');
    this.status('closed', room);
  }

  status(status: SupportStatus, room = this.rooms.at(-1)) {
    if (!room) return;
    room.status = status;
    this.#tell(room, 'room_status_update', { room_id: room.id, status });
  }

  #read(user: UserId, seq: number): object {
    const room = this.#newest(user);
    if (room) room.customerRead = Math.max(room.customerRead, seq);
    return { success: true, seq, unread_count: 0 };
  }

  #page(room: Room | undefined, before: unknown): object {
    if (!room) return { success: true, messages: [], has_more: false, rev: 0 };
    const all = room.messages.filter(({ seq }) => before === undefined || seq < Number(before));
    const messages = all.slice(-50).map((message) => ({
      ...message,
      ...(message.sender_type !== 'customer' && message.seq <= room.customerRead && { is_read: true }),
    }));
    return { success: true, messages, has_more: all.length > 50, rev: room.messages.length };
  }

  async #changes(room: Room, since: number, signal?: AbortSignal): Promise<object> {
    const find = () => room.messages.filter(({ rev }) => rev > since);
    if (find().length === 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, 25_000);
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          if (this.isReachable) resolve();
          else reject(new TypeError('network'));
        };
        this.#waiting.add(wake);
        signal?.addEventListener('abort', () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          reject(new DOMException('aborted', 'AbortError'));
        });
      });
    }
    return { success: true, changes: find(), rev: room.messages.length };
  }

  #wake() {
    for (const wake of [...this.#waiting]) wake();
  }

  #tell(room: Room, event: string, payload: unknown) {
    for (const socket of this.sockets) if (socket.user === room.owner) socket.tell(event, payload);
  }
}
