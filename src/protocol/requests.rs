//! What clients ask for. Unknown fields are ignored; what a field may hold is checked while it is read, so that a
//! request that exists is a valid one.

use std::time::Duration;

use entity::ids::{ClientId, ExternalId, MessageId, Rev, RoomId, UserId};
use serde::{Deserialize, Deserializer, de};
use ts_rs::TS;
use utoipa::ToSchema;

/// The longest message, in Unicode scalar values.
pub const MAX_MESSAGE_CHARS: usize = 10_000;
const MAX_ROOM_NAME_CHARS: usize = 100;

/// Trimmed, `MIN` to `MAX` characters, no NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(pub String);

pub type MessageText = Text<1, MAX_MESSAGE_CHARS>;
pub type RoomName = Text<1, MAX_ROOM_NAME_CHARS>;
pub type SearchQuery = Text<0, MAX_ROOM_NAME_CHARS>;

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = text.trim();
        if text.is_empty() && MIN > 0 {
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

/// How many a list may hold: `DEFAULT` unless told, `MAX` at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<const DEFAULT: u32, const MAX: u32>(pub u32);

pub type PageSize = Limit<50, 200>;
pub type SearchLimit = Limit<20, 50>;

impl<const DEFAULT: u32, const MAX: u32> Default for Limit<DEFAULT, MAX> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<'de, const DEFAULT: u32, const MAX: u32> Deserialize<'de> for Limit<DEFAULT, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<u64>::deserialize(deserializer)? {
            None => Ok(Self::default()),
            Some(0) => Err(de::Error::custom("`limit` must be at least 1")),
            Some(limit) => Ok(Self(u32::try_from(limit).unwrap_or(MAX).min(MAX))),
        }
    }
}

/// How long an answer may wait for something to happen.
const MAX_WAIT_SECONDS: u64 = 60;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wait(pub Duration);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = Option::<u64>::deserialize(deserializer)?.unwrap_or(0);
        Ok(Self(Duration::from_secs(seconds.min(MAX_WAIT_SECONDS))))
    }
}

/// Reads an optional revision that may not be negative.
pub(super) fn revision<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Rev>, D::Error> {
    match Option::<i64>::deserialize(deserializer)? {
        Some(rev) if rev < 0 => Err(de::Error::custom("a revision is 0 or more")),
        rev => Ok(rev.map(Rev)),
    }
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
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

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct JoinRoom {
    pub room_id: RoomId,
    /// The newest revision that the client has: the changes since then come with the acknowledgement.
    #[serde(default, deserialize_with = "revision")]
    #[ts(optional)]
    pub since: Option<Rev>,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct LeaveRoom {
    pub room_id: RoomId,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct GetRoomParticipants {
    pub room_id: RoomId,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ChatMessage {
    pub room_id: RoomId,
    #[serde(alias = "content")]
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

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct PrivateMessage {
    pub recipient_id: UserId,
    #[ts(type = "string")]
    pub message: MessageText,
    #[serde(default)]
    #[ts(optional)]
    pub client_id: Option<ClientId>,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Typing {
    pub room_id: RoomId,
    pub is_typing: bool,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
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

/// What changed in a room after a revision.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct GetChanges {
    pub room_id: RoomId,
    /// The newest revision that the client has; all changes unless told.
    #[serde(default, deserialize_with = "revision")]
    #[ts(optional)]
    pub since: Option<Rev>,
    /// How many seconds the answer may wait for a change, 60 at the most; none unless told. For those who hold no
    /// connection: one that is held hears of changes anyway, and is answered at once.
    #[serde(default)]
    #[ts(optional, as = "Option<u32>")]
    pub wait: Wait,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct GetRoom {
    pub room_id: RoomId,
}

/// Without fields: the caller's own.
#[derive(Clone, Copy, Debug, Default, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct GetUserRooms {}

/// Without fields: the caller's own.
#[derive(Clone, Copy, Debug, Default, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct GetUserConversations {}

/// Finds users of the caller's tenant by a part of their name; the empty text finds all.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SearchUsers {
    #[ts(type = "string")]
    pub query: SearchQuery,
    /// At most 50; 20 unless told.
    #[serde(default)]
    #[ts(optional, as = "Option<u32>")]
    pub limit: SearchLimit,
}

/// Finds public rooms of the caller's tenant by a part of their name; the empty text finds all.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SearchRooms {
    #[ts(type = "string")]
    pub query: SearchQuery,
    /// At most 50; 20 unless told.
    #[serde(default)]
    #[ts(optional, as = "Option<u32>")]
    pub limit: SearchLimit,
}

/// Extends the session with a newer token of the same user.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Authenticate {
    pub token: String,
}
