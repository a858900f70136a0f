//! Redis goes, in every way that it can, and comes back.

use std::time::{Duration, Instant};

use confab::bus::{Bus, Event, Health};

use super::nodes::{self, Log, Node, room, typing};
use crate::support::{
    proxy::{Network, Proxy},
    redis_server::RedisServer,
};

/// Within so long of its return events are heard again.
const RESUME: Duration = Duration::from_secs(2);

/// Two nodes that listen to a room, heard each other in it, and are about to be cut off.
async fn two(url: &str) -> (Node, Node) {
    let (one, other) = Node::two(url).await;
    for (speaker, hearer) in [(&one, &other), (&other, &one)] {
        let held = hearer.listen(room(1)).await;
        assert!(held.is_current());
        std::mem::forget(held);
        speaker.bus.publish(typing(1, 1));
        hearer.heard.typist(1).await;
    }
    (one, other)
}

/// Both know that Redis is away: nothing blocks, nothing is current, the store is looked into.
async fn is_away(nodes: [&Node; 2]) {
    for node in nodes {
        node.is(Health::Away).await;
        let began = Instant::now();
        let held = node.listen(room(1)).await;
        assert!(!held.is_current());
        let count = node.heard.count();
        node.bus.publish(typing(1, 2));
        assert_eq!(node.heard.count(), count + 1, "heard here all the same");
        let asked: Result<(), _> = node.link.run(&redis::cmd("PING")).await;
        assert!(asked.is_err());
        node.bus.flush().await;
        assert!(began.elapsed() < Duration::from_millis(200), "nobody waits");
        let before = node.heard.catch_ups();
        node.heard.caught_up_since(before).await;
        node.heard.caught_up_since(before + 1).await;
    }
}

/// Both hear each other again, in time, having been told to look into the store first.
async fn is_back(nodes: [&Node; 2], since: Instant) {
    let before = nodes.map(|node| node.heard.catch_ups());
    for node in nodes {
        node.is(Health::Up).await;
        let took = since.elapsed();
        assert!(took < RESUME, "it took {took:?}");
    }
    let [one, other] = nodes;
    for (speaker, hearer) in [(one, other), (other, one)] {
        speaker.bus.publish(typing(1, 3));
        hearer.heard.typist(3).await;
    }
    assert!(since.elapsed() < RESUME, "it took {:?}", since.elapsed());
    for (node, before) in nodes.into_iter().zip(before) {
        node.heard.caught_up_since(before).await;
        nodes::eventually(|| async { node.listen(room(1)).await.is_current() }).await;
    }
}

fn said_once(log: &Log, outages: usize) {
    assert_eq!(log.lines("WARN").len(), outages, "{:#?}", log.lines("WARN"));
    assert_eq!(log.lines("is back").len(), outages);
    let unsent = log.lines("is back");
    assert!(
        unsent.iter().all(|line| line.contains("unsent=")),
        "{unsent:?}"
    );
}

#[tokio::test]
async fn who_did_not_wait_until_redis_had_confirmed_looks_into_the_store_when_it_has() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(redis.port).await;
    let node = Node::start(&format!("redis://{}", proxy.address)).await;
    proxy.set(Network::Silent);
    let held = node.listen(room(1)).await;
    assert!(!held.is_current());
    // Not for so long that anybody takes it for an outage.
    let before = node.heard.catch_ups();
    proxy.set(Network::Whole);
    node.heard.caught_up_since(before).await;
}

#[tokio::test]
async fn redis_is_killed_and_started_again() {
    let mut redis = RedisServer::start().await;
    let log = Log::capture();
    let (one, other) = two(&redis.url()).await;
    redis.kill();
    is_away([&one, &other]).await;
    redis.restart().await;
    is_back([&one, &other], Instant::now()).await;
    said_once(&log, 2);
}

