//! The rules, one noun a file. Knows no transport: callers are [`Connection`]s, answers are values.

mod access;
mod accounts;
mod audit;
mod blocks;
mod changes;
mod connection;
mod conversations;
mod customer;
mod desk;
mod guests;
mod hear;
mod leaving;
mod live;
mod membership;
mod messages;
mod missed;
mod nodes;
mod notifications;
mod presence;
mod receipts;
mod revocation;
mod room_cache;
mod rooms;
mod search;
mod support;
mod typing;
mod unannounced;

use std::sync::{Arc, Weak};

use tokio::{
    sync::{Notify, Semaphore, mpsc},
    task::JoinHandle,
};

pub use accounts::{LoginRefused, SignIn};
pub use audit::{Audit, Entry};
pub use connection::{CloseReason, Connection, ConnectionId, Namespace, Outlet};
pub use guests::GuestSession;
pub use live::{LiveRooms, RoomKey};
pub use messages::Sending;
pub use revocation::{SESSION_ENDED, has_access};

pub use crate::store::AuditQuery;

use crate::{
    bus::{Bus, Event, Lease, Link, Roster},
    clock::Clock,
    config::Config,
    error::Error,
    limits::Limits,
    store::{Committed, Store},
};
use accounts::Passwords;
use desk::Desk;
use membership::ChangeTurns;
use nodes::Nodes;
use notifications::{Notice, Told};
use presence::Presence;
use room_cache::RoomCache;

/// Something was not done that nobody waits for. That the database failed was said once, where it did.
pub fn left_undone(error: &Error, what: &str) {
    if *error == Error::StorageUnavailable {
        tracing::debug!(%error, "{what}");
    } else {
        tracing::warn!(%error, "{what}");
    }
}

/// All of the chat on this node: what it knows, and the services in the files beside this one.
pub struct Chat {
    pub config: Config,
    pub clock: Clock,
    pub limits: Limits,
    pub audit: Audit,
    store: Store,
    bus: Arc<dyn Bus>,
    roster: Arc<dyn Roster>,
    lease: Option<Arc<Lease>>,
    /// Something may not have been heard here.
    missed: Arc<Notify>,
    rooms: RoomCache,
    changes: ChangeTurns,
    live: LiveRooms,
    presence: Presence,
    passwords: Passwords,
    /// Held by the search that runs.
    searching: Semaphore,
    desk: Desk,
    notices: mpsc::Sender<Notice>,
    /// Notifications that somebody was told of here.
    told: mpsc::Sender<Told>,
    this: Weak<Self>,
}

/// Committed messages on their way to their rooms; the writer waits when so many are.
pub const COMMITTED_QUEUE: usize = 1024;
/// Messages whose notifications are being sent. One that finds the queue full is told when its users return.
const NOTICE_QUEUE: usize = 8192;

impl Chat {
    /// Wires the services and starts the tasks behind them: one that takes committed messages to the bus, one that
    /// notifies participants who are elsewhere, one that writes the audit.
    #[must_use]
    pub fn start(
        config: Config,
        clock: Clock,
        store: Store,
        committed: mpsc::Receiver<Committed>,
        link: Option<Link>,
    ) -> (Arc<Self>, JoinHandle<()>) {
        let (notices, notice_queue) = mpsc::channel(NOTICE_QUEUE);
        let (told, told_queue) = mpsc::channel(NOTICE_QUEUE);
        let missed = Arc::<Notify>::default();
        let chat = Arc::new_cyclic(|chat: &Weak<Self>| {
            let Nodes { bus, roster, lease } = Nodes::new(link, chat);
            Self {
                limits: Limits::new(&config, clock.clone(), lease.clone()),
                audit: Audit::start(&config, store.clone(), clock.clone()),
                rooms: RoomCache::new(),
                changes: ChangeTurns::new(),
                live: LiveRooms::new(
                    store.clone(),
                    Arc::clone(&bus),
                    roster.is_shared(),
                    config.typing_timeout_seconds.0,
                ),
                presence: Presence::new(),
                passwords: Passwords::new(),
                searching: Semaphore::new(1),
                bus,
                roster,
                lease,
                missed: Arc::clone(&missed),
                desk: Desk::default(),
                notices,
                told,
                this: chat.clone(),
                store,
                config,
                clock,
            }
        });
        let publisher = tokio::spawn(Arc::clone(&chat).publish_committed(committed));
        tokio::spawn(notifications::send(Arc::downgrade(&chat), notice_queue));
        tokio::spawn(notifications::save_told(Arc::downgrade(&chat), told_queue));
        tokio::spawn(missed::look(Arc::downgrade(&chat), missed));
        tokio::spawn(unannounced::watch(Arc::downgrade(&chat)));
        if chat.roster.is_shared() {
            tokio::spawn(presence::count(Arc::downgrade(&chat)));
        }
        (chat, publisher)
    }

    /// Takes committed messages to their rooms, then lets their senders know. In this order a sender who was
    /// acknowledged finds the message in the room.
    async fn publish_committed(self: Arc<Self>, mut committed: mpsc::Receiver<Committed>) {
        while let Some(message) = committed.recv().await {
            if !message.stored.duplicate {
                self.bus.publish(Event::Message {
                    tenant: message.tenant.clone(),
                    message: Arc::clone(&message.stored.message),
                    listeners: Arc::clone(&message.stored.delivery.listeners),
                    unread_count: message
                        .stored
                        .support
                        .as_ref()
                        .map(|state| state.row.unread_count),
                });
                metrics::histogram!("confab_delivery_seconds")
                    .record(message.arrived.elapsed().as_secs_f64());
                self.queue_notice(&message);
                if let Some(state) = &message.stored.support {
                    self.support_room_changed(&message.tenant, state).await;
                }
            }
            message.acknowledge();
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`crate::error::Error::StorageUnavailable`].
    pub async fn ping(&self) -> crate::error::Result<()> {
        self.store.ping().await
    }

    /// Every connection of this node.
    #[must_use]
    pub fn connections(&self) -> Vec<Arc<Connection>> {
        self.presence.connections()
    }
}
