//! The way in from other nodes: a connection that is told what this node listens to, and hears it.
//!
//! Events are read and handed on in the task that reads the connection. A node that cannot keep up therefore takes from
//! the connection no more than it can, and Redis ends a connection behind which too much waits: then all of it is found in
//! the store. Nothing piles up here.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{
        Arc, Weak,
        atomic::{AtomicI64, Ordering},
    },
};

use parking_lot::Mutex;
use redis::{Pipeline, PushInfo, PushKind, Value};
use tokio::{
    sync::Notify,
    time::{Duration, Instant, sleep_until, timeout},
};

use super::{
    envelope::{Envelope, Unreadable},
    health::{Health, Part},
    link::{Backoff, Link, words},
    seen::Seen,
    servers::Servers,
    topics::{Changes, Topics},
};
use crate::bus::{Listener, NodeId, Origin};

/// What Redis is told at once.
const BATCH: usize = 500;
/// How often the connection is asked whether it still holds, and how long it may take to show it.
const PING_EVERY: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is told that something could not be read.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

/// Hands on what is heard.
pub(super) struct Ear {
    node: NodeId,
    listener: Weak<dyn Listener>,
    seen: Mutex<Seen>,
    complained: Mutex<Option<Instant>>,
}

impl Ear {
    pub(super) fn new(node: NodeId, listener: Weak<dyn Listener>) -> Self {
        metrics::counter!("confab_bus_received_total").increment(0);
        metrics::counter!("confab_bus_unreadable_total").increment(0);
        Self {
            node,
            listener,
            seen: Mutex::default(),
            complained: Mutex::new(None),
        }
    }

    fn hear(&self, bytes: &[u8]) -> Result<(), Unreadable> {
        let envelope = Envelope::read(bytes)?;
        if envelope.node == self.node {
            return Ok(());
        }
        metrics::counter!("confab_bus_received_total").increment(1);
        let is_new =
            !envelope.is_repeated || self.seen.lock().is_new(envelope.node, envelope.number);
        if is_new && let Some(listener) = self.listener.upgrade() {
            listener.hear(envelope.event()?, Origin::Elsewhere);
        }
        Ok(())
    }

    /// Nodes of a newer release say things that this one does not know, and their own code does without.
    fn complain(&self, what: &Unreadable) {
        metrics::counter!("confab_bus_unreadable_total").increment(1);
        let mut complained = self.complained.lock();
        if complained.is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY) {
            *complained = Some(Instant::now());
            let what = &what.0;
            tracing::warn!(what, "another node said something that cannot be read here");
        }
    }

    pub(super) fn catch_up(&self) {
        if let Some(listener) = self.listener.upgrade() {
            listener.catch_up();
        }
    }
}

/// Connects, listens, and connects again.
pub(super) async fn run(link: Link, topics: Arc<Topics>, ear: Arc<Ear>) {
    let shared = Arc::clone(link.shared());
    let mut backoff = Backoff::default();
    loop {
        let ends = Arc::new(Ends::default());
        let heard = listen(&ear, &ends);
        let reason = match Servers::open(&shared.target, heard).await {
            Ok(servers) => {
                backoff.connected();
                topics.begin();
                let mut connection = Connection {
                    link: &link,
                    topics: &topics,
                    servers,
                    told: HashSet::new(),
                    ends: &ends,
                    is_cluster: shared.target.is_cluster(),
                };
                tokio::select! {
                    Err(reason) = connection.keep(&ear) => reason,
                    () = ends.over.notified() => "the connection was closed".to_owned(),
                }
            }
            Err(reason) => reason,
        };
        shared.monitor.down(Part::Subscriber, &reason);
        topics.end();
        backoff.wait().await;
    }
}

