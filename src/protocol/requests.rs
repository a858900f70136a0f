//! What clients ask for. Unknown fields are ignored; what a field may hold is checked while it is read, so that a
//! request that exists is a valid one.

use entity::ids::{ClientId, ExternalId, MessageId, Rev, RoomId, UserId};
use serde::{Deserialize, Deserializer, de};
use ts_rs::TS;

/// The longest message, in Unicode scalar values.
pub const MAX_MESSAGE_CHARS: usize = 10_000;
const MAX_ROOM_NAME_CHARS: usize = 100;
const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

/// Trimmed, 1 to `MAX` characters, no NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MAX: usize>(pub String);

pub type MessageText = Text<MAX_MESSAGE_CHARS>;
pub type RoomName = Text<MAX_ROOM_NAME_CHARS>;

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(de::Error::custom("the text is empty"));
        }
        if text.len() > MAX && text.chars().count() > MAX {
            return Err(de::Error::custom(format_args!(
                "the text is longer than {MAX} characters"
            )));
        }
        // PostgreSQL's text refuses it; SQLite must not be the more tolerant one.
        if text.contains('\0') {
            return Err(de::Error::custom("the text holds a NUL character"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// How many messages a page may hold: 50 unless told, 200 at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(pub u32);

impl Default for PageSize {
    fn default() -> Self {
        Self(DEFAULT_PAGE)
    }
}

impl<'de> Deserialize<'de> for PageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<u64>::deserialize(deserializer)? {
            None => Ok(Self::default()),
            Some(0) => Err(de::Error::custom("`limit` must be at least 1")),
            Some(limit) => Ok(Self(u32::try_from(limit).unwrap_or(MAX_PAGE).min(MAX_PAGE))),
        }
    }
}

/// Reads an optional revision that may not be negative.
fn revision<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Rev>, D::Error> {
    match Option::<i64>::deserialize(deserializer)? {
        Some(rev) if rev < 0 => Err(de::Error::custom("a revision is 0 or more")),
        rev => Ok(rev.map(Rev)),
    }
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct CreateRoom {
    #[ts(type = "string")]
    pub name: RoomName,
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub private: Option<bool>,
    #[serde(default)]
    #[ts(optional)]
    pub participants: Option<Vec<UserId>>,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct JoinRoom {
    pub room_id: RoomId,
    /// The newest revision that the client has: the changes since then come with the acknowledgement.
    #[serde(default, deserialize_with = "revision")]
    #[ts(optional)]
    pub since: Option<Rev>,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct LeaveRoom {
    pub room_id: RoomId,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct GetRoomParticipants {
    pub room_id: RoomId,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct ChatMessage {
    pub room_id: RoomId,
    #[ts(type = "string")]
    pub message: MessageText,
    #[serde(default)]
    #[ts(optional)]
    pub client_id: Option<ClientId>,
    #[serde(default)]
    #[ts(optional)]
    pub reply_to: Option<MessageId>,
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub attachments: Option<Vec<ExternalId>>,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct PrivateMessage {
    pub recipient_id: UserId,
    #[ts(type = "string")]
    pub message: MessageText,
    #[serde(default)]
    #[ts(optional)]
    pub client_id: Option<ClientId>,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct Typing {
    pub room_id: RoomId,
    pub is_typing: bool,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct GetMessages {
    pub room_id: RoomId,
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

/// Without fields: the caller's own.
#[derive(Clone, Copy, Debug, Default, Deserialize, TS)]
#[ts(export)]
pub struct GetUserConversations {}

/// Extends the session with a newer token of the same user.
#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct Authenticate {
    pub token: String,
}
