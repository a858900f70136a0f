//! Who belongs to a room, how far they have read, and who wants nothing to do with whom.

use entity::{
    ids::{MessageId, Rev, RoomId, UserId},
    participants::Role,
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::{
    Room,
    requests::{RoomName, revision},
};

/// Makes somebody a participant of a room.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AddParticipant {
    pub room_id: RoomId,
    pub user_id: UserId,
}

/// Takes somebody out of a room; with one's own id leaves it for good.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RemoveParticipant {
    pub room_id: RoomId,
    pub user_id: UserId,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SetRole {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub role: Role,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RenameRoom {
    pub room_id: RoomId,
    #[ts(type = "string")]
    pub name: RoomName,
}

/// Ends writing to a room, or with `archived: false` allows it again.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ArchiveRoom {
    pub room_id: RoomId,
    /// `true` unless told.
    #[serde(default)]
    #[ts(optional)]
    pub archived: Option<bool>,
}

/// Says how far the caller has read: up to a `seq`, or up to a message.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct MarkRead {
    pub room_id: RoomId,
    #[serde(default, deserialize_with = "revision")]
    #[ts(optional)]
    pub seq: Option<Rev>,
    #[serde(default)]
    #[ts(optional)]
    pub message_id: Option<MessageId>,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct BlockUser {
    pub user_id: UserId,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct UnblockUser {
    pub user_id: UserId,
}

/// Without fields: those whom the caller has blocked.
#[derive(Clone, Copy, Debug, Default, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct GetBlockedUsers {}

/// `participant_added` and `participant_removed`: to the room, and to all connections of whom it is about.
#[derive(Clone, Debug, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ParticipantChange {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub username: String,
    /// Who did it; the user themselves where they left.
    pub by: UserId,
}

/// `room_updated`, to the room: its name, whether it is archived, or somebody's role in it.
#[derive(Clone, Debug, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomUpdated {
    pub room: Room,
    pub by: UserId,
    /// Whose role is another now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub role: Option<Role>,
}

/// `read_receipt`, to the room.
#[derive(Clone, Debug, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ReadReceipt {
    pub room_id: RoomId,
    pub user_id: UserId,
    /// Read up to here.
    pub seq: Rev,
    pub at: Timestamp,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomRenamed {
    pub room: Room,
}

#[derive(Clone, Copy, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomArchived {
    pub archived: bool,
}

#[derive(Clone, Copy, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct MarkedRead {
    /// Read up to here, which may be further than was asked for, and is never beyond the newest message.
    pub seq: Rev,
    /// Messages of others above it.
    #[ts(type = "number")]
    pub unread_count: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct BlockedUser {
    pub id: UserId,
    pub username: String,
    pub blocked_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct BlockedUsers {
    /// In the order in which they were blocked.
    pub users: Vec<BlockedUser>,
}
