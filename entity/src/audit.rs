//! What happened that concerns who may do what. Equal entries of one moment are one row.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{
    ids::{RoomId, TenantId, UserId},
    timestamp::Timestamp,
};

/// What kind of caller it was.
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
pub enum ActorKind {
    /// Somebody who has not said who they are, or could not prove it.
    Stranger,
    Guest,
    User,
    Staff,
    /// The server by itself.
    System,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    /// A UUIDv7: later entries sort later.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: TenantId,
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
    /// How often it happened within a second.
    pub count: i64,
    /// A few words more. Never a message, a token, a secret or a cookie.
    pub detail: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
