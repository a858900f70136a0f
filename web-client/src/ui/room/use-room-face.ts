import type { RoomState } from '../../client/room-state';
import { useConversations, useMe, usePresence } from '../../hooks';
import type { RoomKind } from '../../protocol/generated/RoomKind';
import type { UserId } from '../../protocol/generated/UserId';

export interface RoomFace {
  readonly name: string;
  readonly kind: RoomKind | null;
  /** The other one in a direct room. */
  readonly otherId: UserId | undefined;
  readonly presence: ReturnType<typeof usePresence>;
}

/** How a room is named; out of the list of conversations as long as the room itself is not there. */
export function useRoomFace({ room_id, room, participants }: RoomState): RoomFace {
  const me = useMe();
  const { conversations } = useConversations();
  const known = conversations.find((conversation) => conversation.room_id === room_id);
  const kind = room?.kind ?? known?.kind ?? null;
  const people = participants ?? known?.participants ?? [];
  const other = kind === 'direct' ? people.find((participant) => participant.id !== me.id) : undefined;
  const presence = usePresence(other?.id);
  // A direct room is named after the other one, whatever it is called on the server.
  const name = (kind === 'direct' ? (known?.name ?? other?.username) : room?.name) ?? known?.name ?? room?.name ?? '';
  return { name, kind, otherId: other?.id, presence };
}