#[tokio::test]
async fn redis_is_restarted_within_a_moment() {
    let mut redis = RedisServer::start().await;
    let log = Log::capture();
    let (one, other) = two(&redis.url()).await;
    let before = [&one, &other].map(|node| node.heard.catch_ups());
    redis.kill();
    redis.restart().await;
    let since = Instant::now();
    for (node, before) in [&one, &other].into_iter().zip(before) {
        node.heard.caught_up_since(before).await;
    }
    is_back([&one, &other], since).await;
    said_once(&log, 2);
}

#[tokio::test]
async fn redis_is_stopped_while_its_connections_stay_open() {
    let redis = RedisServer::start().await;
    let log = Log::capture();
    let (one, other) = two(&redis.url()).await;
    let held = one.listen(room(1)).await;
    redis.pause();
    let since = Instant::now();
    nodes::eventually(|| async { !held.is_current() }).await;
    assert!(since.elapsed() < Duration::from_millis(2500));
    is_away([&one, &other]).await;
    redis.resume();
    is_back([&one, &other], Instant::now()).await;
    assert!(!held.is_current(), "something may have been missed");
    said_once(&log, 2);
}

#[tokio::test]
async fn the_network_is_silent() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(redis.port).await;
    let log = Log::capture();
    let (one, other) = two(&format!("redis://{}", proxy.address)).await;
    proxy.set(Network::Silent);
    is_away([&one, &other]).await;
    proxy.set(Network::Whole);
    is_back([&one, &other], Instant::now()).await;
    said_once(&log, 2);
}

#[tokio::test]
async fn one_node_is_cut_off_and_the_others_learn_that_it_had_something_to_say() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(redis.port).await;
    let one = Node::start(&format!("redis://{}", proxy.address)).await;
    let other = Node::start(&redis.url()).await;
    proxy.set(Network::Silent);
    one.is(Health::Away).await;
    one.bus.publish(typing(1, 1));
    assert_eq!(other.heard.catch_ups(), 0, "it has noticed nothing");
    proxy.set(Network::Whole);
    let since = Instant::now();
    let told = other.heard.told_to_catch_up().await;
    assert!(told - since < RESUME);
}

#[tokio::test]
async fn what_was_lost_on_the_way_is_looked_for_in_the_store() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(redis.port).await;
    let one = Node::start(&format!("redis://{}", proxy.address)).await;
    let other = Node::start(&redis.url()).await;
    let _there = other.listen(room(1)).await;
    proxy.set(Network::Silent);
    // Nobody knows yet: these are sent, and get no answer.
    for number in 0..100 {
        one.bus.publish(typing(1, number));
    }
    one.is(Health::Away).await;
    proxy.set(Network::Whole);
    other.heard.told_to_catch_up().await;
    one.is(Health::Up).await;
}

#[tokio::test]
async fn redis_is_flushed_and_nobody_notices() {
    let redis = RedisServer::start().await;
    let log = Log::capture();
    let (one, other) = two(&redis.url()).await;
    redis.order(&["FLUSHALL"]).await;
    redis.order(&["SCRIPT", "FLUSH"]).await;
    one.bus.publish(typing(1, 3));
    other.heard.typist(3).await;
    assert_eq!(
        (one.link.health(), other.heard.catch_ups()),
        (Health::Up, 0)
    );
    let script = redis::Script::new("return 7");
    let answer: Result<u64, _> = one.link.run(&script.prepare_invoke()).await;
    assert_eq!(answer, Ok(7));
    said_once(&log, 0);
}

