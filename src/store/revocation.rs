//! What ends a user's access: a higher version of their tokens, or a time at which they were disabled. Either way the
//! sessions of a built-in account go with it.

use entity::{
    account_sessions,
    ids::{TenantId, UserId},
    timestamp::Timestamp,
    users::{Column, Entity},
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter, UpdateMany,
    sea_query::Expr,
};

use super::{Store, UserRow, users};
use crate::error::Result;

impl Store {
    /// Raises the version that a user's tokens must have, and says what is known of the user then. `None`: there is no
    /// such user, and `make` is not set.
    pub async fn revoke_tokens(
        &self,
        tenant: &TenantId,
        user: &UserId,
        make: bool,
        now: Timestamp,
    ) -> Result<Option<UserRow>> {
        self.change("revoke_tokens", tenant, user, make, now, |query| {
            query.col_expr(
                Column::TokenVersion,
                Expr::col(Column::TokenVersion).add(1_i64),
            )
        })
        .await
    }

    /// Disables a user; one who is disabled already stays so since the first time. As [`Store::revoke_tokens`].
    pub async fn disable_user(
        &self,
        tenant: &TenantId,
        user: &UserId,
        make: bool,
        now: Timestamp,
    ) -> Result<Option<UserRow>> {
        self.change("disable_user", tenant, user, make, now, move |query| {
            query
                .col_expr(Column::DisabledAt, Expr::value(now))
                .filter(Column::DisabledAt.is_null())
        })
        .await
    }

    /// Lets a user in again. `None`: there is no such user.
    pub async fn enable_user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<UserRow>> {
        let (tenant, user) = (tenant.clone(), user.clone());
        self.writer
            .write("enable_user", move |txn| {
                Box::pin(async move {
                    of(&tenant, &user)
                        .col_expr(Column::DisabledAt, Expr::value(None::<Timestamp>))
                        .exec(txn)
                        .await?;
                    Entity::find_by_id((tenant, user)).one(txn).await
                })
            })
            .await
    }

    async fn change(
        &self,
        name: &'static str,
        tenant: &TenantId,
        user: &UserId,
        make: bool,
        now: Timestamp,
        change: impl FnOnce(UpdateMany<Entity>) -> UpdateMany<Entity> + Clone + Send + 'static,
    ) -> Result<Option<UserRow>> {
        let (tenant, user) = (tenant.clone(), user.clone());
        self.writer
            .write(name, move |txn| {
                Box::pin(async move {
                    if make {
                        users::ensure(txn, &tenant, &user, &user.label(), false, now).await?;
                    }
                    change(of(&tenant, &user)).exec(txn).await?;
                    end_sessions(txn, &tenant, &user).await?;
                    Entity::find_by_id((tenant, user)).one(txn).await
                })
            })
            .await
    }
}

fn of(tenant: &TenantId, user: &UserId) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::TenantId.eq(tenant.clone()))
        .filter(Column::Id.eq(user.clone()))
}

/// Raises the version that a user's tokens must have to that of a token. Says whether it was lower.
pub(super) async fn raise_version(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    user: &UserId,
    version: i64,
) -> Result<bool, DbErr> {
    let raised = of(tenant, user)
        .col_expr(Column::TokenVersion, Expr::value(version))
        .filter(Column::TokenVersion.lt(version))
        .exec(txn)
        .await?;
    if raised.rows_affected == 0 {
        return Ok(false);
    }
    end_sessions(txn, tenant, user).await?;
    Ok(true)
}

async fn end_sessions(
    txn: &DatabaseTransaction,
    tenant: &TenantId,
    user: &UserId,
) -> Result<(), DbErr> {
    account_sessions::Entity::delete_many()
        .filter(account_sessions::Column::TenantId.eq(tenant.clone()))
        .filter(account_sessions::Column::UserId.eq(user.clone()))
        .exec(txn)
        .await
        .map(drop)
}
