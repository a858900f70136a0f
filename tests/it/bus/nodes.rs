//! Nodes that are a bus and somebody who keeps what they hear.

use std::{
    future::Future,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use confab::{
    bus::{
        Bus, Event, Health, Link, Listener, Origin, Redeclare, RedisBus, Subscription, Topic,
        Typist, Version, connect,
    },
    protocol::PresenceUpdate,
};
use entity::ids::{ExternalId, RoomId, TenantId, UserId};
use futures_util::future::{BoxFuture, join_all};
use tempfile::TempDir;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{config, redis_server::RedisServer};

/// How long what must come may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps what is heard.
#[derive(Default)]
pub struct Heard {
    events: Mutex<Vec<(Event, Origin, Instant)>>,
    count: watch::Sender<usize>,
    catch_ups: watch::Sender<Vec<Instant>>,
    /// How long hearing takes.
    slowness: Mutex<Duration>,
}

impl Listener for Heard {
    fn hear(&self, event: Event, origin: Origin) {
        let slowness = *self.slowness.lock().unwrap();
        if !slowness.is_zero() && origin == Origin::Elsewhere {
            std::thread::sleep(slowness);
        }
        if matches!(event, Event::CatchUp) {
            return self.catch_up();
        }
        let count = {
            let mut events = self.events.lock().unwrap();
            events.push((event, origin, Instant::now()));
            events.len()
        };
        // Whoever waits for it looks at the events.
        self.count
            .send_modify(|before| *before = count.max(*before));
    }

    fn catch_up(&self) {
        self.catch_ups.send_modify(|all| all.push(Instant::now()));
    }

    fn declare(&self, _: Redeclare) {}

    fn died(&self, _: TenantId, _: UserId, _: Version) -> BoxFuture<'_, bool> {
        Box::pin(async { true })
    }
}

impl Heard {
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    pub fn origins(&self) -> Vec<Origin> {
        let events = self.events.lock().unwrap();
        events.iter().map(|(_, origin, _)| *origin).collect()
    }

    /// The connections of those who typed, in the order in which they were heard, once there are so many.
    pub async fn typists(&self, count: usize) -> Vec<u64> {
        self.reach(count).await;
        let events = self.events.lock().unwrap();
        let typists = events.iter().filter_map(|(event, ..)| match event {
            Event::Typing { typist, .. } => Some(typist.connection),
            _ => None,
        });
        typists.collect()
    }

    /// Waits until so many were heard.
    pub async fn reach(&self, count: usize) {
        let mut counted = self.count.subscribe();
        let all = timeout(PATIENCE, counted.wait_for(|heard| *heard >= count)).await;
        assert!(all.is_ok(), "only {} of {count} were heard", self.count());
    }

    /// When the one with this connection was heard.
    pub async fn typist(&self, connection: u64) -> Instant {
        let mut counted = self.count.subscribe();
        let is_there = counted.wait_for(|_| self.has(connection));
        let found = timeout(PATIENCE, is_there).await.is_ok();
        assert!(found, "{connection} was not heard");
        self.heard_at(connection).unwrap()
    }

    pub fn has(&self, connection: u64) -> bool {
        self.heard_at(connection).is_some()
    }

    fn heard_at(&self, connection: u64) -> Option<Instant> {
        let events = self.events.lock().unwrap();
        events.iter().find_map(|(event, _, at)| match event {
            Event::Typing { typist, .. } if typist.connection == connection => Some(*at),
            _ => None,
        })
    }

    pub fn catch_ups(&self) -> usize {
        self.catch_ups.borrow().len()
    }

    pub async fn told_to_catch_up(&self) -> Instant {
        self.caught_up_since(0).await
    }

    /// When it was told to catch up, after having been told so often.
    pub async fn caught_up_since(&self, count: usize) -> Instant {
        let mut told = self.catch_ups.subscribe();
        let all = timeout(PATIENCE, told.wait_for(|all| all.len() > count)).await;
        assert!(all.is_ok(), "it was not told to catch up");
        all.unwrap().unwrap()[count]
    }

    pub fn is_slow(&self, slowness: Duration) {
        *self.slowness.lock().unwrap() = slowness;
    }
}

pub struct Node {
    pub link: Link,
    pub heard: Arc<Heard>,
    pub bus: RedisBus,
    _folder: TempDir,
}

impl Node {
    /// Connected.
    pub async fn start(url: &str) -> Self {
        Self::with(url, &[]).await
    }

