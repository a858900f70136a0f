//! Notifications that wait for a user to return. They are written with their message, see `messages.rs`.

use entity::{
    ids::{MessageId, TenantId, UserId},
    messages,
    notifications::{Column, Entity, NotificationKind},
    timestamp::Timestamp,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};

use super::{Store, messages::from_model, rows::padded, timed};
use crate::{error::Result, protocol::Message};

/// The most notifications that a user who returns is told of: the newest.
const MOST: u64 = 1000;

/// A notification that was not sent to any connection of its user yet.
pub struct PendingNotification {
    pub kind: NotificationKind,
    pub message: Message,
}

impl Store {
    /// What waits for a user, oldest first.
    pub async fn pending_notifications(
        &self,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<Vec<PendingNotification>> {
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::UserId.eq(user.clone()))
            .filter(Column::DeliveredAt.is_null())
            .order_by_desc(Column::MessageId)
            .limit(MOST);
        let rows = timed("pending_notifications", query.all(&self.reader)).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids = rows.iter().map(|row| row.message_id);
        let query = messages::Entity::find()
            .filter(messages::Column::TenantId.eq(tenant.clone()))
            .filter(messages::Column::Id.is_in(padded(ids.collect())));
        let found = timed("pending_notifications", query.all(&self.reader)).await?;
        let mut pending: Vec<PendingNotification> = found
            .into_iter()
            .filter_map(|model| {
                let row = rows.iter().find(|row| row.message_id == model.id)?;
                Some(PendingNotification {
                    kind: row.kind,
                    message: from_model(model),
                })
            })
            .collect();
        pending.sort_by_key(|notification| notification.message.id);
        Ok(pending)
    }

    /// Some users were told of some messages.
    pub async fn notifications_delivered(
        &self,
        tenant: &TenantId,
        users: Vec<UserId>,
        messages: Vec<MessageId>,
        now: Timestamp,
    ) -> Result<()> {
        let query = Entity::update_many()
            .col_expr(Column::DeliveredAt, Expr::value(now))
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::UserId.is_in(padded(users)))
            .filter(Column::MessageId.is_in(padded(messages)))
            .filter(Column::DeliveredAt.is_null());
        self.writer
            .write("notifications_delivered", move |txn| {
                Box::pin(async move { query.exec(txn).await.map(drop) })
            })
            .await
    }

    /// A user was told of what waited: of these messages. What is older than all that can be shown counts as told.
    pub async fn notifications_told(
        &self,
        tenant: &TenantId,
        user: &UserId,
        messages: Vec<MessageId>,
        now: Timestamp,
    ) -> Result<()> {
        // Not all up to the newest one: another node may have stored one in between, which nobody was told of yet.
        let oldest = messages.iter().min().copied();
        let are_all = u64::try_from(messages.len()).is_ok_and(|told| told < MOST);
        let mut told = Condition::any().add(Column::MessageId.is_in(padded(messages)));
        if !are_all {
            told = told.add(Column::MessageId.lt(oldest));
        }
        let query = Entity::update_many()
            .col_expr(Column::DeliveredAt, Expr::value(now))
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::UserId.eq(user.clone()))
            .filter(told)
            .filter(Column::DeliveredAt.is_null());
        self.writer
            .write("notifications_told", move |txn| {
                Box::pin(async move { query.exec(txn).await.map(drop) })
            })
            .await
    }
}
