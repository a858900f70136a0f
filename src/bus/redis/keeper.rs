//! The task that renews this node's lease, says when others have to be told again who is here, and has removed what
//! nodes have left behind that live no more.

use std::{sync::Weak, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    lease::{LeaseId, Renewal},
    reaper::Reaper,
};
use crate::bus::{Listener, Redeclare, Unreachable};

/// A lease is renewed so many times in its length.
const TIMES: u32 = 4;
/// How long to wait for a listener that is being made.
const SOON: Duration = Duration::from_millis(20);

pub(super) struct Keeper {
    reaper: Reaper,
    /// How many leases there were before.
    turn: u32,
    /// The one that was lost.
    lost: Option<LeaseId>,
    epoch: Option<String>,
    renewed: Option<Instant>,
    /// Since when leases have been renewed without a gap in which others could not renew theirs either.
    steady: Instant,
    /// What the listener has to be told.
    due: Option<Redeclare>,
}

impl Keeper {
    pub(super) fn new(reaper: Reaper) -> Self {
        Self {
            reaper,
            turn: 0,
            lost: None,
            epoch: None,
            renewed: None,
            steady: Instant::now(),
            // What came before the first lease was answered `Unreachable`.
            due: Some(Redeclare::Changed),
        }
    }

    pub(super) async fn run(mut self) {
        let mut health = self.reaper.lease.link().watch();
        let pause = self.reaper.lease.length() / TIMES;
        loop {
            let was_told = if self.renew().await.is_ok() {
                self.declare()
            } else {
                self.owe(Redeclare::Changed);
                true
            };
            tokio::select! {
                () = sleep(if was_told { pause } else { SOON }) => {}
                // An error says that the link is gone, and so are we soon.
                Ok(()) = health.changed() => {}
            }
        }
    }

    async fn renew(&mut self) -> Result<(), Unreachable> {
        let lease = self.reaper.lease.clone();
        let asked = Instant::now();
        if lease.take_owed() {
            self.owe(Redeclare::Changed);
        }
        let gap = self.renewed.map(|renewed| asked - renewed);
        let renewal = match lease.current() {
            Ok(current) => {
                let renewal = lease.renew(&current, None).await?;
                if !renewal.is_kept {
                    self.lose(current, &renewal, gap);
                }
                renewal
            }
            Err(Unreachable) => self.take().await?,
        };
        let is_other = self
            .epoch
            .replace(renewal.epoch.clone())
            .is_some_and(|epoch| epoch != renewal.epoch);
        if lease.current().is_err() {
            self.take().await?;
        } else if is_other {
            // Redis was started again: it may have lost its newest writes.
            self.owe(Redeclare::Everything);
        }
        self.renewed = Some(asked);
        if gap.is_none_or(|gap| gap > lease.length() / 2) {
            self.steady = Instant::now();
        }
        // While nobody could renew, every lease has ended.
        if self.steady.elapsed() >= lease.length() {
            self.reaper.see_to(renewal);
        }
        Ok(())
    }

    /// The lease is gone. Who removed it shows by whether the rest is there.
    fn lose(&mut self, lease: LeaseId, renewal: &Renewal, gap: Option<Duration>) {
        let is_long = gap.is_some_and(|gap| gap > self.reaper.lease.length());
        let by_others = self.epoch.as_ref() == Some(&renewal.epoch);
        tracing::warn!(
            by_others,
            "the lease of this node was lost: what it had told is told again"
        );
        self.owe(if by_others || is_long {
            Redeclare::Aloud
        } else {
            Redeclare::Everything
        });
        self.reaper.lease.set_current(None);
        self.lost = Some(lease);
        self.turn += 1;
    }

    async fn take(&mut self) -> Result<Renewal, Unreachable> {
        let lease = &self.reaper.lease;
        let next: LeaseId = format!("{}{}", lease.prefix(), self.turn).into();
        let before = self.lost.as_deref().unwrap_or_default();
        let renewal = lease.renew(&next, Some(before)).await?;
        lease.set_current(Some(next));
        self.lost = None;
        Ok(renewal)
    }

    fn owe(&mut self, what: Redeclare) {
        self.due = self.due.max(Some(what));
    }

    /// Whether nothing is left to be told.
    fn declare(&mut self) -> bool {
        let Some(what) = self.due else { return true };
        let Some(listener) = Weak::upgrade(&self.reaper.listener) else {
            return false;
        };
        self.due = None;
        metrics::counter!("confab_roster_declared_total", "what" => name(what)).increment(1);
        tracing::debug!(?what, "the roster is told again");
        Listener::declare(&*listener, what);
        true
    }
}

const fn name(what: Redeclare) -> &'static str {
    match what {
        Redeclare::Changed => "changed",
        Redeclare::Everything => "everything",
        Redeclare::Aloud => "aloud",
    }
}
