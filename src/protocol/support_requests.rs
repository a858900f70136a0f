//! Customer support: what customers ask for in namespace `/support`, and staff in `/admin`.

use entity::{
    ids::{ClientId, Rev, RoomId, UserId},
    support_rooms::SupportStatus,
};
use serde::{Deserialize, Deserializer, de};
use ts_rs::TS;
use utoipa::ToSchema;

use super::requests::{GetMessages, Limit, MessageText, PageSize, Text, revision};

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
#[derive(Clone, Debug, Default, Deserialize, TS, ToSchema)]
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
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
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

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SupportTyping {
    #[serde(default)]
    #[ts(optional)]
    pub room_id: Option<RoomId>,
    pub is_typing: bool,
}

#[derive(Clone, Debug, Default, Deserialize, TS, ToSchema)]
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

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SupportMarkRead {
    #[serde(default)]
    #[ts(optional)]
    pub room_id: Option<RoomId>,
    /// Everything up to here was read.
    pub seq: Rev,
}

#[derive(Clone, Debug, Default, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SupportCloseRoom {
    #[serde(default)]
    #[ts(optional)]
    pub room_id: Option<RoomId>,
}

/// Asks for the caller's open support room.
#[derive(Clone, Copy, Debug, Default, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct GetOwnRoom {}

/// A page of any support room of the tenant.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[serde(transparent)]
pub struct AdminGetMessages(pub GetMessages);

/// A reply of staff.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
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

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AdminTyping {
    pub room_id: RoomId,
    pub is_typing: bool,
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AdminMarkRead {
    pub room_id: RoomId,
    /// Everything up to here was read by the staff.
    pub seq: Rev,
}

/// Tells the colleagues which room the caller looks at: `null` for none.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ViewRoom {
    #[serde(default)]
    pub room_id: Option<RoomId>,
}

/// Makes somebody of the staff look after a room: the caller unless told, `null` for nobody.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AssignRoom {
    pub room_id: RoomId,
    #[serde(default, deserialize_with = "given")]
    #[ts(optional, as = "Option<Option<UserId>>")]
    pub user_id: Option<Option<UserId>>,
}

/// Tells `null` from nothing.
#[expect(
    clippy::option_option,
    reason = "left out, null and an id are three different wishes"
)]
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<UserId>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct CloseRoom {
    pub room_id: RoomId,
}

/// The support rooms of the tenant, newest activity first.
#[derive(Clone, Debug, Default, Deserialize, TS, ToSchema)]
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
