//! Support rooms: what their customer (`customer.rs`) and the staff (`desk.rs`) do alike, and who hears of it.

use std::sync::Arc;

use entity::{
    ids::{ClientId, MessageId, Rev, RoomId, TenantId, UserId},
    messages::SenderType,
    rooms::RoomKind,
    support_rooms::SupportStatus,
};

use super::{
    Chat, Connection, Entry, Namespace, RoomKey, Sending, messages::Draft, room_cache::RoomRecord,
};
use crate::{
    auth::Identity,
    bus::Event,
    error::{Error, Result},
    protocol::{Encoded, MarkedRead, Message, ReadReceipt, RoomStatusUpdate},
    store::{Membership, SupportRow, SupportState, SupportWrite},
};

/// How far both sides of a support room have read it.
#[derive(Clone, Copy)]
pub(super) struct ReadMarks {
    customer: Rev,
    staff: Rev,
}

impl ReadMarks {
    /// The messages, in a support room each saying whether the other side has read it.
    pub(super) fn apply(marks: Option<Self>, messages: Vec<Arc<Encoded>>) -> Vec<Arc<Encoded>> {
        let Some(marks) = marks else { return messages };
        let marked = messages.into_iter().map(|encoded| {
            let read_up_to = match encoded.message.sender_type {
                Some(SenderType::Customer) => marks.staff,
                _ => marks.customer,
            };
            if encoded.message.seq > read_up_to {
                return encoded;
            }
            let message = Message {
                is_read: Some(true),
                ..(*encoded.message).clone()
            };
            Arc::new(Encoded::new(Arc::new(message)))
        });
        marked.collect()
    }
}

impl Chat {
    /// Takes a message into a support room: its customer's, or a reply of staff.
    pub(super) async fn send_in_support_room(
        &self,
        caller: &Identity,
        room: &RoomRecord,
        draft: Draft,
        if_rev: Option<Rev>,
    ) -> Result<Sending> {
        let tenant = &caller.tenant;
        let is_customer = self.role(caller, room).await?.is_some();
        let row = self
            .store
            .support_room(tenant, &room.row.id)
            .await?
            .ok_or(Error::ROOM_NOT_FOUND)?;
        let (sender, name) = if is_customer {
            (SenderType::Customer, row.customer_name.as_str().into())
        } else {
            (SenderType::Staff, Arc::clone(&caller.username))
        };
        let write = SupportWrite {
            sender,
            if_rev,
            closes: false,
        };
        self.send(caller, room, draft.in_support(write, name)).await
    }

