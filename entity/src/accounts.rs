//! Built-in accounts: users who sign in here with a password.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{TenantId, UserId},
    timestamp::Timestamp,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    /// The name under which the user signs in, by its [`crate::names::name_key`]: no two differ in case, width or
    /// space only.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name_key: String,
    pub user_id: UserId,
    /// Argon2id, as a PHC string.
    pub password_hash: String,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
