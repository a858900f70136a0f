//! Users and guests as others see them.

use entity::{
    ids::{Rev, RoomId, TenantId, UserId},
    names::name_key,
    tenants,
    timestamp::Timestamp,
    users::{ActiveModel, Column, Entity},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::{Store, participants, revocation, timed};
use crate::error::Result;

pub use entity::users::Model as UserRow;

impl Store {
    pub async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<UserRow>> {
        timed(
            "user",
            Entity::find_by_id((tenant.clone(), user.clone())).one(&self.reader),
        )
        .await
    }

    /// Makes a user known under the name and with the version that their token says. Says whether the version is higher
    /// than any before.
    pub async fn save_user(
        &self,
        tenant: &TenantId,
        user: &UserId,
        username: &str,
        token_version: i64,
        now: Timestamp,
    ) -> Result<bool> {
        let (tenant, user, username) = (tenant.clone(), user.clone(), username.to_owned());
        self.writer
            .write("save_user", move |txn| {
                Box::pin(async move {
                    ensure(txn, &tenant, &user, &username, false, now).await?;
                    Entity::update_many()
                        .col_expr(Column::NameKey, Expr::value(name_key(&username)))
                        .col_expr(Column::Username, Expr::value(username.clone()))
                        .filter(Column::TenantId.eq(tenant.clone()))
                        .filter(Column::Id.eq(user.clone()))
                        .filter(Column::Username.ne(username))
                        .exec(txn)
                        .await?;
                    revocation::raise_version(txn, &tenant, &user, token_version).await
                })
            })
            .await
    }

    /// A user has left: how far they have read in the rooms that they were in, and when their last connection went.
    pub async fn save_departure(
        &self,
        tenant: &TenantId,
        user: &UserId,
        read: Vec<(RoomId, Rev)>,
        last_seen: Option<Timestamp>,
    ) -> Result<()> {
        if read.is_empty() && last_seen.is_none() {
            return Ok(());
        }
        let (tenant, user) = (tenant.clone(), user.clone());
        self.writer
            .write("save_departure", move |txn| {
                Box::pin(async move {
                    let read = read.into_iter().map(|(room, seq)| {
                        let place = [tenant.to_string(), room.to_string()];
                        ((place, user.to_string()), seq)
                    });
                    participants::mark_all_read(txn, read.collect()).await?;
                    if let Some(at) = last_seen {
                        Entity::update_many()
                            .col_expr(Column::LastSeenAt, Expr::value(at))
                            .filter(Column::TenantId.eq(tenant))
                            .filter(Column::Id.eq(user))
                            .exec(txn)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// Makes a tenant and a user known; those who are known already stay as they are.
pub(super) async fn ensure(
    db: &impl ConnectionTrait,
    tenant: &TenantId,
    user: &UserId,
    username: &str,
    is_guest: bool,
    now: Timestamp,
) -> Result<(), DbErr> {
    let keep = || OnConflict::new().do_nothing().to_owned();
    let tenant_row = tenants::ActiveModel {
        id: Set(tenant.clone()),
        created_at: Set(now),
    };
    tenants::Entity::insert_many([tenant_row])
        .on_conflict(keep())
        .exec_without_returning(db)
        .await?;
    let user_row = ActiveModel {
        tenant_id: Set(tenant.clone()),
        id: Set(user.clone()),
        username: Set(username.to_owned()),
        name_key: Set(name_key(username)),
        is_guest: Set(is_guest),
        created_at: Set(now),
        last_seen_at: Set(None),
        token_version: Set(0),
        disabled_at: Set(None),
    };
    Entity::insert_many([user_row])
        .on_conflict(keep())
        .exec_without_returning(db)
        .await
        .map(drop)
}
