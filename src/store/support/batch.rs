//! What messages do to their support rooms, inside the transaction that stores them.

use std::collections::{BTreeSet, HashMap};

use entity::{
    ids::{Rev, RoomId, TenantId},
    messages::SenderType,
    support_rooms::{Entity, Model, SupportStatus},
    timestamp::Timestamp,
};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel};

use super::SupportState;
use crate::{
    error::{Error, Result},
    store::{
        NewMessage,
        rows::{self, Kind, Rows},
    },
};

/// The support rooms that a batch of messages writes to, as they become from one message to the next.
pub(in crate::store) struct SupportBatch(HashMap<(TenantId, RoomId), (Model, bool)>);

impl SupportBatch {
    pub(in crate::store) async fn load(
        txn: &DatabaseTransaction,
        messages: &[(TenantId, NewMessage)],
    ) -> Result<Self, DbErr> {
        let places: BTreeSet<_> = messages
            .iter()
            .filter(|(_, message)| message.support.is_some())
            .map(|(tenant, message)| (tenant.to_string(), message.room_id.to_string()))
            .collect();
        let mut rows = Rows::new(&[("tenant", Kind::Text), ("room", Kind::Text)]);
        for (tenant, room) in places {
            rows.push(vec![tenant.into(), room.into()]);
        }
        let same = "t.tenant_id = v.tenant AND t.room_id = v.room";
        let key = Some("t.tenant_id, t.room_id");
        let found = rows::select(txn, Entity, rows, same, key).await?;
        let rows = found
            .into_iter()
            .map(|row| ((row.tenant_id.clone(), row.room_id.clone()), (row, false)));
        Ok(Self(rows.collect()))
    }

    /// Whether a message may be stored after what was stored before it.
    pub(in crate::store) fn admits(
        &self,
        tenant: &TenantId,
        message: &NewMessage,
        newest: Rev,
    ) -> Result<()> {
        let Some(write) = &message.support else {
            return Ok(());
        };
        let key = (tenant.clone(), message.room_id.clone());
        let (row, _) = self.0.get(&key).ok_or(Error::ROOM_NOT_FOUND)?;
        if row.status == SupportStatus::Closed {
            return Err(Error::RoomClosed);
        }
        if write.if_rev.is_some_and(|seen| seen < newest) {
            return Err(Error::StaleReply);
        }
        Ok(())
    }

    /// What a message that is being stored does to its room.
    pub(in crate::store) fn take(
        &mut self,
        tenant: &TenantId,
        message: &NewMessage,
        seq: Rev,
        now: Timestamp,
    ) -> Option<SupportState> {
        let write = message.support.as_ref()?;
        let key = (tenant.clone(), message.room_id.clone());
        let (row, is_changed) = self.0.get_mut(&key)?;
        *is_changed = true;
        let before = (row.status, row.assigned_to.clone());
        row.active_at = now;
        match write.sender {
            SenderType::Customer => {
                row.status = SupportStatus::Waiting;
                row.unread_count += 1;
            }
            SenderType::Staff => {
                row.status = SupportStatus::Active;
                if row.assigned_to.is_none() {
                    row.assigned_to = Some(message.user_id.clone());
                }
                // Who answers what they have seen has read it.
                if write.if_rev.is_some() {
                    row.staff_read_seq = seq;
                    row.unread_count = 0;
                }
            }
            SenderType::System => {}
        }
        if write.closes {
            row.status = SupportStatus::Closed;
            row.closed_at = Some(now);
        }
        Some(SupportState {
            is_news: (row.status, row.assigned_to.clone()) != before,
            row: row.clone(),
        })
    }

    pub(in crate::store) async fn save(self, txn: &DatabaseTransaction) -> Result<(), DbErr> {
        let changed = self.0.into_values().filter(|(_, is_changed)| *is_changed);
        for (row, _) in changed {
            Entity::update(row.into_active_model().reset_all())
                .exec(txn)
                .await?;
        }
        Ok(())
    }
}
