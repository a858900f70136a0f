//! Changing rooms: who belongs to them and in what role, their names, whether they are in use.
//!
//! A removal has an order. It is committed; then what was decided before is overturned ([`super::room_cache`]); then the
//! user's connections are taken out of the live room under its lock, and the room and the user are told; then it is
//! acknowledged. An answer that was being prepared is given under that lock, and is decided again if the removal was
//! there first. Messages are checked where they are stored (`store/permission.rs`), notifications and presence under a
//! lock of their own.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use entity::{
    ids::{RoomId, TenantId, UserId},
    participants::Role,
};
use serde::Serialize;
use tokio::sync::{Mutex, MutexGuard};

use super::{
    Chat, Entry, RoomKey,
    access::{may_change, may_change_unentered},
    rooms::to_room,
};
use crate::{
    auth::Identity,
    bus::Event,
    error::{Error, Result},
    protocol::{Membership, ParticipantChange, Room, RoomUpdated, to_raw},
    store::{ChangeRequest, Changed, RoomChange},
};

/// So many changes are made at once: those of one room one after the other.
const TURNS: u64 = 64;

/// Held from a change's commit until it has been told, so that changes are told in the order of their commits.
pub(super) struct ChangeTurns {
    turns: Box<[Mutex<()>]>,
    hasher: RandomState,
}

impl ChangeTurns {
    pub(super) fn new() -> Self {
        Self {
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
            hasher: RandomState::new(),
        }
    }

    async fn turn(&self, key: &RoomKey) -> MutexGuard<'_, ()> {
        let index = usize::try_from(self.hasher.hash_one(key) % TURNS).unwrap_or(0);
        self.turns[index].lock().await
    }
}

impl Chat {
    /// Makes somebody a participant. One who is a participant already stays as they are.
    pub async fn add_participant(
        self: &Arc<Self>,
        caller: &Identity,
        room: &RoomId,
        user: &UserId,
    ) -> Result<()> {
        // In this order: whether there is such a user is not for everybody to find out.
        self.entered_room(caller, room).await?;
        Self::may_invite(caller, std::slice::from_ref(user))?;
        self.known_user(caller, user).await?;
        self.change(caller, room, user, RoomChange::Add)
            .await
            .map(drop)
    }

    /// Takes somebody out of a room. When this returns, nothing of the room reaches them any more, on no connection.
    /// One who is removed from a public room may enter it again.
    pub async fn remove_participant(
        self: &Arc<Self>,
        caller: &Identity,
        room: &RoomId,
        user: &UserId,
    ) -> Result<()> {
        self.change(caller, room, user, RoomChange::Remove)
            .await
            .map(drop)
    }

    pub async fn set_role(
        self: &Arc<Self>,
        caller: &Identity,
        room: &RoomId,
        user: &UserId,
        role: Role,
    ) -> Result<()> {
        self.change(caller, room, user, RoomChange::SetRole(role))
            .await
            .map(drop)
    }

    pub async fn rename_room(
        self: &Arc<Self>,
        caller: &Identity,
        room: &RoomId,
        name: String,
    ) -> Result<Room> {
        let change = RoomChange::Rename(name);
        let changed = self.change(caller, room, &caller.user_id, change).await?;
        Ok(to_room(&changed.room))
    }

    /// Ends writing to a room, or allows it again. When this returns, no message is on its way any more.
    pub async fn archive_room(
        self: &Arc<Self>,
        caller: &Identity,
        room: &RoomId,
        archived: bool,
    ) -> Result<()> {
        let change = RoomChange::Archive(archived);
        self.change(caller, room, &caller.user_id, change)
            .await
            .map(drop)
    }

    async fn change(
        self: &Arc<Self>,
        caller: &Identity,
        room: &RoomId,
        subject: &UserId,
        change: RoomChange,
    ) -> Result<Changed> {
        let key = RoomKey::new(&caller.tenant, room);
        let record = self.room(&key.tenant, room).await?;
        if !may_change_unentered(caller, &record, &change) {
            self.may_enter(caller, &record).await?;
        }
        let chat = Arc::clone(self);
        let (caller, subject) = (caller.clone(), subject.clone());
        // To its end though the caller hangs up: what is committed has to take effect.
        tokio::spawn(async move { chat.change_in_turn(caller, key, subject, change).await })
            .await
            .map_err(|_| Error::Internal)?
    }

