//! The time, as everything that decides by time sees it. Tests move it by hand.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use entity::timestamp::Timestamp;
use governor::nanos::Nanos;

/// The system's clock, or one that stands still until it is moved.
#[derive(Clone, Debug)]
pub enum Clock {
    System,
    /// Nanoseconds since the Unix epoch.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// A clock that stands at the present time until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual() -> Self {
        Self::Manual(Arc::new(AtomicU64::new(Self::System.nanos())))
    }

    /// Moves a manual clock; the system's clock goes its own way.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(nanos) = self {
            nanos.fetch_add(saturating_nanos(by), Ordering::SeqCst);
        }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp(i64::try_from(self.nanos() / 1_000_000).unwrap_or(i64::MAX))
    }

    fn nanos(&self) -> u64 {
        match self {
            Self::System => saturating_nanos(system_time()),
            Self::Manual(nanos) => nanos.load(Ordering::SeqCst),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the system's clock"
)]
fn system_time() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

fn saturating_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl governor::clock::Clock for Clock {
    type Instant = Nanos;

    /// Never goes back, as limits need it.
    fn now(&self) -> Nanos {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Self::System => Nanos::new(saturating_nanos(START.elapsed())),
            Self::Manual(nanos) => Nanos::new(nanos.load(Ordering::SeqCst)),
        }
    }
}
