//! How many of something may be there at the same time.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use dashmap::DashMap;

use crate::error::{Error, Result};

/// Counts what is there at the same time, by key.
pub(super) struct Counters<K> {
    most: usize,
    counts: Arc<DashMap<K, AtomicUsize>>,
}

impl<K: Clone + Eq + std::hash::Hash> Counters<K> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            counts: Arc::default(),
        }
    }

    pub(super) const fn most(&self) -> usize {
        self.most
    }

    pub(super) fn count(&self, key: &K) -> usize {
        let count = self.counts.get(key);
        count.map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(super) fn keys(&self) -> Vec<K> {
        self.counts
            .iter()
            .map(|count| count.key().clone())
            .collect()
    }

    pub(super) fn take(&self, key: K) -> Result<Place<K>> {
        let count = self.counts.entry(key.clone()).or_default();
        if count.load(Ordering::Relaxed) >= self.most {
            return Err(Error::TooManyConnections);
        }
        count.fetch_add(1, Ordering::Relaxed);
        drop(count);
        Ok(Place {
            key,
            counts: Arc::clone(&self.counts),
        })
    }
}

/// One of a key's places, free again when dropped.
pub struct Place<K: Eq + std::hash::Hash> {
    key: K,
    counts: Arc<DashMap<K, AtomicUsize>>,
}

impl<K: Eq + std::hash::Hash> Drop for Place<K> {
    fn drop(&mut self) {
        self.counts.remove_if(&self.key, |_, count| {
            count.fetch_sub(1, Ordering::Relaxed) == 1
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_dropped() {
        let counters = Counters::new(1000);
        let places: Vec<_> = (0..1000)
            .map(|_| counters.take(7).map_err(|_| ()).unwrap())
            .collect();
        assert!(counters.take(7).is_err());
        drop(places);
        assert!(counters.take(7).is_ok());
        assert_eq!(counters.counts.len(), 0);
    }
}
