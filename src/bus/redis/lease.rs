//! This node's lease: what it says in Redis holds while it renews it.
//!
//! All that is held under a lease is also in a set, so that others can remove it when the lease has ended. A lease that
//! was lost is never taken up again: the node goes on under another, and what is left of the first one is removed.

use std::{
    collections::HashSet,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use entity::ids::{TenantId, UserId};
use parking_lot::RwLock;
use redis::{FromRedisValue, Script};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Link;
use crate::bus::{NodeId, Unreachable};

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lease.lua")));

/// A lease's name: the node's, and how many it has lost before.
pub type LeaseId = Arc<str>;

/// What is held under leases: hashes with a field for each.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leased {
    /// A user is here.
    User(TenantId, UserId),
    /// Something is pinned up.
    Pin(TenantId, String),
    /// A user has connections here.
    Places(TenantId, UserId),
}

/// This node's lease, and what is known of the others'.
pub struct Lease {
    link: Link,
    length: Duration,
    /// None where it was lost or there was none yet.
    current: watch::Sender<Option<LeaseId>>,
    known: RwLock<Known>,
    /// Whether something was not told because Redis could not be reached.
    owes: AtomicBool,
}

#[derive(Default)]
struct Known {
    in_force: HashSet<String>,
    ended: HashSet<String>,
}

/// What a renewal says.
pub(super) struct Renewal {
    /// Whether the lease was there.
    pub(super) is_kept: bool,
    /// Another one when something may have been lost.
    pub(super) epoch: String,
    pub(super) in_force: Vec<String>,
    /// The leases whose remains somebody has to remove now.
    pub(super) due: Vec<String>,
}

impl Leased {
    #[must_use]
    pub fn key(&self, link: &Link) -> String {
        match self {
            Self::User(tenant, user) => {
                link.key("at", &[&tenant.to_string(), &user.to_string()], &[])
            }
            Self::Pin(tenant, name) => link.key("pinned", &[&tenant.to_string(), name], &[]),
            Self::Places(tenant, user) => {
                link.key("places", &[&tenant.to_string(), &user.to_string()], &[])
            }
        }
    }

    fn member(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Lease {
    /// A lease that a [`super::RedisRoster`] takes and renews; it ends when it was not renewed for so long.
    #[must_use]
    pub fn new(link: Link, length: Duration) -> Arc<Self> {
        Arc::new(Self {
            link,
            length,
            current: watch::Sender::new(None),
            known: RwLock::default(),
            owes: AtomicBool::new(false),
        })
    }

    #[must_use]
    pub const fn link(&self) -> &Link {
        &self.link
    }

    pub(super) const fn length(&self) -> Duration {
        self.length
    }

    /// Changes when it was lost, and when there is another.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<LeaseId>> {
        self.current.subscribe()
    }

    /// # Errors
    /// There is none now.
    pub fn current(&self) -> Result<LeaseId, Unreachable> {
        self.current.borrow().clone().ok_or(Unreachable)
    }

    pub(super) fn set_current(&self, lease: Option<LeaseId>) {
        self.current.send_replace(lease);
    }

    /// What the names of this node's leases begin with.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}.", self.link.node.0)
    }

    /// To be called before something is held: under the lease that is returned.
    ///
    /// # Errors
    /// Redis cannot be reached, or there is no lease now.
    pub async fn hold(&self, what: &Leased) -> Result<LeaseId, Unreachable> {
        let lease = self.current()?;
        let set = self.set(&lease);
        let command = redis::cmd("SADD").arg(set).arg(what.member()).clone();
        self.link.run::<()>(&command).await?;
        Ok(lease)
    }

    /// To be called when something is held no more.
    pub async fn release(&self, lease: &str, what: &Leased) {
        let command = redis::cmd("SREM")
            .arg(self.set(lease))
            .arg(what.member())
            .clone();
        // Nothing is held twice: what stays in the set does no harm.
        let _ = self.link.run::<()>(&command).await;
    }

    /// The set of what is held under a lease.
    pub(super) fn set(&self, lease: &str) -> String {
        self.link.key("held", &[lease], &[])
    }

    /// Something could not be told: [`crate::bus::Listener::declare`] follows.
    pub(super) fn owe(&self) {
        self.owes.store(true, Ordering::SeqCst);
    }

    pub(super) fn take_owed(&self) -> bool {
        self.owes.swap(false, Ordering::SeqCst)
    }