    pub async fn with(url: &str, settings: &[(&str, &str)]) -> Self {
        let node = Self::connecting(url, settings);
        node.is(Health::Up).await;
        // What it was told on connecting is no news.
        node.heard.told_to_catch_up().await;
        node.heard.catch_ups.send_modify(Vec::clear);
        node
    }

    pub async fn two(url: &str) -> (Self, Self) {
        tokio::join!(Self::start(url), Self::start(url))
    }

    /// Not connected yet.
    pub fn without_redis(url: &str) -> Self {
        Self::connecting(url, &[])
    }

    fn connecting(url: &str, settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = config(&folder, settings);
        // A server would want a database of several nodes besides.
        config.redis_url.0 = Some(url.to_owned());
        let link = Link::start(&config).unwrap().unwrap();
        let heard = Arc::new(Heard::default());
        let weak: std::sync::Weak<Heard> = Arc::downgrade(&heard);
        let bus = connect(&link, weak);
        Self {
            link,
            heard,
            bus,
            _folder: folder,
        }
    }

    pub async fn is(&self, wanted: Health) {
        let mut watch = self.link.watch();
        let there = timeout(PATIENCE, watch.wait_for(|health| *health == wanted)).await;
        assert!(there.is_ok(), "it is {:?}", self.link.health());
    }

    pub async fn listen(&self, topic: Topic) -> Subscription {
        self.bus.subscribe(topic).await
    }
}

pub async fn all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    join_all(futures).await
}

/// Looks until it is so.
pub async fn eventually<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    let looking = async {
        while !is_so().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let came = timeout(PATIENCE, looking).await;
    assert!(came.is_ok(), "it did not come to be so");
}

/// How many connections Redis sends what is published on a channel.
pub async fn listeners(redis: &RedisServer, channel: &str) -> u64 {
    redis
        .ask::<(String, u64)>(&["PUBSUB", "NUMSUB", channel])
        .await
        .1
}

pub async fn publish_raw(redis: &RedisServer, channel: &str, bytes: &[u8]) {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd("PUBLISH");
    command.arg(channel).arg(bytes);
    let heard: u64 = command.query_async(&mut connection).await.unwrap();
    assert_eq!(heard, 1);
}

fn named(name: &str) -> RoomId {
    RoomId(ExternalId::text(name).unwrap())
}

fn numbered(number: u64) -> RoomId {
    RoomId(ExternalId::Number(number.try_into().unwrap()))
}

pub fn room(number: u64) -> Topic {
    Topic::Room(TenantId::default(), numbered(number))
}

pub fn named_room(name: &str) -> Topic {
    Topic::Room(TenantId::default(), named(name))
}

pub fn user(number: u64) -> Topic {
    Topic::User(TenantId::default(), user_id(number))
}

fn user_id(number: u64) -> UserId {
    UserId(ExternalId::Number(number.try_into().unwrap()))
}

pub fn desk() -> Topic {
    Topic::Desk(TenantId::default())
}

pub fn typing(room: u64, connection: u64) -> Event {
    typing_at(numbered(room), connection, false)
}

pub fn typing_in(room: &str, connection: u64) -> Event {
    typing_at(named(room), connection, false)
}

pub fn typing_in_support(room: u64, connection: u64) -> Event {
    typing_at(numbered(room), connection, true)
}

fn typing_at(room: RoomId, connection: u64, is_support: bool) -> Event {
    Event::Typing {
        tenant: TenantId::default(),
        room,
        typist: Typist {
            user_id: user_id(7),
            username: Arc::from("grace"),
            is_staff: false,
            connection,
        },
        is_typing: true,
        is_support,
    }
}

pub fn presence(companions: std::ops::Range<u64>) -> Event {
    Event::Presence {
        tenant: TenantId::default(),
        update: PresenceUpdate {
            user_id: user_id(1000),
            username: "ada".to_owned(),
            last_seen: None,
        },
        version: Version(1),
        to_all: false,
        companions: companions.map(user_id).collect(),
        support_room: None,
    }
}

/// What this thread writes into the log.
pub struct Log {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

#[derive(Clone)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Page {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Of what runs on this thread: all of a test that has one.
    pub fn capture() -> Self {
        let text = Arc::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(Page(Arc::clone(&text)))
            .with_ansi(false)
            .with_max_level(tracing::Level::INFO)
            .finish();
        Self {
            text,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// Those that hold some words.
    pub fn lines(&self, words: &str) -> Vec<String> {
        let text = String::from_utf8(self.text.lock().unwrap().clone()).unwrap();
        text.lines()
            .filter(|line| line.contains(words))
            .map(ToOwned::to_owned)
            .collect()
    }
}
