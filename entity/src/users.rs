//! Users of the host application, and guests. Some have never connected: a private message made them.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{TenantId, UserId},
    timestamp::Timestamp,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// As the newest token said; the id's label for a user who has never connected.
    pub username: String,
    /// The name as it is searched, see [`crate::names::name_key`].
    pub name_key: String,
    pub is_guest: bool,
    pub created_at: Timestamp,
    /// When the user's last connection went; none while they have never been offline again.
    pub last_seen_at: Option<Timestamp>,
    /// Tokens of a lower version are refused.
    pub token_version: i64,
    /// Since when nobody gets in as this user.
    pub disabled_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
