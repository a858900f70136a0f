//! Guests: visitors without a token. A secret, kept by the visitor's browser and stored here as a hash, resumes one. The
//! id that others see says nothing of it, and is another one for each session.
//!
//! A guest who signs in turns out to be a user, once: their rooms are the user's from then on, and the secret alone
//! opens nothing any more.

use std::{net::IpAddr, sync::Arc};

use entity::{
    ids::{ExternalId, TenantId, UserId},
    timestamp::Timestamp,
};
use sha2::{Digest, Sha256};

use super::{Chat, Connection, Entry, RoomKey, accounts::whole};
use crate::{
    auth::{Identity, hex, random_secret},
    bus::{Ended, Event},
    error::{Error, Result},
    protocol::{Activity, RoomActivity, Session},
    store::{GuestKey, Linked},
};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// A guest who is admitted.
pub struct GuestSession {
    pub identity: Identity,
    /// What a new guest has to be told.
    pub made: Option<Session>,
}

impl Chat {
    /// Resumes a guest session, or makes one.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] where guests are not allowed, [`Error::TooManyAttempts`] where an address makes too many.
    pub async fn guest(
        &self,
        secret: Option<&str>,
        tenant: Option<&str>,
        ip: IpAddr,
    ) -> Result<GuestSession> {
        if !self.config.guests {
            return Err(Error::unauthorized("an access token is required"));
        }
        if let Some(secret) = secret
            && let Some(identity) = self.known_guest(secret).await?
        {
            return Ok(GuestSession {
                identity,
                made: None,
            });
        }
        self.new_guest(tenant, ip).await
    }

    /// Makes a guest session, of a tenant that has guests.
    ///
    /// # Errors
    /// As [`Chat::guest`].
    pub async fn new_guest(&self, tenant: Option<&str>, ip: IpAddr) -> Result<GuestSession> {
        if !self.config.guests {
            return Err(Error::AccessDenied("There are no guests here"));
        }
        let tenant = tenant.map_or_else(|| Ok(TenantId::default()), TenantId::new);
        let tenant = tenant.map_err(|_| Error::NO_GUESTS)?;
        let welcome = &self.config.guest_tenants.0;
        if !welcome
            .iter()
            .any(|name| name == "*" || *name == tenant.to_string())
        {
            return Err(Error::NO_GUESTS);
        }
        self.limits.new_guest(ip)?;
        let secret = random_secret();
        let random = hex(&rand::random::<[u8; 12]>());
        let user_id = UserId(ExternalId::Text(format!("guest_{random}").into()));
        let username = format!("Guest {}", &random[..4]);
        self.store
            .create_guest(
                &tenant,
                hash(&secret),
                &user_id,
                &username,
                self.clock.now(),
            )
            .await?;
        let identity = guest_identity(tenant, user_id.clone(), username.as_str().into());
        let made = Some(Session {
            guest_session: secret,
            user_id,
            username,
        });
        self.audit
            .note(Entry::new("guest.make", &identity).address(ip));
        Ok(GuestSession { identity, made })
    }

    /// The guest of a session, if there is one and guests are allowed. One who was away for long, or has signed in, is
    /// none any more.
    ///
    /// # Errors
    /// [`Error::AccountDisabled`].
    pub async fn known_guest(&self, secret: &str) -> Result<Option<Identity>> {
        if !self.config.guests {
            return Ok(None);
        }
        let (hash, now) = (hash(secret), self.clock.now());
        let since = Timestamp(now.0 - i64::from(self.config.guest_session_days) * DAY_MS);
        let Some((guest, seen_at)) = self.store.guest(&hash, since).await? else {
            return Ok(None);
        };
        if guest.disabled_at.is_some() {
            return Err(Error::AccountDisabled);
        }
        let tenant = guest.tenant_id;
        if now.0 - seen_at.0 > DAY_MS {
            self.store.guest_seen(&tenant, hash, now).await?;
        }
        let identity = guest_identity(tenant, guest.id, guest.username.into());
        Ok(Some(identity))
    }

    /// The user of a token that was checked. Whoever shows a guest session too turns out to be its guest.
    ///
    /// # Errors
    /// As [`Chat::know_user`], and [`Error::GuestAlreadyLinked`].
    pub async fn sign_in(
        self: &Arc<Self>,
        identity: Identity,
        secret: Option<&str>,
    ) -> Result<Identity> {
        self.know_user(&identity).await?;
        if let Some(secret) = secret {
            self.link(&identity, GuestKey::Secret(hash(secret))).await?;
        }
        let former_guests = self
            .store
            .former_guests(&identity.tenant, &identity.user_id)
            .await?;
        Ok(Identity {
            former_guests: former_guests.into(),
            ..identity
        })
    }

    /// Links a guest session to a user who asks for it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::GuestAlreadyLinked`].
    pub async fn link_guest(self: &Arc<Self>, caller: &Identity, secret: &str) -> Result<()> {
        if caller.is_guest {
            return Err(Error::unauthorized("an access token is required"));
        }
        if self.link(caller, GuestKey::Secret(hash(secret))).await? {
            Ok(())
        } else {
            Err(Error::NotFound("Guest session"))
        }
    }

