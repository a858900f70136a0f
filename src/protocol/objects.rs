//! The things that payloads are made of.

use std::sync::Arc;

use entity::{
    ids::{ClientId, MessageId, Rev, RoomId, UserId},
    messages::SenderType,
    participants::Role,
    rooms::RoomKind,
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use ts_rs::TS;
use utoipa::ToSchema;

use super::{AdminMessageSent, NewCustomerMessage};

/// A message, as `new_message` and every list of messages carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Message {
    pub id: MessageId,
    pub room_id: RoomId,
    pub user_id: UserId,
    /// The sender's name when it was sent.
    pub username: String,
    /// The text: trimmed, 1 to 10,000 characters.
    pub message: String,
    pub timestamp: Timestamp,
    /// The room's revision that created it: its place in the history.
    pub seq: Rev,
    /// The room's revision that last changed it.
    pub rev: Rev,
    /// The sender's own id for it, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub client_id: Option<ClientId>,
    /// The message of the same room that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reply_to: Option<MessageId>,
    /// In support rooms: the text again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub content: Option<String>,
    /// In support rooms: whose word it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sender_type: Option<SenderType>,
    /// In support rooms: the name of the customer or of whoever answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sender_name: Option<String>,
    /// In support rooms: whether the other side has read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub is_read: Option<bool>,
}

/// A message and its JSON: written once, sent to many.
#[derive(Debug)]
pub struct Encoded {
    pub message: Arc<Message>,
    pub json: Box<RawValue>,
    /// In a support room: the event by which staff hear of it.
    pub for_staff: Option<(&'static str, Box<RawValue>)>,
}

impl Encoded {
    #[must_use]
    pub fn new(message: Arc<Message>) -> Self {
        Self {
            json: to_raw(&*message),
            message,
            for_staff: None,
        }
    }

    /// A message of a support room, in which so many of the customer's are unread now.
    #[must_use]
    pub fn in_support(message: Arc<Message>, unread_count: i64) -> Self {
        let room_id = message.room_id.clone();
        let for_staff = if message.sender_type == Some(SenderType::Customer) {
            let told = NewCustomerMessage {
                room_id,
                message: Arc::clone(&message),
                unread_count,
            };
            ("new_customer_message", to_raw(&told))
        } else {
            let told = AdminMessageSent {
                room_id,
                message: Arc::clone(&message),
            };
            ("admin_message_sent", to_raw(&told))
        };
        Self {
            for_staff: Some(for_staff),
            ..Self::new(message)
        }
    }
}

impl Serialize for Encoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// The JSON of a payload. Ours are structs with text keys, which cannot fail to be written.
#[must_use]
pub fn to_raw(payload: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(payload).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Room {
    pub id: RoomId,
    pub name: String,
    pub kind: RoomKind,
    /// Whether only participants may enter.
    pub private: bool,
    pub created_by: UserId,
    pub created_at: Timestamp,
    /// The newest revision, 0 if nothing happened yet.
    pub rev: Rev,
    /// Nobody can write to it any more; it can be read as before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub archived: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct Participant {
    pub id: UserId,
    pub username: String,
    pub online: bool,
    pub role: Role,
    /// When the participant's last connection went; null while online or never connected.
    pub last_seen: Option<Timestamp>,
}

/// One room in a user's list of conversations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct Conversation {
    pub room_id: RoomId,
    /// The room's name; in a direct room the other user's.
    pub name: String,
    pub kind: RoomKind,
    /// The first 50.
    pub participants: Vec<Participant>,
    pub last_message: Option<Message>,
    /// Messages of others since the user was last in the room.
    #[ts(type = "number")]
    pub unread_count: i64,
    pub last_message_at: Option<Timestamp>,
    /// Nobody can write to it any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub archived: bool,
}

/// A user who was searched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct UserFound {
    pub id: UserId,
    pub username: String,
    pub online: bool,
    /// When the user's last connection went; null while online or never connected.
    pub last_seen: Option<Timestamp>,
}

/// A public room that was searched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct RoomFound {
    pub room: Room,
    #[ts(type = "number")]
    pub participant_count: i64,
    /// Whether the caller is one of them.
    pub is_participant: bool,
}
