//! What staff see: the payloads of `/api/admin/users` and `/api/admin/audit`.

use entity::{
    audit::{ActorKind, Model},
    ids::{MAX_ID_CHARS, RoomId, TenantId, UserId},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

use super::requests::{PageSize, Text};

/// A user as staff see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct UserRecord {
    pub id: UserId,
    #[ts(type = "string")]
    pub tenant: TenantId,
    pub username: String,
    pub is_guest: bool,
    pub created_at: Timestamp,
    pub online: bool,
    /// Connections that are open.
    #[ts(type = "number")]
    pub connections: i64,
    /// When the user's last connection went; null while they have never been offline again.
    pub last_seen: Option<Timestamp>,
    /// Tokens of a lower version are refused.
    #[ts(type = "number")]
    pub token_version: i64,
    /// Since when nobody gets in as this user.
    pub disabled_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct UserRecordAnswer {
    pub user: UserRecord,
}

/// What `GET /api/admin/audit` is asked for, in its query.
#[derive(Clone, Debug, Deserialize)]
pub struct GetAudit {
    /// Only entries before this one.
    #[serde(default)]
    pub before: Option<Uuid>,
    #[serde(default)]
    pub limit: PageSize,
    #[serde(default)]
    pub action: Option<Text<0, MAX_ID_CHARS>>,
    /// In the form in which ids are stored: `#7` is the number 7.
    #[serde(default)]
    pub actor: Option<String>,
    #[serde(default)]
    pub outcome: Option<Text<0, MAX_ID_CHARS>>,
}

/// Something that happened which concerns who may do what. Equal ones within a second are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct AuditEntry {
    #[ts(type = "string")]
    pub id: Uuid,
    /// When it happened first.
    pub at: Timestamp,
    /// An act, or what was refused: the name of an event or a step.
    pub action: String,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    pub actor: Option<UserId>,
    pub actor_kind: ActorKind,
    pub room_id: Option<RoomId>,
    /// The user whom it is about, where that is not the actor.
    pub subject: Option<UserId>,
    pub address: Option<String>,
    pub door: Option<String>,
    /// How often it happened.
    #[ts(type = "number")]
    pub count: i64,
    pub detail: Option<String>,
}

impl From<Model> for AuditEntry {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            at: row.at,
            action: row.action,
            outcome: row.outcome,
            actor: row.actor,
            actor_kind: row.actor_kind,
            room_id: row.room_id,
            subject: row.subject,
            address: row.address,
            door: row.door,
            count: row.count,
            detail: row.detail,
        }
    }
}

/// Newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    pub has_more: bool,
}
