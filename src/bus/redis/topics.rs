//! What this node listens to: how many do, and what Redis has confirmed.
//!
//! Redis is told by one task ([`super::subscriber`]), in the order of the changes, many at a time. A subscription is
//! confirmed in a [`Session`]; what is missed between two of them nobody knows.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, oneshot},
    time::{Duration, Instant},
};

use super::health::{Health, Monitor};
use crate::bus::Subscribed;

/// A session that has not shown for so long that it holds is not relied on.
const PROOF: Duration = Duration::from_secs(2);

/// A time in which nothing was missed: a connection, until it is lost or Redis is away for another reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Session(u64);

pub(super) struct Topics {
    monitor: Arc<Monitor>,
    state: Mutex<State>,
    /// There is something for the task to tell Redis.
    pub(super) changed: Notify,
}

struct State {
    channels: HashMap<Arc<str>, Listening>,
    /// What Redis has to be told, in order.
    changes: Vec<Arc<str>>,
    sessions: u64,
    session: Option<Session>,
    /// Up to then nothing was missed in this session.
    proven: Instant,
}

/// Those on this node who listen to a channel.
#[derive(Default)]
struct Listening {
    count: usize,
    /// Among the changes.
    is_listed: bool,
    confirmed: Option<Session>,
    waiting: Vec<oneshot::Sender<Session>>,
}

/// What Redis is told at once.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) begin: Vec<Arc<str>>,
    pub(super) end: Vec<Arc<str>>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.begin.is_empty() && self.end.is_empty()
    }
}

impl Topics {
    pub(super) fn new(monitor: Arc<Monitor>) -> Arc<Self> {
        Arc::new(Self {
            monitor,
            state: Mutex::new(State {
                channels: HashMap::new(),
                changes: Vec::new(),
                sessions: 0,
                session: None,
                proven: Instant::now(),
            }),
            changed: Notify::new(),
        })
    }

    /// Listens to a channel until what is returned is dropped. It is current once [`Held::confirmed`] says so.
    pub(super) fn listen(self: &Arc<Self>, channel: String) -> Held {
        let channel: Arc<str> = channel.into();
        let mut held = Held {
            topics: Arc::clone(self),
            channel: Arc::clone(&channel),
            session: None,
            confirmation: None,
        };
        let state = &mut *self.state.lock();
        let listening = state.channels.entry(Arc::clone(&channel)).or_default();
        listening.count += 1;
        held.session = state
            .session
            .filter(|session| listening.confirmed == Some(*session));
        if held.session.is_none() && !self.is_away() {
            let (sender, receiver) = oneshot::channel();
            listening.waiting.push(sender);
            held.confirmation = Some(receiver);
        }
        if held.session.is_none() {
            self.list(state.session, &mut state.changes, listening, channel);
        }
        held
    }

    fn leave(&self, channel: &Arc<str>) {
        let state = &mut *self.state.lock();
        let Entry::Occupied(mut entry) = state.channels.entry(Arc::clone(channel)) else {
            return;
        };
        let listening = entry.get_mut();
        listening.count -= 1;
        if listening.count > 0 {
            return;
        }
        listening.waiting.clear();
        if state.session.is_none() {
            entry.remove();
        } else {
            let channel = Arc::clone(channel);
            self.list(state.session, &mut state.changes, listening, channel);
        }
    }

    /// Without a session there is nobody to tell: the next one begins with all channels.
    fn list(
        &self,
        session: Option<Session>,
        changes: &mut Vec<Arc<str>>,
        listening: &mut Listening,
        channel: Arc<str>,
    ) {
        if session.is_some() && !listening.is_listed {
            listening.is_listed = true;
            changes.push(channel);
            self.changed.notify_one();
        }
    }

    /// A new connection: Redis has to be told all of it again.
    pub(super) fn begin(&self) {
        let state = &mut *self.state.lock();
        state.sessions += 1;
        state.session = Some(Session(state.sessions));
        state.proven = Instant::now();
        state.changes = state.channels.keys().cloned().collect();
        for listening in state.channels.values_mut() {
            listening.is_listed = true;
        }
        self.changed.notify_one();
    }

    /// The connection holds, but something may have been missed.
    pub(super) fn renew(&self) {
        let state = &mut *self.state.lock();
        let before = state.session;
        state.sessions += 1;
        state.session = before.map(|_| Session(state.sessions));
        for listening in state.channels.values_mut() {
            if listening.confirmed == before {
                listening.confirmed = state.session;
            }
        }
    }

    /// The connection has gone, or could not be made.
    pub(super) fn end(&self) {
        let state = &mut *self.state.lock();
        state.session = None;
        state.changes.clear();
        state.channels.retain(|_, listening| {
            listening.is_listed = false;
            listening.waiting.clear();
            listening.count > 0
        });
    }

    /// The next changes, at most `limit`, given what Redis was told in this session.
    pub(super) fn take(&self, limit: usize, told: &HashSet<Arc<str>>) -> Changes {
        let state = &mut *self.state.lock();
        let mut changes = Changes::default();
        let count = limit.min(state.changes.len());
        for channel in state.changes.drain(..count) {
            let Some(listening) = state.channels.get_mut(&channel) else {
                continue;
            };
            listening.is_listed = false;
            match (listening.count > 0, told.contains(&channel)) {
                (true, false) => changes.begin.push(channel),
                (true, true) => {}
                (false, was_told) => {
                    state.channels.remove(&channel);
                    if was_told {
                        changes.end.push(channel);
                    }
                }
            }
        }
        changes
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.state.lock().changes.is_empty()
    }

    /// Redis sends what is published on these from here on. Says whether somebody did not wait for it, who may have missed
    /// something.
    pub(super) fn confirm(&self, channels: &[Arc<str>]) -> bool {
        let state = &mut *self.state.lock();
        let Some(session) = state.session else {
            return false;
        };
        let mut is_late = false;
        for channel in channels {
            let Some(listening) = state.channels.get_mut(channel) else {
                continue;
            };
            listening.confirmed = Some(session);
            for waiting in listening.waiting.drain(..) {
                is_late |= waiting.send(session).is_err();
            }
        }
        is_late
    }

    /// What was published before `asked` has been heard.
    pub(super) fn prove(&self, asked: Instant) {
        self.state.lock().proven = asked;
    }

    pub(super) fn count(&self) -> usize {
        self.state.lock().channels.len()
    }

    fn is_away(&self) -> bool {
        self.monitor.health() == Health::Away
    }

    fn is_current(&self, session: Session) -> bool {
        let state = self.state.lock();
        state.session == Some(session) && state.proven.elapsed() < PROOF && !self.is_away()
    }
}

/// One who listens.
pub(super) struct Held {
    topics: Arc<Topics>,
    channel: Arc<str>,
    session: Option<Session>,
    confirmation: Option<oneshot::Receiver<Session>>,
}

impl Held {
    /// Waits until Redis has confirmed, or cannot be reached.
    pub(super) async fn confirmed(&mut self) {
        if let Some(confirmation) = self.confirmation.take() {
            self.session = confirmation.await.ok();
        }
    }
}

impl Subscribed for Held {
    fn is_current(&self) -> bool {
        self.session
            .is_some_and(|session| self.topics.is_current(session))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.topics.leave(&self.channel);
    }
}

#[cfg(test)]
mod tests;
