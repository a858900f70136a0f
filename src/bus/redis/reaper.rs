//! Removes what nodes have left behind whose leases have ended. One node does it; if that dies too, another.

use std::sync::{Arc, Weak};

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::{
    lease::{Lease, Leased, Renewal, holder},
    roster::presence,
};
use crate::bus::{Bus, Event, Listener, Unreachable};

/// How much of what a node has left is seen to before the claim is prolonged, and at the same time.
const BATCH: usize = 256;
const AT_ONCE: usize = 32;

#[derive(Clone)]
pub(super) struct Reaper {
    pub(super) lease: Arc<Lease>,
    pub(super) listener: Weak<dyn Listener>,
    pub(super) bus: Arc<dyn Bus>,
    pub(super) end: CancellationToken,
}

impl Reaper {
    /// Sees to the leases that are due, behind the scenes.
    pub(super) fn see_to(&self, renewal: Renewal) {
        for lease in renewal.due {
            let has_died = renewal.in_force.contains(&lease);
            let (reaper, end) = (self.clone(), self.end.clone());
            tokio::spawn(end.run_until_cancelled_owned(async move {
                // Whoever looks next finds it still there.
                let _ = reaper.reap(&lease, has_died).await;
            }));
        }
    }

    async fn reap(&self, lease: &str, has_died: bool) -> Result<(), Unreachable> {
        let Some(mut until) = self.lease.claim(lease).await? else {
            return Ok(());
        };
        let is_ours = holder(lease) == Some(self.lease.link().node);
        if has_died {
            metrics::counter!("confab_roster_nodes_died_total").increment(1);
            tracing::warn!(
                lease,
                "a node has died: its users go offline unless they are elsewhere"
            );
        }
        if !is_ours {
            // It may have committed what it did not tell.
            self.bus.publish(Event::CatchUp);
        }
        let mut removed = 0;
        loop {
            let held = self.some_held(lease).await?;
            let is_done = held.is_empty();
            removed += held.len();
            if !is_done {
                self.remove(lease, held).await?;
            }
            until = match self.lease.go_on(lease, until, is_done).await? {
                Some(until) if !is_done => until,
                _ => break,
            };
        }
        tracing::debug!(lease, removed, "what was held under a lease is removed");
        Ok(())
    }

    async fn some_held(&self, lease: &str) -> Result<Vec<String>, Unreachable> {
        let set = self.lease.set(lease);
        let command = redis::cmd("SRANDMEMBER").arg(set).arg(BATCH).clone();
        self.lease.link().run(&command).await
    }

    async fn remove(&self, lease: &str, held: Vec<String>) -> Result<(), Unreachable> {
        let removals = held.into_iter().map(|one| async move {
            let is_removed = self.remove_one(lease, &one).await.is_ok();
            (one, is_removed)
        });
        let removals: Vec<_> = stream::iter(removals)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let (done, left): (Vec<_>, Vec<_>) = removals.into_iter().partition(|(_, ok)| *ok);
        if !done.is_empty() {
            let done: Vec<String> = done.into_iter().map(|(one, _)| one).collect();
            let command = redis::cmd("SREM")
                .arg(self.lease.set(lease))
                .arg(done)
                .clone();
            self.lease.link().run::<()>(&command).await?;
        }
        // The rest stays there for whoever looks next.
        if left.is_empty() {
            Ok(())
        } else {
            Err(Unreachable)
        }
    }

    async fn remove_one(&self, lease: &str, held: &str) -> Result<(), Unreachable> {
        let link = self.lease.link();
        let held: Leased = match serde_json::from_str(held) {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(%error, "a node of another release held something unknown");
                return Ok(());
            }
        };
        let Leased::User(tenant, user) = held else {
            let command = redis::cmd("HDEL").arg(held.key(link)).arg(lease).clone();
            return link.run(&command).await;
        };
        let (version, _) = presence(&self.lease, "reap", lease, &tenant, &user, "").await?;
        if let Some(version) = version {
            let listener = self.listener.upgrade().ok_or(Unreachable)?;
            if !listener.died(tenant, user, version).await {
                return Err(Unreachable);
            }
            metrics::counter!("confab_roster_users_died_total").increment(1);
        }
        Ok(())
    }
}
