//! What is heard over the bus, and who of this node's connections is told.

use std::sync::Arc;

use entity::ids::{TenantId, UserId};
use futures_util::future::BoxFuture;

use super::{Chat, Connection, Namespace, RoomKey, left_undone};
use crate::{
    bus::{Event, Listener, Origin, Redeclare, Typist, Version},
    protocol::{Activity, Encoded, Message, PresenceUpdate, RoomActivity},
    store::Listeners,
};

impl Chat {
    /// What is remembered of a room, on whatever node, does not hold any more.
    pub(super) fn tell_changed(&self, key: &RoomKey, overturns: bool) {
        self.bus.publish(Event::RoomChanged {
            tenant: key.tenant.clone(),
            room: key.room.clone(),
            overturns,
        });
    }

    fn hear_message(
        &self,
        tenant: &TenantId,
        message: Arc<Message>,
        listeners: &Listeners,
        unread_count: Option<i64>,
    ) {
        let listeners = self.listeners(tenant, listeners);
        let key = RoomKey::new(tenant, &message.room_id);
        let change = match unread_count {
            Some(unread) => Encoded::in_support(message, unread),
            None => Encoded::new(message),
        };
        self.live.deliver(&key, change, &listeners);
    }

    fn hear_typing(
        &self,
        key: &RoomKey,
        typist: &Typist,
        is_typing: bool,
        is_support: bool,
        origin: Origin,
    ) {
        let listeners = if is_support {
            self.desk.connections(&key.tenant)
        } else {
            Vec::new()
        };
        self.live.typing(key, typist, is_typing, &listeners, origin);
    }

    fn hear_customers_presence(&self, key: &RoomKey, update: &PresenceUpdate) {
        let action = if update.last_seen.is_none() {
            Activity::Online
        } else {
            Activity::Offline
        };
        let (user, name) = (&update.user_id, &update.username);
        let activity = RoomActivity::new(&key.room, action, user, name, false);
        self.desk.tell(&key.tenant, "room_activity", &activity);
    }

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
            } => self.hear_message(&tenant, message, &listeners, unread_count),
            Event::Typing {
                tenant,
                room,
                typist,
                is_typing,
                is_support,
            } => {
                let key = RoomKey::new(&tenant, &room);
                self.hear_typing(&key, &typist, is_typing, is_support, origin);
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
                let is_news = self.hear_presence(&tenant, &update, version, to_all, &companions);
                if let (Some(room), true) = (support_room, is_news) {
                    let key = RoomKey::new(&tenant, &room);
                    self.hear_customers_presence(&key, &update);
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
            Event::RoomChanged {
                tenant,
                room,
                overturns,
            } => {
                let key = RoomKey::new(&tenant, &room);
                if overturns {
                    self.rooms.overturn(&key);
                } else {
                    self.rooms.forget(&key);
                }
            }
            Event::CatchUp => self.catch_up(),
        }
    }

    fn catch_up(&self) {
        self.missed.notify_one();
    }

    fn declare(&self, what: Redeclare) {
        if let Some(chat) = self.this.upgrade() {
            tokio::spawn(async move { chat.redeclare(what).await });
        }
    }

    fn died(&self, tenant: TenantId, user: UserId, version: Version) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let told = self.bury(tenant, user, version).await;
            if let Err(error) = &told {
                left_undone(error, "that a user went with their node is told later");
            }
            told.is_ok()
        })
    }
}
