//! Guest sessions, found by the hash of their secret.

use entity::{
    guest_sessions::{ActiveModel, Column, Entity},
    ids::{TenantId, UserId},
    timestamp::Timestamp,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{Store, UserRow, timed, users};
use crate::error::Result;

impl Store {
    /// The guest of a session that is not linked to a user.
    pub async fn guest(&self, tenant: &TenantId, secret_hash: &str) -> Result<Option<UserRow>> {
        let query = Entity::find_by_id(secret_hash)
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::LinkedUserId.is_null());
        match timed("guest", query.one(&self.reader)).await? {
            Some(session) => self.user(tenant, &session.user_id).await,
            None => Ok(None),
        }
    }

    pub async fn create_guest(
        &self,
        tenant: &TenantId,
        secret_hash: String,
        user: &UserId,
        username: &str,
        now: Timestamp,
    ) -> Result<()> {
        let (tenant, user, username) = (tenant.clone(), user.clone(), username.to_owned());
        self.writer
            .write("create_guest", move |txn| {
                Box::pin(async move {
                    users::ensure(txn, &tenant, &user, &username, true, now).await?;
                    let session = ActiveModel {
                        secret_hash: Set(secret_hash),
                        tenant_id: Set(tenant),
                        user_id: Set(user),
                        created_at: Set(now),
                        seen_at: Set(now),
                        linked_user_id: Set(None),
                    };
                    Entity::insert(session)
                        .exec_without_returning(txn)
                        .await
                        .map(drop)
                })
            })
            .await
    }
}
