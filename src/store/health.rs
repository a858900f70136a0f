//! Whether the database works, as all who use it have found; said once when it fails and once when it works again.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use sea_orm::DbErr;

use crate::outage::Outages;

/// What fails by itself: on a full disk it answers and stores nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Answers,
    Stores,
}

/// What all connections know together.
#[derive(Default)]
pub(super) struct Health {
    fails: [AtomicBool; 2],
    outages: Mutex<Outages>,
}

impl Health {
    pub(super) fn is_down(&self, part: Part) -> bool {
        self.fails[part as usize].load(Ordering::Relaxed)
    }

    pub(super) fn down(&self, part: Part, error: &DbErr) {
        let mut outages = self.outages.lock();
        self.fails[part as usize].store(true, Ordering::Relaxed);
        outages.begin(error);
        if let Some(error) = outages.to_tell() {
            tracing::error!(
                error,
                "the database failed: what needs it is refused until it works again"
            );
        }
    }

    pub(super) fn up(&self, part: Part) {
        if !self.is_down(part) {
            return;
        }
        let mut outages = self.outages.lock();
        self.fails[part as usize].store(false, Ordering::Relaxed);
        if [Part::Answers, Part::Stores].map(|part| self.is_down(part)) != [false; 2] {
            return;
        }
        let Some(over) = outages.end() else { return };
        let seconds = over.seconds;
        if over.was_told {
            tracing::info!(seconds, "the database works again");
        } else {
            tracing::debug!(seconds, "the database works again");
        }
    }
}
