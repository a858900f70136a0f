//! The way out to other nodes: a bounded queue, and a task that takes it to Redis, much at a time.
//!
//! What finds no place is dropped, and all that is kept of it is that something was. Once Redis takes events again the
//! other nodes are told to look into the store ([`Event::CatchUp`]).

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use redis::{Pipeline, PushInfo, PushKind, RedisError};
use tokio::{
    sync::Notify,
    time::{Duration, Instant, sleep, timeout},
};

use super::{
    envelope,
    health::Part,
    link::{Backoff, Link, Trouble, words},
    servers::Servers,
};
use crate::bus::{Event, Topic};

/// Envelopes that may wait, and the bytes of them that Redis is sent.
const QUEUE: usize = 16384;
const QUEUE_BYTES: usize = 16 << 20;
/// What is sent at once.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 1 << 20;
/// How long Redis may take for it.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often the connection is looked at, and the others are told to look into the store at most.
const TICK: Duration = Duration::from_millis(500);

/// An event on its way to other nodes.
struct Outgoing {
    channels: Vec<String>,
    envelope: Vec<u8>,
}

impl Outgoing {
    fn bytes(&self) -> usize {
        self.channels.len() * self.envelope.len()
    }
}

#[derive(Default)]
struct Queue {
    /// Whether there is a connection.
    is_open: bool,
    /// Whether some of it is being sent.
    is_sending: bool,
    waiting: VecDeque<Outgoing>,
    bytes: usize,
}

/// What waits to be sent.
pub(super) struct Outbox {
    link: Link,
    queue: Mutex<Queue>,
    filled: Notify,
    /// A batch was sent, or dropped.
    emptied: Notify,
    numbers: AtomicU64,
    /// How many envelopes nobody else has heard.
    missed: AtomicU64,
}

impl Outbox {
    pub(super) fn new(link: Link) -> Arc<Self> {
        Arc::new(Self {
            link,
            queue: Mutex::default(),
            filled: Notify::new(),
            emptied: Notify::new(),
            numbers: AtomicU64::new(0),
            missed: AtomicU64::new(0),
        })
    }

    /// Whether it makes sense to put anything in; if not, it was noted that something was missed.
    pub(super) fn is_open(&self) -> bool {
        let is_open = self.queue.lock().is_open && !self.link.is_away();
        if !is_open {
            self.miss(1);
        }
        is_open
    }

    /// Puts an event in, if there is a place.
    pub(super) fn put(&self, topics: &[Topic], event: &Event) {
        let Some(outgoing) = self.outgoing(topics, event) else {
            return self.miss(1);
        };
        let mut queue = self.queue.lock();
        let bytes = queue.bytes + outgoing.bytes();
        if !queue.is_open || queue.waiting.len() >= QUEUE || bytes > QUEUE_BYTES {
            drop(queue);
            return self.miss(1);
        }
        queue.bytes = bytes;
        queue.waiting.push_back(outgoing);
        drop(queue);
        self.filled.notify_one();
    }

    fn outgoing(&self, topics: &[Topic], event: &Event) -> Option<Outgoing> {
        let shared = self.link.shared();
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let is_repeated = topics.len() > 1;
        let envelope = envelope::write(self.link.node, number, is_repeated, event)
            .inspect_err(|error| shared.complain(&format!("an event cannot be written: {error}")))
            .ok()?;
        let channels = topics.iter().map(|topic| shared.channel(topic)).collect();
        Some(Outgoing { channels, envelope })
    }

    fn miss(&self, count: u64) {
        self.missed.fetch_add(count, Ordering::Relaxed);
        self.link.shared().monitor.unsent(count);
    }

    fn open(&self) {
        self.queue.lock().is_open = true;
    }

    fn close(&self) {
        let dropped = std::mem::take(&mut *self.queue.lock());
        self.miss(dropped.waiting.len() as u64);
        self.emptied.notify_waiters();
    }

    /// Waits until all of it was sent or dropped, not for long.
    pub(super) async fn flush(&self) {
        let flushing = async {
            loop {
                let emptied = self.emptied.notified();
                if self.is_idle() {
                    return;
                }
                emptied.await;
            }
        };
        timeout(PATIENCE, flushing).await.ok();
    }

    fn is_idle(&self) -> bool {
        let queue = self.queue.lock();
        queue.waiting.is_empty() && !queue.is_sending
    }

