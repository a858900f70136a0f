//! The bus of a single node: whoever publishes delivers.

use std::sync::Weak;

use futures_util::future::BoxFuture;

use super::{Bus, Event, Listener, Origin, Subscription, Topic};

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
            listener.hear(event, Origin::Here);
        }
    }

    fn subscribe(&self, _: Topic) -> BoxFuture<'_, Subscription> {
        Box::pin(async { Subscription::alone() })
    }
}
