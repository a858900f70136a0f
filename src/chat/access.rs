//! Who may do what. The one place that decides it, for every door.

use entity::{ids::UserId, participants::Role, rooms::RoomKind};

use super::{Chat, rooms::RoomRecord};
use crate::{
    auth::Identity,
    error::{Error, Result},
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
        let by_kind = match room.row.kind {
            RoomKind::Public => !caller.is_guest,
            RoomKind::Private | RoomKind::Direct => false,
            RoomKind::Support => caller.is_staff,
        };
        if by_kind || self.role(caller, room).await?.is_some() {
            return Ok(());
        }
        Err(Error::ROOM_DENIED)
    }

    /// The caller's role in a room, if they are a participant.
    pub(super) async fn role(&self, caller: &Identity, room: &RoomRecord) -> Result<Option<Role>> {
        match &room.participants {
            crate::store::Membership::All(roles) => Ok(roles.get(&caller.user_id).copied()),
            crate::store::Membership::Large => {
                let row = self
                    .store
                    .participant(&caller.tenant, &room.row.id, &caller.user_id)
                    .await?;
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
