//! Limits that hold over all nodes, by a real Redis.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use confab::{
    bus::{Health, Redeclare},
    clock::Clock,
    error::{Error, Result},
    limits::{Counted, Limits, UserPlace},
};
use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{
    roster::nodes::{Node, eventually, tenant, user},
    support::{config, redis_server::RedisServer},
};

const WINDOW: Duration = Duration::from_secs(3);

struct Limited {
    node: Node,
    limits: Arc<Limits>,
}

impl Limited {
    fn new(node: Node) -> Self {
        let settings = [("rate_limit_window_seconds", "3")];
        let config = config(&TempDir::new().unwrap(), &settings);
        let lease = Some(Arc::clone(&node.lease));
        Self {
            limits: Arc::new(Limits::new(&config, Clock::System, lease)),
            node,
        }
    }

    async fn some<const COUNT: usize>(redis: &RedisServer) -> [Self; COUNT] {
        let nodes: [Node; COUNT] = Node::some(&redis.url()).await;
        nodes.map(Self::new)
    }

    async fn send(&self) -> Result<Counted> {
        let sent = self.limits.message(&tenant(), &user(7)).await?;
        Ok(sent.unwrap())
    }

    /// How many of so many are admitted.
    async fn send_many(&self, count: usize) -> usize {
        let sent = join_all((0..count).map(|_| self.send())).await;
        sent.iter().filter(|sent| sent.is_ok()).count()
    }

    async fn connect(&self) -> Result<UserPlace> {
        self.limits.connection(&tenant(), &user(7)).await
    }

    /// The places that were got of so many.
    async fn connect_many(&self, count: usize) -> Vec<UserPlace> {
        let places = join_all((0..count).map(|_| self.connect())).await;
        places.into_iter().filter_map(Result::ok).collect()
    }
}

