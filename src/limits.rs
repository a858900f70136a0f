//! How much anyone may ask for: all limiters and their keys in one place.

mod connections;
mod messages;
mod places;

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Arc, LazyLock},
};

use entity::ids::{TenantId, UserId};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DashMapStateStore,
};

use crate::{
    bus::Lease,
    clock::Clock,
    config::Config,
    error::{Error, Result},
};

use connections::Connections;
pub use connections::UserPlace;
pub use messages::Counted;
use messages::MessageLimit;
use places::Counters;
pub use places::Place;

/// How many times the attempts for an account that one address has, all together have.
const ADDRESSES_PER_ACCOUNT: u32 = 10;
const SEARCHES_A_SECOND: NonZeroU32 = NonZeroU32::new(5).expect("not zero");
const SEARCHES_AT_ONCE: NonZeroU32 = NonZeroU32::new(60).expect("not zero");
/// As many as a connection is served, see `gateway/pace.rs`.
const REQUESTS_A_SECOND: NonZeroU32 = NonZeroU32::new(128).expect("not zero");
const REQUESTS_AT_ONCE: NonZeroU32 = NonZeroU32::new(1024).expect("not zero");

type UserKey = (TenantId, UserId);
type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, Clock, NoOpMiddleware<Nanos>>;

pub struct Limits {
    clock: Clock,
    messages: Option<MessageLimit>,
    guests: Option<Keyed<IpAddr>>,
    sign_ins: Option<Keyed<IpAddr>>,
    /// By account and address, and by account alone: so that nobody locks somebody else out for long, and many addresses
    /// together cannot try many passwords.
    account_sign_ins: Option<Keyed<(TenantId, String, Option<IpAddr>)>>,
    all_account_sign_ins: Option<Keyed<(TenantId, String, Option<IpAddr>)>>,
    searches: Keyed<UserKey>,
    requests: Keyed<UserKey>,
    strangers: Keyed<IpAddr>,
    connections: Connections,
    pending: Counters<IpAddr>,
}

impl Limits {
    /// The limits of this node; with its `lease`, a user's messages and connections are limited over all nodes.
    #[must_use]
    pub fn new(config: &Config, clock: Clock, lease: Option<Arc<Lease>>) -> Self {
        let link = lease.as_ref().map(|lease| lease.link().clone());
        Self {
            messages: MessageLimit::new(config, clock.clone(), link),
            guests: per_minute(config.max_guests_per_ip_per_minute, &clock),
            sign_ins: per_minute(config.max_sign_ins_per_ip_per_minute, &clock),
            account_sign_ins: per_minute(config.max_sign_ins_per_account_per_minute, &clock),
            all_account_sign_ins: per_minute(
                config
                    .max_sign_ins_per_account_per_minute
                    .saturating_mul(ADDRESSES_PER_ACCOUNT),
                &clock,
            ),
            searches: per_second(SEARCHES_A_SECOND, SEARCHES_AT_ONCE, &clock),
            requests: per_second(REQUESTS_A_SECOND, REQUESTS_AT_ONCE, &clock),
            strangers: per_second(REQUESTS_A_SECOND, REQUESTS_AT_ONCE, &clock),
            clock,
            connections: Connections::new(config.max_connections_per_user, lease),
            pending: Counters::new(config.max_pending_per_ip),
        }
    }

    /// Whether messages are limited at all.
    #[must_use]
    pub const fn limits_messages(&self) -> bool {
        self.messages.is_some()
    }

    /// Counts a message of a user, over all of their connections.
    ///
    /// # Errors
    /// [`Error::RateLimited`]; the refused message does not count.
    pub async fn message(&self, tenant: &TenantId, user: &UserId) -> Result<Option<Counted>> {
        let Some(limit) = &self.messages else {
            return Ok(None);
        };
        limit.take((tenant.clone(), user.clone())).await.map(Some)
    }

    /// Takes a message back that was counted and then not stored.
    pub async fn refund(&self, counted: &Counted) {
        if let Some(limit) = &self.messages {
            limit.refund(counted).await;
        }
    }

    /// Counts a new guest session from an address.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`].
    pub fn new_guest(&self, ip: IpAddr) -> Result<()> {
        self.attempt(self.guests.as_ref(), &network(ip))
    }

