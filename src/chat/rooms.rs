//! Rooms: making, entering, leaving, and who belongs to them.

use std::{collections::HashMap, sync::Arc};

use entity::{
    ids::{ExternalId, RoomId, TenantId, UserId},
    participants::Role,
    rooms::{Model, RoomKind},
};
use uuid::Uuid;

use super::{
    Chat, Connection, RoomKey,
    live::{Page, Part},
    room_cache::{Decided, RoomRecord},
    support::ReadMarks,
};
use crate::{
    auth::Identity,
    bus::Event,
    error::{Error, Result},
    protocol::{self, CreateRoom, JoinRoom, Participant, Room, RoomCreated, RoomJoined},
    store::{self, NewRoom},
};

/// Participants that a room may be made with.
const MAX_FIRST_PARTICIPANTS: usize = 100;
/// Changes that come with a `join_room {since}` at the most.
pub(super) const MAX_CHANGES: u32 = 1000;
/// Participants that are listed at the most.
const MAX_LISTED: u64 = 2000;

impl Chat {
    /// A room that exists.
    ///
    /// # Errors
    /// [`Error::ROOM_NOT_FOUND`].
    pub(super) async fn room(&self, tenant: &TenantId, room: &RoomId) -> Result<Arc<RoomRecord>> {
        self.find_room(&RoomKey::new(tenant, room))
            .await?
            .ok_or(Error::ROOM_NOT_FOUND)
    }

    /// A room that exists and that the caller may enter.
    ///
    /// # Errors
    /// [`Error::ROOM_NOT_FOUND`], [`Error::ROOM_DENIED`].
    pub(super) async fn entered_room(
        &self,
        caller: &Identity,
        room: &RoomId,
    ) -> Result<Arc<RoomRecord>> {
        self.enter(caller, &RoomKey::new(&caller.tenant, room))
            .await
            .map(|(room, _)| room)
    }

    /// The same, and when it was decided: for what is given some time later.
    pub(super) async fn enter(
        &self,
        caller: &Identity,
        key: &RoomKey,
    ) -> Result<(Arc<RoomRecord>, Decided<'_>)> {
        let decided = self.rooms.decide(key);
        let room = self.find_room(key).await?.ok_or(Error::ROOM_NOT_FOUND)?;
        self.may_enter(caller, &room).await?;
        Ok((room, decided))
    }

    async fn find_room(&self, key: &RoomKey) -> Result<Option<Arc<RoomRecord>>> {
        self.rooms.get(&self.store, &*self.bus, key).await
    }

    /// Makes a room. The creator is its owner; participants unknown so far become users.
    pub async fn create_room(&self, caller: &Identity, request: CreateRoom) -> Result<RoomCreated> {
        let invited = request.participants.unwrap_or_default();
        if invited.len() > MAX_FIRST_PARTICIPANTS {
            return Err(Error::invalid(format!(
                "more than {MAX_FIRST_PARTICIPANTS} participants"
            )));
        }
        Self::may_invite(caller, &invited)?;
        let mut participants: HashMap<UserId, Role> = HashMap::new();
        for user in invited {
            self.known_user(caller, &user).await?;
            participants.insert(user, Role::Member);
        }
        participants.insert(caller.user_id.clone(), Role::Owner);
        let kind = if request.private.unwrap_or(false) {
            RoomKind::Private
        } else {
            RoomKind::Public
        };
        let id = RoomId(ExternalId::Text(Uuid::now_v7().to_string().into()));
        let room = self
            .insert_room(caller, id, request.name.0, kind, None, participants)
            .await?;
        Ok(RoomCreated {
            room_id: room.id.clone(),
            room: to_room(&room),
        })
    }

    async fn insert_room(
        &self,
        caller: &Identity,
        id: RoomId,
        name: String,
        kind: RoomKind,
        direct_key: Option<String>,
        participants: HashMap<UserId, Role>,
    ) -> Result<Model> {
        let new = NewRoom {
            id,
            name,
            kind,
            created_by: caller.user_id.clone(),
            created_at: self.clock.now(),
            direct_key,
            participants: participants.into_iter().collect(),
        };
        let room = self.store.create_room(&caller.tenant, new).await?;
        self.rooms.forget(&RoomKey::new(&caller.tenant, &room.id));
        Ok(room)
    }

