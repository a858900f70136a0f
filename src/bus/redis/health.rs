//! Whether Redis is there, over all connections to it; said once when it goes and once when it is back.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::outage::{Outages, Over};

/// Whether Redis is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It has not been reached yet, nor has it failed to answer.
    Connecting,
    Up,
    /// It takes no writes, since it has no memory or disk left. Events go through it, scripts fail.
    Refusing,
    /// It cannot be reached, or is no use as it is.
    Away,
}

/// What connects by itself, each to be reached for Redis to be up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Commands,
    Publisher,
    Subscriber,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Unused,
    Starting,
    Up,
    Down,
}

struct State {
    parts: [Condition; 3],
    outages: Outages,
    /// What had not been sent to other nodes before the last of them.
    unsent_before: u64,
    is_refusing: bool,
}

/// What all connections know together.
pub(super) struct Monitor {
    state: Mutex<State>,
    health: watch::Sender<Health>,
    unsent: AtomicU64,
}

impl Monitor {
    pub(super) fn new() -> Self {
        metrics::gauge!("confab_bus_up").set(0.0);
        metrics::counter!("confab_bus_outages_total").increment(0);
        Self {
            state: Mutex::new(State {
                parts: [Condition::Starting, Condition::Unused, Condition::Unused],
                outages: Outages::default(),
                unsent_before: 0,
                is_refusing: false,
            }),
            health: watch::Sender::new(Health::Connecting),
            unsent: AtomicU64::new(0),
        }
    }

    pub(super) fn health(&self) -> Health {
        *self.health.borrow()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// From here on a part has to be reached too.
    pub(super) fn expect(&self, part: Part) {
        let mut state = self.state.lock();
        state.parts[part as usize] = Condition::Starting;
        self.conclude(&mut state);
    }

    pub(super) fn up(&self, part: Part) {
        let mut state = self.state.lock();
        state.parts[part as usize] = Condition::Up;
        self.conclude(&mut state);
    }

    pub(super) fn down(&self, part: Part, reason: &str) {
        let mut state = self.state.lock();
        state.parts[part as usize] = Condition::Down;
        if state.outages.begin(reason) {
            metrics::counter!("confab_bus_outages_total").increment(1);
            state.unsent_before = self.unsent.load(Ordering::Relaxed);
        }
        self.conclude(&mut state);
    }

    /// Redis answers; `Err` if it takes no writes, and why.
    pub(super) fn writes(&self, taken: Result<(), &str>) {
        let mut state = self.state.lock();
        match (taken, state.is_refusing) {
            (Err(reason), false) => tracing::warn!(
                reason,
                "Redis takes no writes: presence and limits are this node's own until it does"
            ),
            (Ok(()), true) => tracing::info!("Redis takes writes again"),
            _ => {}
        }
        state.is_refusing = taken.is_err();
        self.conclude(&mut state);
    }

    /// Something was not sent to other nodes.
    pub(super) fn unsent(&self, count: u64) {
        self.unsent.fetch_add(count, Ordering::Relaxed);
        metrics::counter!("confab_bus_dropped_total").increment(count);
    }

    /// To be called every second or so: tells of an outage that was not worth telling before.
    pub(super) fn conclude_later(&self) {
        self.conclude(&mut self.state.lock());
    }

    fn conclude(&self, state: &mut State) {
        let any = |condition| state.parts.contains(&condition);
        let health = if any(Condition::Down) || (any(Condition::Starting) && state.outages.is_on())
        {
            Health::Away
        } else if any(Condition::Starting) {
            Health::Connecting
        } else if state.is_refusing {
            Health::Refusing
        } else {
            Health::Up
        };
        if health == Health::Away {
            if let Some(reason) = state.outages.to_tell() {
                tracing::warn!(
                    reason,
                    "Redis is away: nodes hear of each other through the database, later; presence and limits are each node's own"
                );
            }
        } else if let Some(over) = state.outages.end() {
            self.tell_end(&over, state.unsent_before);
        }
        let is_up = matches!(health, Health::Up | Health::Refusing);
        metrics::gauge!("confab_bus_up").set(if is_up { 1.0 } else { 0.0 });
        self.health.send_if_modified(|before| {
            let changed = *before != health;
            *before = health;
            changed
        });
    }

    fn tell_end(&self, over: &Over, unsent_before: u64) {
        let unsent = self.unsent.load(Ordering::Relaxed) - unsent_before;
        let seconds = over.seconds;
        if over.was_told {
            tracing::info!(seconds, unsent, "Redis is back");
        } else {
            tracing::debug!(seconds, unsent, "Redis is back");
        }
    }
}
