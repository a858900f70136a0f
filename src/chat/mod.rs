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
mod live;
mod membership;
mod messages;
mod notifications;
mod presence;
mod receipts;
mod revocation;
mod room_cache;
mod rooms;
mod search;
mod support;
mod typing;

use std::sync::{Arc, Weak};

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
    bus::{Alone, Bus, Event, Listener, LocalBus, Origin, Redeclare, Roster, Version},
    clock::Clock,
    config::Config,
    limits::Limits,
    protocol::{Activity, Encoded, RoomActivity},
    store::{Committed, Listeners, Store},
};
use accounts::Passwords;
use desk::Desk;
use entity::ids::{TenantId, UserId};
use membership::ChangeTurns;
use notifications::Notice;
use presence::Presence;
use room_cache::RoomCache;

/// All of the chat on this node: what it knows, and the services in the files beside this one.
pub struct Chat {
    pub config: Config,
    pub clock: Clock,
    pub limits: Limits,
    pub audit: Audit,
    store: Store,
    bus: Arc<dyn Bus>,
    roster: Arc<dyn Roster>,
    rooms: RoomCache,
    changes: ChangeTurns,
    live: LiveRooms,
    presence: Presence,
    passwords: Passwords,
    /// Held by the search that runs.
    searching: Semaphore,
    desk: Desk,
    notices: mpsc::Sender<Notice>,
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
    ) -> (Arc<Self>, JoinHandle<()>) {
        let (notices, notice_queue) = mpsc::channel(NOTICE_QUEUE);
        let chat = Arc::new_cyclic(|chat| Self {
            limits: Limits::new(&config, clock.clone(), None),
            audit: Audit::start(&config, store.clone(), clock.clone()),
            rooms: RoomCache::new(),
            changes: ChangeTurns::new(),
            live: LiveRooms::new(store.clone(), config.typing_timeout_seconds.0),
            presence: Presence::new(),
            passwords: Passwords::new(),
            searching: Semaphore::new(1),
            bus: Arc::new(LocalBus::new(chat.clone())),
            roster: Arc::new(Alone),
            desk: Desk::default(),
            notices,
            this: chat.clone(),
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

impl Chat {
    /// The connections here that hear a message though they have not joined its room.
    fn listeners(&self, tenant: &TenantId, who: &Listeners) -> Vec<Arc<Connection>> {
        let users = |namespace, users| self.presence.connections_in(namespace, tenant, users);
        match who {
            Listeners::None => Vec::new(),
            Listeners::Direct(pair) => users(Namespace::Chat, pair.as_slice()),
            Listeners::Support(customers) => {
                let mut all = users(Namespace::Support, customers.as_slice());
                all.extend(self.desk.connections(tenant));
                all
            }
        }
    }
}

impl Listener for Chat {
    fn hear(&self, event: Event, origin: Origin) {
        match event {
            Event::Message {
                tenant,
                message,
                listeners,
                unread_count,
            } => {
                let listeners = self.listeners(&tenant, &listeners);
                let key = RoomKey::new(&tenant, &message.room_id);
                let change = match unread_count {
                    Some(unread) => Encoded::in_support(message, unread),
                    None => Encoded::new(message),
                };
                self.live.deliver(&key, change, &listeners);
            }
            Event::Typing {
                tenant,
                room,
                typist,
                is_typing,
                is_support,
            } => {
                let listeners = if is_support {
                    self.desk.connections(&tenant)
                } else {
                    Vec::new()
                };
                let key = RoomKey::new(&tenant, &room);
                self.live
                    .typing(&key, &typist, is_typing, &listeners, origin);
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
                version,
                to_all,
                companions,
                support_room,
            } => {
                self.hear_presence(&tenant, &update, version, to_all, &companions);
                if let Some(room) = support_room {
                    let action = if update.last_seen.is_none() {
                        Activity::Online
                    } else {
                        Activity::Offline
                    };
                    let (user, name) = (&update.user_id, &update.username);
                    let activity = RoomActivity::new(&room, action, user, name, false);
                    self.desk.tell(&tenant, "room_activity", &activity);
                }
            }
            Event::SupportOpened {
                tenant,
                customer,
                activity,
            } => {
                self.desk.tell(&tenant, "room_activity", &activity);
                self.hear_opened(&tenant, &customer);
            }
            Event::Desk { tenant, activity } => {
                self.desk.tell(&tenant, "room_activity", &activity);
            }
            Event::SupportStatus {
                tenant,
                customers,
                update,
            } => self.hear_support_status(&tenant, &customers, &update),
            Event::Read { tenant, receipt } => {
                let key = RoomKey::new(&tenant, &receipt.room_id);
                self.live.announce(&key, "read_receipt", &receipt);
            }

            Event::Notification {
                tenant,
                user,
                notification,
            } => {
                self.hear_notification(&tenant, &user, &notification);
            }
            Event::ParticipantAdded { tenant, change } => self.hear_added(&tenant, &change),
            Event::ParticipantRemoved { tenant, change } => self.hear_removed(&tenant, &change),
            Event::RoomUpdated { tenant, update } => self.hear_room_updated(&tenant, &update),
            Event::AccessEnded {
                tenant,
                user,
                which,
            } => self.hear_access_end(&tenant, &user, which),
            Event::Leaving { .. } => {}
            Event::CatchUp => self.catch_up(),
        }
    }

    fn catch_up(&self) {}

    fn declare(&self, _: Redeclare) {}

    fn died(&self, _: TenantId, _: UserId, _: Version) {}
}
