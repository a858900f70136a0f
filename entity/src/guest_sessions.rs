//! Anonymous visitors. The secret that resumes a session is stored as a hash only.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{TenantId, UserId},
    timestamp::Timestamp,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "guest_sessions")]
pub struct Model {
    /// SHA-256 of the secret, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub secret_hash: String,
    pub tenant_id: TenantId,
    /// The guest's row in `users`: the id that others see.
    pub user_id: UserId,
    pub created_at: Timestamp,
    /// When the guest last came: one who stays away for long is forgotten.
    pub seen_at: Timestamp,
    /// The user that the guest turned out to be; set once.
    pub linked_user_id: Option<UserId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
