//! Built-in accounts and their sessions.

use entity::{
    account_sessions,
    accounts::{ActiveModel, Entity, Model},
    ids::{TenantId, UserId},
    names::name_key,
    timestamp::Timestamp,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    QueryTrait, Select,
    sea_query::{LockBehavior, LockType, OnConflict},
};
use uuid::Uuid;

use super::{Store, timed, users};
use crate::error::Result;

/// An account to be made.
#[derive(Clone)]
pub struct NewAccount {
    pub name: String,
    pub user_id: UserId,
    pub password_hash: String,
}

/// What a refresh token is good for.
pub enum Rotation {
    /// The generation of the token to give for it, and when that ends.
    Next(i64, Timestamp),
    /// There is no such session any more.
    Over,
    /// The session ends now: a token was used that had been replaced and its successor used, so somebody has a copy.
    Stolen,
}

/// For so long the token before the newest one is answered with the newest one: two tabs that refresh at the same time
/// both go on.
const SAME_ANSWER_MS: i64 = 30_000;

impl Store {
    pub async fn account(&self, tenant: &TenantId, name: &str) -> Result<Option<Model>> {
        let key = (tenant.clone(), name_key(name));
        timed("account", Entity::find_by_id(key).one(&self.reader)).await
    }

    /// Makes an account, its user and the first session. `false` if the name is taken.
    pub async fn create_account(
        &self,
        tenant: &TenantId,
        account: NewAccount,
        session: Uuid,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool> {
        let tenant = tenant.clone();
        self.writer
            .write("create_account", move |txn| {
                Box::pin(async move {
                    let row = ActiveModel {
                        tenant_id: Set(tenant.clone()),
                        name_key: Set(name_key(&account.name)),
                        user_id: Set(account.user_id.clone()),
                        password_hash: Set(account.password_hash),
                        created_at: Set(now),
                    };
                    let added = Entity::insert_many([row])
                        .on_conflict(OnConflict::new().do_nothing().to_owned())
                        .exec_without_returning(txn)
                        .await?;
                    if added == 0 {
                        return Ok(false);
                    }
                    let user = account.user_id;
                    users::ensure(txn, &tenant, &user, &account.name, false, now).await?;
                    begin(txn, tenant, user, session, now, expires_at).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Begins a session; its first refresh token has generation 1.
    pub async fn begin_session(
        &self,
        tenant: &TenantId,
        user: &UserId,
        session: Uuid,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<()> {
        let (tenant, user) = (tenant.clone(), user.clone());
        self.writer
            .write("begin_session", move |txn| {
                Box::pin(begin(txn, tenant, user, session, now, expires_at))
            })
            .await
    }

    /// Takes a session's refresh token of some generation.
    pub async fn rotate_session(
        &self,
        tenant: &TenantId,
        user: &UserId,
        session: Uuid,
        generation: i64,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Rotation> {
        let query = session_of(tenant, user, session);
        self.writer
            .write("rotate_session", move |txn| {
                Box::pin(async move { rotate(txn, query, generation, now, expires_at).await })
            })
            .await
    }

    /// Ends a session. `false` if it had ended before.
    pub async fn end_session(
        &self,
        tenant: &TenantId,
        user: &UserId,
        session: Uuid,
    ) -> Result<bool> {
        let (tenant, user) = (tenant.clone(), user.clone());
        self.writer
            .write("end_session", move |txn| {
                Box::pin(async move {
                    account_sessions::Entity::delete_by_id(session)
                        .filter(account_sessions::Column::TenantId.eq(tenant))
                        .filter(account_sessions::Column::UserId.eq(user))
                        .exec(txn)
                        .await
                        .map(|deleted| deleted.rows_affected > 0)
                })
            })
            .await
    }

    pub async fn has_session(
        &self,
        tenant: &TenantId,
        user: &UserId,
        session: Uuid,
        now: Timestamp,
    ) -> Result<bool> {
        let query = live_session(tenant, user, session, now);
        timed("has_session", query.count(&self.reader))
            .await
            .map(|found| found > 0)
    }
}

/// A session that has not run out.
pub(super) fn live_session(
    tenant: &TenantId,
    user: &UserId,
    session: Uuid,
    now: Timestamp,
) -> Select<account_sessions::Entity> {
    session_of(tenant, user, session).filter(account_sessions::Column::ExpiresAt.gt(now))
}

fn session_of(tenant: &TenantId, user: &UserId, session: Uuid) -> Select<account_sessions::Entity> {
    account_sessions::Entity::find_by_id(session)
        .filter(account_sessions::Column::TenantId.eq(tenant.clone()))
        .filter(account_sessions::Column::UserId.eq(user.clone()))
}

/// Begins a session, and forgets those that have run out, whoever's they are.
async fn begin(
    txn: &DatabaseTransaction,
    tenant: TenantId,
    user: UserId,
    session: Uuid,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), DbErr> {
    // Others who do so at the same time take the rest.
    let over = account_sessions::Entity::find()
        .select_only()
        .column(account_sessions::Column::Id)
        .filter(account_sessions::Column::ExpiresAt.lte(now))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query();
    account_sessions::Entity::delete_many()
        .filter(account_sessions::Column::Id.in_subquery(over))
        .exec(txn)
        .await?;
    let row = account_sessions::ActiveModel {
        id: Set(session),
        tenant_id: Set(tenant),
        user_id: Set(user),
        generation: Set(1),
        previous_generation: Set(0),
        rotated_at: Set(now),
        created_at: Set(now),
        expires_at: Set(expires_at),
    };
    account_sessions::Entity::insert(row)
        .exec_without_returning(txn)
        .await
        .map(drop)
}

async fn rotate(
    txn: &DatabaseTransaction,
    query: Select<account_sessions::Entity>,
    generation: i64,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Rotation, DbErr> {
    let Some(row) = query.lock_exclusive().one(txn).await? else {
        return Ok(Rotation::Over);
    };
    let is_newest = generation == row.generation;
    if !is_newest && generation != row.previous_generation {
        account_sessions::Entity::delete_by_id(row.id)
            .exec(txn)
            .await?;
        return Ok(Rotation::Stolen);
    }
    if !is_newest && now.0 - row.rotated_at.0 < SAME_ANSWER_MS {
        return Ok(Rotation::Next(row.generation, row.expires_at));
    }
    let next = row.generation + 1;
    let row = account_sessions::ActiveModel {
        id: Unchanged(row.id),
        generation: Set(next),
        previous_generation: Set(generation),
        rotated_at: Set(now),
        expires_at: Set(expires_at),
        ..Default::default()
    };
    row.update(txn).await?;
    Ok(Rotation::Next(next, expires_at))
}