#[tokio::test]
async fn redis_has_no_memory_left() {
    let redis = RedisServer::start().await;
    let log = Log::capture();
    let (one, other) = two(&redis.url()).await;
    redis.order(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for node in [&one, &other] {
        node.is(Health::Refusing).await;
        assert!(!node.link.is_away());
        let script = redis::Script::new("return redis.call('SET', KEYS[1], 1)");
        let mut call = script.prepare_invoke();
        call.key(node.link.key("test", &["a"], &[]));
        let asked: Result<(), _> = node.link.run(&call).await;
        assert!(asked.is_err());
    }
    one.bus.publish(typing(1, 3));
    other.heard.typist(3).await;
    redis.order(&["CONFIG", "SET", "maxmemory", "0"]).await;
    for node in [&one, &other] {
        node.is(Health::Up).await;
    }
    assert_eq!(log.lines("WARN").len(), 2, "{:#?}", log.lines("WARN"));
    assert_eq!(log.lines("takes writes again").len(), 2);
    assert_eq!(log.lines("is back").len(), 0);
}

#[tokio::test]
async fn redis_becomes_a_replica() {
    let redis = RedisServer::start().await;
    let (one, other) = two(&redis.url()).await;
    redis
        .order(&["REPLICAOF", "127.0.0.1", &redis.port.to_string()])
        .await;
    is_away([&one, &other]).await;
    redis.order(&["REPLICAOF", "NO", "ONE"]).await;
    is_back([&one, &other], Instant::now()).await;
}

#[tokio::test]
async fn redis_ends_the_connections_that_hear() {
    let redis = RedisServer::start().await;
    let (one, other) = two(&redis.url()).await;
    let held = one.listen(room(1)).await;
    let before = one.heard.catch_ups();
    redis.order(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    let since = Instant::now();
    one.heard.caught_up_since(before).await;
    assert!(!held.is_current());
    is_back([&one, &other], since).await;
}

#[tokio::test]
async fn redis_ends_all_connections() {
    let redis = RedisServer::start().await;
    let (one, other) = two(&redis.url()).await;
    let before = one.heard.catch_ups();
    redis.order(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    redis.order(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    let since = Instant::now();
    one.heard.caught_up_since(before).await;
    is_back([&one, &other], since).await;
}

#[tokio::test]
async fn a_connection_that_breaks_again_and_again_is_told_of_once() {
    let redis = RedisServer::start().await;
    let log = Log::capture();
    let node = Node::start(&redis.url()).await;
    for round in 0..10 {
        redis.order(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        node.heard.caught_up_since(round).await;
        node.is(Health::Up).await;
    }
    said_once(&log, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_cannot_keep_up_is_let_go_and_looks_into_the_store() {
    let limit = ["--client-output-buffer-limit", "pubsub 1mb 1mb 1"];
    let redis = RedisServer::with(&limit).await;
    let (one, slow) = Node::two(&redis.url()).await;
    let _there = slow.listen(room(1)).await;
    slow.heard.is_slow(Duration::from_millis(5));
    let publishing = tokio::spawn(async move {
        let mut number = 0;
        loop {
            for _ in 0..1000 {
                number += 1;
                one.bus.publish(large(number));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    slow.heard.told_to_catch_up().await;
    publishing.abort();
    slow.heard.is_slow(Duration::ZERO);
    slow.is(Health::Up).await;
}

/// Of 3 kB.
fn large(number: u64) -> Event {
    match typing(1, number) {
        Event::Typing {
            tenant,
            room,
            mut typist,
            is_typing,
            is_support,
        } => {
            typist.username = "x".repeat(3000).into();
            Event::Typing {
                tenant,
                room,
                typist,
                is_typing,
                is_support,
            }
        }
        other => other,
    }
}

#[tokio::test]
async fn a_server_that_starts_without_redis_finds_it_later() {
    let mut redis = RedisServer::unstarted(&[]);
    let log = Log::capture();
    let node = Node::without_redis(&redis.url());
    node.is(Health::Away).await;
    node.heard.told_to_catch_up().await;
    let held = node.listen(room(1)).await;
    assert!(!held.is_current());
    redis.restart().await;
    let since = Instant::now();
    node.is(Health::Up).await;
    assert!(since.elapsed() < RESUME);
    assert!(!held.is_current(), "it began when nothing could be heard");
    assert!(node.listen(room(1)).await.is_current());
    said_once(&log, 1);
    assert!(
        log.lines("WARN")[0].contains("refused"),
        "{:?}",
        log.lines("WARN")
    );
}
