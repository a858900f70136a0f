//! Notifications: a message, to participants who are not in its room.
//!
//! They are written with the message, in one commit, as not delivered yet. Those who are connected are told at once,
//! the others when they return; only then is a notification delivered. A crash in between tells twice, never not at all.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
};

use entity::{
    ids::{MessageId, Rev, TenantId, UserId},
    notifications::NotificationKind,
};
use tokio::sync::mpsc;

use super::{Chat, Connection, RoomKey};
use crate::{
    bus::Event,
    error::Result,
    protocol::{Message, Notification, to_raw},
    store::{Committed, Delivery},
};

/// How much of the text a notification shows, in characters.
const BODY_CHARS: usize = 140;

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
            tracing::warn!(%error, "notifications were not sent; their users are told when they return");
        }
    }
}

impl Chat {
    pub(super) fn queue_notice(&self, committed: &Committed) {
        let delivery = &committed.stored.delivery;
        let is_connected = |user: &UserId| self.presence.is_connected(&committed.tenant, user);
        if !delivery.recipients.iter().any(is_connected) {
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
        let mut told = Vec::new();
        for user in &notice.delivery.recipients {
            if !self.presence.is_connected(&notice.tenant, user) {
                continue;
            }
            let title = notice.delivery.title.to_string();
            let notification = self
                .notification(
                    &notice.tenant,
                    user,
                    notice.delivery.kind,
                    title,
                    &notice.message,
                )
                .await?;
            self.bus.publish(Event::Notification {
                tenant: notice.tenant.clone(),
                user: user.clone(),
                notification: Arc::new(notification),
            });
            told.push(user.clone());
        }
        self.delivered(&notice.tenant, told, vec![notice.message.id])
            .await
    }

    async fn delivered(
        &self,
        tenant: &TenantId,
        users: Vec<UserId>,
        messages: Vec<MessageId>,
    ) -> Result<()> {
        if users.is_empty() || messages.is_empty() {
            return Ok(());
        }
        self.store
            .notifications_delivered(tenant, users, messages, self.clock.now())
            .await
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
        let mut told = Vec::with_capacity(pending.len());
        for kept in pending {
            let title = match kept.kind {
                NotificationKind::PrivateMessage => kept.message.username.clone(),
                NotificationKind::Message => {
                    match self.room(&caller.tenant, &kept.message.room_id).await {
                        // Who may not enter any more is not told either.
                        Ok(room) if self.may_enter(&caller, &room).await.is_ok() => {
                            room.row.name.clone()
                        }
                        _ => continue,
                    }
                }
            };
            let notification = self
                .notification(
                    &caller.tenant,
                    &caller.user_id,
                    kept.kind,
                    title,
                    &kept.message,
                )
                .await?;
            connection.push("notification", &to_raw(&notification));
            told.push(kept.message.id);
        }
        self.delivered(&caller.tenant, vec![caller.user_id.clone()], told)
            .await
    }

    async fn notification(
        &self,
        tenant: &TenantId,
        user: &UserId,
        kind: NotificationKind,
        title: String,
        message: &Message,
    ) -> Result<Notification> {
        let participant = self
            .store
            .participant(tenant, &message.room_id, user)
            .await?;
        let read_seq = participant.map_or(Rev(0), |participant| participant.read_seq);
        Ok(Notification {
            kind,
            room_id: message.room_id.clone(),
            message_id: message.id,
            title,
            body: message.message.chars().take(BODY_CHARS).collect(),
            unread_count: self
                .store
                .unread(tenant, &message.room_id, user, read_seq)
                .await?,
        })
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
        for connection in self
            .presence
            .connections_of(tenant, std::slice::from_ref(user))
        {
            if !in_room.contains(&connection.id) {
                connection.push("notification", &payload);
            }
        }
    }
}
