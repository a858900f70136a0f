//! Customer support as the customer has it: one open room, which their first message makes.

use std::sync::Arc;

use entity::{
    ids::{ExternalId, Rev, RoomId, TenantId, UserId},
    support_rooms::SupportStatus,
};
use uuid::Uuid;

use super::{
    Chat, Connection, Namespace, RoomKey, left_undone, messages::Draft, support::is_customer,
};
use crate::{
    auth::Identity,
    bus::Event,
    error::{Error, Result},
    protocol::{
        Activity, GetMessages, MarkedRead, Message, MessagePage, OpenRoom, RoomActivity,
        RoomOpened, SupportChatMessage, SupportGetMessages, SupportRoom, Typing,
    },
    store::{NewSupportRoom, SupportRow},
};

/// How often a message opens a new room because the one it was meant for was closed meanwhile.
const MAX_ROOMS_TRIED: usize = 3;

impl Chat {
    /// Opens the caller's support room, or finds the one that is open: there is never more than one.
    pub async fn open_support_room(
        &self,
        caller: &Identity,
        request: OpenRoom,
    ) -> Result<RoomOpened> {
        let (row, created) = self.opened(caller, request).await?;
        Ok(RoomOpened {
            room_id: row.room_id.clone(),
            room: self.support_room_for_customer(caller, row).await?,
            created,
        })
    }

    async fn opened(&self, caller: &Identity, request: OpenRoom) -> Result<(SupportRow, bool)> {
        let email = request.email.and_then(|email| email.0);
        let named = request
            .name
            .map(|name| name.0)
            .filter(|name| caller.is_guest && !name.is_empty());
        let is_named = named.is_some();
        let name = named.unwrap_or_else(|| display_name(caller, email.as_deref()));
        let new = NewSupportRoom {
            id: RoomId(ExternalId::Text(Uuid::now_v7().to_string().into())),
            customer: caller.user_id.clone(),
            is_guest: caller.is_guest,
            name,
            email,
            is_named,
            now: self.clock.now(),
        };
        let (row, created) = self.store.open_support_room(&caller.tenant, new).await?;
        if created {
            self.rooms
                .forget(&RoomKey::new(&caller.tenant, &row.room_id));
            let activity = RoomActivity {
                room: Some(self.customer_room(&caller.tenant, row.clone()).await?),
                ..RoomActivity::new(
                    &row.room_id,
                    Activity::Opened,
                    &caller.user_id,
                    &row.customer_name,
                    false,
                )
            };
            self.bus.publish(Event::SupportOpened {
                tenant: caller.tenant.clone(),
                customer: caller.user_id.clone(),
                activity,
            });
        }
        Ok((row, created))
    }

