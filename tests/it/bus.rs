//! The bus between nodes, over a real Redis.

pub mod cluster;
mod doors;
pub mod nodes;
mod outages;
mod speed;

use std::time::{Duration, Instant};

use confab::bus::{Bus, Health, Origin, Subscription};
use nodes::{Node, desk, room, typing, typing_in_support};

use crate::support::redis_server::RedisServer;

#[tokio::test]
async fn an_event_is_heard_here_at_once_and_elsewhere_once_in_order() {
    let redis = RedisServer::start().await;
    let (one, other) = Node::two(&redis.url()).await;
    let _here = one.listen(room(1)).await;
    let _there = other.listen(room(1)).await;
    for (number, before) in (0..1000).zip(0..) {
        assert_eq!(one.heard.count(), before);
        one.bus.publish(typing(1, number));
        assert_eq!(one.heard.count(), before + 1, "before it returns");
    }
    assert_eq!(
        other.heard.typists(1000).await,
        (0..1000).collect::<Vec<_>>()
    );
    other.bus.publish(typing(1, 1000));
    one.heard.typists(1001).await;
    let origins = one.heard.origins();
    assert_eq!(origins[999..], [Origin::Here, Origin::Elsewhere]);
    assert_eq!(other.heard.origins()[..1000], [Origin::Elsewhere; 1000]);
}

#[tokio::test]
async fn what_nobody_listens_to_costs_nothing() {
    let redis = RedisServer::start().await;
    let (one, other) = Node::two(&redis.url()).await;
    let _there = other.listen(room(2)).await;
    let before = statistic(&redis, "total_net_output_bytes").await;
    for number in 0..1000 {
        one.bus.publish(typing(1, number));
    }
    one.bus.publish(typing(2, 1000));
    assert_eq!(other.heard.typists(1).await, [1000]);
    let sent = statistic(&redis, "total_net_output_bytes").await - before;
    // A thousand envelopes are more than 300 kB; what was sent are answers to the publisher.
    assert!(sent < 50_000, "Redis sent {sent} bytes");
}

async fn statistic(redis: &RedisServer, name: &str) -> u64 {
    let all: String = redis.ask(&["INFO", "stats"]).await;
    let line = all.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap()[1..].trim().parse().unwrap()
}