    fn sent(&self) {
        self.queue.lock().is_sending = false;
        self.emptied.notify_waiters();
    }

    fn take(&self) -> Vec<Outgoing> {
        let mut queue = self.queue.lock();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH
            && bytes < BATCH_BYTES
            && let Some(outgoing) = queue.waiting.pop_front()
        {
            bytes += outgoing.bytes();
            batch.push(outgoing);
        }
        queue.bytes -= bytes;
        queue.is_sending = !batch.is_empty();
        batch
    }
}

/// Connects, sends what is put in, and connects again.
pub(super) async fn run(outbox: Arc<Outbox>) {
    let shared = Arc::clone(outbox.link.shared());
    let mut backoff = Backoff::default();
    let mut others = Others::default();
    loop {
        let closed = Arc::new(Notify::new());
        let notify = Arc::clone(&closed);
        let heard = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                notify.notify_one();
            }
        };
        let reason = match Servers::open(&shared.target, heard).await {
            Ok(servers) => {
                outbox.open();
                shared.monitor.up(Part::Publisher);
                backoff.connected();
                let reason = send_all(&outbox, &servers, &closed, &mut others).await;
                outbox.close();
                reason
            }
            Err(reason) => reason,
        };
        shared.monitor.down(Part::Publisher, &reason);
        backoff.wait().await;
    }
}

/// What the other nodes know.
#[derive(Default)]
struct Others {
    /// How much of what they missed.
    told: u64,
    told_at: Option<Instant>,
    /// Redis was away, and what was sent just before may have been heard by nobody.
    is_doubtful: bool,
}

impl Others {
    /// Whether they have to be told to look into the store, now.
    fn have_missed(&mut self, outbox: &Outbox) -> bool {
        if outbox.link.is_away() {
            self.is_doubtful = true;
            return false;
        }
        let missed = outbox.missed.load(Ordering::Relaxed);
        let is_due = self.told_at.is_none_or(|at| at.elapsed() >= TICK);
        let have_missed = is_due && (self.is_doubtful || missed > self.told);
        if have_missed {
            *self = Self {
                told: missed,
                told_at: Some(Instant::now()),
                is_doubtful: false,
            };
        }
        have_missed
    }
}

/// Says why it cannot send any more.
async fn send_all(
    outbox: &Outbox,
    servers: &Servers,
    closed: &Notify,
    others: &mut Others,
) -> String {
    loop {
        let mut batch = outbox.take();
        if others.have_missed(outbox) {
            batch.extend(outbox.outgoing(&[Topic::Nodes], &Event::CatchUp));
        }
        if batch.is_empty() {
            tokio::select! {
                () = outbox.filled.notified() => {}
                () = closed.notified() => return "the connection was closed".to_owned(),
                () = sleep(TICK) => if let Err(reason) = servers.ping(PATIENCE).await {
                    return reason;
                }
            }
            continue;
        }
        if let Err(reason) = send(outbox, servers, &batch).await {
            // Some of it may have been sent.
            outbox.miss(batch.len() as u64);
            return reason;
        }
        outbox.sent();
    }
}

async fn send(outbox: &Outbox, servers: &Servers, batch: &[Outgoing]) -> Result<(), String> {
    let shared = outbox.link.shared();
    let command = if shared.target.is_cluster() {
        "SPUBLISH"
    } else {
        "PUBLISH"
    };
    let mut pipelines = vec![Pipeline::new(); servers.all.len()];
    for outgoing in batch {
        for channel in &outgoing.channels {
            pipelines[servers.of(channel)]
                .cmd(command)
                .arg(channel)
                .arg(&outgoing.envelope)
                .ignore();
        }
    }
    let sent = timeout(PATIENCE, servers.exec(&pipelines)).await;
    match sent.map_err(|_| "it did not answer in time".to_owned())? {
        Ok(()) => metrics::counter!("confab_bus_published_total").increment(batch.len() as u64),
        Err(error) if is_over(&error) => return Err(words(&error)),
        Err(error) => {
            shared.complain(&words(&error));
            outbox.miss(batch.len() as u64);
        }
    }
    Ok(())
}

/// Whether the connection is of no use any more: it has gone, or the channel belongs to another server now.
fn is_over(error: &RedisError) -> bool {
    error.is_cluster_error() || Trouble::of(error) == Trouble::Lost
}