    /// The caller's open support room, if there is one.
    pub async fn own_support_room(&self, caller: &Identity) -> Result<Option<SupportRoom>> {
        let row = self
            .store
            .customers_room(&caller.tenant, &caller.user_id, true)
            .await?;
        match row {
            Some(row) => self.support_room_for_customer(caller, row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The room that a customer speaks of: the one that is named, else the open one, else the newest.
    ///
    /// # Errors
    /// [`Error::ROOM_DENIED`] for any that is not the caller's own, whether it exists or not.
    async fn customers_room(
        &self,
        caller: &Identity,
        named: Option<RoomId>,
    ) -> Result<Option<SupportRow>> {
        let (tenant, user) = (&caller.tenant, &caller.user_id);
        let Some(room) = named else {
            if let Some(open) = self.store.customers_room(tenant, user, true).await? {
                return Ok(Some(open));
            }
            return self.store.customers_room(tenant, user, false).await;
        };
        let row = self.store.support_room(tenant, &room).await?;
        match row {
            Some(row) if is_customer(&row, user) => Ok(Some(row)),
            _ => Err(Error::ROOM_DENIED),
        }
    }

    /// A customer's message. Without a room it goes to the open one, or opens one.
    pub async fn send_as_customer(
        &self,
        caller: &Identity,
        request: SupportChatMessage,
    ) -> Result<Arc<Message>> {
        let is_named = request.room_id.is_some();
        if is_named {
            self.customers_room(caller, request.room_id.clone()).await?;
        }
        for _ in 0..MAX_ROOMS_TRIED {
            let room_id = match &request.room_id {
                Some(room) => room.clone(),
                None => self.opened(caller, OpenRoom::default()).await?.0.room_id,
            };
            let room = self.entered_room(caller, &room_id).await?;
            let draft = Draft::new(request.content.0.clone(), request.client_id.clone());
            let sending = self
                .send_in_support_room(caller, &room, draft, None)
                .await?;
            match sending.stored(&self.limits).await {
                // It was closed since: the customer need not know.
                Err(Error::RoomClosed) if !is_named => {}
                result => return result,
            }
        }
        Err(Error::RoomClosed)
    }

    /// The customer ends the conversation.
    pub async fn close_as_customer(
        &self,
        caller: &Identity,
        named: Option<RoomId>,
    ) -> Result<SupportRoom> {
        let row = self
            .customers_room(caller, named)
            .await?
            .ok_or(Error::ROOM_NOT_FOUND)?;
        self.end_support_room(caller, &row.room_id).await?;
        let row = self
            .store
            .support_room(&caller.tenant, &row.room_id)
            .await?
            .ok_or(Error::ROOM_NOT_FOUND)?;
        self.support_room_for_customer(caller, row).await
    }

    /// A page of the customer's conversation; an empty one where there is none yet.
    pub async fn history_for_customer(
        &self,
        connection: &Arc<Connection>,
        request: SupportGetMessages,
        answer: &mut (dyn FnMut(MessagePage) + Send),
    ) -> Result<()> {
        let caller = connection.identity();
        let Some(row) = self.customers_room(&caller, request.room_id).await? else {
            answer(MessagePage {
                messages: Vec::new(),
                has_more: false,
                rev: Rev(0),
            });
            return Ok(());
        };
        let request = GetMessages {
            room_id: row.room_id,
            limit: request.limit,
            before: request.before,
            after: request.after,
        };
        self.get_messages(connection, request, answer).await
    }

    /// The customer is typing, in their open room.
    pub async fn typing_as_customer(
        &self,
        connection: &Arc<Connection>,
        named: Option<RoomId>,
        is_typing: bool,
    ) -> Result<()> {
        let caller = connection.identity();
        if let Some(row) = self.customers_room(&caller, named).await?
            && row.status != SupportStatus::Closed
        {
            let key = RoomKey::new(&caller.tenant, &row.room_id);
            if !self.live.has_joined(&key, connection.id) {
                // The room was opened just now.
                self.enter_quietly(connection, &key).await?;
            }
            let typing = Typing {
                room_id: row.room_id,
                is_typing,
            };
            self.typing(connection, typing).await?;
        }
        Ok(())
    }

    /// The customer has read up to a `seq`.
    pub async fn read_as_customer(
        &self,
        caller: &Identity,
        named: Option<RoomId>,
        seq: Rev,
    ) -> Result<MarkedRead> {
        let row = self
            .customers_room(caller, named)
            .await?
            .ok_or(Error::ROOM_NOT_FOUND)?;
        let (tenant, room) = (&caller.tenant, &row.room_id);
        let newest = self.newest_seq(tenant, room).await?;
        let before = self.read_seq(tenant, room, &caller.user_id).await?;
        let seq = seq.min(newest).max(before);
        if seq > before {
            self.store
                .customer_has_read(tenant, room, &caller.user_id, seq)
                .await?;
            self.tell_read(caller, room, seq);
            let activity = RoomActivity {
                seq: Some(seq),
                ..RoomActivity::new(
                    room,
                    Activity::Read,
                    &caller.user_id,
                    &row.customer_name,
                    false,
                )
            };
            self.tell_desk(tenant, activity);
        }
        Ok(MarkedRead {
            seq,
            unread_count: self.store.unread_answers(tenant, room, seq).await?,
        })
    }

    async fn support_room_for_customer(
        &self,
        caller: &Identity,
        row: SupportRow,
    ) -> Result<SupportRoom> {
        let (tenant, room) = (&caller.tenant, &row.room_id);
        let read = self.read_seq(tenant, room, &caller.user_id).await?;
        let stored = self.store.room(tenant, room).await?;
        Ok(SupportRoom {
            unread_count: self.store.unread_answers(tenant, room, read).await?,
            rev: stored.map_or(Rev(0), |room| room.last_rev),
            id: row.room_id,
            status: row.status,
            customer_name: row.customer_name,
            customer_email: row.customer_email,
            created_at: row.created_at,
        })
    }

    /// A customer's connection hears their open room from now on.
    pub(super) async fn enter_support(&self, connection: &Arc<Connection>) -> Result<()> {
        let caller = connection.identity();
        let open = self
            .store
            .customers_room(&caller.tenant, &caller.user_id, true)
            .await?;
        if let Some(row) = open {
            let key = RoomKey::new(&caller.tenant, &row.room_id);
            self.enter_quietly(connection, &key).await?;
        }
        Ok(())
    }

    pub(super) fn hear_opened(&self, tenant: &TenantId, customer: &UserId) {
        let here = self.presence.connections_in(
            Namespace::Support,
            tenant,
            std::slice::from_ref(customer),
        );
        let Some(chat) = self.this.upgrade() else {
            return;
        };
        // Messages reach them all the same; typing and receipts do from then on.
        tokio::spawn(async move {
            for connection in here {
                if let Err(error) = chat.enter_support(&connection).await {
                    left_undone(&error, "a customer's connection did not enter the new room");
                }
            }
        });
    }
}

/// What staff call a customer: the name, else the local part of the e-mail address, else `Guest 1a2b`.
fn display_name(caller: &Identity, email: Option<&str>) -> String {
    let local = email.and_then(|email| email.split('@').next());
    match local {
        Some(local) if caller.is_guest && !local.is_empty() => local.to_owned(),
        _ => caller.username.to_string(),
    }
}
