//! How much anyone may ask for: all limiters and their keys in one place.

mod places;

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::LazyLock,
    time::Duration,
};

use dashmap::DashMap;
use entity::ids::{TenantId, UserId};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Reference as _, middleware::NoOpMiddleware,
    nanos::Nanos, state::keyed::DashMapStateStore,
};

use crate::{
    clock::Clock,
    config::Config,
    error::{Error, Result},
};

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
    connections: Counters<UserKey>,
    pending: Counters<IpAddr>,
}

/// At most `slots` messages in any window, exactly: each slot is a limiter that lets one message through in a window,
/// and a message takes the first slot that is free. (One limiter of 20 a minute with a burst of 20 would let 39 through
/// in a minute.)
struct MessageLimit {
    slots: u32,
    window: Duration,
    limiter: Keyed<Slot>,
    /// What a slot that was given back is called now, so that it is free, and when it was used last.
    renamed: DashMap<(UserKey, u32), (u32, Nanos)>,
}

/// One of a user's slots: its number, and how often it was given back.
type Slot = (UserKey, u32, u32);

/// A user's place for a connection.
pub type UserPlace = Place<UserKey>;

/// A message that was counted.
pub struct Counted(Slot);

impl MessageLimit {
    fn slot(&self, user: &UserKey, number: u32, now: Nanos) -> Slot {
        let name = if self.renamed.is_empty() {
            0
        } else {
            self.renamed
                .get_mut(&(user.clone(), number))
                .map_or(0, |mut renamed| {
                    renamed.1 = now;
                    renamed.0
                })
        };
        (user.clone(), number, name)
    }

    fn sweep(&self, now: Nanos) {
        self.limiter.retain_recent();
        // A slot may take its old name again when nothing is known under either.
        let window = Nanos::new(u64::try_from(self.window.as_nanos()).unwrap_or(u64::MAX));
        self.renamed
            .retain(|_, (_, used)| now.duration_since(*used) < window + window);
    }
}

impl Limits {
    #[must_use]
    pub fn new(config: &Config, clock: Clock) -> Self {
        let window = config.rate_limit_window_seconds.0;
        let messages = Quota::with_period(window)
            .filter(|_| config.rate_limit_messages > 0)
            .map(|quota| MessageLimit {
                slots: config.rate_limit_messages,
                window,
                renamed: DashMap::new(),
                limiter: RateLimiter::new(quota, DashMapStateStore::default(), clock.clone()),
            });
        Self {
            messages,
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
            connections: Counters::new(config.max_connections_per_user),
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
    pub fn message(&self, tenant: &TenantId, user: &UserId) -> Result<Option<Counted>> {
        let Some(limit) = &self.messages else {
            return Ok(None);
        };
        let user = (tenant.clone(), user.clone());
        let now = self.clock_now();
        let mut retry_after = Duration::MAX;
        for number in 0..limit.slots {
            let slot = limit.slot(&user, number, now);
            match limit.limiter.check_key(&slot) {
                Ok(()) => return Ok(Some(Counted(slot))),
                Err(busy) => retry_after = retry_after.min(busy.wait_time_from(now)),
            }
        }
        Err(Error::RateLimited { retry_after })
    }

    /// Takes a message back that was counted and then not stored.
    pub fn refund(&self, Counted((user, number, name)): &Counted) {
        if let Some(limit) = &self.messages {
            limit
                .renamed
                .insert((user.clone(), *number), (name + 1, self.clock_now()));
        }
    }

    fn clock_now(&self) -> Nanos {
        governor::clock::Clock::now(&self.clock)
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
            retry_after: busy.wait_time_from(self.clock_now()),
        })
    }

    /// Takes one of a user's places for connections, until the place is dropped.
    ///
    /// # Errors
    /// [`Error::TooManyConnections`].
    pub fn connection(&self, tenant: &TenantId, user: &UserId) -> Result<UserPlace> {
        self.connections.take((tenant.clone(), user.clone()))
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
            limit.sweep(self.clock_now());
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

#[cfg(test)]
mod tests {
    use entity::ids::ExternalId;

    use super::*;

    fn limits(messages: u32) -> (Limits, Clock) {
        let config = Config::from_sources(None, |name| {
            (name == "rate_limit_messages").then(|| messages.to_string())
        });
        let clock = Clock::manual();
        (Limits::new(&config.unwrap(), clock.clone()), clock)
    }

    fn send(limits: &Limits) -> Result<Option<Counted>> {
        limits.message(&TenantId::default(), &UserId(ExternalId::Number(7)))
    }

    #[test]
    fn any_60_seconds_hold_exactly_20_messages() {
        let (limits, clock) = limits(20);
        // A sliding log of what was admitted says what should be; arrivals come in irregular steps.
        let (mut log, mut now) = (std::collections::VecDeque::<u64>::new(), 0_u64);
        for step in 0..20_000_u64 {
            let pause = (step * 7919 % 41) * 97;
            clock.advance(Duration::from_millis(pause));
            now += pause;
            while log.front().is_some_and(|first| now - first >= 60_000) {
                log.pop_front();
            }
            let expected = log.len() < 20;
            assert_eq!(send(&limits).is_ok(), expected, "at {now} ms");
            if expected {
                log.push_back(now);
            }
        }
    }

    #[test]
    fn a_refusal_names_the_moment_from_which_one_more_is_admitted() {
        let (limits, clock) = limits(2);
        send(&limits).unwrap();
        clock.advance(Duration::from_secs(10));
        send(&limits).unwrap();
        let refused = send(&limits).err().unwrap();
        assert_eq!(
            refused,
            Error::RateLimited {
                retry_after: Duration::from_secs(50)
            }
        );
        clock.advance(Duration::from_nanos(49_999_999_999));
        assert!(send(&limits).is_err());
        clock.advance(Duration::from_nanos(1));
        assert!(send(&limits).is_ok());
        assert!(send(&limits).is_err());
    }

    #[test]
    fn a_message_that_was_not_stored_does_not_count() {
        let (limits, clock) = limits(2);
        let lost = send(&limits).unwrap().unwrap();
        clock.advance(Duration::from_secs(10));
        send(&limits).unwrap();
        limits.refund(&lost);
        let lost_again = send(&limits).unwrap().unwrap();
        assert!(send(&limits).is_err());
        limits.refund(&lost_again);
        clock.advance(Duration::from_secs(10));
        send(&limits).unwrap();
        limits.sweep();
        let refused = send(&limits).err().unwrap();
        assert_eq!(
            refused,
            Error::RateLimited {
                retry_after: Duration::from_secs(50)
            }
        );
        clock.advance(Duration::from_secs(200));
        limits.sweep();
        assert!(limits.messages.as_ref().unwrap().renamed.is_empty());
        assert!(send(&limits).is_ok() && send(&limits).is_ok() && send(&limits).is_err());
    }
}
