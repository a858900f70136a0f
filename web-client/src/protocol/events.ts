// The events of the wire, by name: what a client may ask, what it is answered, and what the server tells by itself.

import type { Authenticate } from './generated/Authenticate';
import type { Authenticated } from './generated/Authenticated';
import type { ChatMessage } from './generated/ChatMessage';
import type { ConversationList } from './generated/ConversationList';
import type { CreateRoom } from './generated/CreateRoom';
import type { ErrorBody } from './generated/ErrorBody';
import type { GetMessages } from './generated/GetMessages';
import type { GetRoomParticipants } from './generated/GetRoomParticipants';
import type { GetUserConversations } from './generated/GetUserConversations';
import type { JoinRoom } from './generated/JoinRoom';
import type { LeaveRoom } from './generated/LeaveRoom';
import type { Membership } from './generated/Membership';
import type { Message } from './generated/Message';
import type { MessagePage } from './generated/MessagePage';
import type { MessageSent } from './generated/MessageSent';
import type { Notification } from './generated/Notification';
import type { ParticipantList } from './generated/ParticipantList';
import type { PresenceUpdate } from './generated/PresenceUpdate';
import type { PrivateMessage } from './generated/PrivateMessage';
import type { PrivateMessageSent } from './generated/PrivateMessageSent';
import type { RoomCreated } from './generated/RoomCreated';
import type { RoomJoined } from './generated/RoomJoined';
import type { RoomsFound } from './generated/RoomsFound';
import type { SearchRooms } from './generated/SearchRooms';
import type { SearchUsers } from './generated/SearchUsers';
import type { Session } from './generated/Session';
import type { Typing } from './generated/Typing';
import type { TypingUpdate } from './generated/TypingUpdate';
import type { UsersFound } from './generated/UsersFound';

interface Exchange<Payload, Answer> {
  readonly payload: Payload;
  readonly answer: Answer;
}

type Nothing = Record<never, never>;

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
  session: Session;
  error: ErrorBody;
}

export type RequestName = keyof ClientToServer;
export type EventName = keyof ServerToClient;
export type Payload<Name extends RequestName> = ClientToServer[Name]['payload'];
export type Answer<Name extends RequestName> = ClientToServer[Name]['answer'];
