//! A Redis Cluster of three, on the loopback.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use confab::bus::{Bus, Health, Subscription};

use super::nodes::{self, Node, desk, room, typing, typing_in_support};
use crate::support::redis_server::RedisServer;

pub struct Cluster {
    servers: Vec<RedisServer>,
}

impl Cluster {
    pub async fn start() -> Self {
        let mut servers = Vec::new();
        for _ in 0..3 {
            // The port beside it is for what the servers tell each other.
            let server = RedisServer::with(&[
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                "1000",
                "--cluster-port",
                &crate::support::redis_server::free_port().to_string(),
            ])
            .await;
            servers.push(server);
        }
        let addresses = servers
            .iter()
            .map(|server| format!("127.0.0.1:{}", server.port));
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .arg("--cluster-yes")
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        for server in &servers {
            nodes::eventually(|| async {
                let info: String = server.ask(&["CLUSTER", "INFO"]).await;
                info.contains("cluster_state:ok")
            })
            .await;
        }
        Self { servers }
    }

    pub fn url(&self) -> String {
        let hosts: Vec<String> = self
            .servers
            .iter()
            .map(|server| format!("127.0.0.1:{}", server.port))
            .collect();
        format!("redis://{}", hosts.join(","))
    }

    /// How many shard channels each server sends something of.
    async fn channels(&self) -> Vec<usize> {
        let mut counts = Vec::new();
        for server in &self.servers {
            let channels: Vec<String> = server.ask(&["PUBSUB", "SHARDCHANNELS"]).await;
            counts.push(channels.len());
        }
        counts
    }
}

async fn hear_each_other(one: &Node, other: &Node, from: u64) {
    for number in 0..100 {
        one.bus.publish(typing(number, from + number));
    }
    for number in 0..100 {
        other.heard.typist(from + number).await;
    }
}

#[tokio::test]
async fn channels_are_spread_over_the_servers_and_each_event_is_heard_once() {
    let cluster = Cluster::start().await;
    let (one, other) = Node::two(&cluster.url()).await;
    let held: Vec<Subscription> =
        nodes::all((0..100).map(|number| other.listen(room(number)))).await;
    let _desk = other.listen(desk()).await;
    assert!(held.iter().all(Subscription::is_current));
    let spread = cluster.channels().await;
    assert!(spread.iter().all(|count| *count > 10), "{spread:?}");
    hear_each_other(&one, &other, 1000).await;
    assert_eq!(other.heard.count(), 100);
    for number in 0..100 {
        one.bus.publish(typing_in_support(number, 2000 + number));
    }
    for number in 0..100 {
        other.heard.typist(2000 + number).await;
    }
    hear_each_other(&one, &other, 3000).await;
    assert_eq!(other.heard.count(), 300, "over two servers, and once");
    drop(held);
    nodes::eventually(|| async { cluster.channels().await.iter().sum::<usize>() == 2 }).await;
    assert_eq!(other.link.health(), Health::Up);
}

#[tokio::test]
async fn one_script_uses_several_keys_of_a_user() {
    let cluster = Cluster::start().await;
    let node = Node::start(&format!(
        "redis+cluster://127.0.0.1:{}",
        cluster.servers[0].port
    ))
    .await;
    let script =
        redis::Script::new("return {redis.call('INCR', KEYS[1]), redis.call('INCR', KEYS[2])}");
    for user in ["a", "b", "c", "d", "e"] {
        let mut call = script.prepare_invoke();
        call.key(node.link.key("one", &["t", user], &[]));
        call.key(node.link.key("other", &["t", user], &["detail"]));
        let answer: Result<(u64, u64), _> = node.link.run(&call).await;
        assert_eq!(answer, Ok((1, 1)));
    }
}

#[tokio::test]
async fn a_server_of_the_cluster_is_killed_and_started_again() {
    let mut cluster = Cluster::start().await;
    let (one, other) = Node::two(&cluster.url()).await;
    let _held: Vec<Subscription> =
        nodes::all((0..100).map(|number| other.listen(room(number)))).await;
    hear_each_other(&one, &other, 1000).await;
    cluster.servers[1].kill();
    for node in [&one, &other] {
        node.is(Health::Away).await;
        node.heard.told_to_catch_up().await;
    }
    let before = other.heard.catch_ups();
    cluster.servers[1].restart().await;
    let server = &cluster.servers[1];
    nodes::eventually(|| async {
        let info: String = server.ask(&["CLUSTER", "INFO"]).await;
        info.contains("cluster_state:ok")
    })
    .await;
    let since = Instant::now();
    other.heard.caught_up_since(before).await;
    for node in [&one, &other] {
        node.is(Health::Up).await;
    }
    hear_each_other(&one, &other, 2000).await;
    assert!(
        since.elapsed() < Duration::from_secs(4),
        "{:?}",
        since.elapsed()
    );
}

#[tokio::test]
async fn slots_move_to_another_server() {
    let cluster = Cluster::start().await;
    let (one, other) = Node::two(&cluster.url()).await;
    let _held: Vec<Subscription> =
        nodes::all((0..100).map(|number| other.listen(room(number)))).await;
    hear_each_other(&one, &other, 1000).await;
    let [from, to] = [&cluster.servers[0], &cluster.servers[1]];
    let from_id: String = from.ask(&["CLUSTER", "MYID"]).await;
    let to_id: String = to.ask(&["CLUSTER", "MYID"]).await;
    let moved = Command::new("redis-cli")
        .args(["--cluster", "reshard", &format!("127.0.0.1:{}", from.port)])
        .args(["--cluster-from", &from_id, "--cluster-to", &to_id])
        .args(["--cluster-slots", "5000", "--cluster-yes"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(moved.success());
    let since = Instant::now();
    let moved_channels = || async { cluster.channels().await.iter().sum::<usize>() >= 101 };
    nodes::eventually(moved_channels).await;
    nodes::eventually(|| async { other.link.health() == Health::Up }).await;
    assert!(other.heard.catch_ups() > 0);
    nodes::eventually(|| async { one.link.health() == Health::Up }).await;
    // What the publisher sends to the wrong server it knows to be missed, and asks again who has it.
    for number in 0..100 {
        let again = || async {
            one.bus.publish(typing(number, 2000 + number));
            other.heard.has(2000 + number)
        };
        nodes::eventually(again).await;
    }
    assert!(since.elapsed() < Duration::from_secs(10));
}
