//! The bus of a single node: whoever publishes delivers.

use std::sync::Weak;

use super::{Bus, Event, Listener};

/// Hands events to the one listener there is.
pub struct LocalBus<L> {
    listener: Weak<L>,
}

impl<L> LocalBus<L> {
    #[must_use]
    pub const fn new(listener: Weak<L>) -> Self {
        Self { listener }
    }
}

impl<L: Listener> Bus for LocalBus<L> {
    fn publish(&self, event: Event) {
        if let Some(listener) = self.listener.upgrade() {
            listener.hear(event);
        }
    }
}