    /// Renews a lease, or takes one that is `new`, after the one `before`.
    pub(super) async fn renew(
        &self,
        lease: &str,
        new: Option<&str>,
    ) -> Result<Renewal, Unreachable> {
        let random = uuid::Uuid::new_v4().simple().to_string();
        let arguments = [
            random.as_str(),
            if new.is_some() { "1" } else { "" },
            new.unwrap_or_default(),
        ];
        let (kept, epoch, in_force, ended, due): (i64, _, Vec<String>, Vec<String>, _) =
            self.script("renew", lease, &arguments).await?;
        *self.known.write() = Known {
            in_force: in_force.iter().cloned().collect(),
            ended: ended.into_iter().collect(),
        };
        metrics::gauge!("confab_roster_nodes")
            .set(f64::from(u32::try_from(in_force.len()).unwrap_or(u32::MAX)));
        Ok(Renewal {
            is_kept: kept == 1,
            epoch,
            in_force,
            due,
        })
    }

    /// Until when this node may see to a lease that has ended; none if there is nothing to do.
    pub(super) async fn claim(&self, ended: &str) -> Result<Option<i64>, Unreachable> {
        let until: i64 = self.script("claim", ended, &[]).await?;
        Ok((until > 0).then_some(until))
    }

    /// Prolongs a claim, or ends it. None if it is this node's no more.
    pub(super) async fn go_on(
        &self,
        ended: &str,
        until: i64,
        is_done: bool,
    ) -> Result<Option<i64>, Unreachable> {
        let done = if is_done { "1" } else { "" };
        let until: i64 = self
            .script("go_on", ended, &[&until.to_string(), done])
            .await?;
        Ok((until > 0).then_some(until))
    }

    /// Gives a lease back; what is held under it is removed by others, after some time.
    pub(super) async fn leave(&self, lease: &str, patience: Duration) -> Result<(), Unreachable> {
        let count = redis::cmd("SCARD").arg(self.set(lease)).clone();
        let held: u64 = self.link.run(&count).await?;
        let rest = if held > 0 {
            patience.as_millis().to_string()
        } else {
            String::new()
        };
        self.script::<i64>("leave", lease, &[&rest]).await.map(drop)
    }

    /// The nodes whose leases are in force, of some leases that were found somewhere. One that nobody knows of (Redis may
    /// have lost it) is put up for removal, unless it appears within its time.
    pub async fn alive(&self, found: &[String]) -> HashSet<String> {
        let is_unknown = |known: &Known, lease: &String| {
            !known.in_force.contains(lease) && !known.ended.contains(lease)
        };
        let unknown = {
            let known = self.known.read();
            found.iter().any(|lease| is_unknown(&known, lease))
        };
        if unknown && self.look().await.is_ok() {
            let suspects: Vec<&String> = {
                let known = self.known.read();
                let found = found.iter().filter(|lease| is_unknown(&known, lease));
                found.collect()
            };
            for lease in suspects {
                let _ = self.script::<i64>("suspect", lease, &[]).await;
            }
        }
        let known = self.known.read();
        let alive = found.iter().filter(|lease| known.in_force.contains(*lease));
        alive.cloned().collect()
    }

    /// Whether a lease has ended, and what was held under it may be there still.
    pub(super) fn has_ended(&self, lease: &str) -> bool {
        self.known.read().ended.contains(lease)
    }

    async fn look(&self) -> Result<(), Unreachable> {
        let [in_force, ended, _] = self.keys();
        let mut pipeline = redis::pipe();
        pipeline.zrange(in_force, 0, -1).zrange(ended, 0, -1);
        let (in_force, ended) = self.link.run(&pipeline).await?;
        *self.known.write() = Known { in_force, ended };
        Ok(())
    }

    fn keys(&self) -> [String; 3] {
        let key = |name| self.link.key("leases", &["nodes"], &[name]);
        [key("in_force"), key("ended"), key("epoch")]
    }

    async fn script<T: FromRedisValue>(
        &self,
        what: &str,
        lease: &str,
        arguments: &[&str],
    ) -> Result<T, Unreachable> {
        let mut script = SCRIPT.prepare_invoke();
        script.key(&self.keys()[..]).arg(what).arg(lease);
        script.arg(u64::try_from(self.length.as_millis()).unwrap_or(u64::MAX));
        script.arg(arguments);
        self.link.run(&script).await
    }
}

/// Whose lease it is.
pub(super) fn holder(lease: &str) -> Option<NodeId> {
    let (node, _) = lease.rsplit_once('.')?;
    node.parse().ok().map(NodeId)
}
