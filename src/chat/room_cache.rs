//! The rooms in use, and whether what was decided about one still holds.
//!
//! Access is decided by what is in memory, and what was decided is used some time later: an answer is given after the
//! store was read. So [`RoomCache::decide`] comes before the decision, and [`Decided::holds`] is asked when it is used,
//! under a lock that a removal takes too after it has called [`RoomCache::overturn`]: the room's, or the user's turn.
//! Then either the answer is given before the removal has ended, or the decision does not hold and is made again.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use entity::rooms::{Model, RoomKind};
use moka::sync::Cache;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::RoomKey;
use crate::{
    bus::{Bus, Subscription, Topic},
    error::{Error, Result},
    store::{self, Store},
};

/// Participants of a room that are kept in memory; in larger rooms each is looked up.
const MAX_REMEMBERED: usize = 1000;
/// How long a room is relied on while nobody can say that it was changed.
const UNHEARD: Duration = Duration::from_secs(1);
/// How long a room is kept that nobody asks for. As long other nodes tell this one of it.
const IDLE: Duration = Duration::from_mins(2);
/// Counters of what was overturned. Rooms that share one only decide once more than they had to.
const COUNTERS: usize = 1024;

/// A room and who belongs to it, as access decides by it.
pub(super) struct RoomRecord {
    pub(super) row: Model,
    pub(super) participants: store::Membership,
    /// One of the two users of a direct room has blocked the other.
    pub(super) is_blocked: bool,
    /// Cancelled when the record was dropped: the room has to be looked at again.
    pub(super) stale: CancellationToken,
}

#[derive(Default)]
struct Entry {
    known: OnceCell<Known>,
    stale: CancellationToken,
}

/// A record, and how long it can be relied on.
struct Known {
    record: Arc<RoomRecord>,
    read_at: Instant,
    /// Changes that other nodes make are heard of.
    subscription: Subscription,
}

impl Known {
    /// While other nodes cannot be heard, what was read holds for a moment only.
    fn is_current(&self) -> bool {
        self.subscription.is_current() || self.read_at.elapsed() < UNHEARD
    }
}

/// So that a message costs no query. An entry is dropped when the room's row or participants change; one that is being
/// read at that moment is seen only by those who asked before.
pub(super) struct RoomCache {
    rooms: Cache<RoomKey, Arc<Entry>>,
    overturned: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// When something was decided about a room.
#[derive(Clone, Copy)]
pub(super) struct Decided<'a> {
    counter: &'a AtomicU64,
    at: u64,
}

impl Decided<'_> {
    /// Whether nobody has lost access to the room since, nor the room been changed.
    pub(super) fn holds(&self) -> bool {
        self.counter.load(Ordering::Acquire) == self.at
    }
}

impl RoomCache {
    pub(super) fn new() -> Self {
        Self {
            rooms: Cache::builder()
                .max_capacity(10_000)
                .time_to_idle(IDLE)
                // Whoever holds a record that was dropped would not hear of a change.
                .eviction_listener(|_, entry: Arc<Entry>, _| entry.stale.cancel())
                .build(),
            overturned: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    pub(super) async fn get(
        &self,
        store: &Store,
        bus: &dyn Bus,
        key: &RoomKey,
    ) -> Result<Option<Arc<RoomRecord>>> {
        loop {
            let entry = self.rooms.get_with_by_ref(key, Arc::default);
            let is_new = !entry.known.initialized();
            let known = entry
                .known
                .get_or_try_init(|| read(store, bus, key, &entry.stale));
            match known.await {
                Ok(known) if is_new || known.is_current() => {
                    return Ok(Some(Arc::clone(&known.record)));
                }
                Ok(_) => self.drop_record(key),
                Err(Error::NotFound(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// To be asked for before the room is.
    pub(super) fn decide(&self, key: &RoomKey) -> Decided<'_> {
        let counter = self.counter(key);
        Decided {
            counter,
            at: counter.load(Ordering::Acquire),
        }
    }

    /// Somebody came, who may do more now: what was decided before is not wrong.
    pub(super) fn forget(&self, key: &RoomKey) {
        self.drop_record(key);
    }

    /// Somebody has lost access to the room, or it was changed: what was decided before does not hold.
    pub(super) fn overturn(&self, key: &RoomKey) {
        // In this order: whoever finds the new count finds no record from before it.
        self.drop_record(key);
        self.counter(key).fetch_add(1, Ordering::AcqRel);
    }

    fn drop_record(&self, key: &RoomKey) {
        if let Some(entry) = self.rooms.remove(key) {
            entry.stale.cancel();
        }
    }

    fn counter(&self, key: &RoomKey) -> &AtomicU64 {
        let index = usize::try_from(self.hasher.hash_one(key) % COUNTERS as u64).unwrap_or(0);
        &self.overturned[index]
    }
}

async fn read(
    store: &Store,
    bus: &dyn Bus,
    key: &RoomKey,
    stale: &CancellationToken,
) -> Result<Known> {
    // First heard, then looked at: what is changed from here on is heard of.
    let topic = Topic::Room(key.tenant.clone(), key.room.clone());
    let subscription = bus.subscribe(topic).await;
    let read_at = Instant::now();
    let row = store
        .room(&key.tenant, &key.room)
        .await?
        .ok_or(Error::ROOM_NOT_FOUND)?;
    let participants = store
        .membership(&key.tenant, &key.room, MAX_REMEMBERED)
        .await?;
    let is_blocked = match (row.kind, &participants) {
        (RoomKind::Direct, store::Membership::All(users)) => {
            let mut users = users.keys();
            match (users.next(), users.next()) {
                (Some(one), Some(other)) => store.is_blocked(&key.tenant, one, other).await?,
                _ => false,
            }
        }
        _ => false,
    };
    let record = Arc::new(RoomRecord {
        row,
        participants,
        is_blocked,
        stale: stale.clone(),
    });
    Ok(Known {
        record,
        read_at,
        subscription,
    })
}
