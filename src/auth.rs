//! Tokens: who is calling. A token's claims become an [`Identity`]; guests get theirs in `chat/guests.rs`.

mod check;
mod inspect;
mod keys;
mod sign;

use std::sync::Arc;

use entity::{
    ids::{TenantId, UserId},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use inspect::Inspection;
pub(crate) use keys::{hex, random_secret};

use crate::{clock::Clock, config::Config};
use keys::{KeyRing, kept_secret};

/// The claim that names the session of a built-in account which an access token belongs to.
const SESSION_CLAIM: &str = "confab_session";

/// Who is calling, as everything behind the doors sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub tenant: TenantId,
    pub user_id: UserId,
    pub username: Arc<str>,
    pub is_guest: bool,
    pub is_staff: bool,
    /// When the token ends; a guest session does not.
    pub expires_at: Option<Timestamp>,
    /// The session of a built-in account that the token belongs to, and ends with.
    pub session: Option<Uuid>,
    /// The guests that the user was before signing in.
    pub former_guests: Arc<[UserId]>,
    /// The token's version: one below the user's was revoked. Guests have no token.
    pub token_version: i64,
}

impl Identity {
    /// What kind of caller it is, as metrics and the audit say it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match (self.is_guest, self.is_staff) {
            (true, _) => "guest",
            (false, true) => "staff",
            (false, false) => "user",
        }
    }
}

/// What a refresh token says: which session of a built-in account it continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    pub tenant: TenantId,
    pub user_id: UserId,
    pub session: Uuid,
    /// Which of the session's tokens it is: each is good for one use.
    pub generation: i64,
    /// Seconds since the Unix epoch.
    pub exp: i64,
    /// `refresh`: everywhere else it is refused.
    token_type: String,
}

/// Checks tokens, and signs those of built-in accounts and of `confab token`.
pub struct Authenticator {
    keys: KeyRing,
    /// What signs, if anything does.
    secret: Option<String>,
    config: Config,
    clock: Clock,
}

impl Authenticator {
    /// Reads the keys that the settings name, and makes a secret where they name none.
    ///
    /// # Errors
    /// A key that cannot be read, in words.
    pub fn new(config: &Config, clock: Clock) -> Result<Self, String> {
        Self::with_secret(config, clock, true)
    }

    /// As [`Authenticator::new`], but makes nothing.
    ///
    /// # Errors
    /// As there, and where there is no key yet.
    pub fn existing(config: &Config, clock: Clock) -> Result<Self, String> {
        Self::with_secret(config, clock, false)
    }

    fn with_secret(config: &Config, clock: Clock, may_make: bool) -> Result<Self, String> {
        let secret = match &config.jwt_secret.0 {
            Some(secret) => Some(secret.clone()),
            None if config.has_issuer() => None,
            None => Some(kept_secret(&config.data_dir, may_make)?),
        };
        Ok(Self {
            keys: KeyRing::read(config, secret.as_deref())?,
            secret,
            config: config.clone(),
            clock,
        })
    }

    /// Takes up keys that have changed in their files. What cannot be read changes nothing, and is warned of once.
    pub fn reload(&self) {
        self.keys.reload();
    }

    /// Whether there are files to be looked at again.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.keys.has_files()
    }
}
