//! How fast one connection is served. What waits for a client that does not read is bounded in events by the library
//! and in time by the transport; this bounds it in bytes, and with it how much one connection can ask of the server.

use std::time::Duration;

use tokio::time::Instant;

/// What a connection may ask for in the long run, in bytes of answers.
const BYTES_PER_SECOND: f64 = 512.0 * 1024.0;
/// What it may ask for at once.
const BURST: f64 = 4.0 * 1024.0 * 1024.0;
/// What any request costs beside its answer, so that there are at most 128 a second in the long run. Messages cost
/// nothing: they have a limit of their own.
pub const REQUEST: usize = 4 * 1024;

/// A budget that fills up with time.
pub struct Pace {
    owed: f64,
    at: Instant,
}

impl Pace {
    pub fn new() -> Self {
        Self {
            owed: 0.0,
            at: Instant::now(),
        }
    }

    /// Notes what was served.
    pub fn spend(&mut self, bytes: usize) {
        self.settle();
        self.owed += f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// How long the next request has to wait.
    pub fn wait(&mut self) -> Duration {
        self.settle();
        Duration::from_secs_f64(((self.owed - BURST) / BYTES_PER_SECOND).max(0.0))
    }

    fn settle(&mut self) {
        let now = Instant::now();
        let paid = now.duration_since(self.at).as_secs_f64() * BYTES_PER_SECOND;
        self.owed = (self.owed - paid).max(0.0);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_what_follows_is_spread() {
        let mut pace = Pace::new();
        pace.spend(4 * 1024 * 1024);
        assert_eq!(pace.wait(), Duration::ZERO);
        pace.spend(512 * 1024);
        assert_eq!(pace.wait(), Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(pace.wait(), Duration::ZERO);
        tokio::time::advance(Duration::from_mins(1)).await;
        pace.spend(4 * 1024 * 1024);
        assert_eq!(pace.wait(), Duration::ZERO);
    }
}
