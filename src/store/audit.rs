//! The audit: written by one task, read by staff, swept.

use entity::{
    audit::{Column, Entity},
    ids::{TenantId, UserId},
    timestamp::Timestamp,
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{LockBehavior, LockType, OnConflict},
};
use uuid::Uuid;

use super::{Store, timed};
use crate::error::Result;

pub use entity::audit::{ActorKind, Model as AuditRow};

/// Rows that are inserted by one statement: databases bound its parameters.
const ROWS_PER_INSERT: usize = 512;
/// Rows that one write deletes, so that messages do not wait long for it.
const ROWS_PER_SWEEP: u64 = 2000;

/// Which entries, newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only entries before this one.
    pub before: Option<Uuid>,
    pub action: Option<String>,
    pub actor: Option<UserId>,
    pub outcome: Option<String>,
    pub limit: u64,
}

impl Store {
    /// A tenant's audit, newest first.
    pub async fn audit(&self, tenant: &TenantId, query: AuditQuery) -> Result<Vec<AuditRow>> {
        let entries = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .apply_if(query.before, |entries, id| {
                entries.filter(Column::Id.lt(id))
            })
            .apply_if(query.action, |entries, action| {
                entries.filter(Column::Action.eq(action))
            })
            .apply_if(query.actor, |entries, actor| {
                entries.filter(Column::Actor.eq(actor))
            })
            .apply_if(query.outcome, |entries, outcome| {
                entries.filter(Column::Outcome.eq(outcome))
            })
            .order_by_desc(Column::Id)
            .limit(query.limit);
        timed("audit", entries.all(&self.reader)).await
    }

    /// Writes entries, each of which names its tenant. One that is there, since nobody knew whether it had been committed,
    /// is not written again.
    pub async fn write_audit(&self, rows: Vec<AuditRow>) -> Result<()> {
        self.writer
            .write("write_audit", move |txn| {
                Box::pin(async move {
                    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model);
                    loop {
                        // As many as a power of two: few texts of statements.
                        let Some(some) = rows.len().min(ROWS_PER_INSERT).checked_ilog2() else {
                            return Ok(());
                        };
                        let some: Vec<_> = rows.by_ref().take(1 << some).collect();
                        Entity::insert_many(some)
                            .on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned())
                            .exec_without_returning(txn)
                            .await?;
                    }
                })
            })
            .await
    }

    /// Deletes what is older than a time; and while there is more than `keep`, the oldest refusals, since these are what
    /// strangers can make as many of as they like. Of all tenants. Says how many entries went.
    pub async fn sweep_audit(&self, before: Option<Timestamp>, keep: u64) -> Result<u64> {
        let mut swept = 0;
        if let Some(before) = before {
            swept += self
                .delete_audit(Condition::all().add(Column::At.lt(before)))
                .await?;
        }
        let count = timed("audit_count", Entity::find().count(&self.reader)).await?;
        let Some(excess) = count.checked_sub(keep).filter(|excess| *excess > 0) else {
            return Ok(swept);
        };
        let refusals = Condition::all().add(Column::Outcome.ne("ok"));
        let first_kept = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(refusals.clone())
            .order_by_asc(Column::Id)
            .offset(excess)
            .limit(1)
            .into_tuple::<Uuid>()
            .one(&self.reader);
        let oldest = match timed("audit_excess", first_kept).await? {
            Some(first_kept) => refusals.add(Column::Id.lt(first_kept)),
            None => refusals,
        };
        Ok(swept + self.delete_audit(oldest).await?)
    }

    async fn delete_audit(&self, which: Condition) -> Result<u64> {
        let mut deleted = 0;
        loop {
            let which = which.clone();
            let some = self.writer.write("sweep_audit", move |txn| {
                Box::pin(async move { delete_some(txn, which).await })
            });
            let some = some.await?;
            deleted += some;
            if some < ROWS_PER_SWEEP {
                return Ok(deleted);
            }
        }
    }
}

async fn delete_some(txn: &DatabaseTransaction, which: Condition) -> Result<u64, DbErr> {
    let ids = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(which)
        .limit(ROWS_PER_SWEEP)
        // Another node that sweeps at the same time takes the rest.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query();
    Entity::delete_many()
        .filter(Column::Id.in_subquery(ids))
        .exec(txn)
        .await
        .map(|deleted| deleted.rows_affected)
}
