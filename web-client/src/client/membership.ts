// What changes about rooms while I am connected: who belongs to them, and what they are called.

import type { ServerToClient } from '../protocol/events';
import type { ParticipantChange } from '../protocol/generated/ParticipantChange';
import type { RoomUpdated } from '../protocol/generated/RoomUpdated';
import type { UserId } from '../protocol/generated/UserId';
import type { Conversations } from './conversations';
import type { People } from './people';
import type { Rooms } from './rooms';

export interface MembershipOptions {
  readonly me: UserId;
  readonly rooms: Pick<Rooms, 'find'>;
  readonly conversations: Conversations;
  readonly people: Pick<People, 'called' | 'state'>;
}

type Handled = 'participant_added' | 'participant_removed' | 'room_updated';
type Handlers = { readonly [Name in Handled]: (payload: ServerToClient[Name]) => void };

export function membershipHandlers({ me, rooms, conversations, people }: MembershipOptions): Handlers {
  function added({ room_id, user_id, username }: ParticipantChange) {
    people.called(user_id, username);
    const room = rooms.find(room_id);
    if (user_id === me) {
      conversations.added(room_id);
      room?.added();
      return;
    }
    const { online = false, last_seen = null } = people.state.getState().presence.get(user_id) ?? {};
    room?.dispatch({ type: 'entered', membership: { room_id, user_id, username } });
    room?.dispatch({ type: 'presence', user_id, online, last_seen });
  }

  function removed({ room_id, user_id }: ParticipantChange) {
    const room = rooms.find(room_id);
    if (user_id !== me) {
      room?.dispatch({ type: 'parted', user_id });
      return;
    }
    conversations.removed(room_id);
    room?.removed();
  }

  function updated(update: RoomUpdated) {
    rooms.find(update.room.id)?.dispatch({ type: 'updated', update });
    conversations.updated(update.room);
  }

  return { participant_added: added, participant_removed: removed, room_updated: updated };
}
