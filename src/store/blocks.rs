//! Users who blocked each other.

use std::collections::HashSet;

use entity::{
    blocks::{ActiveModel, Column, Entity, Model},
    ids::{TenantId, UserId},
    timestamp::Timestamp,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr,
    EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};

use super::{
    Store, lock,
    rows::{self, Kind, Rows, padded},
    timed,
};
use crate::error::Result;

/// A user whom another one has blocked.
pub struct Blocked {
    pub user_id: UserId,
    pub username: String,
    pub since: Timestamp,
}

impl Store {
    /// Blocks a user; one who is blocked already stays so. Says `false` where the user has blocked so many that there
    /// is no place for one more. No message is stored in their direct room after that.
    pub async fn block(
        &self,
        tenant: &TenantId,
        [user, other]: [&UserId; 2],
        direct_key: String,
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
        let (tenant, pair) = (tenant.clone(), [user.clone(), other.clone()]);
        self.writer
            .write("block", move |txn| {
                Box::pin(async move {
                    lock::direct_room(txn, &tenant, &direct_key).await?;
                    lock::change_of_blocks(txn, &tenant, &pair).await?;
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
            .add(Column::BlockedId.is_in(padded(part.to_vec())));
        let by_others = Condition::all()
            .add(Column::UserId.is_in(padded(part.to_vec())))
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
    pairs: HashSet<(&TenantId, &[UserId; 2])>,
) -> Result<Vec<Model>, DbErr> {
    let mut rows = Rows::new(&[
        ("tenant", Kind::Text),
        ("one", Kind::Text),
        ("other", Kind::Text),
    ]);
    for (tenant, [one, other]) in pairs {
        for (one, other) in [(one, other), (other, one)] {
            rows.push(vec![
                tenant.clone().into(),
                one.clone().into(),
                other.clone().into(),
            ]);
        }
    }
    let same = "t.tenant_id = v.tenant AND t.user_id = v.one AND t.blocked_id = v.other";
    rows::select(txn, Entity, rows, same, None).await
}
