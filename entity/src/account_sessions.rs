//! Sign-ins of built-in accounts, one a browser. A row that is gone is a session that has ended.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{TenantId, UserId},
    timestamp::Timestamp,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: TenantId,
    pub user_id: UserId,
    /// Counts the refresh tokens: the newest one has this number.
    pub generation: i64,
    /// The token that the newest one was given for. It is still good, since that answer may have been lost.
    pub previous_generation: i64,
    pub rotated_at: Timestamp,
    pub created_at: Timestamp,
    /// When the newest refresh token ends, and the session with it.
    pub expires_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
