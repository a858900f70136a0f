//! Who may do what. The one place that decides it, for every door.

use std::time::Duration;

use entity::{
    ids::{TenantId, UserId},
    participants::Role,
    rooms::RoomKind,
    timestamp::Timestamp,
};

use super::{Chat, room_cache::RoomRecord};
use crate::{
    auth::Identity,
    error::{Error, Result},
    store::{RoomChange, Standing},
};

impl Chat {
    /// Whether the caller may be in a room: hear it, read it, write to it.
    ///
    /// - public: every signed-in user of the tenant, and guests who are participants
    /// - private and direct: participants
    /// - support: participants (its customer) and staff
    ///
    /// # Errors
    /// [`Error::ROOM_DENIED`].
    pub(super) async fn may_enter(&self, caller: &Identity, room: &RoomRecord) -> Result<()> {
        if !Self::enters_as_participant(caller, room) || self.role(caller, room).await?.is_some() {
            return Ok(());
        }
        Err(Error::ROOM_DENIED)
    }

    /// Whether it is as a participant only that the caller may enter a room. Then each message is stored only while
    /// they are one.
    pub(super) const fn enters_as_participant(caller: &Identity, room: &RoomRecord) -> bool {
        match room.row.kind {
            RoomKind::Public => caller.is_guest,
            RoomKind::Private | RoomKind::Direct => true,
            RoomKind::Support => !caller.is_staff,
        }
    }

    /// How long the caller's token is still accepted; guests have none.
    #[must_use]
    pub fn time_left(&self, caller: &Identity) -> Option<Duration> {
        let millis = |time: Timestamp| Duration::from_millis(u64::try_from(time.0).unwrap_or(0));
        let end = millis(caller.expires_at?) + self.config.jwt_leeway_seconds.0;
        Some(end.saturating_sub(millis(self.clock.now())))
    }

    /// The caller's role in a room, if they are a participant.
    pub(super) async fn role(&self, caller: &Identity, room: &RoomRecord) -> Result<Option<Role>> {
        self.role_of(&caller.tenant, &caller.user_id, room).await
    }

    /// A user's role in a room, if they are a participant.
    pub(super) async fn role_of(
        &self,
        tenant: &TenantId,
        user: &UserId,
        room: &RoomRecord,
    ) -> Result<Option<Role>> {
        match &room.participants {
            crate::store::Membership::All(roles) => Ok(roles.get(user).copied()),
            crate::store::Membership::Large => {
                let row = self.store.participant(tenant, &room.row.id, user).await?;
                Ok(row.map(|row| row.role))
            }
        }
    }

    /// Whether the caller may begin a conversation with somebody. Guests answer, they do not begin.
    ///
    /// # Errors
    /// [`Error::AccessDenied`].
    pub(super) const fn may_open_direct(caller: &Identity) -> Result<()> {
        if caller.is_guest {
            return Err(Error::AccessDenied(
                "Guests cannot begin a private conversation",
            ));
        }
        Ok(())
    }

    /// Whether the caller may bring others into a room. Guests are brought in themselves.
    ///
    /// # Errors
    /// [`Error::AccessDenied`].
    pub(super) fn may_invite(caller: &Identity, others: &[UserId]) -> Result<()> {
        if caller.is_guest && others.iter().any(|user| *user != caller.user_id) {
            return Err(Error::AccessDenied("Guests cannot add participants"));
        }
        Ok(())
    }

    /// Whether the caller may look around among the tenant's people and public rooms. Guests could enter none of these
    /// rooms and write to nobody.
    ///
    /// # Errors
    /// [`Error::AccessDenied`].
    pub(super) const fn may_search(caller: &Identity) -> Result<()> {
        if caller.is_guest {
            return Err(Error::AccessDenied("Guests cannot search"));
        }
        Ok(())
    }

