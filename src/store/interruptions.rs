//! Times in which nothing could be written, and what is not known because of them.
//!
//! A commit whose answer was lost may have happened. Its senders are told that the storage is unavailable, and nobody
//! is told of its messages; so whoever keeps rooms in memory looks into the store once writing works again.

use std::collections::HashSet;

use entity::ids::{RoomId, TenantId};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

/// A room of a tenant.
pub(super) type Place = (TenantId, RoomId);

pub(super) struct Interruptions {
    over: watch::Sender<u64>,
    state: Mutex<State>,
    begun: Notify,
}

#[derive(Default)]
struct State {
    is_on: bool,
    /// Rooms with messages of which nobody knows whether they were committed.
    undecided: HashSet<Place>,
    /// Rooms in which this is decided, which may have messages that nobody was told of.
    to_be_looked_at: HashSet<Place>,
}

impl Interruptions {
    pub(super) fn new() -> Self {
        Self {
            over: watch::Sender::new(0),
            state: Mutex::default(),
            begun: Notify::new(),
        }
    }

    /// Nothing can be written, or it is not known what was.
    pub(super) fn begin(&self, undecided: impl IntoIterator<Item = Place>) {
        let mut state = self.state.lock();
        state.is_on = true;
        state.undecided.extend(undecided);
        self.begun.notify_one();
    }

    pub(super) fn is_on(&self) -> bool {
        self.state.lock().is_on
    }

    /// Waits until there is one.
    pub(super) async fn begun(&self) {
        while !self.is_on() {
            self.begun.notified().await;
        }
    }

    pub(super) fn undecided(&self) -> Vec<Place> {
        self.state.lock().undecided.iter().cloned().collect()
    }

    /// Writing works, and it is decided what became of these.
    pub(super) fn end(&self, decided: Vec<Place>) {
        let mut state = self.state.lock();
        for place in decided {
            state.undecided.remove(&place);
            state.to_be_looked_at.insert(place);
        }
        state.is_on = !state.undecided.is_empty();
        drop(state);
        self.over.send_modify(|count| *count += 1);
    }

    /// Counts those that are over.
    pub(super) fn over(&self) -> watch::Receiver<u64> {
        self.over.subscribe()
    }

    pub(super) fn take(&self) -> Vec<Place> {
        self.state.lock().to_be_looked_at.drain().collect()
    }
}
