//! The rules, one noun a file. Knows no transport: callers are [`Connection`]s, answers are values.

mod access;
mod accounts;
mod audit;
mod connection;
mod conversations;
mod guests;
mod live;
mod messages;
mod notifications;
mod presence;
mod revocation;
mod rooms;
mod search;
mod typing;

use std::sync::Arc;

use tokio::{
    sync::{Semaphore, mpsc},
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
    bus::{Bus, Event, Listener, LocalBus},
    clock::Clock,
    config::Config,
    limits::Limits,
    store::{Committed, Store},
};
use accounts::Passwords;
use notifications::Notice;
use presence::Presence;
use rooms::RoomCache;

/// All of the chat on this node: what it knows, and the services in the files beside this one.
pub struct Chat {
    pub config: Config,
    pub clock: Clock,
    pub limits: Limits,
    pub audit: Audit,
    store: Store,
    bus: Arc<dyn Bus>,
    rooms: RoomCache,
    live: LiveRooms,
    presence: Presence,
    passwords: Passwords,
    /// Held by the search that runs.
    searching: Semaphore,
    notices: mpsc::Sender<Notice>,
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
    ) -> (Arc<Self>, JoinHandle<()>) {
        let (notices, notice_queue) = mpsc::channel(NOTICE_QUEUE);
        let chat = Arc::new_cyclic(|chat| Self {
            limits: Limits::new(&config, clock.clone()),
            audit: Audit::start(&config, store.clone(), clock.clone()),
            rooms: RoomCache::new(),
            live: LiveRooms::new(store.clone(), config.typing_timeout_seconds.0),
            presence: Presence::new(),
            passwords: Passwords::new(),
            searching: Semaphore::new(1),
            bus: Arc::new(LocalBus::new(chat.clone())),
            notices,
            store,
            config,
            clock,
        });
        let publisher = tokio::spawn(Arc::clone(&chat).publish_committed(committed));
        tokio::spawn(notifications::send(Arc::downgrade(&chat), notice_queue));
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
                    delivery: Arc::clone(&message.stored.delivery),
                    arrived: message.arrived,
                });
                metrics::histogram!("confab_delivery_seconds")
                    .record(message.arrived.elapsed().as_secs_f64());
                self.queue_notice(&message);
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

impl Listener for Chat {
    fn hear(&self, event: Event) {
        match event {
            Event::Message {
                tenant,
                message,
                delivery,
                ..
            } => {
                let direct = delivery
                    .direct
                    .as_ref()
                    .map(|users| self.presence.connections_of(&tenant, users));
                self.live.deliver(
                    &RoomKey::new(&tenant, &message.room_id),
                    message,
                    &direct.unwrap_or_default(),
                );
            }
            Event::Typing {
                tenant,
                room,
                typist,
                is_typing,
            } => {
                self.live
                    .typing(&RoomKey::new(&tenant, &room), &typist, is_typing);
            }
            Event::Joined { tenant, membership } => {
                self.live.announce(
                    &RoomKey::new(&tenant, &membership.room_id),
                    "user_joined",
                    &membership,
                );
            }
            Event::Left {
                tenant,
                membership,
                is_online,
            } => self.hear_left(&tenant, membership, is_online),
            Event::Presence {
                tenant,
                update,
                is_guest,
                companions,
            } => {
                self.hear_presence(&tenant, &update, is_guest, &companions);
            }
            Event::Notification {
                tenant,
                user,
                notification,
            } => {
                self.hear_notification(&tenant, &user, &notification);
            }
            Event::AccessEnded {
                tenant,
                user,
                which,
            } => self.hear_access_end(&tenant, &user, which),
        }
    }
}
