//! Users who blocked each other.

use entity::{
    blocks::{ActiveModel, Column, Entity, Model},
    ids::{TenantId, UserId},
    timestamp::Timestamp,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr,
    EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};

use super::{Store, timed};
use crate::error::Result;

/// A user whom another one has blocked.
pub struct Blocked {
    pub user_id: UserId,
    pub username: String,
    pub since: Timestamp,
}

impl Store {
    /// Blocks a user; one who is blocked already stays so. Says `false` where the user has blocked so many that there
    /// is no place for one more.
    pub async fn block(
        &self,
        tenant: &TenantId,
        user: &UserId,
        other: &UserId,
        now: Timestamp,
        most: u64,
    ) -> Result<bool> {
        let row = ActiveModel {
            tenant_id: Set(tenant.clone()),
            user_id: Set(user.clone()),
            blocked_id: Set(other.clone()),
            created_at: Set(now),
        };
        let others = blocks_of(tenant, user).filter(Column::BlockedId.ne(other.clone()));
        self.writer
            .write("block", move |txn| {
                Box::pin(async move {
                    if others.count(txn).await? >= most {
                        return Ok(false);
                    }
                    Entity::insert_many([row])
                        .on_conflict(OnConflict::new().do_nothing().to_owned())
                        .exec_without_returning(txn)
                        .await
                        .map(|_| true)
                })
            })
            .await
    }

    /// Ends a block, if there is one.
    pub async fn unblock(&self, tenant: &TenantId, user: &UserId, other: &UserId) -> Result<()> {
        let query = Entity::delete_by_id((tenant.clone(), user.clone(), other.clone()));
        self.writer
            .write("unblock", move |txn| {
                Box::pin(async move { query.exec(txn).await.map(drop) })
            })
            .await
    }

    /// Whom a user has blocked, oldest block first.
    pub async fn blocked(
        &self,
        tenant: &TenantId,
        user: &UserId,
        most: u64,
    ) -> Result<Vec<Blocked>> {
        let query = blocks_of(tenant, user)
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::BlockedId)
            .limit(most);
        let rows: Vec<Model> = timed("blocked", query.all(&self.reader)).await?;
        let names = self
            .names(tenant, rows.iter().map(|row| row.blocked_id.clone()))
            .await?;
        let with_name = rows.into_iter().map(|row| Blocked {
            username: names
                .get(&row.blocked_id)
                .map_or_else(|| row.blocked_id.label(), |user| user.username.clone()),
            user_id: row.blocked_id,
            since: row.created_at,
        });
        Ok(with_name.collect())
    }

    /// Whether one of two users has blocked the other.
    pub async fn is_blocked(
        &self,
        tenant: &TenantId,
        one: &UserId,
        other: &UserId,
    ) -> Result<bool> {
        let others = std::slice::from_ref(other);
        timed("is_blocked", between(&self.reader, tenant, one, others)).await
    }
}

fn blocks_of(tenant: &TenantId, user: &UserId) -> sea_orm::Select<Entity> {
    Entity::find()
        .filter(Column::TenantId.eq(tenant.clone()))
        .filter(Column::UserId.eq(user.clone()))
}

/// Whether a user and any of some others have blocked each other.
pub(super) async fn between(
    db: &impl ConnectionTrait,
    tenant: &TenantId,
    user: &UserId,
    others: &[UserId],
) -> Result<bool, DbErr> {
    for part in others.chunks(500) {
        let by_user = Condition::all()
            .add(Column::UserId.eq(user.clone()))
            .add(Column::BlockedId.is_in(part.iter().cloned()));
        let by_others = Condition::all()
            .add(Column::UserId.is_in(part.iter().cloned()))
            .add(Column::BlockedId.eq(user.clone()));
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Condition::any().add(by_user).add(by_others));
        if query.one(db).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Those of some pairs of users of which one has blocked the other.
pub(super) async fn among(
    txn: &DatabaseTransaction,
    pairs: &[(&TenantId, &[UserId; 2])],
) -> Result<Vec<Model>, DbErr> {
    let mut found = Vec::new();
    // SQLite bounds how deep an expression may be.
    for part in pairs.chunks(50) {
        let any = part
            .iter()
            .flat_map(|(tenant, [one, other])| [(tenant, one, other), (tenant, other, one)])
            .fold(Condition::any(), |any, (tenant, user, blocked)| {
                any.add(
                    Condition::all()
                        .add(Column::TenantId.eq((*tenant).clone()))
                        .add(Column::UserId.eq(user.clone()))
                        .add(Column::BlockedId.eq(blocked.clone())),
                )
            });
        found.extend(Entity::find().filter(any).all(txn).await?);
    }
    Ok(found)
}
