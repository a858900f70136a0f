// The conversation by requests alone, for visitors whose network lets no socket through: questions that the server
// answers when there is something to tell. Nobody's typing is heard this way, and whether something was read only when
// something else happens.

import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { Message } from '../../protocol/generated/Message';
import type { MessagePage } from '../../protocol/generated/MessagePage';
import type { MessageSent } from '../../protocol/generated/MessageSent';
import type { OpenRoom } from '../../protocol/generated/OpenRoom';
import type { Rev } from '../../protocol/generated/Rev';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { SupportStatus } from '../../protocol/generated/SupportStatus';
import { backoff } from '../backoff';
import { fail, localError, ok, type Result } from '../result';
import type { CustomerApi } from './customer-api';
import { isAboutWhoAsks, type OpenTransport, PAGE, type PageWanted } from './customer-transport';

/** How often it is asked whether there is a conversation, while there is none. */
const IDLE_MS = 30_000;
/** A server that answers at once instead of waiting is not asked more often than this. */
const SHORTEST_MS = 1000;
const MAX_FAILURES = 4;

const EMPTY_PAGE: MessagePage = { messages: [], has_more: false, rev: 0 };

interface Place {
  readonly room_id: RoomId;
  /** null: not known yet, a page says it. */
  readonly rev: Rev | null;
}

export function restTransport(api: CustomerApi, random: () => number): OpenTransport {
  return (credentials, events) => {
    let isOver = false;
    let hearing: AbortController | null = null;
    let who = credentials;
    /** The conversation that is listened to, and up to where it is known. */
    let place: Place | null = null;
    let status: SupportStatus | null = null;
    let wake = () => {};

    function close() {
      isOver = true;
      hearing?.abort();
      wake();
    }

    function end(error: ErrorBody | null) {
      if (isOver) return;
      close();
      events.ended(error);
    }

    /** The answer to a request; a refusal of who asks ends it all, and no answer is no connection. */
    function answered<T>(result: Result<T>): Result<T> {
      if (isOver) return fail(localError('disconnected'));
      if (result.ok) return result;
      if (isAboutWhoAsks(result.error)) end(result.error);
      else if (result.error.code === 'unreachable') end(null);
      else return result;
      return fail(localError('disconnected'));
    }

    const pause = (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (isOver) wake();
      });

    function goTo(room_id: RoomId, rev: Rev | null) {
      if (place?.room_id !== room_id) {
        status = null;
        hearing?.abort();
      } else if (rev === null || (place.rev !== null && place.rev >= rev)) {
        return;
      }
      place = { room_id, rev };
      wake();
    }

    /** Who one is, and whether there is a conversation that is open. */
    async function begin() {
      if (who.token !== undefined && who.guest_session !== undefined) {
        const linked = answered(await link(who.token, who.guest_session));
        if (!linked.ok) return isOver ? undefined : end(linked.error);
        who = { token: who.token };
      }
      if (!(await look())) return end(null);
      if (isOver) return;
      events.live();
      await listen();
    }

    /** A guest whom the server does not know (any more) has nothing to bring along. */
    async function link(token: string, guest: string): Promise<Result<unknown>> {
      const linked = await api.link(token, guest);
      return !linked.ok && linked.error.code === 'not_found' ? ok({}) : linked;
    }

    /** Whether there was an answer. */
    async function look(): Promise<boolean> {
      const found = answered(await api.room(who));
      if (!found.ok) return false;
      const { room } = found.value;
      if (room) {
        goTo(room.id, null);
        tellStatus(room.id, room.status);
      } else if (place) {
        tellStatus(place.room_id, 'closed');
      }
      return true;
    }

    function tellStatus(room_id: RoomId, now: SupportStatus) {
      if (status === now) return;
      status = now;
      events.status({ room_id, status: now });
    }

    async function listen() {
      let failures = 0;
      while (!isOver) {
        const asked = place;
        const began = Date.now();
        if (asked === null || asked.rev === null) {
          // Until a page was asked for, which says from where on to listen.
          await pause(IDLE_MS);
          if (!isOver && place === null) await look();
          continue;
        }
        const isAnswered = await hear(asked.room_id, asked.rev);
        failures = isAnswered ? 0 : failures + 1;
        if (failures >= MAX_FAILURES) return end(null);
        if (failures > 0) await pause(backoff(failures, random()));
        else if (asked === place && Date.now() - began < SHORTEST_MS) await pause(SHORTEST_MS);
      }
    }

    /** Whether there was an answer, or none is wanted any more. */
    async function hear(room_id: RoomId, since: Rev): Promise<boolean> {
      hearing = new AbortController();
      const result = await api.changes(who, room_id, since, hearing.signal);
      if (isOver || place?.room_id !== room_id) return true;
      if (!result.ok) {
        // One that was held back too long for something in between does not mean that there is no connection.
        if (isAboutWhoAsks(result.error)) end(result.error);
        return false;
      }
      const { changes = [], rev, reset } = result.value;
      if (reset) {
        place = { room_id, rev: null };
        events.reset();
      } else if (rev > since) {
        goTo(room_id, rev);
        events.changes(room_id, changes, rev);
        if (changes.some(changesStatus)) await look();
      }
      return true;
    }

    /** The open conversation, opened if there is none. */
    async function room(): Promise<Result<RoomId>> {
      const opened = answered(await api.open(who, {}));
      if (!opened.ok) return opened;
      goTo(opened.value.room_id, null);
      tellStatus(opened.value.room_id, opened.value.room.status);
      return ok(opened.value.room_id);
    }

    async function send(content: string, clientId: string): Promise<Result<MessageSent>> {
      const known = place && status !== 'closed' ? ok(place.room_id) : await room();
      if (!known.ok) return known;
      let result = answered(await api.send(who, known.value, content, clientId));
      if (!result.ok && result.error.code === 'room_closed') {
        const next = await room();
        if (!next.ok) return next;
        result = answered(await api.send(who, next.value, content, clientId));
      }
      return result;
    }

    async function page({ room_id, before }: PageWanted): Promise<Result<MessagePage>> {
      const from = before === undefined ? (place?.room_id ?? room_id) : room_id;
      if (from === undefined) return ok(EMPTY_PAGE);
      const result = answered(await api.page(who, from, PAGE, before));
      if (result.ok && before === undefined) goTo(from, result.value.rev);
      return result;
    }

    void begin();

    return {
      kind: 'rest',
      open: async (about: OpenRoom) => {
        const opened = answered(await api.open(who, about));
        if (opened.ok) goTo(opened.value.room_id, null);
        return opened;
      },
      room: async () => answered(await api.room(who)),
      send,
      page,
      markRead: async (roomId, seq) => answered(await api.markRead(who, roomId, seq)),
      typing: () => {},
      authenticate: async (token) => {
        const guest = who.token === undefined ? who.guest_session : undefined;
        if (guest !== undefined) {
          const linked = await link(token, guest);
          if (!linked.ok) return linked;
        }
        who = { token };
        return ok({});
      },
      dispose: close,
    };
  };
}

/** Staff's first word makes a conversation active, and a note may say that it was closed. */
const changesStatus = ({ sender_type }: Message): boolean => sender_type !== 'customer';
