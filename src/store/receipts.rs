//! How far participants have read.

use entity::{
    ids::{MessageId, Rev, RoomId, TenantId, UserId},
    messages, participants, rooms,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{Store, participants::mark_read, timed};
use crate::error::Result;

/// How far a participant has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMark {
    pub seq: Rev,
    pub has_moved: bool,
}

impl Store {
    /// The place of a message in its room, if it is there.
    pub async fn message_seq(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        id: MessageId,
    ) -> Result<Option<Rev>> {
        let query = messages::Entity::find_by_id(id)
            .filter(messages::Column::TenantId.eq(tenant.clone()))
            .filter(messages::Column::RoomId.eq(room.clone()));
        timed("message_seq", query.one(&self.reader))
            .await
            .map(|found| found.map(|message| message.seq))
    }

    /// Moves how far a participant has read forward, never back and not beyond the newest message. `None` for one who
    /// is no participant.
    pub async fn read_up_to(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        user: &UserId,
        seq: Rev,
    ) -> Result<Option<ReadMark>> {
        let (tenant, room, user) = (tenant.clone(), room.clone(), user.clone());
        self.writer
            .write("read_up_to", move |txn| {
                Box::pin(async move {
                    let key = (tenant.clone(), room.clone(), user.clone());
                    let Some(row) = participants::Entity::find_by_id(key)
                        .lock_exclusive()
                        .one(txn)
                        .await?
                    else {
                        return Ok(None);
                    };
                    let newest = rooms::Entity::find_by_id((tenant.clone(), room.clone()))
                        .one(txn)
                        .await?
                        .map_or(Rev(0), |room| room.last_message_seq);
                    let seq = seq.min(newest).max(row.read_seq);
                    let has_moved = seq > row.read_seq;
                    if has_moved {
                        mark_read(txn, &tenant, &room, &user, seq).await?;
                    }
                    Ok(Some(ReadMark { seq, has_moved }))
                })
            })
            .await
    }
}
