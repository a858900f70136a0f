//! How much goes through the bus. Run with `cargo test --release --test it speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use confab::bus::Bus;

use super::nodes::{Node, room, typing};
use crate::support::redis_server::RedisServer;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, takes long"]
async fn events_in_a_second_and_how_long_one_takes() {
    let redis = RedisServer::start().await;
    let (one, other) = Node::two(&redis.url()).await;
    let _there = other.listen(room(1)).await;
    let mut latencies = Vec::new();
    for number in 0..2000 {
        let began = Instant::now();
        one.bus.publish(typing(1, number));
        latencies.push(other.heard.typist(number).await - began);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    latencies.sort_unstable();
    let (p50, p99) = (latencies[1000], latencies[1980]);
    let began = Instant::now();
    let count = 500_000;
    for number in 0..count {
        one.bus.publish(typing(1, 2000 + number));
        // As many as the queue holds may wait.
        while 2000 + number > other.heard.count() as u64 + 8000 {
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
    }
    other
        .heard
        .typists(2000 + usize::try_from(count).unwrap())
        .await;
    let rate = count as f64 / began.elapsed().as_secs_f64();
    println!("{rate:.0} events/s from one node to another; alone: p50 {p50:?}, p99 {p99:?}");
}