fn retry_after(refused: Result<Counted>) -> Duration {
    match refused.err() {
        Some(Error::RateLimited { retry_after }) => retry_after,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_together_admit_exactly_20_in_any_window() {
    let redis = RedisServer::start().await;
    let nodes: [Limited; 3] = Limited::some(&redis).await;
    let began = Instant::now();
    let until = began + WINDOW * 3 + WINDOW / 2;
    let racing = nodes.iter().flat_map(|node| (0..4).map(move |_| node));
    let sent = join_all(racing.map(|node| async move {
        let mut sent = Vec::new();
        while Instant::now() < until {
            let asked = Instant::now();
            match node.send().await {
                Ok(_) => sent.push((asked, Instant::now())),
                Err(_) => sleep(Duration::from_millis(3)).await,
            }
        }
        sent
    }))
    .await;
    let mut sent: Vec<(Instant, Instant)> = sent.into_iter().flatten().collect();
    sent.sort_unstable();
    // Each was admitted at some moment between being asked for and being answered.
    for group in sent.windows(21) {
        let (asked, _) = group[0];
        let answered = group.iter().map(|(_, answered)| *answered).max().unwrap();
        assert!(answered - asked >= WINDOW, "21 in {:?}", answered - asked);
    }
    assert_eq!(sent.len(), 80, "20 as soon as they may");
}

#[tokio::test]
async fn a_refusal_names_the_moment_from_which_one_more_is_admitted_anywhere() {
    let redis = RedisServer::start().await;
    let [one, two] = Limited::some(&redis).await;
    assert_eq!(one.send_many(1).await, 1);
    sleep(WINDOW / 4).await;
    assert_eq!(one.send_many(10).await + two.send_many(10).await, 19);
    let first = retry_after(two.send().await);
    assert!(
        first < WINDOW * 3 / 4 + Duration::from_millis(20),
        "{first:?}"
    );
    // The same again, from what the node knows.
    let second = retry_after(two.send().await);
    assert!(
        second <= first && first < second + WINDOW / 4,
        "{first:?}, {second:?}"
    );
    sleep(second).await;
    assert!(two.send().await.is_ok(), "to the moment");
    assert!(retry_after(one.send().await) > Duration::ZERO);
}

#[tokio::test]
async fn what_was_not_stored_does_not_count_anywhere() {
    let redis = RedisServer::start().await;
    let [one, two] = Limited::some(&redis).await;
    let mut counted = Vec::new();
    for _ in 0..20 {
        counted.push(one.send().await.unwrap());
    }
    assert!(two.send().await.is_err());
    for lost in &counted[..3] {
        one.limits.refund(lost).await;
    }
    eventually(|| async { two.send().await.is_ok() }).await;
    assert_eq!(two.send_many(1).await + one.send_many(20).await, 2);
}

#[tokio::test]
async fn when_redis_has_forgotten_or_is_away_each_node_counts_for_itself() {
    let mut redis = RedisServer::start().await;
    let [one, two] = Limited::some(&redis).await;
    assert_eq!(one.send_many(30).await, 20);
    redis.order(&["FLUSHALL"]).await;
    assert_eq!(one.send_many(30).await, 0);
    assert_eq!(
        two.send_many(30).await,
        20,
        "what the other was refused does not count"
    );
    sleep(WINDOW).await;
    redis.kill();
    eventually(|| async { one.node.link.is_away() && two.node.link.is_away() }).await;
    let began = Instant::now();
    assert_eq!(one.send_many(30).await, 20);
    assert_eq!(two.send_many(30).await, 20);
    assert!(
        began.elapsed() < Duration::from_millis(500),
        "nobody waits for Redis"
    );
    sleep(WINDOW).await;
    redis.restart().await;
    one.node.has_lease().await;
    two.node.has_lease().await;
    assert_eq!(one.send_many(15).await + two.send_many(15).await, 20);
}

#[tokio::test]
async fn a_user_has_50_connections_over_all_nodes() {
    let redis = RedisServer::start().await;
    let [one, two, three] = Limited::some(&redis).await;
    let (a, b, c) = tokio::join!(
        one.connect_many(17),
        two.connect_many(17),
        three.connect_many(17)
    );
    assert_eq!(a.len() + b.len() + c.len(), 50);
    assert_eq!(one.connect().await.err(), Some(Error::TooManyConnections));
    drop(a);
    let got = async || three.connect_many(50).await.len();
    eventually(|| async { got().await >= 16 }).await;
    drop((b, c));
    eventually(|| async { one.connect_many(50).await.len() == 50 }).await;
    // All of it is forgotten again.
    eventually(|| async {
        let places: Vec<String> = redis.ask(&["KEYS", "confab:places:*"]).await;
        let held: Vec<String> = redis.ask(&["KEYS", "confab:held:*"]).await;
        places.is_empty() && held.is_empty()
    })
    .await;
}

#[tokio::test]
async fn the_places_of_a_node_that_died_are_free() {
    let redis = RedisServer::start().await;
    let [one, two] = Limited::some(&redis).await;
    let places = one.connect_many(50).await;
    assert_eq!(places.len(), 50);
    assert!(two.connect().await.is_err());
    one.node.die();
    eventually(|| async { two.connect().await.is_ok() }).await;
    two.node.all_is_cleared(1).await;
    assert_eq!(two.connect_many(51).await.len(), 50);
}

#[tokio::test]
async fn the_places_that_are_taken_are_told_again_when_redis_has_lost_them() {
    let mut redis = RedisServer::start().await;
    let [one, two] = Limited::some(&redis).await;
    let mut places = one.connect_many(30).await;
    redis.order(&["FLUSHALL"]).await;
    let told = one.node.told.to_declare(0, Redeclare::Everything);
    told.await;
    eventually(|| async { two.connect_many(50).await.len() == 20 }).await;

    redis.kill();
    eventually(|| async { one.node.link.is_away() && two.node.link.is_away() }).await;
    places.extend(one.connect_many(50).await);
    assert_eq!(places.len(), 50, "each node has its own");
    let others = two.connect_many(25).await;
    assert_eq!(others.len(), 25);
    places.truncate(45);
    redis.restart().await;
    eventually(|| async { one.node.link.health() == Health::Up }).await;
    eventually(|| async { one.connect().await.is_err() && two.connect().await.is_err() }).await;
    drop(others);
    eventually(|| async { two.connect_many(6).await.len() == 5 }).await;
}
