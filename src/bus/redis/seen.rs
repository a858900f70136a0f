//! Which envelopes were heard already: one that is published on several channels comes once for each that a node listens
//! to.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use crate::bus::NodeId;

/// Numbers remembered of each sender. Copies are sent together, so they are far apart only where servers of a cluster
/// are.
const WINDOW: usize = 4096;
/// A sender that is silent for so long is forgotten.
const SILENCE: Duration = Duration::from_mins(5);

#[derive(Default)]
pub(super) struct Seen {
    senders: HashMap<NodeId, Window>,
}

struct Window {
    numbers: HashSet<u64>,
    order: VecDeque<u64>,
    latest: Instant,
}

impl Seen {
    /// Whether it is the first time.
    pub(super) fn is_new(&mut self, node: NodeId, number: u64) -> bool {
        if !self.senders.contains_key(&node) {
            self.senders
                .retain(|_, window| window.latest.elapsed() < SILENCE);
        }
        let window = self.senders.entry(node).or_insert_with(|| Window {
            numbers: HashSet::new(),
            order: VecDeque::new(),
            latest: Instant::now(),
        });
        window.latest = Instant::now();
        if !window.numbers.insert(number) {
            return false;
        }
        window.order.push_back(number);
        if window.order.len() > WINDOW
            && let Some(oldest) = window.order.pop_front()
        {
            window.numbers.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_number_of_each_node_is_new_once_and_memory_is_bounded() {
        let mut seen = Seen::default();
        let nodes = [NodeId(Uuid::from_u128(1)), NodeId(Uuid::from_u128(2))];
        for number in 0..10 * WINDOW as u64 {
            for node in nodes {
                assert!(seen.is_new(node, number));
                assert!(!seen.is_new(node, number));
            }
        }
        let window = &seen.senders[&nodes[0]];
        assert_eq!(window.order.len(), WINDOW);
        assert_eq!(window.numbers.len(), WINDOW);
    }
}
