//! Something that this node cannot do without does not work. It is said once when that begins and once when it is over,
//! however often it is noticed meanwhile.

use std::fmt::Display;

use tokio::time::{Duration, Instant};

/// An outage that follows another within so long is told of only if it lasts as long: what breaks again and again does not
/// fill the log.
const QUIET: Duration = Duration::from_secs(10);

/// The outages of one thing, one after the other.
#[derive(Default)]
pub struct Outages {
    now: Option<Outage>,
    last: Option<Instant>,
}

struct Outage {
    since: Instant,
    reason: String,
    is_told: bool,
}

/// An outage that is over.
pub struct Over {
    pub seconds: f64,
    /// Whether it was told that it had begun.
    pub was_told: bool,
}

impl Outages {
    /// It does not work, for the reason that was found first. Says whether that is new.
    pub fn begin(&mut self, reason: impl Display) -> bool {
        let is_new = self.now.is_none();
        self.now.get_or_insert_with(|| Outage {
            since: Instant::now(),
            reason: reason.to_string(),
            is_told: false,
        });
        is_new
    }

    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.now.is_some()
    }

    /// The reason, if it is to be told of now: once.
    pub fn to_tell(&mut self) -> Option<&str> {
        let is_long_ago = |instant: Instant| instant.elapsed() >= QUIET;
        let is_first = self.last.is_none_or(is_long_ago);
        let outage = self.now.as_mut()?;
        let is_due = !outage.is_told && (is_first || is_long_ago(outage.since));
        outage.is_told |= is_due;
        is_due.then_some(&outage.reason)
    }

    /// It works. The outage that is over by that.
    pub fn end(&mut self) -> Option<Over> {
        let outage = self.now.take()?;
        self.last = Some(Instant::now());
        Some(Over {
            seconds: outage.since.elapsed().as_secs_f64(),
            was_told: outage.is_told,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_told_of_once_and_those_that_follow_only_if_they_last() {
        let mut outages = Outages::default();
        assert!(outages.to_tell().is_none() && outages.end().is_none());
        assert!(outages.begin("first") && !outages.begin("again"));
        assert_eq!(outages.to_tell(), Some("first"));
        assert_eq!(outages.to_tell(), None);
        assert!(outages.end().is_some_and(|over| over.was_told));
        for _ in 0..100 {
            outages.begin("once more");
            assert_eq!(outages.to_tell(), None);
            tokio::time::advance(QUIET / 4).await;
            assert!(outages.end().is_some_and(|over| !over.was_told));
        }
        outages.begin("lasting");
        tokio::time::advance(QUIET).await;
        assert_eq!(outages.to_tell(), Some("lasting"));
    }
}
