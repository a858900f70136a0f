//! Guests: visitors without a token. A secret, kept by the visitor's browser and stored here as a hash, resumes one.

use std::net::IpAddr;

use entity::{
    ids::{ExternalId, TenantId, UserId},
    names::name_key,
};
use sha2::{Digest, Sha256};

use super::{Chat, Entry};
use crate::{
    auth::{Identity, hex, random_secret},
    bus::Ended,
    error::{Error, Result},
    protocol::Session,
    store::UserRow,
};

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
    pub async fn guest(&self, secret: Option<&str>, ip: IpAddr) -> Result<GuestSession> {
        if !self.config.guests {
            return Err(Error::unauthorized("an access token is required"));
        }
        let tenant = TenantId::default();
        if let Some(secret) = secret
            && let Some(identity) = self.known_guest(secret).await?
        {
            return Ok(GuestSession {
                identity,
                made: None,
            });
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
        let user = UserRow {
            tenant_id: tenant,
            id: user_id.clone(),
            name_key: name_key(&username),
            username: username.clone(),
            is_guest: true,
            created_at: self.clock.now(),
            last_seen_at: None,
            token_version: 0,
            disabled_at: None,
        };
        let made = Some(Session {
            guest_session: secret,
            user_id,
            username,
        });
        let identity = guest_identity(user);
        self.audit
            .note(Entry::new("guest.make", &identity).address(ip));
        Ok(GuestSession { identity, made })
    }

    /// The guest of a session, if there is one and guests are allowed.
    ///
    /// # Errors
    /// [`Error::AccountDisabled`].
    pub async fn known_guest(&self, secret: &str) -> Result<Option<Identity>> {
        if !self.config.guests {
            return Ok(None);
        }
        let guest = self
            .store
            .guest(&TenantId::default(), &hash(secret))
            .await?;
        match guest {
            Some(guest) if guest.disabled_at.is_some() => Err(Error::AccountDisabled),
            guest => Ok(guest.map(guest_identity)),
        }
    }

    /// The user of a token that was checked. Whoever shows a guest session too turns out to be its guest.
    ///
    /// # Errors
    /// As [`Chat::know_user`], and [`Error::GuestAlreadyLinked`].
    pub async fn sign_in(&self, identity: Identity, _secret: Option<&str>) -> Result<Identity> {
        self.know_user(&identity).await?;
        Ok(identity)
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

fn guest_identity(user: UserRow) -> Identity {
    Identity {
        tenant: user.tenant_id,
        user_id: user.id,
        username: user.username.into(),
        is_guest: true,
        is_staff: false,
        expires_at: None,
        session: None,
        token_version: 0,
    }
}

fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}
