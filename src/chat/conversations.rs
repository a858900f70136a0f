//! The list of a user's conversations, and how far they have been read.

use std::collections::HashMap;

use entity::{
    ids::{Rev, RoomId},
    rooms::RoomKind,
};

use super::{Chat, RoomKey};
use crate::{
    auth::Identity,
    error::Result,
    protocol::{Conversation, Participant},
};

/// Participants named with each conversation.
const NAMED: u64 = 50;

impl Chat {
    /// The caller's rooms, newest activity first.
    pub async fn conversations(&self, caller: &Identity) -> Result<Vec<Conversation>> {
        let rows = self
            .store
            .conversations(&caller.tenant, &caller.user_id)
            .await?;
        let ids: Vec<RoomId> = rows.iter().map(|row| row.room.id.clone()).collect();
        let mut participants: HashMap<RoomId, Vec<Participant>> = HashMap::new();
        for member in self.store.members(&caller.tenant, &ids, NAMED).await? {
            let room = member.room_id.clone();
            participants
                .entry(room)
                .or_default()
                .push(self.to_participant(&caller.tenant, member));
        }
        // The caller may have been removed from some of them while they were read.
        let still = self.store.rooms_of(&caller.tenant, &caller.user_id).await?;
        let rows = rows.into_iter().filter(|row| still.contains(&row.room.id));
        let conversations = rows.map(|row| {
            let participants = participants.remove(&row.room.id).unwrap_or_default();
            let other = participants
                .iter()
                .find(|participant| participant.id != caller.user_id);
            let name = match other {
                Some(other) if row.room.kind == RoomKind::Direct => other.username.clone(),
                _ => row.room.name,
            };
            let is_here = self
                .live
                .users_in(&RoomKey::new(&caller.tenant, &row.room.id))
                .contains(&caller.user_id);
            Conversation {
                room_id: row.room.id,
                name,
                kind: row.room.kind,
                participants,
                last_message: row.last_message,
                unread_count: if is_here { 0 } else { row.unread },
                last_message_at: row.room.last_message_at,
                archived: row.room.archived_at.is_some(),
            }
        });
        Ok(conversations.collect())
    }

    /// The caller was in a room up to a revision, and so has read it. What cannot be saved is unread again.
    pub(super) async fn mark_read(&self, caller: &Identity, room: &RoomId, seen: Rev) {
        if let Err(error) = self
            .store
            .save_departure(
                &caller.tenant,
                &caller.user_id,
                vec![(room.clone(), seen)],
                None,
            )
            .await
        {
            tracing::warn!(%error, "how far a user has read was not saved");
        }
    }
}