    /// Counts an attempt to sign in to an account from an address, whatever comes of it: also one that succeeds, so that
    /// nobody who knows one password tries others for free.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`].
    pub fn sign_in(&self, ip: IpAddr, tenant: &TenantId, name_key: &str) -> Result<()> {
        self.attempt(self.sign_ins.as_ref(), &network(ip))?;
        let mut account = (tenant.clone(), name_key.to_owned(), Some(network(ip)));
        self.attempt(self.account_sign_ins.as_ref(), &account)?;
        account.2 = None;
        self.attempt(self.all_account_sign_ins.as_ref(), &account)
    }

    /// Counts a search of a user, over all of their connections.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`].
    pub fn search(&self, tenant: &TenantId, user: &UserId) -> Result<()> {
        self.attempt(Some(&self.searches), &(tenant.clone(), user.clone()))
    }

    /// Counts a request of a user, over HTTP.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`].
    pub fn request(&self, tenant: &TenantId, user: &UserId) -> Result<()> {
        self.attempt(Some(&self.requests), &(tenant.clone(), user.clone()))
    }

    /// Counts a request of somebody who has not said who they are, or could not prove it.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`].
    pub fn request_from(&self, ip: IpAddr) -> Result<()> {
        self.attempt(Some(&self.strangers), &network(ip))
    }

    fn attempt<K: Clone + Eq + std::hash::Hash>(
        &self,
        limiter: Option<&Keyed<K>>,
        key: &K,
    ) -> Result<()> {
        let result = limiter.map_or(Ok(()), |limiter| limiter.check_key(key));
        result.map_err(|busy| Error::TooManyAttempts {
            retry_after: busy.wait_time_from(instant(&self.clock)),
        })
    }

    /// Takes one of a user's places for connections, until the place is dropped.
    ///
    /// # Errors
    /// [`Error::TooManyConnections`].
    pub async fn connection(&self, tenant: &TenantId, user: &UserId) -> Result<UserPlace> {
        self.connections.take((tenant.clone(), user.clone())).await
    }

    /// Takes one of an address's places for connections that have not said who they are.
    ///
    /// # Errors
    /// [`Error::TooManyConnections`].
    pub fn pending(&self, ip: IpAddr) -> Result<Place<IpAddr>> {
        self.pending.take(network(ip))
    }

    /// Forgets what no longer limits anyone. To be called now and then.
    pub fn sweep(&self) {
        if let Some(limit) = &self.messages {
            limit.sweep();
        }
        for limiter in [&self.guests, &self.sign_ins].into_iter().flatten() {
            limiter.retain_recent();
        }
        let accounts = [&self.account_sign_ins, &self.all_account_sign_ins];
        for limiter in accounts.into_iter().flatten() {
            limiter.retain_recent();
        }
        self.searches.retain_recent();
        self.requests.retain_recent();
        self.strangers.retain_recent();
    }
}

/// The time by which limiters count.
fn instant(clock: &Clock) -> Nanos {
    governor::clock::Clock::now(clock)
}

/// A limiter of so many in a minute, and as many at once; none for 0.
fn per_minute<K: Clone + Eq + std::hash::Hash>(most: u32, clock: &Clock) -> Option<Keyed<K>> {
    let quota = Quota::per_minute(NonZeroU32::new(most)?);
    let store = DashMapStateStore::default();
    Some(RateLimiter::new(quota, store, clock.clone()))
}

fn per_second<K: Clone + Eq + std::hash::Hash>(
    most: NonZeroU32,
    at_once: NonZeroU32,
    clock: &Clock,
) -> Keyed<K> {
    let quota = Quota::per_second(most).allow_burst(at_once);
    RateLimiter::new(quota, DashMapStateStore::default(), clock.clone())
}

/// Whether one more line about refusals with a code may be logged: 10 a second in the long run, 100 at once.
#[must_use]
pub fn may_log(code: &'static str) -> bool {
    const A_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
    const AT_ONCE: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
    static LINES: LazyLock<DefaultKeyedRateLimiter<&'static str>> =
        LazyLock::new(|| RateLimiter::keyed(Quota::per_second(A_SECOND).allow_burst(AT_ONCE)));
    LINES.check_key(&code).is_ok()
}

/// What belongs to one visitor: an IPv4 address, or the /64 network in which they choose their IPv6 addresses.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
    }
}
