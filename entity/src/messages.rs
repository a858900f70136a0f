//! Messages, in the order of their room.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{
    ids::{ClientId, MessageId, Rev, RoomId, TenantId, UserId},
    timestamp::Timestamp,
};

/// Whose word a message of a support room is.
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
pub enum SenderType {
    Customer,
    Staff,
    /// What happened to the conversation, by whom.
    System,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "messages")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageId,
    pub tenant_id: TenantId,
    pub room_id: RoomId,
    /// The room's revision that created the message: its place in the history.
    pub seq: Rev,
    /// The room's revision that last changed it.
    pub rev: Rev,
    pub user_id: UserId,
    /// The sender's name when it was sent: history reads as it was heard.
    pub username: String,
    pub text: String,
    pub client_id: Option<ClientId>,
    pub reply_to: Option<MessageId>,
    pub created_at: Timestamp,
    /// In a support room.
    pub sender_type: Option<SenderType>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
