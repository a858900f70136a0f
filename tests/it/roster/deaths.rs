//! Nodes that die, and those that leave.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, atomic::Ordering::Relaxed, mpsc},
    time::Instant,
};

use confab::bus::Version;
use entity::ids::UserId;
use futures_util::future::join_all;

use super::nodes::{LEASE, Node, PATIENCE, eventually, user};
use crate::{bus::cluster::Cluster, support::redis_server::RedisServer};

/// More than are cleared away in one go.
const MANY: u64 = 600;
const ALL: usize = 600;

#[tokio::test]
async fn when_a_node_dies_those_who_were_nowhere_else_go_offline_once() {
    let redis = RedisServer::start().await;
    let [one, two, three] = Node::some(&redis.url()).await;
    let came = join_all((0..MANY).map(|number| one.arrive(number))).await;
    two.arrive(0).await;
    // Whoever moved away is no longer a user of the node.
    three.arrive(1).await;
    one.depart(1).await;
    one.depart(2).await;
    let died = Instant::now();
    one.die();
    let all = || [two.told.died(), three.told.died()].concat();
    eventually(|| async { all().len() >= ALL - 3 }).await;
    // It shows no later than a lease and a renewal after its last renewal.
    assert!(died.elapsed() < LEASE * 3 / 2, "{:?}", died.elapsed());
    three.all_is_cleared(2).await;
    let told: HashMap<UserId, Version> = all().into_iter().collect();
    assert_eq!(all().len(), told.len(), "once for each");
    let expected: HashSet<UserId> = (3..MANY).map(user).collect();
    assert!(told.keys().cloned().collect::<HashSet<_>>() == expected);
    for number in 3..MANY {
        assert!(told[&user(number)] > came[usize::try_from(number).unwrap()].unwrap());
    }
    assert_eq!(two.asked.count() + three.asked.count(), 1);
    assert!(three.elsewhere(1..MANY).await.is_empty());
    assert_eq!(three.elsewhere([0]).await[&user(0)], [two.link.node]);
    let left: Vec<String> = redis.ask(&["KEYS", "confab:held:*"]).await;
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test]
async fn a_death_of_which_nobody_could_be_told_is_told_when_it_can_be() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    join_all((0..10).map(|number| one.arrive(number))).await;
    two.told.refused.store(13, Relaxed);
    one.die();
    two.all_is_cleared(1).await;
    let told: HashSet<UserId> = two.told.died().into_iter().map(|(user, _)| user).collect();
    assert!(told == (0..10).map(user).collect());
    assert_eq!(two.told.died().len(), told.len(), "once for each");
    assert!(two.elsewhere(0..10).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn when_the_node_that_clears_away_dies_too_another_goes_on() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    join_all((0..MANY).map(|number| one.arrive(number))).await;
    let (stop, stopped) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let may_go_on = Mutex::new(may_go_on);
    // In the middle of the second batch, in the middle of telling.
    let interrupt = move || {
        stop.send(()).unwrap();
        let _ = may_go_on.lock().unwrap().recv();
    };
    let interrupt = (300, Box::new(interrupt) as _);
    two.told.interrupt.set(interrupt).ok().unwrap();
    one.die();
    tokio::task::spawn_blocking(move || stopped.recv_timeout(PATIENCE).unwrap())
        .await
        .unwrap();
    let first = two.told.clone();
    two.die();
    go_on.send(()).unwrap();
    let three = Node::start(&redis.url(), LEASE).await;
    three.all_is_cleared(1).await;
    assert_eq!(first.died().len(), 300);
    let mut told: HashMap<UserId, Version> = first.died().into_iter().collect();
    for (user, version) in three.told.died() {
        // What may not have been told is told again, as the same.
        let before = told.insert(user.clone(), version);
        assert!(before.is_none_or(|before| before == version), "{user}");
    }
    assert_eq!(told.len(), ALL);
    let again = first.died().len() + three.told.died().len() - told.len();
    assert!(again < 256, "{again} were told again: more than a batch");
}

