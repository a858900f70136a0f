//! Redis goes and comes back, or forgets; nodes are cut off from it.

use std::time::Duration;

use confab::bus::{Redeclare, Roster};
use tokio::time::sleep;

use super::nodes::{LEASE, Node, eventually, tenant, user};
use crate::support::{
    proxy::{Network, Proxy},
    redis_server::RedisServer,
};

#[tokio::test]
async fn when_redis_forgets_everything_is_told_again_and_nobody_dies() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    one.arrive(1).await;
    two.arrive(2).await;
    let before = [one.told.declared().len(), two.told.declared().len()];
    redis.order(&["FLUSHALL"]).await;
    one.told.to_declare(before[0], Redeclare::Everything).await;
    two.told.to_declare(before[1], Redeclare::Everything).await;
    one.arrive(1).await;
    two.arrive(2).await;
    assert_eq!(one.elsewhere([1, 2]).await[&user(2)], [two.link.node]);
    assert_eq!(two.elsewhere([1, 2]).await[&user(1)], [one.link.node]);
    // What is left of the leases that were lost goes too.
    one.all_is_cleared(2).await;
    assert_eq!(two.elsewhere([1, 2]).await[&user(1)], [one.link.node]);
    assert!(one.told.died().is_empty() && two.told.died().is_empty());
    assert!(!one.told.declared().contains(&Redeclare::Aloud));
    assert!(one.depart(1).await.is_some());
}

#[tokio::test]
async fn who_leaves_one_of_two_nodes_when_redis_has_forgotten_turns_out_to_be_on_the_other() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    for number in 1..=3 {
        one.arrive(number).await;
        two.arrive(number).await;
    }
    assert_eq!(
        two.remain(1).await,
        None,
        "nothing was said to the contrary"
    );
    redis.order(&["FLUSHALL"]).await;
    // Whether this node said before that they were here, or not: it knows of nobody else who has.
    one.remain(2).await;
    for number in 1..=2 {
        let went = one.depart(number).await.unwrap();
        let came = two.remain(number).await.unwrap();
        assert!(came > went);
        assert_eq!(two.remain(number).await, None, "said once");
        assert_eq!(two.arrive(number).await, Some(came));
    }
    assert_eq!(two.remain(3).await, None, "of them nothing was said");
    assert_eq!(one.remain(3).await, None);
    assert_eq!(one.depart(3).await, None);
}

#[tokio::test]
async fn a_node_that_was_believed_dead_says_so_aloud() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(redis.port).await;
    let cut_off = Node::start(&format!("redis://{}", proxy.address), LEASE).await;
    let other = Node::start(&redis.url(), LEASE).await;
    cut_off.arrive(1).await;
    cut_off.arrive(2).await;
    let before = cut_off.told.declared().len();
    proxy.set(Network::Silent);
    eventually(|| async { other.told.died().len() == 2 }).await;
    // They arrive when the network is whole again, after all the rest.
    assert!(cut_off.try_arrive(3).await.is_err());
    assert!(cut_off.roster.depart(&tenant(), &user(2)).await.is_err());
    proxy.set(Network::Whole);
    cut_off.told.to_declare(before, Redeclare::Aloud).await;
    let died = other.told.died()[0].1;
    assert!(cut_off.arrive(1).await.unwrap() > died);
    // What was said under the lease that was lost has no effect in the end.
    other.all_is_cleared(2).await;
    let held: Vec<String> = redis.ask(&["KEYS", "confab:held:*"]).await;
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!(other.elsewhere([1]).await[&user(1)], [cut_off.link.node]);
    assert!(other.elsewhere([2, 3]).await.is_empty());
    let of_one = other
        .told
        .died()
        .into_iter()
        .filter(|(who, _)| *who == user(1));
    assert_eq!(of_one.count(), 1);
}

#[tokio::test]
async fn after_a_short_outage_only_what_changed_is_told() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(redis.port).await;
    let long = Duration::from_secs(20);
    let cut_off = Node::start(&format!("redis://{}", proxy.address), long).await;
    let other = Node::start(&redis.url(), long).await;
    cut_off.arrive(1).await;
    let before = cut_off.told.declared().len();
    proxy.set(Network::Silent);
    assert!(cut_off.try_arrive(2).await.is_err());
    eventually(|| async { cut_off.link.is_away() }).await;
    proxy.set(Network::Whole);
    cut_off.told.to_declare(before, Redeclare::Changed).await;
    assert!(cut_off.arrive(2).await.is_some());
    assert_eq!(other.elsewhere([1, 2]).await.len(), 2);
    assert_eq!(cut_off.told.declared()[before..], [Redeclare::Changed]);
}

#[tokio::test]
async fn when_redis_stands_still_for_longer_than_a_lease_nobody_dies() {
    let redis = RedisServer::start().await;
    let nodes: [Node; 3] = Node::some(&redis.url()).await;
    for (number, node) in (0..).zip(&nodes) {
        node.arrive(number).await;
    }
    // They have looked after each other for a while.
    sleep(LEASE * 3 / 2).await;
    redis.pause();
    sleep(LEASE * 2).await;
    redis.resume();
    for node in &nodes {
        node.has_lease().await;
        node.told.to_declare(1, Redeclare::Changed).await;
    }
    sleep(LEASE * 3 / 2).await;
    for node in &nodes {
        assert!(node.told.died().is_empty());
        assert_eq!(
            node.told.declared()[1..].iter().max(),
            Some(&Redeclare::Changed)
        );
        assert_eq!(node.elsewhere(0..3).await.len(), 2);
    }
}

#[tokio::test]
async fn redis_that_starts_again_empty_is_told_everything_and_aloud_after_long() {
    let mut redis = RedisServer::start().await;
    let node = Node::start(&redis.url(), Duration::from_secs(20)).await;
    node.arrive(1).await;
    redis.kill();
    redis.restart().await;
    node.told.to_declare(1, Redeclare::Everything).await;
    assert!(node.arrive(1).await.is_some());

    let short = Node::start(&redis.url(), LEASE).await;
    redis.kill();
    sleep(LEASE * 3 / 2).await;
    redis.restart().await;
    short.told.to_declare(1, Redeclare::Aloud).await;
    assert!(short.arrive(2).await.is_some());
}

#[tokio::test]
async fn redis_that_starts_again_with_what_it_kept_is_told_everything_and_nobody_dies() {
    let mut redis = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let nodes: [Node; 3] = Node::some(&redis.url()).await;
    for (number, node) in (0..).zip(&nodes) {
        node.arrive(number).await;
    }
    // They have looked after each other for a while.
    sleep(LEASE * 3 / 2).await;
    redis.kill();
    sleep(LEASE * 3 / 2).await;
    // All leases have ended.
    redis.restart().await;
    for node in &nodes {
        node.told.to_declare(1, Redeclare::Everything).await;
    }
    sleep(LEASE * 3 / 2).await;
    for node in &nodes {
        assert!(node.told.died().is_empty());
        assert!(!node.told.declared().contains(&Redeclare::Aloud));
        assert_eq!(node.elsewhere(0..3).await.len(), 2);
    }
}
