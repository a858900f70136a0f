//! The task that writes the audit: equal entries of a second as one row, a bounded number of them, together; and removes
//! what is old.

use std::{
    collections::{HashMap, hash_map},
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use entity::{ids::TenantId, timestamp::Timestamp};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use super::{Entry, Item, What};
use crate::{
    clock::Clock,
    config::Config,
    store::{AuditRow, Store},
};

/// Equal entries that come within so long are one row.
const WINDOW: Duration = Duration::from_secs(1);
/// Rows that a window may have. Beyond that refusals are dropped, and beyond twice that everything.
const MAX_ROWS: usize = 1000;
/// How often old entries are removed.
const SWEEP_MS: i64 = 10 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The task that writes.
pub(super) struct Scribe {
    store: Store,
    clock: Clock,
    days: u32,
    keep: u32,
    swept_at: Timestamp,
    /// What came in this window.
    rows: HashMap<What, AuditRow>,
    /// What the database did not take.
    unwritten: Vec<AuditRow>,
    dropped: Arc<AtomicU64>,
}

impl Scribe {
    pub(super) fn new(
        config: &Config,
        store: Store,
        clock: Clock,
        dropped: Arc<AtomicU64>,
    ) -> Self {
        Self {
            store,
            clock,
            days: config.audit_days,
            keep: config.audit_max_rows,
            swept_at: Timestamp(i64::MIN),
            rows: HashMap::new(),
            unwritten: Vec::new(),
            dropped,
        }
    }

    pub(super) async fn run(mut self, mut items: mpsc::Receiver<Item>) {
        let mut window = interval(WINDOW);
        window.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                item = items.recv() => match item {
                    Some(Item::Entry(entry, at)) => self.take(*entry, at),
                    Some(Item::Flush(done)) => {
                        self.write().await;
                        // Nobody may wait for it any more.
                        let _ = done.send(());
                    }
                    None => return self.write().await,
                },
                _ = window.tick() => {
                    self.write().await;
                    self.sweep().await;
                }
            }
        }
    }

    fn take(&mut self, entry: Entry, at: Timestamp) {
        let full = self.rows.len() + self.unwritten.len();
        let most = if entry.is_refusal() {
            MAX_ROWS
        } else {
            2 * MAX_ROWS
        };
        match self.rows.entry(entry.what.clone()) {
            hash_map::Entry::Occupied(mut row) => {
                row.get_mut().count += i64::try_from(entry.count).unwrap_or(0);
            }
            hash_map::Entry::Vacant(place) if full < most => {
                place.insert(entry.into_row(at));
            }
            hash_map::Entry::Vacant(_) => {
                self.dropped.fetch_add(entry.count, Ordering::Relaxed);
            }
        }
    }

    async fn write(&mut self) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            metrics::counter!("confab_audit_dropped_total").increment(dropped);
            tracing::warn!(dropped, "more came than the audit takes");
            let mut entry = Entry::system("audit.dropped", &TenantId::default());
            entry.count = dropped;
            self.unwritten.push(entry.into_row(self.clock.now()));
        }
        let mut rows = mem::take(&mut self.unwritten);
        rows.extend(self.rows.drain().map(|(_, row)| row));
        if rows.is_empty() {
            return;
        }
        rows.sort_by_key(|row| row.id);
        if self.store.write_audit(rows.clone()).await.is_err() {
            // The log says why; they are written with the next ones.
            self.unwritten = rows;
        }
    }

    async fn sweep(&mut self) {
        let now = self.clock.now();
        if now.0.saturating_sub(self.swept_at.0) < SWEEP_MS {
            return;
        }
        self.swept_at = now;
        let age = i64::from(self.days) * DAY_MS;
        let before = (self.days > 0).then(|| Timestamp(now.0 - age));
        match self.store.sweep_audit(before, self.keep.into()).await {
            Ok(0) | Err(_) => {}
            Ok(swept) => tracing::info!(swept, "old entries of the audit were removed"),
        }
    }
}
