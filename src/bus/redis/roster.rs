//! The roster of several nodes: for each user a hash of the leases under which they are somewhere.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, LazyLock, Weak},
    time::Duration,
};

use entity::ids::{RoomId, TenantId, UserId};
use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use redis::Script;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    keeper::Keeper,
    lease::{Lease, Leased, holder},
    reaper::Reaper,
};
use crate::bus::{Answer, Bus, Listener, Place, Roster, Unreachable, Version};

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("presence.lua")));

/// How many users are asked about at the same time.
const AT_ONCE: usize = 256;

/// Who is where, over Redis.
pub struct RedisRoster {
    lease: Arc<Lease>,
    running: CancellationToken,
    _end: DropGuard,
}

impl RedisRoster {
    /// Takes the lease and renews it, and sees to those of nodes that have died, until it is dropped.
    #[must_use]
    pub fn start(lease: Arc<Lease>, listener: Weak<dyn Listener>, bus: Arc<dyn Bus>) -> Self {
        let running = CancellationToken::new();
        let keeper = Keeper::new(Reaper {
            lease: Arc::clone(&lease),
            listener,
            bus,
            end: running.clone(),
        });
        tokio::spawn(running.clone().run_until_cancelled_owned(keeper.run()));
        Self {
            lease,
            _end: running.clone().drop_guard(),
            running,
        }
    }

    async fn give_back(&self, patience: Duration) {
        self.running.cancel();
        let Ok(current) = self.lease.current() else {
            return;
        };
        self.lease.set_current(None);
        if self.lease.leave(&current, patience).await.is_err() {
            tracing::info!("the lease of this node could not be given back; it ends by itself");
        }
    }

    /// Nothing is lost by asking again, with what is then so.
    fn owed<T>(&self, answer: Result<T, Unreachable>) -> Result<T, Unreachable> {
        if answer.is_err() {
            self.lease.owe();
        }
        answer
    }

    async fn say_here(
        &self,
        what: &str,
        tenant: &TenantId,
        user: &UserId,
        rooms: &[RoomId],
    ) -> Result<Option<Version>, Unreachable> {
        let held = Leased::User(tenant.clone(), user.clone());
        let lease = self.lease.hold(&held).await?;
        let rooms = serde_json::to_string(rooms).unwrap_or_default();
        let (version, others) = presence(&self.lease, what, &lease, tenant, user, &rooms).await?;
        self.lease.alive(&others).await;
        Ok(version)
    }

    async fn say_gone(
        &self,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<Option<Version>, Unreachable> {
        let lease = self.lease.current()?;
        let (version, others) = presence(&self.lease, "depart", &lease, tenant, user, "").await?;
        self.lease.alive(&others).await;
        self.lease
            .release(&lease, &Leased::User(tenant.clone(), user.clone()))
            .await;
        Ok(version)
    }

    async fn say_pinned(
        &self,
        tenant: &TenantId,
        name: &str,
        note: Option<String>,
    ) -> Result<(), Unreachable> {
        let held = Leased::Pin(tenant.clone(), name.to_owned());
        let key = held.key(self.lease.link());
        if let Some(note) = note {
            let lease = self.lease.hold(&held).await?;
            let command = redis::cmd("HSET").arg(key).arg(&*lease).arg(note).clone();
            return self.lease.link().run(&command).await;
        }
        let lease = self.lease.current()?;
        let command = redis::cmd("HDEL").arg(key).arg(&*lease).clone();
        self.lease.link().run::<()>(&command).await?;
        self.lease.release(&lease, &held).await;
        Ok(())
    }

    /// The other leases under which each of some users is somewhere.
    async fn leases_of(
        &self,
        tenant: &TenantId,
        users: &[UserId],
    ) -> Result<Vec<(UserId, HashMap<String, String>)>, Unreachable> {
        let own = self.lease.prefix();
        let asked = users.iter().cloned().map(|user| {
            let key = Leased::User(tenant.clone(), user.clone()).key(self.lease.link());
            let own = &own;
            async move {
                let command = redis::cmd("HGETALL").arg(key).clone();
                let mut fields: HashMap<String, String> = self.lease.link().run(&command).await?;
                fields.retain(|field, _| holder(field).is_some() && !field.starts_with(own));
                Ok((user, fields))
            }
        });
        stream::iter(asked)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn notes(&self, tenant: &TenantId, name: &str) -> Result<Vec<String>, Unreachable> {
        let key = Leased::Pin(tenant.clone(), name.to_owned()).key(self.lease.link());
        let command = redis::cmd("HGETALL").arg(key).clone();
        let mut notes: HashMap<String, String> = self.lease.link().run(&command).await?;
        let own = self.lease.prefix();
        notes.retain(|lease, _| !lease.starts_with(&own));
        let leases: Vec<String> = notes.keys().cloned().collect();
        let alive = self.lease.alive(&leases).await;
        notes.retain(|lease, _| alive.contains(lease));
        Ok(notes.into_values().collect())
    }
}

impl Roster for RedisRoster {
    fn arrive<'a>(
        &'a self,
        tenant: &'a TenantId,
        user: &'a UserId,
        rooms: &'a [RoomId],
    ) -> Answer<'a, Option<Version>> {
        Box::pin(async { self.owed(self.say_here("arrive", tenant, user, rooms).await) })
    }

