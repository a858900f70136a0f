//! What ties this node to the others, if there are any.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::Chat;
use crate::bus::{
    Alone, Bus, Health, Lease, Link, Listener, LocalBus, RedisRoster, Roster, connect,
};

/// For how long a node is taken for alive that does not say so.
const LEASE: Duration = Duration::from_secs(8);
/// Clients of a node that stops have so long beyond the grace period to come back elsewhere.
const MOVING: Duration = Duration::from_secs(2);

/// The ways to the other nodes.
pub(super) struct Nodes {
    pub(super) bus: Arc<dyn Bus>,
    pub(super) roster: Arc<dyn Roster>,
    /// None where there can be no others.
    pub(super) lease: Option<Arc<Lease>>,
}

impl Nodes {
    pub(super) fn new(link: Option<Link>, chat: &Weak<Chat>) -> Self {
        let Some(link) = link else {
            return Self {
                bus: Arc::new(LocalBus::new(chat.clone())),
                roster: Arc::new(Alone),
                lease: None,
            };
        };
        let listener: Weak<dyn Listener> = chat.clone();
        let bus: Arc<dyn Bus> = Arc::new(connect(&link, listener.clone()));
        let lease = Lease::new(link, LEASE);
        let roster = RedisRoster::start(Arc::clone(&lease), listener, Arc::clone(&bus));
        Self {
            bus,
            roster: Arc::new(roster),
            lease: Some(lease),
        }
    }
}

impl Chat {
    /// Whether what leads to the other nodes answers; nothing where there can be none.
    pub async fn ping_others(&self) -> Option<bool> {
        let link = self.lease.as_ref()?.link();
        Some(link.ping().await.is_ok() && link.health() == Health::Up)
    }

    /// Takes leave of the other nodes: whoever was here and does not appear there has gone.
    pub async fn leave_others(&self) {
        let patience = self.config.presence_grace_seconds.0 + MOVING;
        self.roster.leave(patience).await;
        self.bus.flush().await;
    }
}
