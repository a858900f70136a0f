//! Customer support: the payloads of namespaces `/support` and `/admin`.

use std::sync::Arc;

use entity::{
    ids::{ClientId, Rev, RoomId, UserId},
    support_rooms::SupportStatus,
    timestamp::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize, de};
use ts_rs::TS;

use super::{
    Message,
    requests::{Limit, MessageText, PageSize, Text, revision},
};

pub type CustomerName = Text<0, 100>;

/// An address to answer to: trimmed, at most 254 characters, with one `@` and no spaces. Empty is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(pub Option<String>);

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text::<0, 254>(email) = Text::deserialize(deserializer)?;
        if email.is_empty() {
            return Ok(Self(None));
        }
        let parts = email.split_once('@');
        let is_plausible = parts.is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        });
        if !is_plausible || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(de::Error::custom("the e-mail address is not one"));
        }
        Ok(Self(Some(email)))
    }
}

/// Opens the caller's support room, or finds the one that is open.
#[derive(Clone, Debug, Default, Deserialize, TS)]
#[ts(export)]
pub struct OpenRoom {
    /// What staff call the customer. For guests; a user has a name.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub name: Option<CustomerName>,
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub email: Option<Email>,
}

/// A customer's message. Opens the room if there is none.
#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct SupportChatMessage {
    /// Only ever the caller's own open room; may be left out.
    #[serde(default)]
    #[ts(optional)]
    pub room_id: Option<RoomId>,
    #[ts(type = "string")]
    #[serde(alias = "message")]
    pub content: MessageText,
    #[serde(default)]
    #[ts(optional)]
    pub client_id: Option<ClientId>,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct SupportTyping {
    #[serde(default)]
    #[ts(optional)]
    pub room_id: Option<RoomId>,
    pub is_typing: bool,
}

#[derive(Clone, Debug, Default, Deserialize, TS)]
#[ts(export)]
pub struct SupportGetMessages {
    #[serde(default)]
    #[ts(optional)]
    pub room_id: Option<RoomId>,
    /// At most 200; 50 unless told.
    #[serde(default)]
    #[ts(optional, as = "Option<u32>")]
    pub limit: PageSize,
    /// Only messages with a smaller `seq`.
    #[serde(default, deserialize_with = "revision")]
    #[ts(optional)]
    pub before: Option<Rev>,
    /// Only messages with a larger `seq`.
    #[serde(default, deserialize_with = "revision")]
    #[ts(optional)]
    pub after: Option<Rev>,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct SupportMarkRead {
    #[serde(default)]
    #[ts(optional)]
    pub room_id: Option<RoomId>,
    /// Everything up to here was read.
    pub seq: Rev,
}

#[derive(Clone, Debug, Default, Deserialize, TS)]
#[ts(export)]
pub struct SupportCloseRoom {
    #[serde(default)]
    #[ts(optional)]
    pub room_id: Option<RoomId>,
}

/// A reply of staff.
#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct AdminMessage {
    pub room_id: RoomId,
    #[ts(type = "string")]
    #[serde(alias = "message")]
    pub content: MessageText,
    #[serde(default)]
    #[ts(optional)]
    pub client_id: Option<ClientId>,
    /// The newest `rev` that the writer has seen: if the room has a newer message the reply is refused with
    /// `stale_reply`, so that two of the staff do not contradict each other.
    #[serde(default, deserialize_with = "revision")]
    #[ts(optional)]
    pub if_rev: Option<Rev>,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct AdminTyping {
    pub room_id: RoomId,
    pub is_typing: bool,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct AdminMarkRead {
    pub room_id: RoomId,
    /// Everything up to here was read by the staff.
    pub seq: Rev,
}

/// Tells the colleagues which room the caller looks at: `null` for none.
#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct ViewRoom {
    #[serde(default)]
    pub room_id: Option<RoomId>,
}

/// Makes somebody of the staff look after a room: the caller unless told, `null` for nobody.
#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct AssignRoom {
    pub room_id: RoomId,
    #[serde(default, deserialize_with = "given")]
    #[ts(optional, as = "Option<Option<UserId>>")]
    pub user_id: Option<Option<UserId>>,
}

/// Tells `null` from nothing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<UserId>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct CloseRoom {
    pub room_id: RoomId,
}

/// The support rooms of the tenant, newest activity first.
#[derive(Clone, Debug, Default, Deserialize, TS)]
#[ts(export)]
pub struct GetRooms {
    /// Unless told: those that are not closed.
    #[serde(default)]
    #[ts(optional)]
    pub status: Option<SupportStatus>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    #[ts(optional)]
    pub cursor: Option<String>,
    /// At most 200; 50 unless told.
    #[serde(default)]
    #[ts(optional, as = "Option<u32>")]
    pub limit: Limit<50, 200>,
}

/// A support room as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
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

#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct RoomOpened {
    pub room_id: RoomId,
    pub room: SupportRoom,
    /// Whether it was made just now.
    pub created: bool,
}

/// The caller's open support room, if there is one.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct OwnSupportRoom {
    pub room: Option<SupportRoom>,
}

/// A support room as staff see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
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
#[derive(Clone, Debug, Serialize, TS)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Viewer {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub username: String,
}

#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct CustomerRooms {
    pub rooms: Vec<CustomerRoom>,
    pub next_cursor: Option<String>,
}

/// `assign_room` and `close_room`.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct CustomerRoomChanged {
    pub room: CustomerRoom,
}

/// `new_customer_message`, to staff.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct NewCustomerMessage {
    pub room_id: RoomId,
    pub message: Arc<Message>,
    #[ts(type = "number")]
    pub unread_count: i64,
}

/// `admin_message_sent`, to staff: a reply of one of them, or what happened to the conversation.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct AdminMessageSent {
    pub room_id: RoomId,
    pub message: Arc<Message>,
}

/// What is going on in a support room, to staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Activity {
    /// A room came into being.
    Opened,
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
#[derive(Clone, Debug, Serialize, TS)]
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
    /// With `opened`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub room: Option<CustomerRoom>,
}

/// `room_status_update`, to the customer and to staff.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct RoomStatusUpdate {
    pub room_id: RoomId,
    pub status: SupportStatus,
    /// To staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, as = "Option<Option<UserId>>")]
    pub assigned_to: Option<Option<UserId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, as = "Option<Option<String>>")]
    pub assigned_name: Option<Option<String>>,
}

/// `read_receipt`, to the room: somebody has read up to a `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ReadReceipt {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub seq: Rev,
    pub at: Timestamp,
}

/// `mark_read`'s acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct MarkedRead {
    /// Up to where the room counts as read now.
    pub seq: Rev,
    /// What is left.
    #[ts(type = "number")]
    pub unread_count: i64,
}