    /// A guest signs in on a connection that goes on as the user's, in the rooms where it is.
    ///
    /// # Errors
    /// As [`Chat::sign_in`], and [`Error::TooManyConnections`].
    pub async fn become_user(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        identity: Identity,
    ) -> Result<()> {
        let guest = connection.identity();
        if guest.tenant != identity.tenant {
            return Err(Error::unauthorized("the token is one of another tenant"));
        }
        self.know_user(&identity).await?;
        let place = self
            .limits
            .connection(&identity.tenant, &identity.user_id)
            .await?;
        let (chat, connection) = (Arc::clone(self), Arc::clone(connection));
        // Both or neither, though the client hangs up.
        whole(async move {
            let known = chat.companions(&guest).await?;
            for room in connection.rooms() {
                chat.stop_typing(&connection, room).await?;
            }
            let key = GuestKey::Guest(guest.user_id.clone());
            let linked = chat
                .store
                .link_guest(
                    &identity.tenant,
                    key,
                    &identity.user_id,
                    &identity.username,
                    chat.clock.now(),
                )
                .await?;
            if matches!(linked, Linked::Another) {
                return Err(Error::GuestAlreadyLinked);
            }
            let former_guests = chat
                .store
                .former_guests(&identity.tenant, &identity.user_id)
                .await?;
            let identity = Identity {
                former_guests: former_guests.into(),
                ..identity
            };
            connection.keep(place);
            chat.change_identity(&connection, identity.clone(), known)
                .await?;
            chat.announce_link(&identity, linked).await
        })
        .await
    }

    /// Links a guest to a user, once. `false` if there is no such guest.
    async fn link(self: &Arc<Self>, user: &Identity, key: GuestKey) -> Result<bool> {
        let (chat, user) = (Arc::clone(self), user.clone());
        whole(async move {
            let now = chat.clock.now();
            let linked = chat
                .store
                .link_guest(&user.tenant, key, &user.user_id, &user.username, now)
                .await?;
            match linked {
                Linked::Another => Err(Error::GuestAlreadyLinked),
                Linked::Unknown => Ok(false),
                linked => chat.announce_link(&user, linked).await.map(|()| true),
            }
        })
        .await
    }

    /// A guest was linked: the guest's other connections end, the user's hear the rooms that are theirs now.
    async fn announce_link(&self, user: &Identity, linked: Linked) -> Result<()> {
        let Linked::Now {
            guest,
            rooms,
            closed,
        } = linked
        else {
            return Ok(());
        };
        let tenant = &user.tenant;
        self.audit
            .note(Entry::new("guest.link", user).subject(&guest));
        for room in rooms.iter().chain(&closed) {
            self.tell_changed(&RoomKey::new(tenant, room), true);
        }
        // They come back as another guest, or with the token.
        self.end_access(tenant, &guest, Ended::GuestLinked);
        for room in rooms.iter().chain(&closed) {
            let Some(row) = self.store.support_room(tenant, room).await? else {
                continue;
            };
            // What staff see of the customer has changed: the name, and what was closed.
            self.tell_status(tenant, &row).await;
            let (id, name) = (&user.user_id, &user.username);
            let activity = RoomActivity {
                room: Some(self.customer_room(tenant, row).await?),
                ..RoomActivity::new(room, Activity::Linked, id, name, false)
            };
            self.bus.publish(Event::SupportOpened {
                tenant: tenant.clone(),
                customer: id.clone(),
                activity,
            });
        }
        Ok(())
    }

    /// Makes a signed-in user known as their token says: under its name, and with its version, which ends what older
    /// tokens gave.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] if the token was revoked, is one of a session that has ended, or names a guest;
    /// [`Error::AccountDisabled`].
    pub async fn know_user(&self, identity: &Identity) -> Result<()> {
        let known = self.check_access(identity).await?;
        let is_news = known.is_none_or(|user| {
            *user.username != *identity.username || user.token_version < identity.token_version
        });
        if !is_news {
            return Ok(());
        }
        let saved = self.store.save_user(
            &identity.tenant,
            &identity.user_id,
            &identity.username,
            identity.token_version,
            self.clock.now(),
        );
        if saved.await? {
            let entry = Entry::new("user.revoke", identity).subject(&identity.user_id);
            let version = identity.token_version;
            self.audit
                .note(entry.detail(format!("a token of version {version} came in")));
            let which = Ended::TokensBelow(version);
            self.end_access(&identity.tenant, &identity.user_id, which);
        }
        Ok(())
    }
}

pub(super) fn guest_identity(tenant: TenantId, user_id: UserId, username: Arc<str>) -> Identity {
    Identity {
        tenant,
        user_id,
        username,
        is_guest: true,
        is_staff: false,
        expires_at: None,
        session: None,
        former_guests: Arc::default(),
        token_version: 0,
    }
}

fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}
