//! What makes a room a support room: its customer, and where the conversation stands.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{
    ids::{Rev, RoomId, TenantId, UserId},
    timestamp::Timestamp,
};

/// Where a support conversation stands. A customer has one that is waiting or active at most.
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
pub enum SupportStatus {
    /// The customer's word was the last one.
    Waiting,
    /// Staff have answered.
    Active,
    /// Kept, and nobody writes to it any more.
    Closed,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "support_rooms")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: RoomId,
    /// The customer, if signed in; partial unique indexes allow one open room a user and one a guest.
    pub user_id: Option<UserId>,
    /// The guest who opened the room.
    pub guest_id: Option<UserId>,
    pub customer_name: String,
    pub customer_email: Option<String>,
    pub status: SupportStatus,
    /// The member of staff who looks after it.
    pub assigned_to: Option<UserId>,
    /// Messages up to this `seq` were read by somebody of the staff.
    pub staff_read_seq: Rev,
    /// The customer's messages above it.
    pub unread_count: i64,
    pub created_at: Timestamp,
    /// When anything last happened in it: what lists are ordered by.
    pub active_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