/// What is heard, in the task that reads it.
fn listen(
    ear: &Arc<Ear>,
    ends: &Arc<Ends>,
) -> impl Fn(PushInfo) + Clone + Send + Sync + 'static + use<> {
    let (ear, ends) = (Arc::clone(ear), Arc::clone(ends));
    move |push| match push.kind {
        PushKind::Message | PushKind::SMessage => {
            if let Some(Value::BulkString(bytes)) = push.data.last()
                && let Err(what) = ear.hear(bytes)
            {
                ear.complain(&what);
            }
        }
        PushKind::SUnsubscribe => ends.confirmed(),
        PushKind::Disconnection => ends.over.notify_one(),
        _ => {}
    }
}

/// The ends of subscriptions to channels of a cluster. One that was not asked for says that the channel has moved to
/// another server; then everything begins anew.
#[derive(Default)]
struct Ends {
    asked: AtomicI64,
    over: Notify,
}

impl Ends {
    fn confirmed(&self) {
        if self.asked.fetch_sub(1, Ordering::AcqRel) <= 0 {
            self.over.notify_one();
        }
    }
}

/// A connection while it holds.
struct Connection<'a> {
    link: &'a Link,
    topics: &'a Topics,
    servers: Servers,
    /// What it listens to.
    told: HashSet<Arc<str>>,
    ends: &'a Ends,
    is_cluster: bool,
}

impl Connection<'_> {
    /// Tells Redis what is listened to, and what changes, until it cannot.
    async fn keep(&mut self, ear: &Ear) -> Result<Infallible, String> {
        self.ping().await?;
        while self.tell_next(ear).await? {}
        self.link.shared().monitor.up(Part::Subscriber);
        ear.catch_up();
        let (mut health, mut was_away) = (self.link.watch(), false);
        let mut ping_at = Instant::now() + PING_EVERY;
        loop {
            tokio::select! {
                () = self.topics.changed.notified() => while self.tell_next(ear).await? {},
                () = sleep_until(ping_at) => {}
                Ok(()) = health.changed() => {}
            }
            if Instant::now() >= ping_at {
                self.ping().await?;
                ping_at = Instant::now() + PING_EVERY;
            }
            // It can be away though this connection holds: a server that has become a replica, say.
            let is_away = *health.borrow_and_update() == Health::Away;
            if was_away && !is_away {
                self.topics.renew();
                ear.catch_up();
            }
            was_away = is_away;
        }
    }

    async fn ping(&self) -> Result<(), String> {
        let asked = Instant::now();
        self.servers.ping(PATIENCE).await?;
        self.topics.prove(asked);
        metrics::histogram!("confab_bus_lag_seconds").record(asked.elapsed().as_secs_f64());
        let channels = u32::try_from(self.topics.count()).unwrap_or(u32::MAX);
        metrics::gauge!("confab_bus_channels").set(channels);
        Ok(())
    }

    /// Tells Redis of some changes; `false` if there are none.
    async fn tell_next(&mut self, ear: &Ear) -> Result<bool, String> {
        let changes = self.topics.take(BATCH, &self.told);
        if changes.is_empty() {
            return Ok(self.topics.has_changes());
        }
        if self.tell(changes).await? {
            ear.catch_up();
        }
        Ok(true)
    }

    /// Says whether somebody did not wait for it.
    async fn tell(&mut self, changes: Changes) -> Result<bool, String> {
        let (begin, end) = if self.is_cluster {
            ("SSUBSCRIBE", "SUNSUBSCRIBE")
        } else {
            ("SUBSCRIBE", "UNSUBSCRIBE")
        };
        let mut pipelines = vec![Pipeline::new(); self.servers.all.len()];
        for channel in &changes.end {
            self.told.remove(channel);
            self.ends.asked.fetch_add(1, Ordering::AcqRel);
            pipelines[self.servers.of(channel)].cmd(end).arg(&**channel);
        }
        for channel in &changes.begin {
            self.told.insert(Arc::clone(channel));
            pipelines[self.servers.of(channel)]
                .cmd(begin)
                .arg(&**channel);
        }
        let telling = self.servers.exec(&pipelines);
        timeout(PATIENCE, telling)
            .await
            .map_err(|_| "it did not answer in time".to_owned())?
            .map_err(|error| words(&error))?;
        Ok(self.topics.confirm(&changes.begin))
    }
}
