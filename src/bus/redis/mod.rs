//! The bus of several nodes, over Redis.
//!
//! A topic is a channel, which a node listens to while somebody on it listens to the topic. Redis keeps nothing of it, so
//! whoever was away has missed what was said, and finds it in the store. Three connections are made, each of which comes
//! back by itself: [`link`] for commands, [`publisher`] for the way out, [`subscriber`] for the way in. [`health`] is what
//! they know together.

mod envelope;
mod health;
mod keeper;
mod lease;
mod link;
mod names;
mod publisher;
mod reaper;
mod roster;
mod seen;
mod servers;
mod subscriber;
mod target;
mod topics;

use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;
use tokio::time::{Duration, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use health::Health;
pub use lease::{Lease, LeaseId, Leased};
pub use link::{Link, Request};
pub use roster::RedisRoster;

use super::{Bus, Event, Listener, Origin, Subscription, Topic};
use health::Part;
use publisher::Outbox;
use subscriber::Ear;
use topics::{Held, Topics};

/// How long whoever subscribes waits for Redis.
const PATIENCE: Duration = Duration::from_secs(1);
/// While Redis is away, how often the store is looked into.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// An event with more topics goes to every node, which is then less than once for each topic.
const WIDE: usize = 32;

/// Takes events to the own node at once, and to others over Redis.
pub struct RedisBus {
    listener: Weak<dyn Listener>,
    link: Link,
    outbox: Arc<Outbox>,
    topics: Arc<Topics>,
    _nodes: Held,
    _running: DropGuard,
}

/// Connects the bus of this node, which ends when it is dropped. The listener is asked to catch up as soon as Redis is
/// reached, and every second while it is not.
#[must_use]
pub fn connect(link: &Link, listener: Weak<dyn Listener>) -> RedisBus {
    let monitor = &link.shared().monitor;
    monitor.expect(Part::Publisher);
    monitor.expect(Part::Subscriber);
    let outbox = Outbox::new(link.clone());
    let topics = Topics::new(Arc::clone(monitor));
    let ear = Arc::new(Ear::new(link.node, listener.clone()));
    let nodes = topics.listen(link.shared().channel(&Topic::Nodes));
    let end = CancellationToken::new();
    let run = |task: BoxFuture<'static, ()>| {
        tokio::spawn(end.clone().run_until_cancelled_owned(task));
    };
    run(Box::pin(publisher::run(Arc::clone(&outbox))));
    run(Box::pin(look(link.clone(), Arc::clone(&ear))));
    let subscribing = subscriber::run(link.clone(), Arc::clone(&topics), ear);
    run(Box::pin(subscribing));
    RedisBus {
        listener,
        link: link.clone(),
        outbox,
        topics,
        _nodes: nodes,
        _running: end.drop_guard(),
    }
}

/// While Redis is away, nodes hear of each other through the store.
async fn look(link: Link, ear: Arc<Ear>) {
    let mut health = link.watch();
    while health
        .wait_for(|health| *health == Health::Away)
        .await
        .is_ok()
    {
        ear.catch_up();
        sleep(LOOK_EVERY).await;
    }
}

impl Bus for RedisBus {
    fn publish(&self, event: Event) {
        let outgoing = self.outbox.is_open().then(|| event.clone());
        if let Some(listener) = self.listener.upgrade() {
            listener.hear(event, Origin::Here);
        }
        if let Some(event) = outgoing {
            let topics = event.topics();
            if topics.len() > WIDE {
                self.outbox.put(&[Topic::Nodes], &event);
            } else {
                self.outbox.put(&topics, &event);
            }
        }
    }

    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Subscription> {
        let mut held = self.topics.listen(self.link.shared().channel(&topic));
        Box::pin(async move {
            // What is not confirmed by then is not current.
            timeout(PATIENCE, held.confirmed()).await.ok();
            Subscription::new(held)
        })
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.outbox.flush())
    }
}