    /// Ends a conversation, with a word in it about who did. Ended already is as good.
    pub(super) async fn end_support_room(&self, caller: &Identity, room_id: &RoomId) -> Result<()> {
        let room = self.entered_room(caller, room_id).await?;
        if room.row.kind != RoomKind::Support {
            return Err(Error::ROOM_DENIED);
        }
        let row = self
            .store
            .support_room(&caller.tenant, room_id)
            .await?
            .ok_or(Error::ROOM_NOT_FOUND)?;
        if row.status == SupportStatus::Closed {
            return Ok(());
        }
        let name: Arc<str> = if is_customer(&row, &caller.user_id) {
            row.customer_name.as_str().into()
        } else {
            Arc::clone(&caller.username)
        };
        let write = SupportWrite {
            sender: SenderType::System,
            if_rev: None,
            closes: true,
        };
        let text = format!("{name} closed the conversation");
        let draft = Draft::new(text, None).in_support(write, name);
        let sending = self.append(caller, &room, draft, None).await?;
        match sending.stored(&self.limits).await {
            Ok(_) => {
                self.audit
                    .note(Entry::new("support.close", caller).room(room_id));
                Ok(())
            }
            Err(Error::RoomClosed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Puts a connection into a support room's stream without a word: its customer and the staff are there by right.
    pub(super) async fn enter_quietly(
        &self,
        connection: &Arc<Connection>,
        key: &RoomKey,
    ) -> Result<()> {
        let caller = connection.identity();
        loop {
            let (_, decided) = self.enter(&caller, key).await?;
            let mut silence = |_| ();
            let joined = self.live.join(key, connection, None, decided, &mut silence);
            if joined.await? {
                return Ok(());
            }
        }
    }

    /// The caller's side has read up to a `seq`, which the other side hears whatever door it came by.
    pub(super) async fn read_in_support_room(
        &self,
        caller: &Identity,
        room: &RoomRecord,
        seq: Rev,
    ) -> Result<MarkedRead> {
        let id = &room.row.id;
        if self.role(caller, room).await?.is_some() {
            return self.read_as_customer(caller, Some(id.clone()), seq).await;
        }
        self.read_as_staff(caller, id, seq).await
    }

    pub(super) async fn newest_seq(&self, tenant: &TenantId, room: &RoomId) -> Result<Rev> {
        let room = self.store.room(tenant, room).await?;
        Ok(room.ok_or(Error::ROOM_NOT_FOUND)?.last_message_seq)
    }

    pub(super) async fn read_seq(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        user: &UserId,
    ) -> Result<Rev> {
        let participant = self.store.participant(tenant, room, user).await?;
        Ok(participant.map_or(Rev(0), |participant| participant.read_seq))
    }

    /// How far both sides have read a room, if it is a support room.
    pub(super) async fn read_marks(
        &self,
        tenant: &TenantId,
        room: &RoomRecord,
    ) -> Result<Option<ReadMarks>> {
        if room.row.kind != RoomKind::Support {
            return Ok(None);
        }
        let row = self.store.support_room(tenant, &room.row.id).await?;
        let mut customer = Rev(0);
        for user in customers(room) {
            customer = customer.max(self.read_seq(tenant, &room.row.id, &user).await?);
        }
        Ok(row.map(|row| ReadMarks {
            customer,
            staff: row.staff_read_seq,
        }))
    }

    pub(super) fn tell_read(&self, caller: &Identity, room: &RoomId, seq: Rev) {
        self.bus.publish(Event::Read {
            tenant: caller.tenant.clone(),
            receipt: ReadReceipt {
                room_id: room.clone(),
                user_id: caller.user_id.clone(),
                seq,
                at: self.clock.now(),
            },
        });
    }

    /// A support room stands otherwise than before.
    pub(super) async fn tell_status(&self, tenant: &TenantId, row: &SupportRow) {
        let assigned_name = self.name_of(tenant, row.assigned_to.as_ref()).await;
        let customers = [&row.user_id, &row.guest_id];
        self.bus.publish(Event::SupportStatus {
            tenant: tenant.clone(),
            customers: customers.into_iter().flatten().cloned().collect(),
            update: RoomStatusUpdate {
                room_id: row.room_id.clone(),
                status: row.status,
                assigned_to: Some(row.assigned_to.clone()),
                assigned_name: Some(assigned_name),
            },
        });
    }

    /// After a message of a support room was delivered.
    pub(super) async fn support_room_changed(&self, tenant: &TenantId, state: &SupportState) {
        if state.is_news {
            self.tell_status(tenant, &state.row).await;
        }
    }

    pub(super) fn hear_support_status(
        &self,
        tenant: &TenantId,
        customers: &[UserId],
        update: &RoomStatusUpdate,
    ) {
        self.desk.tell(tenant, "room_status_update", update);
        let for_customer = RoomStatusUpdate {
            assigned_to: None,
            assigned_name: None,
            ..update.clone()
        };
        for connection in self
            .presence
            .connections_in(Namespace::Support, tenant, customers)
        {
            connection.send("room_status_update", &for_customer);
        }
        let key = RoomKey::new(tenant, &update.room_id);
        if update.status == SupportStatus::Closed {
            self.live.dismiss_listeners(&key);
        }
        for connection in self.live.connections_in(tenant, &[key.room]) {
            if connection.namespace == Namespace::Chat {
                connection.send("room_status_update", &for_customer);
            }
        }
    }
}

/// The customers of a support room: the user, and a guest who has not signed in.
pub(super) fn customers(room: &RoomRecord) -> Vec<UserId> {
    match &room.participants {
        Membership::All(users) => users.keys().cloned().collect(),
        Membership::Large => Vec::new(),
    }
}

pub(super) fn is_customer(row: &SupportRow, user: &UserId) -> bool {
    // A guest's room that a user has taken over is the user's.
    match &row.user_id {
        Some(owner) => owner == user,
        None => row.guest_id.as_ref() == Some(user),
    }
}

/// A message before it has its place: see [`Chat::send`].
impl Draft {
    pub(super) fn new(text: String, client_id: Option<ClientId>) -> Self {
        Self {
            text,
            client_id,
            reply_to: None::<MessageId>,
            support: None,
        }
    }

    pub(super) fn in_support(self, write: SupportWrite, name: Arc<str>) -> Self {
        Self {
            support: Some((write, name)),
            ..self
        }
    }
}