#[tokio::test]
async fn an_event_with_several_topics_is_heard_once_by_whoever_listens_to_all() {
    let redis = RedisServer::start().await;
    let (one, other) = Node::two(&redis.url()).await;
    let _room = other.listen(room(1)).await;
    let _desk = other.listen(desk()).await;
    for number in 0..100 {
        one.bus.publish(typing_in_support(1, number));
    }
    one.bus.publish(typing(1, 100));
    assert_eq!(
        other.heard.typists(101).await,
        (0..=100).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn an_event_with_very_many_topics_reaches_every_node_once() {
    let redis = RedisServer::start().await;
    let (one, other) = Node::two(&redis.url()).await;
    let _users: Vec<Subscription> =
        nodes::all((0..200).map(|user| other.listen(nodes::user(user)))).await;
    one.bus.publish(nodes::presence(0..200));
    let _room = other.listen(room(1)).await;
    one.bus.publish(typing(1, 7));
    other.heard.typist(7).await;
    assert_eq!(other.heard.count(), 2);
}

#[tokio::test]
async fn redis_is_told_of_the_first_who_listens_and_of_the_last() {
    let redis = RedisServer::start().await;
    let node = Node::start(&redis.url()).await;
    let channel = "confab:room:{default:#1}";
    assert_eq!(nodes::listeners(&redis, channel).await, 0);
    let first = node.listen(room(1)).await;
    let second = node.listen(room(1)).await;
    assert!(first.is_current() && second.is_current());
    assert_eq!(nodes::listeners(&redis, channel).await, 1);
    drop(first);
    assert!(second.is_current());
    drop(second);
    nodes::eventually(|| async { nodes::listeners(&redis, channel).await == 0 }).await;
}

#[tokio::test]
async fn ten_thousand_who_come_at_once_are_told_in_few_commands() {
    let redis = RedisServer::start().await;
    let node = Node::start(&redis.url()).await;
    let all = || nodes::all((0..10_000).map(|number| node.listen(room(number))));
    let before = statistic(&redis, "total_reads_processed").await;
    let held = all().await;
    // On a slow machine some of them did not wait until Redis had confirmed.
    nodes::eventually(|| async { all().await.iter().all(Subscription::is_current) }).await;
    let reads = statistic(&redis, "total_reads_processed").await - before;
    assert!(reads < 1000, "Redis was written to {reads} times");
    let again = all().await;
    drop(held);
    assert!(again.iter().all(Subscription::is_current));
    drop(again);
    let channels = || async { redis.ask::<Vec<String>>(&["PUBSUB", "CHANNELS"]).await };
    nodes::eventually(|| async { channels().await == ["confab:nodes:{}"] }).await;
}

#[tokio::test]
async fn the_own_listener_hears_at_once_though_there_is_no_redis() {
    let redis = RedisServer::unstarted(&[]);
    let node = Node::without_redis(&redis.url());
    node.link
        .watch()
        .wait_for(|health| *health == Health::Away)
        .await
        .unwrap();
    let began = Instant::now();
    for number in 0..1000 {
        node.bus.publish(typing(1, number));
    }
    let each = began.elapsed() / 1000;
    assert_eq!(node.heard.count(), 1000);
    assert!(each < Duration::from_micros(200), "{each:?} each");
    let began = Instant::now();
    let held = node.listen(room(1)).await;
    assert!(!held.is_current());
    assert!(began.elapsed() < Duration::from_millis(100), "nobody waits");
}

#[tokio::test]
async fn prefixes_and_databases_keep_systems_apart() {
    let redis = RedisServer::start().await;
    let one = Node::with(&redis.url(), &[("redis_prefix", "one")]).await;
    let database = Node::with(&format!("{}/3", redis.url()), &[("redis_prefix", "one")]).await;
    let other = Node::with(&redis.url(), &[("redis_prefix", "other")]).await;
    let same = Node::with(&redis.url(), &[("redis_prefix", "one")]).await;
    let mut held = Vec::new();
    for node in [&database, &other, &same] {
        held.push(node.listen(room(1)).await);
    }
    one.bus.publish(typing(1, 1));
    same.heard.typists(1).await;
    database.bus.publish(typing(1, 2));
    other.bus.publish(typing(1, 3));
    assert_eq!(database.heard.typists(1).await, [2]);
    assert_eq!(other.heard.typists(1).await, [3]);
}

#[tokio::test]
async fn what_another_release_says_is_passed_over() {
    let redis = RedisServer::start().await;
    let (one, other) = Node::two(&redis.url()).await;
    let log = nodes::Log::capture();
    let _there = other.listen(room(1)).await;
    let channel = "confab:room:{default:#1}";
    let mut newer = vec![0xCF_u8, 2, 0];
    newer.extend([1; 24]);
    newer.extend(br#""CatchUp""#);
    let mut unknown = vec![0xCF_u8, 1, 0];
    unknown.extend([1; 24]);
    unknown.extend(br#"{"Dance":{}}"#);
    for envelope in [&newer[..], &unknown[..], b"", b"garbage", &[0xCF; 27]] {
        nodes::publish_raw(&redis, channel, envelope).await;
    }
    one.bus.publish(typing(1, 1));
    assert_eq!(other.heard.typists(1).await, [1]);
    assert_eq!(other.heard.count(), 1);
    assert_eq!(log.lines("cannot be read").len(), 1, "said once");
}

#[tokio::test]
async fn a_topic_of_any_text_is_a_channel_of_its_own() {
    let redis = RedisServer::start().await;
    let (one, other) = Node::two(&redis.url()).await;
    let names = ["a", "a:b", "a}", "{a", "😀 é", "%7B", "*", "a?", "[a]"];
    let mut held = Vec::new();
    for name in names {
        held.push(other.listen(nodes::named_room(name)).await);
    }
    for (number, name) in (0..).zip(names) {
        one.bus.publish(nodes::typing_in(name, number));
    }
    assert_eq!(
        other.heard.typists(names.len()).await,
        (0..names.len() as u64).collect::<Vec<_>>()
    );
    drop(held);
}

#[tokio::test]
async fn a_burst_waits_in_a_bounded_place_and_the_others_learn_that_something_was_missed() {
    let redis = RedisServer::start().await;
    let (one, other) = Node::two(&redis.url()).await;
    let _there = other.listen(room(1)).await;
    // On one thread nothing is sent before this waits for something.
    for number in 0..40_000 {
        one.bus.publish(typing(1, number));
    }
    let heard = other.heard.typists(16_384).await;
    assert_eq!(heard, (0..16_384).collect::<Vec<_>>());
    other.heard.told_to_catch_up().await;
    one.bus.publish(typing(1, 50_000));
    assert_eq!(other.heard.typists(16_385).await[16_384], 50_000);
}

#[tokio::test]
async fn what_a_node_says_last_is_heard() {
    let redis = RedisServer::start().await;
    let (one, other) = Node::two(&redis.url()).await;
    let _there = other.listen(room(1)).await;
    for number in 0..5000 {
        one.bus.publish(typing(1, number));
    }
    one.bus.flush().await;
    drop(one);
    assert_eq!(
        other.heard.typists(5000).await,
        (0..5000).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_bus_that_is_dropped_leaves_nothing_behind() {
    let redis = RedisServer::start().await;
    let node = Node::start(&redis.url()).await;
    let held = node.listen(room(1)).await;
    let clients = || async {
        let list: String = redis.ask(&["CLIENT", "LIST"]).await;
        list.lines()
            .filter(|line| line.contains("lib-name=confab") || line.contains("sub=2"))
            .count()
    };
    assert!(clients().await >= 1);
    drop(held);
    drop(node);
    let nobody = || async {
        let list: String = redis.ask(&["CLIENT", "LIST"]).await;
        list.lines().count() == 1
    };
    nodes::eventually(nobody).await;
}
