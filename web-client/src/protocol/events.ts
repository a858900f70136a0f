// The events of the wire, by name: what a client may ask, what it is answered, and what the server tells by itself.

import type { AddParticipant } from './generated/AddParticipant';
import type { ArchiveRoom } from './generated/ArchiveRoom';
import type { Authenticate } from './generated/Authenticate';
import type { Authenticated } from './generated/Authenticated';
import type { BlockedUsers } from './generated/BlockedUsers';
import type { BlockUser } from './generated/BlockUser';
import type { ChatMessage } from './generated/ChatMessage';
import type { ConversationList } from './generated/ConversationList';
import type { CreateRoom } from './generated/CreateRoom';
import type { ErrorBody } from './generated/ErrorBody';
import type { GetBlockedUsers } from './generated/GetBlockedUsers';
import type { GetMessages } from './generated/GetMessages';
import type { GetRoomParticipants } from './generated/GetRoomParticipants';
import type { GetUserConversations } from './generated/GetUserConversations';
import type { JoinRoom } from './generated/JoinRoom';
import type { LeaveRoom } from './generated/LeaveRoom';
import type { MarkedRead } from './generated/MarkedRead';
import type { MarkRead } from './generated/MarkRead';
import type { Membership } from './generated/Membership';
import type { Message } from './generated/Message';
import type { MessagePage } from './generated/MessagePage';
import type { MessageSent } from './generated/MessageSent';
import type { Notification } from './generated/Notification';
import type { ParticipantChange } from './generated/ParticipantChange';
import type { ParticipantList } from './generated/ParticipantList';
import type { PresenceUpdate } from './generated/PresenceUpdate';
import type { PrivateMessage } from './generated/PrivateMessage';
import type { PrivateMessageSent } from './generated/PrivateMessageSent';
import type { ReadReceipt } from './generated/ReadReceipt';
import type { RemoveParticipant } from './generated/RemoveParticipant';
import type { RenameRoom } from './generated/RenameRoom';
import type { RoomArchived } from './generated/RoomArchived';
import type { RoomCreated } from './generated/RoomCreated';
import type { RoomJoined } from './generated/RoomJoined';
import type { RoomRenamed } from './generated/RoomRenamed';
import type { RoomsFound } from './generated/RoomsFound';
import type { RoomUpdated } from './generated/RoomUpdated';
import type { SearchRooms } from './generated/SearchRooms';
import type { SearchUsers } from './generated/SearchUsers';
import type { Session } from './generated/Session';
import type { SetRole } from './generated/SetRole';
import type { Typing } from './generated/Typing';
import type { TypingUpdate } from './generated/TypingUpdate';
import type { UnblockUser } from './generated/UnblockUser';
import type { UsersFound } from './generated/UsersFound';

export interface Exchange<Payload = unknown, Answer = unknown> {
  readonly payload: Payload;
  readonly answer: Answer;
}

export type Nothing = Record<never, never>;

/** Requests: the payload, and what the acknowledgement holds beside `success: true`. */
export interface ClientToServer {
  create_room: Exchange<CreateRoom, RoomCreated>;
  join_room: Exchange<JoinRoom, RoomJoined>;
  leave_room: Exchange<LeaveRoom, Nothing>;
  chat_message: Exchange<ChatMessage, MessageSent>;
  private_message: Exchange<PrivateMessage, PrivateMessageSent>;
  typing: Exchange<Typing, Nothing>;
  get_messages: Exchange<GetMessages, MessagePage>;
  get_room_participants: Exchange<GetRoomParticipants, ParticipantList>;
  get_user_conversations: Exchange<GetUserConversations, ConversationList>;
  search_users: Exchange<SearchUsers, UsersFound>;
  search_rooms: Exchange<SearchRooms, RoomsFound>;
  add_participant: Exchange<AddParticipant, Nothing>;
  remove_participant: Exchange<RemoveParticipant, Nothing>;
  set_role: Exchange<SetRole, Nothing>;
  rename_room: Exchange<RenameRoom, RoomRenamed>;
  archive_room: Exchange<ArchiveRoom, RoomArchived>;
  mark_read: Exchange<MarkRead, MarkedRead>;
  block_user: Exchange<BlockUser, Nothing>;
  unblock_user: Exchange<UnblockUser, Nothing>;
  get_blocked_users: Exchange<GetBlockedUsers, BlockedUsers>;
  authenticate: Exchange<Authenticate, Authenticated>;
}

/** What the server tells. */
export interface ServerToClient {
  new_message: Message;
  user_joined: Membership;
  user_left: Membership;
  typing_update: TypingUpdate;
  user_online: PresenceUpdate;
  user_offline: PresenceUpdate;
  notification: Notification;
  participant_added: ParticipantChange;
  participant_removed: ParticipantChange;
  room_updated: RoomUpdated;
  read_receipt: ReadReceipt;
  session: Session;
  error: ErrorBody;
}

export type EventName = keyof ServerToClient;

/** All of them: what is not listed here is not listened to. */
export const EVENTS = [
  'new_message',
  'user_joined',
  'user_left',
  'typing_update',
  'user_online',
  'user_offline',
  'notification',
  'participant_added',
  'participant_removed',
  'room_updated',
  'read_receipt',
  'session',
  'error',
] as const satisfies readonly EventName[];