    /// Whether the caller may block a user, and so find their name in the list of those. Guests may block whom they
    /// share a room with; others are to them as if there were none.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(super) async fn may_block(&self, caller: &Identity, other: &UserId) -> Result<()> {
        let (tenant, user) = (&caller.tenant, &caller.user_id);
        if caller.is_guest && !self.store.share_a_room(tenant, user, other).await? {
            return Err(Error::NotFound("User"));
        }
        Ok(())
    }

    /// Whether the caller may look after the tenant's users and read its audit.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(super) const fn may_administer(caller: &Identity) -> Result<()> {
        if caller.is_staff {
            return Ok(());
        }
        Err(Error::Forbidden)
    }

    /// Whether the caller may shut a user out. Nobody shuts out themselves: who would let them in again?
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::AccessDenied`].
    pub(super) fn may_disable(caller: &Identity, user: &UserId) -> Result<()> {
        Self::may_administer(caller)?;
        if caller.user_id == *user {
            return Err(Error::AccessDenied("You cannot disable yourself"));
        }
        Ok(())
    }

    /// Whether the caller may make a room by joining it. A guest could not enter it afterwards, so for a guest it is
    /// not there.
    ///
    /// # Errors
    /// [`Error::ROOM_NOT_FOUND`].
    pub(super) const fn may_create_by_joining(&self, caller: &Identity) -> Result<()> {
        if caller.is_guest || !self.config.create_rooms_on_join {
            return Err(Error::ROOM_NOT_FOUND);
        }
        Ok(())
    }
}

impl RoomRecord {
    /// Whether anybody can write to the room. The last word has the writer, see `store/permission.rs`.
    pub(super) const fn takes_messages(&self) -> bool {
        self.row.archived_at.is_none() && !self.is_blocked
    }
}

/// Whether a caller may ask for a change of a room that they may not enter: the tenant's staff archive any that can be
/// archived, and hear nothing of what the others are.
pub(super) const fn may_change_unentered(
    caller: &Identity,
    room: &RoomRecord,
    change: &RoomChange,
) -> bool {
    let can_be_changed = matches!(room.row.kind, RoomKind::Public | RoomKind::Private);
    caller.is_staff && can_be_changed && matches!(change, RoomChange::Archive(_))
}

/// Whether a caller may change a room: its name, its participants, their roles. `false` where it is so already.
///
/// - owners and admins add, remove, give roles and rename; archiving may the tenant's staff too
/// - nobody does so to one who stands above them, nor raises one above themselves: admins do not touch owners
/// - whoever belongs to a room may leave it, except the last owner, who passes ownership on first
/// - guests add nobody, and stay members wherever they were added
/// - those who have blocked each other do not add each other
/// - in an archived room nobody is added and no name is given; leaving and removing go on
/// - private conversations and support rooms have the participants that they are made for
///
/// # Errors
/// [`Error::AccessDenied`], [`Error::Blocked`], [`Error::LastOwner`], [`Error::RoomArchived`], [`Error::NotFound`].
pub(super) fn may_change(
    caller: &Identity,
    is_self: bool,
    standing: &Standing,
    change: &RoomChange,
) -> Result<bool> {
    let room = &standing.room;
    if matches!(room.kind, RoomKind::Direct | RoomKind::Support) {
        return Err(Error::AccessDenied(
            "Private conversations and support rooms cannot be changed",
        ));
    }
    let own = rank(standing.actor);
    let manages = own >= rank(Some(Role::Admin));
    let may = match change {
        RoomChange::Remove => manages || is_self,
        RoomChange::Archive(_) => manages || caller.is_staff,
        RoomChange::Add | RoomChange::SetRole(_) | RoomChange::Rename(_) => manages,
    };
    if !may {
        return Err(Error::AccessDenied(
            "Only owners and admins of the room may do this",
        ));
    }
    match change {
        RoomChange::Add => may_add(caller, standing),
        RoomChange::Remove => {
            let role = standing.subject.ok_or(Error::NotFound("Participant"))?;
            stands_below(own, role)?;
            keeps_an_owner(standing, role)?;
            Ok(true)
        }
        RoomChange::SetRole(new) => {
            let role = standing.subject.ok_or(Error::NotFound("Participant"))?;
            stands_below(own, role)?;
            stands_below(own, *new)?;
            if *new == role {
                return Ok(false);
            }
            if standing.subject_is_guest && *new != Role::Member {
                return Err(Error::AccessDenied("Guests stay members"));
            }
            keeps_an_owner(standing, role)?;
            Ok(true)
        }
        RoomChange::Rename(name) => {
            in_use(standing)?;
            Ok(*name != room.name)
        }
        RoomChange::Archive(archived) => Ok(*archived != room.archived_at.is_some()),
    }
}

fn may_add(caller: &Identity, standing: &Standing) -> Result<bool> {
    if caller.is_guest {
        return Err(Error::AccessDenied("Guests cannot add participants"));
    }
    in_use(standing)?;
    if standing.subject.is_some() {
        return Ok(false);
    }
    if standing.blocked {
        return Err(Error::Blocked);
    }
    Ok(true)
}

const fn in_use(standing: &Standing) -> Result<()> {
    if standing.room.archived_at.is_some() {
        return Err(Error::RoomArchived);
    }
    Ok(())
}

fn stands_below(own: u8, role: Role) -> Result<()> {
    if rank(Some(role)) > own {
        return Err(Error::AccessDenied("Only owners may do this to an owner"));
    }
    Ok(())
}

/// One who is an owner no more must not have been the last one.
fn keeps_an_owner(standing: &Standing, role: Role) -> Result<()> {
    if role == Role::Owner && standing.owners <= 1 {
        return Err(Error::LastOwner);
    }
    Ok(())
}

const fn rank(role: Option<Role>) -> u8 {
    match role {
        None => 0,
        Some(Role::Member) => 1,
        Some(Role::Admin) => 2,
        Some(Role::Owner) => 3,
    }
}
