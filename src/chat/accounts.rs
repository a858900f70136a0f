//! Built-in accounts: users who sign in here with a name and a password, for whoever has no application that does it.
//!
//! A sign-in is a session, continued by refresh tokens that are good for one use each. Access tokens name their session
//! and end with it.

use std::{
    net::IpAddr,
    sync::{Arc, LazyLock},
    time::Duration,
};

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use entity::{
    ids::{ExternalId, TenantId, UserId},
    names::name_key,
    timestamp::Timestamp,
};
use tokio::{sync::Semaphore, task::spawn_blocking};
use uuid::Uuid;

use super::{Chat, Entry, SESSION_ENDED};
use crate::{
    auth::{Identity, RefreshToken, hex, random_secret},
    bus::Ended,
    config::Accounts,
    error::{Error, Result},
    protocol::{AccountName, Credentials, Password, WaysIn},
    store::{NewAccount, Rotation, UserRow},
};

/// A session ends when its browser has not come back for so long.
const SESSION: Duration = Duration::from_hours(24 * 30);
/// Passwords that are checked at the same time. Each takes a core and 19 MiB for a while.
const CHECKED_AT_ONCE: usize = 2;
/// Passwords that wait to be checked, those included.
const MAX_WAITING: usize = 100;

/// Somebody who has signed in.
pub struct SignIn {
    pub identity: Identity,
    pub session: Uuid,
    /// Of the refresh token to be given, and when it ends.
    pub generation: i64,
    pub expires_at: Timestamp,
}

/// A sign-in that was refused, and to whose account, if there is one.
pub struct LoginRefused {
    pub error: Error,
    pub account: Option<UserId>,
}

impl From<Error> for LoginRefused {
    fn from(error: Error) -> Self {
        let account = None;
        Self { error, account }
    }
}

/// Makes and checks hashes of passwords, a few at a time.
pub(super) struct Passwords {
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(CHECKED_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
        }
    }

    /// Argon2id with the parameters that OWASP recommends (19 MiB, 2 passes), the library's defaults.
    async fn hash(&self, password: Password) -> Result<String> {
        self.work(move || hash(&password.0)).await?
    }

    /// Whether the password is the one of the hash. Where there is no account the same work is done, so that the time it
    /// takes does not tell who has one.
    async fn is_right(&self, password: Password, hash: Option<String>) -> Result<bool> {
        static NOBODYS: LazyLock<Result<String>> = LazyLock::new(|| self::hash(&random_secret()));
        self.work(move || {
            let hash = hash.map_or_else(|| NOBODYS.clone(), Ok)?;
            let hash = PasswordHash::new(&hash).map_err(|_| Error::Internal)?;
            Ok(Argon2::default()
                .verify_password(password.0.as_bytes(), &hash)
                .is_ok())
        })
        .await?
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let waiting = Arc::clone(&self.waiting);
        let waiting = waiting.try_acquire_owned().map_err(|_| Error::Overloaded)?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| Error::Internal)?;
        // The work goes on when the visitor hangs up, and so it keeps its place.
        let work = move || {
            let _held = (waiting, place);
            work()
        };
        spawn_blocking(work).await.map_err(|_| Error::Internal)
    }
}

fn hash(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|_| Error::Internal)
}

impl Chat {
    /// How one can come in here.
    #[must_use]
    pub fn ways_in(&self) -> WaysIn {
        let accounts = self.config.effective_accounts();
        WaysIn {
            accounts: accounts != Accounts::Off,
            registration: accounts == Accounts::Open,
            guests: self.config.guests,
        }
    }

    /// Makes an account and signs in to it.
    ///
    /// # Errors
    /// [`Error::UsernameTaken`], [`Error::TooManyAttempts`], [`Error::AccessDenied`] where nobody can make one.
    pub async fn register(&self, credentials: Credentials, ip: IpAddr) -> Result<SignIn> {
        if !self.ways_in().registration {
            return Err(Error::AccessDenied("Nobody can make an account here"));
        }
        let AccountName(name) = credentials.username;
        let tenant = TenantId::default();
        self.limits.sign_in(ip, &tenant, &name_key(&name))?;
        if self.store.account(&tenant, &name).await?.is_some() {
            return Err(Error::UsernameTaken);
        }
        let random = hex(&rand::random::<[u8; 12]>());
        let account = NewAccount {
            name: name.clone(),
            user_id: UserId(ExternalId::Text(format!("user_{random}").into())),
            password_hash: self.passwords.hash(credentials.password).await?,
        };
        let sign_in = self.new_session(UserRow {
            tenant_id: tenant.clone(),
            id: account.user_id.clone(),
            name_key: name_key(&name),
            username: name,
            is_guest: false,
            created_at: self.clock.now(),
            last_seen_at: None,
            token_version: 0,
            disabled_at: None,
        });
        let made = self.store.create_account(
            &tenant,
            account,
            sign_in.session,
            self.clock.now(),
            sign_in.expires_at,
        );
        if !made.await? {
            return Err(Error::UsernameTaken);
        }
        self.audit
            .note(Entry::new("register", &sign_in.identity).address(ip));
        Ok(sign_in)
    }

