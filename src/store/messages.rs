//! Messages: the pages of a room's history, and finding one again.

use entity::{
    ids::{ClientId, Rev, RoomId, TenantId, UserId},
    messages::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Store, timed};
use crate::{error::Result, protocol::Message};

/// A part of a room's history.
#[derive(Clone, Copy, Debug)]
pub enum MessageQuery {
    /// The newest messages below a `seq`, or of all.
    Newest { before: Option<Rev>, limit: u32 },
    /// The oldest messages above a `seq`.
    After { seq: Rev, limit: u32 },
    /// What changed after a revision, in the order of the changes.
    Since { rev: Rev, limit: u32 },
}

impl Store {
    /// The message that a user has sent under a `client_id`.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`], as with all reads.
    pub async fn message_by_client_id(
        &self,
        tenant: &TenantId,
        user: &UserId,
        sent_before_as: &[UserId],
        client_id: &ClientId,
    ) -> Result<Option<Message>> {
        let senders = std::iter::once(user).chain(sent_before_as).cloned();
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::UserId.is_in(senders))
            .filter(Column::ClientId.eq(client_id.clone()));
        timed("message_by_client_id", query.one(&self.reader))
            .await
            .map(|model| model.map(from_model))
    }

    /// A part of a room's history, oldest first.
    pub async fn messages(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        part: MessageQuery,
    ) -> Result<Vec<Message>> {
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::RoomId.eq(room.clone()));
        let (query, newest_first) = match part {
            MessageQuery::Newest { before, limit } => {
                let below = before.map_or_else(Condition::all, |seq| {
                    Condition::all().add(Column::Seq.lt(seq))
                });
                (
                    query
                        .filter(below)
                        .order_by_desc(Column::Seq)
                        .limit(u64::from(limit)),
                    true,
                )
            }
            MessageQuery::After { seq, limit } => (
                query
                    .filter(Column::Seq.gt(seq))
                    .order_by_asc(Column::Seq)
                    .limit(u64::from(limit)),
                false,
            ),
            MessageQuery::Since { rev, limit } => (
                query
                    .filter(Column::Rev.gt(rev))
                    .order_by_asc(Column::Rev)
                    .limit(u64::from(limit)),
                false,
            ),
        };
        let mut messages: Vec<Message> = timed("messages", query.all(&self.reader))
            .await?
            .into_iter()
            .map(from_model)
            .collect();
        if newest_first {
            messages.reverse();
        }
        Ok(messages)
    }
}

pub(super) fn from_model(model: Model) -> Message {
    let is_support = model.sender_type.is_some();
    Message {
        content: is_support.then(|| model.text.clone()),
        sender_type: model.sender_type,
        sender_name: is_support.then(|| model.username.clone()),
        is_read: is_support.then_some(false),
        id: model.id,
        room_id: model.room_id,
        user_id: model.user_id,
        username: model.username,
        message: model.text,
        timestamp: model.created_at,
        seq: model.seq,
        rev: model.rev,
        client_id: model.client_id,
        reply_to: model.reply_to,
    }
}