    fn remain<'a>(
        &'a self,
        tenant: &'a TenantId,
        user: &'a UserId,
        rooms: &'a [RoomId],
    ) -> Answer<'a, Option<Version>> {
        Box::pin(async { self.owed(self.say_here("remain", tenant, user, rooms).await) })
    }

    fn depart<'a>(&'a self, tenant: &'a TenantId, user: &'a UserId) -> Answer<'a, Option<Version>> {
        Box::pin(async { self.owed(self.say_gone(tenant, user).await) })
    }

    fn elsewhere<'a>(
        &'a self,
        tenant: &'a TenantId,
        users: &'a [UserId],
    ) -> BoxFuture<'a, HashMap<UserId, Vec<Place>>> {
        Box::pin(async {
            let found = self.leases_of(tenant, users).await.unwrap_or_default();
            let leases: HashSet<&String> =
                found.iter().flat_map(|(_, notes)| notes.keys()).collect();
            let leases: Vec<String> = leases.into_iter().cloned().collect();
            let alive = self.lease.alive(&leases).await;
            let places = found.into_iter().map(|(user, notes)| {
                let places = notes.into_iter().filter_map(|(lease, rooms)| {
                    let is_alive = alive.contains(&lease);
                    // Nobody was told yet that the users of a node that has ended are gone.
                    if !is_alive && !self.lease.has_ended(&lease) {
                        return None;
                    }
                    let rooms = if is_alive { rooms } else { String::new() };
                    Some(Place {
                        node: holder(&lease)?,
                        rooms: serde_json::from_str(&rooms).unwrap_or_default(),
                    })
                });
                (user, places.collect::<Vec<_>>())
            });
            places.filter(|(_, places)| !places.is_empty()).collect()
        })
    }

    fn pin<'a>(
        &'a self,
        tenant: &'a TenantId,
        name: &'static str,
        note: Option<String>,
    ) -> Answer<'a, ()> {
        Box::pin(async move { self.owed(self.say_pinned(tenant, name, note).await) })
    }

    fn pinned<'a>(
        &'a self,
        tenant: &'a TenantId,
        name: &'static str,
    ) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move { self.notes(tenant, name).await.unwrap_or_default() })
    }

    fn leave(&self, patience: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.give_back(patience))
    }

    fn is_shared(&self) -> bool {
        true
    }
}

/// What happens to a user under a lease. The version, if they are nowhere else; and the other leases.
pub(super) async fn presence(
    lease: &Lease,
    what: &str,
    id: &str,
    tenant: &TenantId,
    user: &UserId,
    note: &str,
) -> Result<(Option<Version>, Vec<String>), Unreachable> {
    let key = Leased::User(tenant.clone(), user.clone()).key(lease.link());
    let mut script = SCRIPT.key(key);
    script.arg(what).arg(id).arg(lease.prefix()).arg(note);
    let (version, others): (i64, _) = lease.link().run(&script).await?;
    Ok(((version > 0).then_some(Version(version)), others))
}
