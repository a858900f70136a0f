//! How much goes through the bus. Run with `cargo test --release --test it speed -- --ignored --nocapture`.

use std::{
    io::Write,
    time::{Duration, Instant},
};

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
    let (began, count) = (Instant::now(), 100_000);
    for number in 0..count {
        one.bus.publish(typing(1, 2000 + number));
        // As many as the queue holds may wait.
        if number % 1000 == 0 {
            let heard = usize::try_from(number.saturating_sub(8000)).unwrap();
            other.heard.reach(2000 + heard).await;
        }
    }
    let all = usize::try_from(2000 + count).unwrap();
    other.heard.reach(all).await;
    let each = began.elapsed() / u32::try_from(count).unwrap();
    let text =
        format!("{each:?} an event from one node to another; alone: p50 {p50:?}, p99 {p99:?}\n");
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}