    /// Refuses a user that nobody has seen yet, where the settings say so.
    pub(super) async fn known_user(&self, caller: &Identity, user: &UserId) -> Result<()> {
        if self.config.create_unknown_users
            || self.store.user(&caller.tenant, user).await?.is_some()
        {
            return Ok(());
        }
        Err(Error::NotFound("User"))
    }

    /// The room of the caller and another user, if they have one; else the caller may make it.
    ///
    /// # Errors
    /// They have none, and the caller may not make it.
    pub(super) async fn find_direct_room(
        &self,
        caller: &Identity,
        other: &UserId,
    ) -> Result<Option<Arc<RoomRecord>>> {
        if let Some(room) = self
            .store
            .direct_room(&caller.tenant, &direct_key_of(caller, other))
            .await?
        {
            return self.room(&caller.tenant, &room.id).await.map(Some);
        }
        Self::may_open_direct(caller)?;
        self.known_user(caller, other).await?;
        Ok(None)
    }

    /// Makes the room of the caller and another user.
    pub(super) async fn create_direct_room(
        &self,
        caller: &Identity,
        other: &UserId,
    ) -> Result<Arc<RoomRecord>> {
        let pair = pair(caller, other);
        let key = direct_key(&pair);
        let id = RoomId(ExternalId::Text(Uuid::now_v7().to_string().into()));
        let participants = pair.into_iter().map(|user| (user, Role::Member)).collect();
        let room = self
            .insert_room(
                caller,
                id,
                "direct".to_owned(),
                RoomKind::Direct,
                Some(key),
                participants,
            )
            .await?;
        self.room(&caller.tenant, &room.id).await
    }

    /// Enters a room's live stream; a public room's new user becomes its participant. `answer` is called before
    /// anything that follows is delivered.
    pub async fn join_room(
        &self,
        connection: &Arc<Connection>,
        request: JoinRoom,
        answer: &mut (dyn FnMut(RoomJoined) + Send),
    ) -> Result<()> {
        let caller = connection.identity();
        let key = RoomKey::new(&caller.tenant, &request.room_id);
        if self.find_room(&key).await?.is_none() {
            self.create_by_joining(&caller, &request.room_id).await?;
        }
        let since = request.since.map(|rev| Part::Since {
            rev,
            limit: MAX_CHANGES,
        });
        // First said, then done: whoever writes from then on knows that the caller hears it.
        self.enter(&caller, &key).await?;
        self.note_rooms(&caller.tenant, &caller.user_id, Some(&request.room_id))
            .await;
        let joined = self.join_noted(connection, &key, since, answer).await;
        if joined.is_err() {
            self.note_rooms(&caller.tenant, &caller.user_id, None).await;
            return joined;
        }
        let membership = membership_of(&caller, &request.room_id);
        let _turn = self.presence.turn(&caller.user_id);
        // The user may have been removed already: then the room has been told so.
        if self.live.has_joined(&key, connection.id) {
            self.bus.publish(Event::Joined {
                tenant: caller.tenant.clone(),
                membership,
            });
        }
        Ok(())
    }

    async fn join_noted(
        &self,
        connection: &Arc<Connection>,
        key: &RoomKey,
        since: Option<Part>,
        answer: &mut (dyn FnMut(RoomJoined) + Send),
    ) -> Result<()> {
        let caller = connection.identity();
        loop {
            let (room, decided) = self.enter(&caller, key).await?;
            self.become_participant(&caller, &room, key).await?;
            let view = self.room_for(&caller, &room).await?;
            let marks = self.read_marks(&caller.tenant, &room).await?;
            let mut give = |page: Page| {
                let changes = ReadMarks::apply(marks, page.messages);
                answer(RoomJoined {
                    room_id: key.room.clone(),
                    room: Room {
                        rev: page.rev,
                        ..view.clone()
                    },
                    rev: page.rev,
                    reset: page.has_more,
                    changes: (since.is_some() && !page.has_more).then_some(changes),
                });
            };
            let joined = self.live.join(key, connection, since, decided, &mut give);
            if joined.await? {
                return Ok(());
            }
        }
    }

