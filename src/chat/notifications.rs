//! Notifications: a message, to participants who are not in its room.
//!
//! They are written with the message, in one commit, as not delivered yet. Those who are connected are told at once,
//! the others when they return; only then is a notification delivered. A crash in between tells twice, never not at all.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
};

use entity::{
    ids::{MessageId, Rev, RoomId, TenantId, UserId},
    notifications::NotificationKind,
};
use tokio::sync::mpsc;

use super::{Chat, Connection, Namespace, RoomKey, left_undone};
use crate::{
    bus::Event,
    error::{Error, Result},
    protocol::{Message, Notification, to_raw},
    store::{Committed, Delivery, PendingNotification},
};

/// How much of the text a notification shows, in characters.
const BODY_CHARS: usize = 140;
/// Those who were told, saved in one go.
const TOLD_AT_ONCE: usize = 256;

/// A message whose absent participants are to be told.
pub(super) struct Notice {
    tenant: TenantId,
    message: Arc<Message>,
    delivery: Arc<Delivery>,
}

/// Sends notifications, one message after the other, until the server ends.
pub(super) async fn send(chat: Weak<Chat>, mut notices: mpsc::Receiver<Notice>) {
    while let Some(notice) = notices.recv().await {
        let Some(chat) = chat.upgrade() else { return };
        if let Err(error) = chat.notify(&notice).await {
            left_undone(
                &error,
                "notifications were not sent; their users are told when they return",
            );
        }
    }
}

impl Chat {
    pub(super) fn queue_notice(&self, committed: &Committed) {
        let delivery = &committed.stored.delivery;
        let is_connected = |user: &UserId| self.presence.is_connected(&committed.tenant, user);
        let somebody_is_here =
            !delivery.partly_here.is_empty() || delivery.recipients.iter().any(is_connected);
        let may_be_elsewhere = self.roster.is_shared() && !delivery.recipients.is_empty();
        if !somebody_is_here && !may_be_elsewhere {
            return;
        }
        let notice = Notice {
            tenant: committed.tenant.clone(),
            message: Arc::clone(&committed.stored.message),
            delivery: Arc::clone(delivery),
        };
        if self.notices.try_send(notice).is_err() {
            metrics::counter!("confab_notifications_late_total").increment(1);
        }
    }

    async fn notify(&self, notice: &Notice) -> Result<()> {
        let Notice {
            tenant,
            message,
            delivery,
        } = notice;
        let elsewhere = self.roster.elsewhere(tenant, &delivery.recipients).await;
        for user in &delivery.recipients {
            let places = elsewhere.get(user);
            if !self.presence.is_connected(tenant, user) && places.is_none() {
                continue;
            }
            let mut rooms = places.into_iter().flatten().flat_map(|place| &place.rooms);
            let unread = if rooms.any(|room| *room == message.room_id) {
                0
            } else {
                self.unread(tenant, user, &message.room_id).await?
            };
            self.tell_participant(notice, user, unread).await?;
        }
        for user in &delivery.partly_here {
            self.tell_participant(notice, user, 0).await?;
        }
        Ok(())
    }

    /// Tells a user of a message, unless they were removed from its room since.
    async fn tell_participant(&self, notice: &Notice, user: &UserId, unread: i64) -> Result<()> {
        let key = RoomKey::new(&notice.tenant, &notice.message.room_id);
        loop {
            let decided = self.rooms.decide(&key);
            let room = self.room(&key.tenant, &key.room).await?;
            if self.role_of(&key.tenant, user, &room).await?.is_none() {
                return Ok(());
            }
            let _turn = self.presence.turn(user);
            if decided.holds() {
                self.publish_notification(notice, user, unread);
                return Ok(());
            }
        }
    }

    fn publish_notification(&self, notice: &Notice, user: &UserId, unread_count: i64) {
        let Delivery { kind, title, .. } = &*notice.delivery;
        self.bus.publish(Event::Notification {
            tenant: notice.tenant.clone(),
            user: user.clone(),
            notification: Arc::new(notification(*kind, title, &notice.message, unread_count)),
        });
    }

    /// Messages that a user has not read in a room.
    async fn unread(&self, tenant: &TenantId, user: &UserId, room: &RoomId) -> Result<i64> {
        let participant = self.store.participant(tenant, room, user).await?;
        let read_seq = participant.map_or(Rev(0), |participant| participant.read_seq);
        self.store.unread(tenant, room, user, read_seq).await
    }