#[tokio::test]
async fn a_node_that_leaves_takes_nobody_with_it_who_is_elsewhere_in_time() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    for number in 0..4 {
        one.arrive(number).await;
    }
    // One has gone, one has moved, one is on their way, and one does not come.
    assert!(one.depart(0).await.is_some());
    assert_eq!(two.arrive(1).await, None);
    assert_eq!(one.depart(1).await, None);
    one.leave(LEASE / 2).await;
    assert!(one.try_arrive(9).await.is_err());
    assert_eq!(two.arrive(2).await, None, "they were never gone");
    two.all_is_cleared(1).await;
    let died: Vec<UserId> = two.told.died().into_iter().map(|(user, _)| user).collect();
    assert_eq!(died, [user(3)]);
    assert!(two.depart(1).await.is_some() && two.depart(2).await.is_some());
}

#[tokio::test]
async fn who_was_on_a_node_that_has_left_is_listed_until_it_is_told_that_they_have_gone() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    one.arrive(3).await;
    one.leave(LEASE).await;
    let left = Instant::now();
    // Longer than it takes to find out that the lease has ended.
    while left.elapsed() < LEASE * 3 / 4 {
        let listed = two.elsewhere([3]).await;
        assert!(
            listed.contains_key(&user(3)),
            "nobody was told, and they are not listed after {:?}",
            left.elapsed()
        );
        assert_eq!(two.told.died(), []);
    }
    two.all_is_cleared(1).await;
    assert_eq!(two.told.died().len(), 1);
    assert!(two.elsewhere([3]).await.is_empty());
}

#[tokio::test]
async fn what_is_held_under_a_lease_that_nobody_knows_is_cleared_away() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    one.arrive(7).await;
    // It took the lease after the others were lost, held something, and was killed before it noticed.
    let lease = one.lease.current().unwrap();
    redis
        .order(&["ZREM", "confab:leases:{nodes}:in_force", &lease])
        .await;
    one.die();
    eventually(|| async { two.elsewhere([7]).await.is_empty() }).await;
    eventually(|| async { two.told.died().len() == 1 }).await;
    two.all_is_cleared(1).await;
    let left: Vec<String> = redis.ask(&["KEYS", "confab:held:*"]).await;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_user_who_comes_back_while_their_node_is_cleared_away_is_online() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    join_all((0..MANY).map(|number| one.arrive(number))).await;
    one.die();
    // They come to the other node at whatever moment.
    let mut came = HashMap::new();
    for number in 0..MANY {
        if let Some(version) = two.arrive(number).await {
            came.insert(user(number), version);
        }
        tokio::time::sleep(LEASE / 600).await;
    }
    two.all_is_cleared(1).await;
    let died: HashMap<UserId, Version> = two.told.died().into_iter().collect();
    for (user, went) in &died {
        assert!(came[user] > *went, "{user} came after they had gone");
    }
    assert_eq!(
        came.len(),
        died.len(),
        "who came first was online without a break"
    );
    let [three] = Node::some(&redis.url()).await;
    assert_eq!(three.elsewhere(0..MANY).await.len(), ALL);
}

#[tokio::test]
async fn on_a_redis_cluster_it_is_the_same() {
    let cluster = Cluster::start().await;
    let [one, two] = Node::some(&cluster.url()).await;
    join_all((0..MANY).map(|number| one.arrive(number))).await;
    two.arrive(0).await;
    assert_eq!(two.elsewhere(0..MANY).await.len(), ALL);
    one.die();
    two.all_is_cleared(1).await;
    let died: HashSet<UserId> = two.told.died().into_iter().map(|(user, _)| user).collect();
    assert!(died == (1..MANY).map(user).collect(), "{} died", died.len());
    assert_eq!(two.told.died().len(), died.len(), "once for each");
    assert!(two.elsewhere(0..MANY).await.is_empty());
    assert!(two.depart(0).await.is_some());
}