    async fn create_by_joining(&self, caller: &Identity, id: &RoomId) -> Result<()> {
        self.may_create_by_joining(caller)?;
        let owner = HashMap::from([(caller.user_id.clone(), Role::Owner)]);
        let (name, kind) = (id.label(), RoomKind::Public);
        self.insert_room(caller, id.clone(), name, kind, None, owner)
            .await
            .map(drop)
    }

    async fn become_participant(
        &self,
        caller: &Identity,
        room: &RoomRecord,
        key: &RoomKey,
    ) -> Result<()> {
        if room.row.kind != RoomKind::Public
            || caller.is_guest
            || self.role(caller, room).await?.is_some()
        {
            return Ok(());
        }
        // The row in the cache may be older than what has been said since; what is said before joining is not unread.
        let row = self
            .store
            .room(&caller.tenant, &room.row.id)
            .await?
            .ok_or(Error::ROOM_NOT_FOUND)?;
        let now = self.clock.now();
        self.store
            .add_participant(&caller.tenant, &row, &caller.user_id, Role::Member, now)
            .await?;
        self.tell_changed(key, false);
        Ok(())
    }

    /// A room as the caller sees it: a direct room is called by the other user's name.
    pub(super) async fn room_for(&self, caller: &Identity, room: &RoomRecord) -> Result<Room> {
        let mut view = to_room(&room.row);
        if let (RoomKind::Direct, store::Membership::All(users)) =
            (room.row.kind, &room.participants)
            && let Some(other) = users.keys().find(|user| **user != caller.user_id)
        {
            let user = self.store.user(&caller.tenant, other).await?;
            view.name = user.map_or_else(|| other.label(), |user| user.username);
        }
        Ok(view)
    }

    /// Who belongs to a room.
    pub async fn participants(&self, caller: &Identity, room: &RoomId) -> Result<Vec<Participant>> {
        let key = RoomKey::new(&caller.tenant, room);
        loop {
            let (_, decided) = self.enter(caller, &key).await?;
            let members = self
                .store
                .members(&caller.tenant, std::slice::from_ref(room), MAX_LISTED)
                .await?;
            // Else somebody may have come after the caller went.
            if decided.holds() {
                return Ok(self.to_participants(&caller.tenant, members).await);
            }
        }
    }

    pub(super) async fn to_participants(
        &self,
        tenant: &TenantId,
        members: Vec<store::Member>,
    ) -> Vec<Participant> {
        let users: Vec<UserId> = members.iter().map(|one| one.user_id.clone()).collect();
        let online = self.online(tenant, &users).await;
        let participants = members.into_iter().map(|member| {
            let online = online.contains(&member.user_id);
            Participant {
                online,
                last_seen: member.last_seen_at.filter(|_| !online),
                id: member.user_id,
                username: member.username,
                role: member.role,
            }
        });
        participants.collect()
    }
}

/// Two users, whoever of them asks.
fn pair(caller: &Identity, other: &UserId) -> [UserId; 2] {
    let mut pair = [caller.user_id.clone(), other.clone()];
    pair.sort_unstable();
    pair
}

/// What finds the room of the caller and another user.
pub(super) fn direct_key_of(caller: &Identity, other: &UserId) -> String {
    direct_key(&pair(caller, other))
}

/// Unique for two users: ids hold no control characters.
fn direct_key([one, other]: &[UserId; 2]) -> String {
    format!("{one}\u{1f}{other}")
}

pub(super) fn membership_of(caller: &Identity, room: &RoomId) -> protocol::Membership {
    protocol::Membership {
        room_id: room.clone(),
        user_id: caller.user_id.clone(),
        username: caller.username.to_string(),
    }
}

pub(super) fn to_room(room: &Model) -> Room {
    Room {
        id: room.id.clone(),
        name: room.name.clone(),
        kind: room.kind,
        private: room.kind != RoomKind::Public,
        created_by: room.created_by.clone(),
        created_at: room.created_at,
        rev: room.last_rev,
        archived: room.archived_at.is_some(),
    }
}
