//! Whether those who sent messages may still write, asked inside the transaction that stores them. Whoever was removed
//! or blocked by a commit before it is refused, though the message was on its way when it was decided.

use std::collections::HashSet;

use entity::{
    ids::{RoomId, TenantId, UserId},
    participants::Entity,
};
use sea_orm::{DatabaseTransaction, DbErr};

use super::{
    append::NewMessage,
    blocks, guests,
    rows::{self, Kind, Rows},
};
use crate::error::Error;

/// What the senders of some messages may do.
pub(super) struct Permissions {
    participants: HashSet<(TenantId, RoomId, UserId)>,
    blocked: HashSet<(TenantId, UserId, UserId)>,
    /// Guests who are none any more.
    signed_in: HashSet<(TenantId, UserId)>,
}

impl Permissions {
    /// Three queries at the most, whatever the number of messages; none where all of them wrote to public rooms.
    pub(super) async fn read(
        txn: &DatabaseTransaction,
        messages: &[(TenantId, NewMessage)],
    ) -> Result<Self, DbErr> {
        let keys: HashSet<_> = messages
            .iter()
            .filter(|(_, new)| new.as_participant)
            .map(|(tenant, new)| (tenant, &new.room_id, &new.user_id))
            .collect();
        let participants = among(txn, &keys).await?;
        let missing = keys.iter().filter(|(tenant, room, user)| {
            let key = ((*tenant).clone(), (*room).clone(), (*user).clone());
            !participants.contains(&key)
        });
        let missing: HashSet<_> = missing.map(|(tenant, _, user)| (*tenant, *user)).collect();
        let signed_in = guests::signed_in(txn, missing).await?;
        let pairs: HashSet<_> = messages
            .iter()
            .filter_map(|(tenant, new)| Some((tenant, new.delivery.direct()?)))
            .collect();
        let blocked = blocks::among(txn, pairs).await?;
        Ok(Self {
            participants,
            signed_in,
            blocked: blocked
                .into_iter()
                .flat_map(|row| {
                    [
                        (
                            row.tenant_id.clone(),
                            row.user_id.clone(),
                            row.blocked_id.clone(),
                        ),
                        (row.tenant_id, row.blocked_id, row.user_id),
                    ]
                })
                .collect(),
        })
    }

    /// Why a message is refused, if it is.
    pub(super) fn refusal(
        &self,
        tenant: &TenantId,
        new: &NewMessage,
        is_archived: bool,
    ) -> Option<Error> {
        let sender = (tenant.clone(), new.room_id.clone(), new.user_id.clone());
        if new.as_participant && !self.participants.contains(&sender) {
            let guest = (tenant.clone(), new.user_id.clone());
            // The client sends it again as the user.
            return Some(if self.signed_in.contains(&guest) {
                Error::GuestLinked
            } else {
                Error::ROOM_DENIED
            });
        }
        if is_archived {
            return Some(Error::RoomArchived);
        }
        let [one, other] = new.delivery.direct()?;
        let pair = (tenant.clone(), one.clone(), other.clone());
        self.blocked.contains(&pair).then_some(Error::Blocked)
    }
}

/// Those of some users who are participants of the rooms beside them.
async fn among(
    txn: &DatabaseTransaction,
    keys: &HashSet<(&TenantId, &RoomId, &UserId)>,
) -> Result<HashSet<(TenantId, RoomId, UserId)>, DbErr> {
    let mut rows = Rows::new(&[
        ("tenant", Kind::Text),
        ("room", Kind::Text),
        ("sender", Kind::Text),
    ]);
    for (tenant, room, user) in keys {
        rows.push(vec![
            (*tenant).clone().into(),
            (*room).clone().into(),
            (*user).clone().into(),
        ]);
    }
    let same = "t.tenant_id = v.tenant AND t.room_id = v.room AND t.user_id = v.sender";
    let found = rows::select(txn, Entity, rows, same, None).await?;
    let keys = found
        .into_iter()
        .map(|row| (row.tenant_id, row.room_id, row.user_id));
    Ok(keys.collect())
}
