//! Rooms. `last_rev` is the truth about a room's revisions: it moves inside the transaction that writes the change.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{
    ids::{Rev, RoomId, TenantId, UserId},
    timestamp::Timestamp,
};

/// Who may enter a room.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    EnumIter,
    DeriveActiveEnum,
    TS,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum RoomKind {
    /// Every signed-in user of the tenant.
    Public,
    /// Its participants.
    Private,
    /// The two users of a private conversation.
    Direct,
    /// Its customer and the tenant's staff.
    Support,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rooms")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoomId,
    pub name: String,
    /// The name as it is searched, see [`crate::names::name_key`].
    pub name_key: String,
    pub kind: RoomKind,
    pub created_by: UserId,
    pub created_at: Timestamp,
    /// The two users of a direct room, in order: unique in the tenant, so that they have one such room.
    pub direct_key: Option<String>,
    pub last_rev: Rev,
    /// The `seq` of the newest message, 0 if there is none.
    pub last_message_seq: Rev,
    pub last_message_at: Option<Timestamp>,
    /// Since when nobody can write to it any more; it can be read as before.
    pub archived_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
