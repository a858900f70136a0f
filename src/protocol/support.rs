//! Customer support: what customers and staff are told.

use std::sync::Arc;

use entity::{
    ids::{Rev, RoomId, UserId},
    support_rooms::SupportStatus,
    timestamp::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::Message;

/// A support room as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct SupportRoom {
    pub id: RoomId,
    pub status: SupportStatus,
    pub customer_name: String,
    pub customer_email: Option<String>,
    pub created_at: Timestamp,
    /// Messages of staff that the customer has not read.
    #[ts(type = "number")]
    pub unread_count: i64,
    /// The newest revision, 0 if nothing happened yet.
    pub rev: Rev,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomOpened {
    pub room_id: RoomId,
    pub room: SupportRoom,
    /// Whether it was made just now.
    pub created: bool,
}

/// `close_room`'s acknowledgement to a customer.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct SupportRoomClosed {
    pub room_id: RoomId,
    pub room: SupportRoom,
}

/// The caller's open support room, if there is one.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct OwnSupportRoom {
    pub room: Option<SupportRoom>,
}

/// A support room as staff see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct CustomerRoom {
    pub id: RoomId,
    /// The name, else the local part of the e-mail address, else `Guest 1a2b`.
    pub customer_name: String,
    pub customer_email: Option<String>,
    /// The customer: the user, or the guest as long as they have not signed in.
    pub customer_id: UserId,
    pub is_guest: bool,
    pub status: SupportStatus,
    pub created_at: Timestamp,
    pub last_message_at: Option<Timestamp>,
    pub last_message: Option<Message>,
    /// Messages of the customer that nobody of the staff has read.
    #[ts(type = "number")]
    pub unread_count: i64,
    /// Whether the customer is connected.
    pub is_online: bool,
    pub assigned_to: Option<UserId>,
    pub assigned_name: Option<String>,
    /// The newest revision, 0 if nothing happened yet.
    pub rev: Rev,
}

/// To staff who connect.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomStatus {
    /// Those that are not closed, newest activity first; at most 200, the rest by `get_rooms`.
    pub rooms: Vec<CustomerRoom>,
    /// How many rooms there are that are not closed.
    #[ts(type = "number")]
    pub active_customers: u64,
    /// Colleagues who are looking at a room right now.
    pub viewers: Vec<Viewer>,
}

/// Somebody of the staff who looks at a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Viewer {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub username: String,
}

/// `view_room`'s acknowledgement: who is looking at the room, the caller included.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct Viewers {
    pub viewers: Vec<Viewer>,
    /// How the room stands.
    pub room: Option<CustomerRoom>,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct CustomerRooms {
    pub rooms: Vec<CustomerRoom>,
    pub next_cursor: Option<String>,
}

/// `assign_room` and `close_room`.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct CustomerRoomChanged {
    pub room: CustomerRoom,
}

/// `new_customer_message`, to staff.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct NewCustomerMessage {
    pub room_id: RoomId,
    pub message: Arc<Message>,
    #[ts(type = "number")]
    pub unread_count: i64,
}

/// `admin_message_sent`, to staff: a reply of one of them, or what happened to the conversation.
#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct AdminMessageSent {
    pub room_id: RoomId,
    pub message: Arc<Message>,
}

/// What is going on in a support room, to staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Activity {
    /// A room came into being.
    Opened,
    /// The guest turned out to be a user; the room is whose it is now.
    Linked,
    /// The customer connected.
    Online,
    /// The customer's last connection went.
    Offline,
    /// Somebody began or ended typing.
    Typing,
    /// A colleague begins to look at the room.
    Viewing,
    /// A colleague looks at another room, or has gone.
    Left,
    /// The staff, or the customer, have read up to `seq`.
    Read,
}

/// `room_activity`, to staff.
#[derive(Clone, Debug, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomActivity {
    pub room_id: RoomId,
    pub action: Activity,
    /// Who does it.
    pub user_id: UserId,
    pub username: String,
    /// Whether it is somebody of the staff.
    pub is_staff: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub is_typing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub seq: Option<Rev>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub unread_count: Option<i64>,
    /// With `opened` and `linked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub room: Option<CustomerRoom>,
}

impl RoomActivity {
    /// Without what only some actions say.
    #[must_use]
    pub fn new(
        room: &RoomId,
        action: Activity,
        user: &UserId,
        username: &str,
        is_staff: bool,
    ) -> Self {
        Self {
            room_id: room.clone(),
            action,
            user_id: user.clone(),
            username: username.to_owned(),
            is_staff,
            is_typing: None,
            seq: None,
            unread_count: None,
            room: None,
        }
    }
}

/// `room_status_update`, to the customer and to staff.
#[derive(Clone, Debug, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomStatusUpdate {
    pub room_id: RoomId,
    pub status: SupportStatus,
    /// To staff only.
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[ts(optional, as = "Option<Option<UserId>>")]
    pub assigned_to: Option<Option<UserId>>,
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[ts(optional, as = "Option<Option<String>>")]
    pub assigned_name: Option<Option<String>>,
}

/// A field that is there though it is null.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
