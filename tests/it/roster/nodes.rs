//! Nodes that are a roster and somebody who keeps what it tells.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use confab::bus::{
    Bus, Event, Health, Lease, Link, Listener, NodeId, Origin, Place, Redeclare, RedisRoster,
    Roster, Subscription, Topic, Unreachable, Version,
};
use entity::ids::{ExternalId, TenantId, UserId};
use futures_util::future::BoxFuture;
use tempfile::TempDir;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::support::config;

/// How long what must come may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// So long that a busy machine keeps it, so short that tests can wait for its end.
pub const LEASE: Duration = Duration::from_millis(1600);

pub fn tenant() -> TenantId {
    TenantId::default()
}

pub fn user(number: u64) -> UserId {
    UserId(ExternalId::Number(i64::try_from(number).unwrap()))
}

pub async fn eventually<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let so = async {
        while !is_so().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, so).await.unwrap();
}

/// Keeps what is told.
#[derive(Default)]
pub struct Told {
    declared: watch::Sender<Vec<Redeclare>>,
    died: watch::Sender<Vec<(UserId, Version)>>,
    /// Called in the middle of being told of so many deaths; what is told from then on, nobody gets to hear.
    pub interrupt: OnceLock<(usize, Box<dyn Fn() + Send + Sync>)>,
    /// How many deaths cannot be told on.
    pub refused: AtomicU64,
}

impl Listener for Told {
    fn hear(&self, _: Event, _: Origin) {}

    fn catch_up(&self) {}

    fn declare(&self, what: Redeclare) {
        self.declared.send_modify(|all| all.push(what));
    }

    fn died(&self, _: TenantId, user: UserId, version: Version) -> BoxFuture<'_, bool> {
        let interrupt = self.interrupt.get();
        let is_interrupted = interrupt.is_some_and(|(most, _)| self.died.borrow().len() == *most);
        let is_refused = |left: u64| left.checked_sub(1);
        if is_interrupted
            || self
                .refused
                .fetch_update(Relaxed, Relaxed, is_refused)
                .is_ok()
        {
            return Box::pin(async { false });
        }
        self.died.send_modify(|all| all.push((user, version)));
        if let Some((most, interrupt)) = interrupt
            && self.died.borrow().len() == *most
        {
            interrupt();
        }
        Box::pin(async { true })
    }
}

impl Told {
    pub fn died(&self) -> Vec<(UserId, Version)> {
        self.died.borrow().clone()
    }

    pub fn declared(&self) -> Vec<Redeclare> {
        self.declared.borrow().clone()
    }

    /// Waits until something was to be declared that comes after `before`, which was.
    pub async fn to_declare(&self, before: usize, what: Redeclare) {
        let mut declared = self.declared.subscribe();
        let is_there = declared.wait_for(|all| all[before..].contains(&what));
        let found = timeout(PATIENCE, is_there).await.is_ok();
        assert!(found, "{what:?} is not in {:?}", self.declared());
    }
}

/// Counts what every node is asked for.
#[derive(Default)]
pub struct Asked(Mutex<usize>);

impl Bus for Asked {
    fn publish(&self, event: Event) {
        assert!(matches!(event, Event::CatchUp));
        *self.0.lock().unwrap() += 1;
    }

    fn subscribe(&self, _: Topic) -> BoxFuture<'_, Subscription> {
        Box::pin(async { Subscription::alone() })
    }
}

impl Asked {
    pub fn count(&self) -> usize {
        *self.0.lock().unwrap()
    }
}

pub struct Node {
    pub link: Link,
    pub lease: Arc<Lease>,
    pub roster: RedisRoster,
    pub told: Arc<Told>,
    pub asked: Arc<Asked>,
    _folder: TempDir,
}

impl Node {
    /// With a lease.
    pub async fn start(url: &str, length: Duration) -> Self {
        let node = Self::unconnected(url, length);
        node.has_lease().await;
        node
    }

    pub fn unconnected(url: &str, length: Duration) -> Self {
        let folder = TempDir::new().unwrap();
        // Several nodes have a database that can be shared; nothing is asked of it here.
        let database = ("database_url", "postgres://127.0.0.1/none");
        let config = config(&folder, &[("redis_url", url), database]);
        let link = Link::start(&config).unwrap().unwrap();
        let lease = Lease::new(link.clone(), length);
        let (told, asked) = (Arc::<Told>::default(), Arc::<Asked>::default());
        let listener: Weak<Told> = Arc::downgrade(&told);
        Self {
            roster: RedisRoster::start(Arc::clone(&lease), listener, Arc::clone(&asked) as _),
            link,
            lease,
            told,
            asked,
            _folder: folder,
        }
    }

    pub async fn some<const COUNT: usize>(url: &str) -> [Self; COUNT] {
        let nodes = (0..COUNT).map(|_| Self::start(url, LEASE));
        let nodes = futures_util::future::join_all(nodes).await;
        nodes.try_into().map_err(|_| ()).unwrap()
    }

    pub async fn has_lease(&self) {
        eventually(|| async { self.lease.current().is_ok() && self.link.health() == Health::Up })
            .await;
    }

    /// Gives its lease back; those who are here still have so long to appear elsewhere.
    pub async fn leave(&self, patience: Duration) {
        self.roster.leave(patience).await;
    }

    /// kill -9.
    pub fn die(self) -> NodeId {
        self.link.node
    }

    pub async fn arrive(&self, number: u64) -> Option<Version> {
        self.try_arrive(number).await.unwrap()
    }

    pub async fn try_arrive(&self, number: u64) -> Result<Option<Version>, Unreachable> {
        self.roster.arrive(&tenant(), &user(number), &[]).await
    }

    pub async fn remain(&self, number: u64) -> Option<Version> {
        let (tenant, user) = (tenant(), user(number));
        self.roster.remain(&tenant, &user, &[]).await.unwrap()
    }

    pub async fn depart(&self, number: u64) -> Option<Version> {
        self.roster.depart(&tenant(), &user(number)).await.unwrap()
    }

    /// On which other nodes each of some users is.
    pub async fn elsewhere(
        &self,
        numbers: impl IntoIterator<Item = u64>,
    ) -> HashMap<UserId, Vec<NodeId>> {
        let users: Vec<UserId> = numbers.into_iter().map(user).collect();
        let found = self.roster.elsewhere(&tenant(), &users).await;
        let nodes = |places: Vec<Place>| places.into_iter().map(|place| place.node).collect();
        found
            .into_iter()
            .map(|(user, places)| (user, nodes(places)))
            .collect()
    }

    /// Waits until nothing is left of leases that have ended, and so many are in force.
    pub async fn all_is_cleared(&self, nodes: usize) {
        let count = async |name: &str| -> usize {
            let key = self.link.key("leases", &["nodes"], &[name]);
            let command = redis::cmd("ZCARD").arg(key).clone();
            self.link.run(&command).await.unwrap_or(usize::MAX)
        };
        // In this order: a lease goes from the first to the second.
        eventually(|| async { count("in_force").await == nodes && count("ended").await == 0 })
            .await;
    }
}
