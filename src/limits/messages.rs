//! How many messages a user may send, to the moment: on this node, and on all of them together.

use std::{sync::LazyLock, time::Duration};

use dashmap::DashMap;
use governor::{
    Quota, RateLimiter, clock::Reference as _, nanos::Nanos, state::keyed::DashMapStateStore,
};
use redis::Script;

use super::{Keyed, UserKey, instant};
use crate::{
    bus::{Link, Unreachable},
    clock::Clock,
    config::Config,
    error::{Error, Result},
};

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("window.lua")));

/// Somebody who was refused on account of what all nodes count is refused for so long without asking again.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// At most `slots` messages in any window, exactly: each slot is a limiter that lets one message through in a window,
/// and a message takes the first slot that is free. (One limiter of 20 a minute with a burst of 20 would let 39 through
/// in a minute.)
///
/// Where there are other nodes, Redis counts for all of them; this node's own count holds beside it, so that there is one
/// while Redis is away or has forgotten.
pub(super) struct MessageLimit {
    clock: Clock,
    slots: u32,
    window: Duration,
    limiter: Keyed<Slot>,
    /// What a slot that was given back is called now, so that it is free, and when it was used last.
    renamed: DashMap<(UserKey, u32), (u32, Nanos)>,
    shared: Option<Shared>,
}

/// One of a user's slots: its number, and how often it was given back.
type Slot = (UserKey, u32, u32);

/// A message that was counted.
pub struct Counted {
    slot: Slot,
    /// What it is called where all nodes count.
    moment: Option<i64>,
}

/// What all nodes together say to a message.
enum Verdict {
    /// What names it there.
    Admitted(i64),
    /// After how long one is admitted.
    Refused(Duration),
}

/// What all nodes have admitted.
struct Shared {
    link: Link,
    /// Since when users are refused, and when the next message is admitted.
    refused: DashMap<UserKey, (Nanos, Nanos)>,
}

impl MessageLimit {
    pub(super) fn new(config: &Config, clock: Clock, link: Option<Link>) -> Option<Self> {
        let window = config.rate_limit_window_seconds.0;
        let quota = Quota::with_period(window).filter(|_| config.rate_limit_messages > 0)?;
        Some(Self {
            slots: config.rate_limit_messages,
            window,
            limiter: RateLimiter::new(quota, DashMapStateStore::default(), clock.clone()),
            renamed: DashMap::new(),
            shared: link.map(|link| Shared {
                link,
                refused: DashMap::new(),
            }),
            clock,
        })
    }

    pub(super) async fn take(&self, user: UserKey) -> Result<Counted> {
        let Some(shared) = &self.shared else {
            let slot = self.take_here(&user)?;
            return Ok(Counted { slot, moment: None });
        };
        shared.check_refused(&user, instant(&self.clock))?;
        let slot = self.take_here(&user)?;
        match shared.take(&slot.0, self.slots, self.window).await {
            Ok(Verdict::Admitted(moment)) => Ok(Counted {
                slot,
                moment: Some(moment),
            }),
            Ok(Verdict::Refused(retry_after)) => {
                self.give_back(&slot);
                let now = instant(&self.clock);
                shared
                    .refused
                    .insert(slot.0, (now, now + nanos(retry_after)));
                Err(Error::RateLimited { retry_after })
            }
            Err(Unreachable) => Ok(Counted { slot, moment: None }),
        }
    }

    fn take_here(&self, user: &UserKey) -> Result<Slot> {
        let now = instant(&self.clock);
        let mut retry_after = Duration::MAX;
        for number in 0..self.slots {
            let slot = self.slot(user, number, now);
            match self.limiter.check_key(&slot) {
                Ok(()) => return Ok(slot),
                Err(busy) => retry_after = retry_after.min(busy.wait_time_from(now)),
            }
        }
        Err(Error::RateLimited { retry_after })
    }

    pub(super) async fn refund(&self, counted: &Counted) {
        self.give_back(&counted.slot);
        if let (Some(shared), Some(moment)) = (&self.shared, counted.moment) {
            shared.refund(&counted.slot.0, moment).await;
        }
    }

    fn give_back(&self, (user, number, name): &Slot) {
        self.renamed
            .insert((user.clone(), *number), (name + 1, instant(&self.clock)));
    }

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

    pub(super) fn sweep(&self) {
        let now = instant(&self.clock);
        self.limiter.retain_recent();
        // A slot may take its old name again when nothing is known under either.
        let window = nanos(self.window);
        self.renamed
            .retain(|_, (_, used)| now.duration_since(*used) < window + window);
        if let Some(shared) = &self.shared {
            shared.refused.retain(|_, (_, until)| now < *until);
        }
    }

    #[cfg(test)]
    pub(super) fn remembers(&self) -> bool {
        !self.renamed.is_empty()
    }
}

impl Shared {
    fn check_refused(&self, user: &UserKey, now: Nanos) -> Result<()> {
        let refused = self.refused.get(user).map(|refused| *refused);
        match refused {
            Some((since, until)) if now < until && now < since + nanos(ASK_AGAIN) => {
                Err(Error::RateLimited {
                    retry_after: until.duration_since(now).into(),
                })
            }
            _ => Ok(()),
        }
    }

    async fn take(
        &self,
        user: &UserKey,
        slots: u32,
        window: Duration,
    ) -> std::result::Result<Verdict, Unreachable> {
        let window = u64::try_from(window.as_micros()).unwrap_or(u64::MAX);
        let mut script = SCRIPT.key(self.key(user));
        script.arg(slots).arg(window);
        let (is_admitted, answer): (i64, i64) = self.link.run(&script).await?;
        Ok(if is_admitted == 1 {
            Verdict::Admitted(answer)
        } else {
            let retry_after = u64::try_from(answer).unwrap_or_default();
            Verdict::Refused(Duration::from_micros(retry_after))
        })
    }

    /// If it cannot be done, the message counts.
    async fn refund(&self, user: &UserKey, moment: i64) {
        let command = redis::cmd("ZREM").arg(self.key(user)).arg(moment).clone();
        let _ = self.link.run::<()>(&command).await;
        self.refused.remove(user);
    }

    fn key(&self, (tenant, user): &UserKey) -> String {
        self.link
            .key("sent", &[&tenant.to_string(), &user.to_string()], &[])
    }
}

fn nanos(duration: Duration) -> Nanos {
    Nanos::new(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use entity::ids::{ExternalId, TenantId, UserId};
    use futures_util::FutureExt;

    use super::*;
    use crate::limits::Limits;

    fn limits(messages: u32) -> (Limits, Clock) {
        let config = Config::from_sources(None, |name| {
            (name == "rate_limit_messages").then(|| messages.to_string())
        });
        let clock = Clock::manual();
        (Limits::new(&config.unwrap(), clock.clone(), None), clock)
    }

    fn send(limits: &Limits) -> Result<Option<Counted>> {
        let (tenant, user) = (TenantId::default(), UserId(ExternalId::Number(7)));
        // A node alone answers at once.
        limits.message(&tenant, &user).now_or_never().unwrap()
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
        limits.refund(&lost).now_or_never().unwrap();
        let lost_again = send(&limits).unwrap().unwrap();
        assert!(send(&limits).is_err());
        limits.refund(&lost_again).now_or_never().unwrap();
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
        assert!(!limits.messages.as_ref().unwrap().remembers());
        assert!(send(&limits).is_ok() && send(&limits).is_ok() && send(&limits).is_err());
    }
}
