//! What staff see: the payloads of `/api/admin/users`.

use entity::{
    ids::{TenantId, UserId},
    timestamp::Timestamp,
};
use serde::Serialize;
use ts_rs::TS;

/// A user as staff see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct UserRecordAnswer {
    pub user: UserRecord,
}
