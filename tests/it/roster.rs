//! Who is online over all nodes, by a real Redis.

mod deaths;
pub mod nodes;
mod outages;

use std::time::Duration;

use confab::bus::{Roster, Version};
use entity::ids::{ExternalId, TenantId, UserId};
use futures_util::future::join_all;

use crate::support::redis_server::RedisServer;
use nodes::{LEASE, Node, tenant, user};

#[tokio::test]
async fn a_user_comes_with_the_first_connection_anywhere_and_goes_with_the_last() {
    let redis = RedisServer::start().await;
    let [one, two, three] = Node::some(&redis.url()).await;
    let came = one.arrive(7).await.unwrap();
    assert_eq!(two.arrive(7).await, None);
    assert_eq!(three.arrive(7).await, None);
    assert_eq!(
        one.arrive(8).await.map(|version| version > Version(0)),
        Some(true)
    );
    let mut found = one.elsewhere([7, 8, 9]).await;
    let mut nodes = found.remove(&user(7)).unwrap();
    nodes.sort_unstable();
    let mut expected = vec![two.link.node, three.link.node];
    expected.sort_unstable();
    assert_eq!(nodes, expected);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(one.depart(7).await, None);
    assert_eq!(two.depart(7).await, None);
    let went = three.depart(7).await.unwrap();
    assert!(went > came);
    assert!(one.elsewhere([7]).await.is_empty());
    assert!(two.arrive(7).await.unwrap() > went);
}

#[tokio::test]
async fn who_asks_again_gets_the_same_version() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    let came = one.arrive(7).await;
    assert!(came.is_some());
    assert_eq!(one.arrive(7).await, came);
    two.arrive(7).await;
    assert_eq!(one.arrive(7).await, None);
    one.depart(7).await;
    let went = two.depart(7).await;
    assert!(went > came);
    assert_eq!(two.depart(7).await, went);
    assert_eq!(one.depart(7).await, went);
}

#[tokio::test]
async fn ids_of_whatever_form_are_users_of_their_own() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    let text = |text: &str| UserId(ExternalId::text(text).unwrap());
    let users = [
        text("7"),
        user(7),
        text("#7"),
        text("{a}:b"),
        text("v"),
        text("d"),
    ];
    let tenants = [tenant(), TenantId::new("{default}:v").unwrap()];
    for tenant in &tenants {
        for user in &users {
            let came = one.roster.arrive(tenant, user, &[]).await.unwrap();
            assert!(came.is_some(), "{tenant} {user}");
            let found = two.roster.elsewhere(tenant, &users).await;
            assert_eq!(found[user][0].node, one.link.node);
            one.roster.depart(tenant, user).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_nodes_race_a_user_comes_and_goes_in_turn() {
    let redis = RedisServer::start().await;
    let nodes: [Node; 3] = Node::some(&redis.url()).await;
    let told = join_all(nodes.iter().enumerate().map(|(number, node)| async move {
        let mut told = Vec::new();
        for step in 0..1000 {
            // Now and then all are somewhere else.
            if (step * 7 + number * 3) % 5 == 0 {
                tokio::task::yield_now().await;
            }
            told.extend(node.arrive(7).await.map(|version| (version, true)));
            told.extend(node.depart(7).await.map(|version| (version, false)));
        }
        if number == 2 {
            told.extend(node.arrive(7).await.map(|version| (version, true)));
        }
        told
    }))
    .await;
    let mut told: Vec<(Version, bool)> = told.into_iter().flatten().collect();
    told.sort_unstable();
    assert!(told.len() > 100, "{} changes", told.len());
    for (number, (version, is_online)) in told.iter().enumerate() {
        assert_eq!(*is_online, number % 2 == 0, "at {version:?}");
    }
    assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert!(told.last().unwrap().1);
    assert_eq!(
        nodes[0].elsewhere([7]).await[&user(7)],
        [nodes[2].link.node]
    );
}

#[tokio::test]
async fn what_nodes_pin_up_is_read_by_the_others() {
    let redis = RedisServer::start().await;
    let [one, two, three] = Node::some(&redis.url()).await;
    let pin = async |node: &Node, note: Option<&str>| {
        let note = note.map(str::to_owned);
        node.roster.pin(&tenant(), "count", note).await.unwrap();
    };
    let pinned = async |node: &Node| {
        let mut notes = node.roster.pinned(&tenant(), "count").await;
        notes.sort_unstable();
        notes
    };
    pin(&one, Some("1")).await;
    pin(&two, Some("2")).await;
    pin(&two, Some("22")).await;
    assert_eq!(pinned(&three).await, ["1", "22"]);
    assert_eq!(pinned(&one).await, ["22"]);
    pin(&one, None).await;
    assert!(pinned(&two).await.is_empty());
    assert!(three.roster.pinned(&tenant(), "other").await.is_empty());
    pin(&one, Some("1")).await;
    one.die();
    three.all_is_cleared(2).await;
    assert_eq!(pinned(&three).await, ["22"]);
}

#[tokio::test]
async fn a_thousand_users_are_looked_up_in_one_go() {
    let redis = RedisServer::start().await;
    let [one, two] = Node::some(&redis.url()).await;
    join_all((0..1000).map(|number| one.arrive(number))).await;
    let began = std::time::Instant::now();
    let found = two.elsewhere(0..2000).await;
    assert_eq!(found.len(), 1000);
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(one.elsewhere(0..2000).await.len(), 0);
}

#[tokio::test]
async fn a_node_without_redis_says_so_at_once_and_has_a_lease_when_it_is_there() {
    let mut redis = RedisServer::unstarted(&[]);
    let node = Node::unconnected(&redis.url(), LEASE);
    assert!(node.try_arrive(7).await.is_err());
    assert!(node.elsewhere([7]).await.is_empty());
    assert!(node.told.declared().is_empty());
    redis.restart().await;
    node.told
        .to_declare(0, confab::bus::Redeclare::Changed)
        .await;
    assert!(node.arrive(7).await.is_some());
}

#[tokio::test]
async fn a_redis_user_may_do_no_more_than_is_said_to_be_needed() {
    let redis = RedisServer::start().await;
    let rights = "~confab:* &confab:* -@all +@read +@write +@pubsub +@connection +eval +evalsha +script|load +time +info";
    let rules = format!("ACL SETUSER confab on >secret {rights}");
    redis.order(&rules.split(' ').collect::<Vec<_>>()).await;
    let [one, two] = Node::some(&format!("redis://confab:secret@127.0.0.1:{}", redis.port)).await;
    assert!(one.arrive(7).await.is_some());
    assert_eq!(two.elsewhere([7]).await[&user(7)], [one.link.node]);
    one.die();
    two.all_is_cleared(1).await;
    assert_eq!(two.told.died().len(), 1);
}
