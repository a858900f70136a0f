//! What the server tells clients without being asked, and what it acknowledges.

use std::sync::Arc;

use entity::{
    ids::{MessageId, Rev, RoomId, UserId},
    notifications::NotificationKind,
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::{Conversation, Encoded, Message, Participant, Room, RoomFound, UserFound};

/// To a new guest: what resumes this guest session. Keep `guest_session` secret.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct Session {
    pub guest_session: String,
    pub user_id: UserId,
    pub username: String,
}

/// `user_joined` and `user_left`, to the room.
#[derive(Clone, Debug, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Membership {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub username: String,
}

/// The room's full list of who is typing, and the change that led to it.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct TypingUpdate {
    pub room_id: RoomId,
    pub typing_users: Vec<UserId>,
    pub user_id: UserId,
    pub is_typing: bool,
}

/// `user_online` and `user_offline`.
#[derive(Clone, Debug, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct PresenceUpdate {
    pub user_id: UserId,
    pub username: String,
    /// With `user_offline`: when the last connection went.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_seen: Option<Timestamp>,
}

/// To a participant's connections, about a message in a room that the participant is not in.
#[derive(Clone, Debug, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Notification {
    pub kind: NotificationKind,
    pub room_id: RoomId,
    pub message_id: MessageId,
    /// The room's name; the sender's in a private conversation.
    pub title: String,
    /// The text, cut at 140 characters.
    pub body: String,
    /// Unread messages in that room.
    #[ts(type = "number")]
    pub unread_count: i64,
}

/// An acknowledgement's `success: true` beside what else it says.
#[derive(Clone, Debug, Serialize)]
pub struct Success<T> {
    success: bool,
    #[serde(flatten)]
    rest: T,
}

impl<T> Success<T> {
    pub const fn new(rest: T) -> Self {
        Self {
            success: true,
            rest,
        }
    }
}

/// An acknowledgement that says nothing else.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Done {}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomCreated {
    pub room_id: RoomId,
    pub room: Room,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomJoined {
    pub room_id: RoomId,
    pub room: Room,
    /// The newest revision that the caller has been given: what follows arrives live.
    pub rev: Rev,
    /// With `since`: every message that changed since that revision, in the order of the changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, as = "Option<Vec<Message>>")]
    #[schema(value_type = Option<Vec<Message>>)]
    pub changes: Option<Vec<Arc<Encoded>>>,
    /// With `since`, in place of `changes`: more than 1,000 changes were missed, load the newest page instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub reset: bool,
}

/// One room, as the caller sees it.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomView {
    pub room: Room,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomList {
    /// Newest activity first.
    pub rooms: Vec<Room>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct Changes {
    /// Every message that changed since that revision, in the order of the changes.
    #[ts(as = "Vec<Message>")]
    #[schema(value_type = Vec<Message>)]
    pub changes: Vec<Arc<Encoded>>,
    /// The room's newest revision: what to ask for next.
    pub rev: Rev,
    /// More than 1,000 changes were missed, and none are listed: load the newest page instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub reset: bool,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct MessageSent {
    pub message: Arc<Message>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct PrivateMessageSent {
    pub message: Arc<Message>,
    pub room_id: RoomId,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct MessagePage {
    /// Oldest first.
    #[ts(as = "Vec<Message>")]
    #[schema(value_type = Vec<Message>)]
    pub messages: Vec<Arc<Encoded>>,
    /// Whether there are more in the direction that was asked for (older ones, or with `after` newer ones).
    pub has_more: bool,
    /// The room's newest revision at this place of the stream: what follows arrives live.
    pub rev: Rev,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct ParticipantList {
    pub participants: Vec<Participant>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct ConversationList {
    /// Newest activity first.
    pub conversations: Vec<Conversation>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct UsersFound {
    /// Names that begin with what was asked for come first.
    pub users: Vec<UserFound>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomsFound {
    /// Newest activity first.
    pub rooms: Vec<RoomFound>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct Authenticated {
    pub expires_at: Timestamp,
}
