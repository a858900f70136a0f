// The events of `/admin`, the staff's desk, by name.

import type { Exchange, Nothing } from './events';
import type { AdminMarkRead } from './generated/AdminMarkRead';
import type { AdminMessage } from './generated/AdminMessage';
import type { AdminMessageSent } from './generated/AdminMessageSent';
import type { AdminTyping } from './generated/AdminTyping';
import type { AssignRoom } from './generated/AssignRoom';
import type { Authenticate } from './generated/Authenticate';
import type { Authenticated } from './generated/Authenticated';
import type { CloseRoom } from './generated/CloseRoom';
import type { CustomerRoomChanged } from './generated/CustomerRoomChanged';
import type { CustomerRooms } from './generated/CustomerRooms';
import type { ErrorBody } from './generated/ErrorBody';
import type { GetMessages } from './generated/GetMessages';
import type { GetRooms } from './generated/GetRooms';
import type { MarkedRead } from './generated/MarkedRead';
import type { MessagePage } from './generated/MessagePage';
import type { MessageSent } from './generated/MessageSent';
import type { NewCustomerMessage } from './generated/NewCustomerMessage';
import type { RoomActivity } from './generated/RoomActivity';
import type { RoomStatus } from './generated/RoomStatus';
import type { RoomStatusUpdate } from './generated/RoomStatusUpdate';
import type { Viewers } from './generated/Viewers';
import type { ViewRoom } from './generated/ViewRoom';

/** Requests: the payload, and what the acknowledgement holds beside `success: true`. */
export interface AdminToServer {
  admin_message: Exchange<AdminMessage, MessageSent>;
  get_messages: Exchange<GetMessages, MessagePage>;
  mark_read: Exchange<AdminMarkRead, MarkedRead>;
  view_room: Exchange<ViewRoom, Viewers>;
  assign_room: Exchange<AssignRoom, CustomerRoomChanged>;
  close_room: Exchange<CloseRoom, CustomerRoomChanged>;
  get_rooms: Exchange<GetRooms, CustomerRooms>;
  typing: Exchange<AdminTyping, Nothing>;
  authenticate: Exchange<Authenticate, Authenticated>;
}

/** What the server tells. */
export interface ServerToAdmin {
  room_status: RoomStatus;
  new_customer_message: NewCustomerMessage;
  admin_message_sent: AdminMessageSent;
  room_activity: RoomActivity;
  room_status_update: RoomStatusUpdate;
  error: ErrorBody;
}

/** All of them: what is not listed here is not listened to. */
export const ADMIN_EVENTS = [
  'room_status',
  'new_customer_message',
  'admin_message_sent',
  'room_activity',
  'room_status_update',
  'error',
] as const satisfies readonly (keyof ServerToAdmin)[];
