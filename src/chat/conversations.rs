//! A user's rooms and conversations, and how far they have been read.

use std::collections::HashMap;

use entity::{
    ids::{Rev, RoomId},
    rooms::RoomKind,
};

use super::{Chat, RoomKey, left_undone, rooms::to_room};
use crate::{
    auth::Identity,
    error::{Error, Result},
    protocol::{Conversation, Participant, Room},
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
        let members = self.store.members(&caller.tenant, &ids, NAMED).await?;
        let rooms: Vec<RoomId> = members.iter().map(|one| one.room_id.clone()).collect();
        let named = self.to_participants(&caller.tenant, members).await;
        let mut participants: HashMap<RoomId, Vec<Participant>> = HashMap::new();
        for (room, participant) in rooms.into_iter().zip(named) {
            participants.entry(room).or_default().push(participant);
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

    /// The caller's rooms, newest activity first.
    pub async fn rooms(&self, caller: &Identity) -> Result<Vec<Room>> {
        let (tenant, user) = (&caller.tenant, &caller.user_id);
        let rooms = self.store.user_rooms(tenant, user).await?;
        let direct = rooms.iter().filter(|room| room.kind == RoomKind::Direct);
        let direct: Vec<RoomId> = direct.map(|room| room.id.clone()).collect();
        let mut names: HashMap<RoomId, String> = HashMap::new();
        for member in self.store.members(tenant, &direct, NAMED).await? {
            if member.user_id != *user {
                names.insert(member.room_id, member.username);
            }
        }
        // The caller may have been removed from some of them while they were read.
        let still = self.store.rooms_of(tenant, user).await?;
        let rooms = rooms.iter().filter(|room| still.contains(&room.id));
        let rooms = rooms.map(|room| {
            let view = to_room(room);
            let name = names.remove(&room.id).unwrap_or(view.name);
            Room { name, ..view }
        });
        Ok(rooms.collect())
    }

    /// One room that the caller may enter.
    ///
    /// # Errors
    /// [`Error::ROOM_NOT_FOUND`], [`Error::ROOM_DENIED`].
    pub async fn get_room(&self, caller: &Identity, room: &RoomId) -> Result<Room> {
        let key = RoomKey::new(&caller.tenant, room);
        loop {
            let (record, decided) = self.enter(caller, &key).await?;
            // The row in the cache does not follow what is said.
            let row = self.store.room(&caller.tenant, room).await?;
            let row = row.ok_or(Error::ROOM_NOT_FOUND)?;
            let view = self.room_for(caller, &record).await?;
            if decided.holds() {
                return Ok(Room {
                    rev: row.last_rev,
                    ..view
                });
            }
        }
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
            left_undone(&error, "how far a user has read was not saved");
        }
    }
}
