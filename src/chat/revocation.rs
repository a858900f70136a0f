//! What ends access before its time: a session that was signed out, tokens that were revoked, a user who was disabled.
//!
//! There is one way for all of it. What is stored decides, and is asked at every door ([`Chat::check_access`]); whoever
//! changes it publishes [`Event::AccessEnded`], which ends the connections that are open. One that is being made in the
//! same moment asks again as soon as it can hear of such an end ([`Chat::confirm`]), so that none slips through between.

use std::{borrow::Cow, sync::Arc};

use entity::ids::{TenantId, UserId};

use super::{Chat, CloseReason, Connection, Entry, accounts::whole};
use crate::{
    auth::Identity,
    bus::{Ended, Event},
    error::{Error, Result},
    protocol::UserRecord,
    store::UserRow,
};

/// Whether somebody has access by what is stored of their user.
///
/// # Errors
/// As [`Chat::check_access`].
pub fn has_access(identity: &Identity, user: &UserRow) -> Result<()> {
    // An id that a token may claim must not be a guest's.
    if user.is_guest && !identity.is_guest {
        return Err(Error::unauthorized("the token names a guest"));
    }
    if user.disabled_at.is_some() {
        return Err(Error::AccountDisabled);
    }
    if !user.is_guest && identity.token_version < user.token_version {
        return Err(Error::unauthorized("the token was revoked"));
    }
    Ok(())
}

/// The refusal of a token whose session has ended.
pub const SESSION_ENDED: Error = Error::Unauthorized(Cow::Borrowed("the session has ended"));

impl Chat {
    /// Whether somebody still has the access that their token or their guest session gave them. Says what is known of
    /// them; nothing of a user who comes for the first time.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] if the token was revoked, is one of a session that has ended, or names a guest;
    /// [`Error::AccountDisabled`], [`Error::GuestLinked`].
    pub async fn check_access(&self, identity: &Identity) -> Result<Option<UserRow>> {
        self.check_session(identity).await?;
        let (tenant, id) = (&identity.tenant, &identity.user_id);
        if identity.is_guest && !self.store.is_guest_still(tenant, id).await? {
            return Err(Error::GuestLinked);
        }
        let user = self.store.user(tenant, id).await?;
        if let Some(user) = &user {
            has_access(identity, user)?;
        }
        Ok(user)
    }

    /// Once more, for a connection that can hear of the end of its access from now on: it may have ended after it was
    /// checked.
    ///
    /// # Errors
    /// [`Error::SignedOut`], [`Error::AccountDisabled`], or what kept it from being found out; the connection is being
    /// closed.
    pub async fn confirm(&self, connection: &Arc<Connection>) -> Result<()> {
        let why = match self.check_access(&connection.identity()).await {
            Ok(_) => return Ok(()),
            Err(Error::Unauthorized(_)) => Error::SignedOut,
            Err(error @ (Error::AccountDisabled | Error::GuestLinked)) => error,
            Err(error) => {
                connection.close(CloseReason::Restarting);
                return Err(error);
            }
        };
        connection.shut_out(why.clone());
        Err(why)
    }

    /// Ends the connections of a user whose access has ended. What is stored says so already.
    pub(super) fn end_access(&self, tenant: &TenantId, user: &UserId, which: Ended) {
        self.bus.publish(Event::AccessEnded {
            tenant: tenant.clone(),
            user: user.clone(),
            which,
        });
    }

    pub(super) fn hear_access_end(&self, tenant: &TenantId, user: &UserId, which: Ended) {
        for connection in self.presence.all_of(tenant, user) {
            let identity = connection.identity();
            match which {
                Ended::Disabled => connection.shut_out(Error::AccountDisabled),
                Ended::GuestLinked => connection.shut_out(Error::GuestLinked),
                Ended::Session(session) if identity.session == Some(session) => {
                    connection.shut_out(Error::SignedOut);
                }
                Ended::TokensBelow(version)
                    if !identity.is_guest && identity.token_version < version =>
                {
                    connection.shut_out(Error::SignedOut);
                }
                Ended::Session(_) | Ended::TokensBelow(_) => {}
            }
        }
    }

    /// What staff see of a user of their tenant.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn user_record(&self, staff: &Identity, user: &UserId) -> Result<UserRecord> {
        Self::may_administer(staff)?;
        let user = self.store.user(&staff.tenant, user).await?;
        Ok(self.record(user.ok_or(Error::NotFound("User"))?).await)
    }

    /// Revokes all tokens that a user has, and signs them out everywhere. A user who has never connected is made where
    /// private messages may do so too: the host application knows more users.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::InvalidPayload`] for a guest, who has no tokens.
    pub async fn revoke(self: &Arc<Self>, staff: &Identity, user: UserId) -> Result<UserRecord> {
        Self::may_administer(staff)?;
        let (chat, tenant) = (Arc::clone(self), staff.tenant.clone());
        let entry = Entry::new("user.revoke", staff).subject(&user);
        whole(async move {
            let known = chat.store.user(&tenant, &user).await?;
            if known.is_some_and(|user| user.is_guest) {
                return Err(Error::invalid("a guest has no tokens: disable the guest"));
            }
            let make = chat.config.create_unknown_users;
            let now = chat.clock.now();
            let changed = chat.store.revoke_tokens(&tenant, &user, make, now).await?;
            let row = changed.ok_or(Error::NotFound("User"))?;
            chat.audit.note(entry);
            chat.end_access(&tenant, &user, Ended::TokensBelow(row.token_version));
            Ok(chat.record(row).await)
        })
        .await
    }

    /// Shuts a user out: no token, password or guest session lets them in, and their connections end at once. As
    /// [`Chat::revoke`] for one who has never connected.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::AccessDenied`] for oneself.
    pub async fn disable(self: &Arc<Self>, staff: &Identity, user: UserId) -> Result<UserRecord> {
        Self::may_disable(staff, &user)?;
        let (chat, tenant) = (Arc::clone(self), staff.tenant.clone());
        let entry = Entry::new("user.disable", staff).subject(&user);
        whole(async move {
            let make = chat.config.create_unknown_users;
            let now = chat.clock.now();
            let changed = chat.store.disable_user(&tenant, &user, make, now).await?;
            let row = changed.ok_or(Error::NotFound("User"))?;
            chat.audit.note(entry);
            chat.end_access(&tenant, &user, Ended::Disabled);
            Ok(chat.record(row).await)
        })
        .await
    }

    /// Lets a user in again, by tokens that they had before, too.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn enable(&self, staff: &Identity, user: &UserId) -> Result<UserRecord> {
        Self::may_administer(staff)?;
        let changed = self.store.enable_user(&staff.tenant, user).await?;
        let row = changed.ok_or(Error::NotFound("User"))?;
        self.audit
            .note(Entry::new("user.enable", staff).subject(user));
        Ok(self.record(row).await)
    }

    async fn record(&self, user: UserRow) -> UserRecord {
        // Of other nodes it is known only whether the user is there.
        let connections = self.presence.connection_count(&user.tenant_id, &user.id);
        UserRecord {
            online: self.is_online(&user.tenant_id, &user.id).await,
            connections: i64::try_from(connections).unwrap_or(i64::MAX),
            id: user.id,
            tenant: user.tenant_id,
            username: user.username,
            is_guest: user.is_guest,
            created_at: user.created_at,
            last_seen: user.last_seen_at,
            token_version: user.token_version,
            disabled_at: user.disabled_at,
        }
    }
}
