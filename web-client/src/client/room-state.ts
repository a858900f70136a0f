// The state of one room, out of what was heard of it. Pure: no sockets, no clock.

import type { ErrorBody } from '../protocol/generated/ErrorBody';
import type { Message } from '../protocol/generated/Message';
import type { Participant } from '../protocol/generated/Participant';
import type { Rev } from '../protocol/generated/Rev';
import type { Room } from '../protocol/generated/Room';
import type { RoomId } from '../protocol/generated/RoomId';
import type { Timestamp } from '../protocol/generated/Timestamp';
import type { UserId } from '../protocol/generated/UserId';

/** A message of mine that the server has not acknowledged. */
export interface Outgoing {
  readonly client_id: string;
  readonly text: string;
  readonly created_at: Timestamp;
  /** waiting: rate limited, goes out by itself at `retry_at` of its room */
  readonly state: 'sending' | 'waiting' | 'failed';
  /** Why it failed. */
  readonly error?: ErrorBody;
}

export interface RoomState {
  readonly room_id: RoomId;
  /** failed: it could not be loaded, `reload()` tries again */
  readonly phase: 'loading' | 'ready' | 'denied' | 'missing' | 'failed';
  readonly room: Room | null;
  /** Gapless, oldest first. */
  readonly messages: readonly Message[];
  readonly has_older: boolean;
  readonly loading_older: boolean;
  /** In the order of sending; shown below the messages. */
  readonly outgoing: readonly Outgoing[];
  /** null: not loaded yet */
  readonly participants: readonly Participant[] | null;
  /** Others who type, never myself. */
  readonly typing: readonly UserId[];
  /** The `seq` up to which all was read when the room was opened; 0: all, or unknown. */
  readonly read_up_to: Rev;
  /** In ms since the epoch: rate limited until then. */
  readonly retry_at: number | null;
}