    /// Signs in to an account.
    ///
    /// # Errors
    /// [`Error::Unauthorized`], whether the name or the password is wrong; [`Error::AccountDisabled`], to those who know
    /// the password; [`Error::TooManyAttempts`].
    pub async fn login(
        &self,
        credentials: Credentials,
        ip: IpAddr,
    ) -> Result<SignIn, LoginRefused> {
        self.has_accounts()?;
        let AccountName(name) = credentials.username;
        let tenant = TenantId::default();
        self.limits.sign_in(ip, &tenant, &name_key(&name))?;
        let account = self.store.account(&tenant, &name).await?;
        let hash = account
            .as_ref()
            .map(|account| account.password_hash.clone());
        let is_right = self.passwords.is_right(credentials.password, hash).await?;
        let user_id = account.map(|account| account.user_id);
        let refused = |error| LoginRefused {
            error,
            account: user_id.clone(),
        };
        let Some(user_id) = user_id.as_ref().filter(|_| is_right) else {
            return Err(refused(Error::unauthorized(
                "The name or the password is wrong",
            )));
        };
        let user = self.store.user(&tenant, user_id).await?;
        let user = user.ok_or(Error::Internal)?;
        refuse_disabled(&user).map_err(refused)?;
        let sign_in = self.new_session(user);
        self.store
            .begin_session(
                &tenant,
                user_id,
                sign_in.session,
                self.clock.now(),
                sign_in.expires_at,
            )
            .await?;
        self.audit
            .note(Entry::new("login", &sign_in.identity).address(ip));
        Ok(sign_in)
    }

    /// Continues a session with the newest of its refresh tokens.
    ///
    /// # Errors
    /// [`Error::SignedOut`].
    pub async fn refresh(self: &Arc<Self>, token: RefreshToken, ip: IpAddr) -> Result<SignIn> {
        let chat = Arc::clone(self);
        whole(async move { chat.rotate(token, ip).await }).await
    }

    async fn rotate(&self, token: RefreshToken, ip: IpAddr) -> Result<SignIn> {
        self.has_accounts()?;
        let (tenant, user_id, session) = (token.tenant, token.user_id, token.session);
        let now = self.clock.now();
        let rotated = self.store.rotate_session(
            &tenant,
            &user_id,
            session,
            token.generation,
            now,
            after(now, SESSION),
        );
        let (generation, expires_at) = match rotated.await? {
            Rotation::Next(generation, expires_at) => (generation, expires_at),
            Rotation::Over => return Err(Error::SignedOut),
            Rotation::Stolen => {
                self.end_access(&tenant, &user_id, Ended::Session(session));
                let entry = Entry::system("session.stolen", &tenant).subject(&user_id);
                self.audit.note(entry.address(ip));
                return Err(Error::SignedOut);
            }
        };
        let user = self.store.user(&tenant, &user_id).await?;
        let user = user.ok_or(Error::SignedOut)?;
        refuse_disabled(&user)?;
        Ok(SignIn {
            identity: identity(user, session),
            session,
            generation,
            expires_at,
        })
    }

    /// Ends a session: its refresh and access tokens are refused from now on, its connections closed.
    pub async fn logout(self: &Arc<Self>, token: RefreshToken, ip: IpAddr) -> Result<()> {
        let chat = Arc::clone(self);
        whole(async move { chat.end_session(token, ip).await }).await
    }

    async fn end_session(&self, token: RefreshToken, ip: IpAddr) -> Result<()> {
        let (tenant, user_id, session) = (token.tenant, token.user_id, token.session);
        let ended = self.store.end_session(&tenant, &user_id, session);
        if ended.await? {
            let entry = Entry::of_user("logout", &tenant, &user_id);
            self.audit.note(entry.address(ip));
        }
        self.end_access(&tenant, &user_id, Ended::Session(session));
        Ok(())
    }

    /// Whether the session that a token names goes on. Tokens of other applications name none.
    pub(super) async fn check_session(&self, identity: &Identity) -> Result<()> {
        let Some(session) = identity.session else {
            return Ok(());
        };
        self.has_accounts()?;
        let (tenant, user) = (&identity.tenant, &identity.user_id);
        let goes_on = self
            .store
            .has_session(tenant, user, session, self.clock.now());
        if goes_on.await? {
            Ok(())
        } else {
            Err(SESSION_ENDED)
        }
    }

    fn has_accounts(&self) -> Result<()> {
        if self.ways_in().accounts {
            Ok(())
        } else {
            Err(Error::AccessDenied("There are no accounts here"))
        }
    }

    fn new_session(&self, user: UserRow) -> SignIn {
        let session = Uuid::now_v7();
        SignIn {
            identity: identity(user, session),
            session,
            generation: 1,
            expires_at: after(self.clock.now(), SESSION),
        }
    }
}

/// Runs to its end though the visitor hangs up: a session that has ended is announced.
pub(super) async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work).await.map_err(|_| Error::Internal)?
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    Timestamp(now.0 + i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

/// A session may have begun while its user was being disabled.
fn refuse_disabled(user: &UserRow) -> Result<()> {
    if user.disabled_at.is_some() {
        return Err(Error::AccountDisabled);
    }
    Ok(())
}

fn identity(user: UserRow, session: Uuid) -> Identity {
    Identity {
        tenant: user.tenant_id,
        user_id: user.id,
        username: user.username.into(),
        is_guest: false,
        is_staff: false,
        expires_at: None,
        session: Some(session),
        former_guests: Arc::default(),
        token_version: user.token_version,
    }
}