    async fn change_in_turn(
        &self,
        caller: Identity,
        key: RoomKey,
        subject: UserId,
        change: RoomChange,
    ) -> Result<Changed> {
        let _turn = self.changes.turn(&key).await;
        let request = ChangeRequest {
            room: key.room.clone(),
            actor: caller.user_id.clone(),
            subject: subject.clone(),
            change: change.clone(),
            at: self.clock.now(),
        };
        let action = match &change {
            RoomChange::Add => "room.add",
            RoomChange::Remove => "room.remove",
            RoomChange::SetRole(_) => "room.set_role",
            RoomChange::Rename(_) => "room.rename",
            RoomChange::Archive(_) => "room.archive",
        };
        let entry = Entry::new(action, &caller)
            .room(&key.room)
            .subject(&subject);
        let by = caller.user_id.clone();
        let is_self = by == subject;
        let decided = self
            .store
            .change_room(&key.tenant, request, move |standing, change| {
                may_change(&caller, is_self, standing, change)
            });
        let changed = match decided.await {
            Ok(changed) => changed,
            Err(error) => {
                // A commit that failed may have reached the disk after all.
                self.rooms.overturn(&key);
                return Err(error);
            }
        };
        if changed.is_new {
            self.audit.note(entry);
            let changed = changed.clone();
            self.bus
                .publish(announcement(key.tenant, by, subject, &change, changed));
        }
        Ok(changed)
    }

    pub(super) fn hear_added(&self, tenant: &TenantId, change: &ParticipantChange) {
        let key = RoomKey::new(tenant, &change.room_id);
        self.rooms.overturn(&key);
        self.tell(&key, &change.user_id, "participant_added", change);
    }

    pub(super) fn hear_removed(&self, tenant: &TenantId, change: &ParticipantChange) {
        let key = RoomKey::new(tenant, &change.room_id);
        self.rooms.overturn(&key);
        self.presence.part(tenant);
        // In turn with the user's joining and with notifications to them.
        let _turn = self.presence.turn(&change.user_id);
        let was_here = self.live.expel(&key, &change.user_id);
        self.tell(&key, &change.user_id, "participant_removed", change);
        if was_here {
            self.spawn_note_rooms(tenant, &change.user_id);
            let membership = Membership {
                room_id: change.room_id.clone(),
                user_id: change.user_id.clone(),
                username: change.username.clone(),
            };
            // On every node: only this one has seen them there.
            self.bus.publish(Event::Left {
                tenant: tenant.clone(),
                membership,
                is_online: self.presence.is_here(tenant, &change.user_id),
            });
        }
    }

    pub(super) fn hear_room_updated(&self, tenant: &TenantId, update: &RoomUpdated) {
        let key = RoomKey::new(tenant, &update.room.id);
        self.rooms.overturn(&key);
        self.live.announce(&key, "room_updated", update);
    }

    /// Tells those in a room, and a user on all connections, each once.
    fn tell(&self, key: &RoomKey, user: &UserId, event: &'static str, payload: &impl Serialize) {
        self.live.announce(key, event, payload);
        let payload = to_raw(payload);
        let user = std::slice::from_ref(user);
        for connection in self.presence.connections_of(&key.tenant, user) {
            if !self.live.has_joined(key, connection.id) {
                connection.push(event, &payload);
            }
        }
    }
}

/// How a change is told.
fn announcement(
    tenant: TenantId,
    by: UserId,
    subject: UserId,
    change: &RoomChange,
    changed: Changed,
) -> Event {
    let is_added = matches!(change, RoomChange::Add);
    let (user_id, role) = match change {
        RoomChange::Add | RoomChange::Remove => {
            let change = ParticipantChange {
                room_id: changed.room.id,
                user_id: subject,
                username: changed.username,
                by,
            };
            return if is_added {
                Event::ParticipantAdded { tenant, change }
            } else {
                Event::ParticipantRemoved { tenant, change }
            };
        }
        RoomChange::SetRole(role) => (Some(subject), Some(*role)),
        RoomChange::Rename(_) | RoomChange::Archive(_) => (None, None),
    };
    let update = Arc::new(RoomUpdated {
        room: to_room(&changed.room),
        by,
        user_id,
        role,
    });
    Event::RoomUpdated { tenant, update }
}
