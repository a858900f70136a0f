// How a customer's conversation reaches the server: over a socket, or where those are blocked by requests alone. Two
// implementations of one interface; what is made of what they tell is the same.

import type { ErrorBody } from '../../protocol/generated/ErrorBody';
import type { MarkedRead } from '../../protocol/generated/MarkedRead';
import type { Message } from '../../protocol/generated/Message';
import type { MessagePage } from '../../protocol/generated/MessagePage';
import type { MessageSent } from '../../protocol/generated/MessageSent';
import type { OpenRoom } from '../../protocol/generated/OpenRoom';
import type { OwnSupportRoom } from '../../protocol/generated/OwnSupportRoom';
import type { ReadReceipt } from '../../protocol/generated/ReadReceipt';
import type { Rev } from '../../protocol/generated/Rev';
import type { RoomId } from '../../protocol/generated/RoomId';
import type { RoomOpened } from '../../protocol/generated/RoomOpened';
import type { RoomStatusUpdate } from '../../protocol/generated/RoomStatusUpdate';
import type { Session } from '../../protocol/generated/Session';
import type { TypingUpdate } from '../../protocol/generated/TypingUpdate';
import type { Result } from '../result';

/** Who asks. Both: the guest becomes the user. */
export interface Credentials {
  readonly token?: string;
  readonly guest_session?: string;
}

export interface PageWanted {
  /** The conversation of the messages that are shown; without: the newest one. */
  readonly room_id?: RoomId;
  readonly before?: Rev;
}

/** Requests always have a result; `disconnected` where the transport has ended. */
export interface Transport {
  readonly kind: 'socket' | 'rest';
  open(about: OpenRoom): Promise<Result<RoomOpened>>;
  /** The conversation that is open, if there is one. */
  room(): Promise<Result<OwnSupportRoom>>;
  send(content: string, clientId: string): Promise<Result<MessageSent>>;
  page(wanted: PageWanted): Promise<Result<MessagePage>>;
  markRead(roomId: RoomId, seq: Rev): Promise<Result<MarkedRead>>;
  typing(isTyping: boolean): void;
  /** A fresh token for the same user, or a guest's first one, who becomes the user. */
  authenticate(token: string): Promise<Result<unknown>>;
  dispose(): void;
}

export interface TransportEvents {
  /** It stands: what is asked for at once is answered in that order. */
  live(): void;
  /** It has ended, or could not begin. `error`: because the server says no to who asks. */
  ended(error: ErrorBody | null): void;
  message(message: Message): void;
  /** All that happened up to `rev`. */
  changes(roomId: RoomId, messages: readonly Message[], rev: Rev): void;
  /** What came before is not known any more: only a page helps. */
  reset(): void;
  typing(update: TypingUpdate): void;
  receipt(receipt: ReadReceipt): void;
  status(update: Pick<RoomStatusUpdate, 'room_id' | 'status'>): void;
  /** The server knows nobody of the guest session that it was shown, and made another. */
  session(session: Session): void;
}

export type OpenTransport = (credentials: Credentials, events: TransportEvents) => Transport;

export const PAGE = 50;

const ABOUT_WHO_ASKS = [
  'unauthorized',
  'token_expired',
  'signed_out',
  'guest_linked',
  'guest_already_linked',
  'account_disabled',
  'access_denied',
];

/** Coming back as the same one does not help. */
export const isAboutWhoAsks = ({ code }: ErrorBody): boolean => ABOUT_WHO_ASKS.includes(code);
