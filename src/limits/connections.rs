//! How many connections a user may have at the same time, on all nodes together.
//!
//! Each node says how many a user has on it, the number itself: what got lost on the way is right again with the next.

use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::BuildHasher,
    mem,
    sync::{Arc, LazyLock, Weak},
    time::Duration,
};

use dashmap::DashMap;
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use redis::Script;
use tokio::{
    sync::{self, Notify},
    time::sleep,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    UserKey,
    places::{Counters, Place},
};
use crate::{
    bus::{Lease, LeaseId, Leased, Unreachable},
    error::{Error, Result},
};

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("places.lua")));

/// How many users' numbers are told at the same time, and how soon again what could not be told.
const AT_ONCE: usize = 64;
const AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Connections {
    here: Arc<Counters<UserKey>>,
    shared: Option<Arc<Shared>>,
}

/// A user's place for a connection.
pub struct UserPlace {
    key: UserKey,
    place: Option<Place<UserKey>>,
    shared: Option<Arc<Shared>>,
}

/// What all nodes know.
struct Shared {
    lease: Arc<Lease>,
    here: Arc<Counters<UserKey>>,
    /// What was told; no number where it is not known whether it arrived.
    told: DashMap<UserKey, (LeaseId, Option<usize>)>,
    /// One number of a user is told after the other. One lock for many users.
    turns: [sync::Mutex<()>; 256],
    hasher: RandomState,
    /// Those whose number has to be looked at.
    stale: Mutex<HashSet<UserKey>>,
    stir: Arc<Notify>,
    _end: DropGuard,
}

impl Connections {
    pub(super) fn new(most: usize, lease: Option<Arc<Lease>>) -> Self {
        let here = Arc::new(Counters::new(most));
        let shared = lease.map(|lease| Shared::start(lease, Arc::clone(&here)));
        Self { here, shared }
    }

    pub(super) async fn take(&self, key: UserKey) -> Result<UserPlace> {
        let mut place = UserPlace {
            place: Some(self.here.take(key.clone())?),
            shared: self.shared.clone(),
            key,
        };
        if let Some(shared) = &self.shared {
            shared.check(&mut place).await?;
        }
        Ok(place)
    }
}

impl Drop for UserPlace {
    fn drop(&mut self) {
        self.place = None;
        if let Some(shared) = &self.shared {
            shared.look_at(self.key.clone());
        }
    }
}

impl Shared {
    fn start(lease: Arc<Lease>, here: Arc<Counters<UserKey>>) -> Arc<Self> {
        let end = CancellationToken::new();
        let shared = Arc::new(Self {
            here,
            told: DashMap::new(),
            turns: std::array::from_fn(|_| sync::Mutex::default()),
            hasher: RandomState::new(),
            stale: Mutex::default(),
            stir: Arc::default(),
            _end: end.clone().drop_guard(),
            lease,
        });
        let (lease, stir) = (Arc::clone(&shared.lease), Arc::clone(&shared.stir));
        let settling = settle(Arc::downgrade(&shared), lease, stir);
        tokio::spawn(end.run_until_cancelled_owned(settling));
        shared
    }

    /// A place was taken here: is it one too many? Where that is not known, it is not.
    async fn check(&self, taken: &mut UserPlace) -> Result<()> {
        let _turn = self.turn(&taken.key).await;
        match self.tell(&taken.key, Some(self.here.most())).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                // Before it is somebody else's turn, who would be refused on account of it.
                taken.place = None;
                Err(Error::TooManyConnections)
            }
            Err(Unreachable) => {
                self.look_at(taken.key.clone());
                Ok(())
            }
        }
    }

    async fn turn(&self, key: &UserKey) -> sync::MutexGuard<'_, ()> {
        let index = usize::try_from(self.hasher.hash_one(key) % 256).unwrap_or(0);
        self.turns[index].lock().await
    }

    fn look_at(&self, key: UserKey) {
        if self.here.count(&key) == 0 && !self.told.contains_key(&key) {
            self.stale.lock().remove(&key);
        } else {
            self.stale.lock().insert(key);
            self.stir.notify_one();
        }
    }

    /// Tells how many places a user has here, if all nodes together have no more than `most`.
    async fn tell(
        &self,
        key: &UserKey,
        most: Option<usize>,
    ) -> std::result::Result<bool, Unreachable> {
        let held = Leased::Places(key.0.clone(), key.1.clone());
        let count = self.here.count(key);
        let lease = if count > 0 {
            self.lease.hold(&held).await?
        } else {
            self.lease.current()?
        };
        let before = self.told.insert(key.clone(), (Arc::clone(&lease), None));
        let mut script = SCRIPT.key(held.key(self.lease.link()));
        script.arg(&*lease).arg(self.lease.prefix()).arg(count);
        script.arg(most.map(|most| most.to_string()).unwrap_or_default());
        let (is_told, others): (i64, Vec<String>) = self.lease.link().run(&script).await?;
        self.lease.alive(&others).await;
        if is_told == 0 {
            // What stands there is what stood there before.
            match before {
                Some(before) => self.told.insert(key.clone(), before),
                None => self.told.insert(key.clone(), (lease, Some(0))),
            };
            return Ok(false);
        }
        self.told
            .insert(key.clone(), (Arc::clone(&lease), Some(count)));
        if count == 0 {
            self.lease.release(&lease, &held).await;
            self.told.remove(key);
        }
        Ok(true)
    }

    /// Tells a user's number if another one was told, or none under this lease.
    async fn settle(&self, key: UserKey) {
        let _turn = self.turn(&key).await;
        let Ok(lease) = self.lease.current() else {
            return self.remember(key);
        };
        let count = self.here.count(&key);
        let told = self.told.get(&key).map(|told| told.clone());
        let is_settled = match told {
            Some((under, told)) if under == lease => told == Some(count) && count > 0,
            // What was told under a lease that is lost goes with it.
            _ if count == 0 => {
                self.told.remove(&key);
                true
            }
            _ => false,
        };
        if !is_settled && self.tell(&key, None).await.is_err() {
            self.remember(key);
        }
    }

    /// Whether something is left for later.
    async fn settle_all(&self) -> bool {
        if !self.lease.link().is_away() {
            let stale = mem::take(&mut *self.stale.lock());
            stream::iter(stale)
                .for_each_concurrent(AT_ONCE, |key| self.settle(key))
                .await;
        }
        !self.stale.lock().is_empty()
    }

    /// For later.
    fn remember(&self, key: UserKey) {
        self.stale.lock().insert(key);
    }
}

/// Tells what has changed, and everything under a new lease.
async fn settle(shared: Weak<Shared>, lease: Arc<Lease>, stir: Arc<Notify>) {
    let mut leases = lease.watch();
    let mut health = lease.link().watch();
    loop {
        let Some(current) = shared.upgrade() else {
            return;
        };
        let has_stale = current.settle_all().await;
        drop(current);
        tokio::select! {
            () = stir.notified() => {}
            () = sleep(AGAIN), if has_stale => {}
            Ok(()) = health.changed() => {}
            Ok(()) = leases.changed() => {
                let Some(shared) = shared.upgrade() else { return };
                let mut stale = shared.stale.lock();
                stale.extend(shared.here.keys());
                stale.extend(shared.told.iter().map(|told| told.key().clone()));
            }
        }
    }
}
