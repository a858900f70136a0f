//! Whether Redis is there, over all connections to it; said once when it goes and once when it is back.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Duration, Instant},
};

/// An outage that follows another within so long is told of only if it lasts as long: a connection that breaks again and
/// again does not fill the log.
const QUIET: Duration = Duration::from_secs(10);

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

struct Outage {
    since: Instant,
    reason: String,
    told: bool,
    unsent: u64,
}

struct State {
    parts: [Condition; 3],
    outage: Option<Outage>,
    last_outage: Option<Instant>,
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
                outage: None,
                last_outage: None,
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
        if state.outage.is_none() {
            metrics::counter!("confab_bus_outages_total").increment(1);
            state.outage = Some(Outage {
                since: Instant::now(),
                reason: reason.to_owned(),
                told: false,
                unsent: self.unsent.load(Ordering::Relaxed),
            });
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
        let health = if any(Condition::Down) || (any(Condition::Starting) && state.outage.is_some())
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
            tell_begin(state);
        } else if let Some(outage) = state.outage.take() {
            state.last_outage = Some(Instant::now());
            self.tell_end(&outage);
        }
        let is_up = matches!(health, Health::Up | Health::Refusing);
        metrics::gauge!("confab_bus_up").set(if is_up { 1.0 } else { 0.0 });
        self.health.send_if_modified(|before| {
            let changed = *before != health;
            *before = health;
            changed
        });
    }

    fn tell_end(&self, outage: &Outage) {
        let unsent = self.unsent.load(Ordering::Relaxed) - outage.unsent;
        let seconds = outage.since.elapsed().as_secs_f64();
        if outage.told {
            tracing::info!(seconds, unsent, "Redis is back");
        } else {
            tracing::debug!(seconds, unsent, "Redis is back");
        }
    }
}

fn tell_begin(state: &mut State) {
    let since = |instant: Instant| instant.elapsed() >= QUIET;
    let is_first = state.last_outage.is_none_or(since);
    if let Some(outage) = &mut state.outage
        && !outage.told
        && (is_first || since(outage.since))
    {
        outage.told = true;
        tracing::warn!(
            reason = outage.reason,
            "Redis is away: nodes hear of each other through the database, later; presence and limits are each node's own"
        );
    }
}