    /// Tells a user who returns what was kept for them, oldest first.
    pub(super) async fn deliver_pending_notifications(
        &self,
        connection: &Arc<Connection>,
    ) -> Result<()> {
        let caller = connection.identity();
        let pending = self
            .store
            .pending_notifications(&caller.tenant, &caller.user_id)
            .await?;
        if pending.is_empty() {
            return Ok(());
        }
        let mut unread: HashMap<&RoomId, i64> = HashMap::new();
        for kept in &pending {
            let room = &kept.message.room_id;
            if !unread.contains_key(room) {
                let count = self.unread(&caller.tenant, &caller.user_id, room).await?;
                unread.insert(room, count);
            }
        }
        for kept in &pending {
            let count = unread.get(&kept.message.room_id).copied();
            self.deliver_kept(connection, kept, count.unwrap_or_default())
                .await?;
        }
        let told = pending.iter().map(|kept| kept.message.id).collect();
        let now = self.clock.now();
        self.store
            .notifications_told(&caller.tenant, &caller.user_id, told, now)
            .await
    }

    /// Tells of what was kept, unless the user may not enter the room any more.
    async fn deliver_kept(
        &self,
        connection: &Arc<Connection>,
        kept: &PendingNotification,
        unread: i64,
    ) -> Result<()> {
        let caller = connection.identity();
        let key = RoomKey::new(&caller.tenant, &kept.message.room_id);
        loop {
            let (room, decided) = match self.enter(&caller, &key).await {
                Ok(entered) => entered,
                Err(Error::AccessDenied(_) | Error::NotFound(_)) => return Ok(()),
                Err(error) => return Err(error),
            };
            let title = match kept.kind {
                NotificationKind::PrivateMessage => &kept.message.username,
                NotificationKind::Message => &room.row.name,
            };
            let _turn = self.presence.turn(&caller.user_id);
            if decided.holds() {
                if connection.is_first_told(kept.message.id) {
                    connection.send(
                        "notification",
                        &notification(kept.kind, title, &kept.message, unread),
                    );
                }
                return Ok(());
            }
        }
    }

    pub(super) fn hear_notification(
        &self,
        tenant: &TenantId,
        user: &UserId,
        notification: &Notification,
    ) {
        // Who has joined the room since has the message already.
        let key = RoomKey::new(tenant, &notification.room_id);
        let in_room: HashSet<_> = self
            .live
            .connections_in(tenant, std::slice::from_ref(&key.room))
            .into_iter()
            .map(|connection| connection.id)
            .collect();
        let payload = to_raw(notification);
        let user_only = std::slice::from_ref(user);
        let connections = self.presence.connections_of(tenant, user_only);
        for connection in &connections {
            if !in_room.contains(&connection.id)
                && connection.is_first_told(notification.message_id)
            {
                connection.push("notification", &payload);
            }
        }
        // One who is about to be connected may turn out to be gone.
        let is_there = |one: &Arc<Connection>| one.namespace == Namespace::Chat && !one.is_held();
        if connections.iter().any(is_there) {
            let told = Told {
                tenant: tenant.clone(),
                user: user.clone(),
                message: notification.message_id,
            };
            // If there is no place, the user is told again when they return.
            drop(self.told.try_send(told));
        }
    }
}

/// A user who was told of a message.
pub(super) struct Told {
    tenant: TenantId,
    user: UserId,
    message: MessageId,
}

/// Saves who was told, so that they are not told again when they return.
pub(super) async fn save_told(chat: Weak<Chat>, mut queue: mpsc::Receiver<Told>) {
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, TOLD_AT_ONCE).await > 0 {
        let Some(chat) = chat.upgrade() else { return };
        let mut users: HashMap<(TenantId, MessageId), Vec<UserId>> = HashMap::new();
        for told in batch.drain(..) {
            let users = users.entry((told.tenant, told.message)).or_default();
            users.push(told.user);
        }
        for ((tenant, message), users) in users {
            let now = chat.clock.now();
            let saved = chat
                .store
                .notifications_delivered(&tenant, users, vec![message], now);
            if let Err(error) = saved.await {
                left_undone(
                    &error,
                    "who was notified was not saved; they are told again when they return",
                );
            }
        }
    }
}

fn notification(
    kind: NotificationKind,
    title: &str,
    message: &Message,
    unread_count: i64,
) -> Notification {
    Notification {
        kind,
        room_id: message.room_id.clone(),
        message_id: message.id,
        title: title.to_owned(),
        body: message.message.chars().take(BODY_CHARS).collect(),
        unread_count,
    }
}
