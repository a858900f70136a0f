//! Messages: sending them and reading the history.

use std::{collections::HashMap, sync::Arc};

use entity::{
    ids::{ClientId, MessageId, RoomId, UserId},
    notifications::NotificationKind,
    rooms::RoomKind,
};
use tokio::sync::oneshot;

use super::{
    Chat, Connection, Namespace, RoomKey,
    live::{Page, Part},
    room_cache::RoomRecord,
    support::{ReadMarks, customers},
};
use crate::{
    auth::Identity,
    error::{Error, Result},
    limits::{Counted, Limits},
    protocol::{ChatMessage, GetMessages, Message, MessagePage, PrivateMessage},
    store::{Delivery, Listeners, Membership, NewMessage, Stored, SupportWrite},
};

/// A message that has its place in the order, or was stored before.
pub enum Sending {
    Queued(oneshot::Receiver<Result<Stored>>, Option<Counted>),
    Before(Box<Message>),
}

/// Whether a message is new.
enum Admitted {
    New(Option<Counted>),
    Before(Box<Message>),
}

/// A message that has no place yet.
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) client_id: Option<ClientId>,
    pub(super) reply_to: Option<MessageId>,
    /// In a support room: what it is there, and the sender's name.
    pub(super) support: Option<(SupportWrite, Arc<str>)>,
}

impl Sending {
    /// Waits for the commit.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`]; then nothing was stored.
    pub async fn stored(self, limits: &Limits) -> Result<Arc<Message>> {
        match self {
            Self::Before(message) => Ok(Arc::new(*message)),
            Self::Queued(answer, counted) => {
                let result = answer.await.unwrap_or(Err(Error::StorageUnavailable));
                // Only what is stored now counts.
                if let (
                    Err(_)
                    | Ok(Stored {
                        duplicate: true, ..
                    }),
                    Some(counted),
                ) = (&result, counted)
                {
                    limits.refund(&counted).await;
                }
                result.map(|stored| stored.message)
            }
        }
    }
}

impl Chat {
    /// Takes a message into a room. When this returns it has its place after all that the caller sent before.
    pub async fn send_message(&self, caller: &Identity, request: ChatMessage) -> Result<Sending> {
        let room = self.entered_room(caller, &request.room_id).await?;
        if request.attachments.is_some_and(|files| !files.is_empty()) {
            return Err(Error::NotFound("File"));
        }
        self.check_reply(caller, &request.room_id, request.reply_to)
            .await?;
        let draft = Draft {
            text: request.message.0,
            client_id: request.client_id,
            reply_to: request.reply_to,
            support: None,
        };
        if room.row.kind == RoomKind::Support {
            return self.send_in_support_room(caller, &room, draft, None).await;
        }
        self.send(caller, &room, draft).await
    }

    /// Counts a message and gives it its place, unless it is a retry of one that was stored.
    pub(super) async fn send(
        &self,
        caller: &Identity,
        room: &RoomRecord,
        draft: Draft,
    ) -> Result<Sending> {
        match self.admit_message(caller, draft.client_id.as_ref()).await? {
            Admitted::New(counted) => self.append(caller, room, draft, counted).await,
            Admitted::Before(message) => Ok(Sending::Before(message)),
        }
    }

    /// Takes a message into the room of the caller and another user, which is made if need be.
    pub async fn send_private_message(
        &self,
        caller: &Identity,
        request: PrivateMessage,
    ) -> Result<Sending> {
        if request.recipient_id == caller.user_id {
            return Err(Error::invalid("a private message needs another recipient"));
        }
        let found = self.find_direct_room(caller, &request.recipient_id).await?;
        let counted = match self
            .admit_message(caller, request.client_id.as_ref())
            .await?
        {
            Admitted::New(counted) => counted,
            Admitted::Before(message) => {
                return Ok(Sending::Before(message));
            }
        };
        // Made last: a message that is refused leaves no room behind.
        let room = match found {
            Some(room) => room,
            None => match self.create_direct_room(caller, &request.recipient_id).await {
                Ok(room) => room,
                Err(error) => return Err(self.not_stored(counted.as_ref(), error).await),
            },
        };
        let draft = Draft {
            text: request.message.0,
            client_id: request.client_id,
            reply_to: None,
            support: None,
        };
        self.append(caller, &room, draft, counted).await
    }

    async fn check_reply(
        &self,
        caller: &Identity,
        room: &RoomId,
        reply_to: Option<MessageId>,
    ) -> Result<()> {
        match reply_to {
            Some(id) => {
                let found = self.store.message_seq(&caller.tenant, room, id).await?;
                found.map(drop).ok_or(Error::NotFound("Message"))
            }
            None => Ok(()),
        }
    }

    /// Counts a message, unless it is a retry of one that was stored: that is returned, and does not count. Without a
    /// limit there is nothing to count, and the writer finds retries.
    async fn admit_message(
        &self,
        caller: &Identity,
        client_id: Option<&ClientId>,
    ) -> Result<Admitted> {
        if let (Some(id), true) = (client_id, self.limits.limits_messages())
            && let Some(message) = self
                .store
                .message_by_client_id(&caller.tenant, &caller.user_id, &caller.former_guests, id)
                .await?
        {
            return Ok(Admitted::Before(Box::new(message)));
        }
        Ok(Admitted::New(
            self.limits.message(&caller.tenant, &caller.user_id).await?,
        ))
    }

    /// A message that was counted goes no further.
    async fn not_stored(&self, counted: Option<&Counted>, error: Error) -> Error {
        if let Some(counted) = counted {
            self.limits.refund(counted).await;
        }
        error
    }

    pub(super) async fn append(
        &self,
        caller: &Identity,
        room: &RoomRecord,
        draft: Draft,
        counted: Option<Counted>,
    ) -> Result<Sending> {
        let key = RoomKey::new(&caller.tenant, &room.row.id);
        let mut here: HashMap<UserId, usize> = HashMap::new();
        for user in self.live.users_in(&key) {
            *here.entry(user).or_default() += 1;
        }
        let (support, name) = draft.support.unzip();
        let message = NewMessage {
            room_id: room.row.id.clone(),
            user_id: caller.user_id.clone(),
            username: name.unwrap_or_else(|| Arc::clone(&caller.username)),
            text: draft.text,
            client_id: draft.client_id,
            reply_to: draft.reply_to,
            mark_read: support.is_none() && !here.contains_key(&caller.user_id),
            as_participant: Self::enters_as_participant(caller, room),
            delivery: Arc::new(self.delivery(caller, room, &here)),
            support,
            sent_before_as: Arc::clone(&caller.former_guests),
        };
        match self.store.append(&caller.tenant, message).await {
            Ok(queued) => Ok(Sending::Queued(queued, counted)),
            Err(error) => Err(self.not_stored(counted.as_ref(), error).await),
        }
    }

    /// A page of a room's history. `answer` is called at a definite place of the caller's stream: replacing the list by
    /// the newest page and appending what arrives afterwards gives the exact history.
    pub async fn get_messages(
        &self,
        connection: &Arc<Connection>,
        request: GetMessages,
        answer: &mut (dyn FnMut(MessagePage) + Send),
    ) -> Result<()> {
        let caller = connection.identity();
        let limit = request.limit.0;
        let part = match (request.before, request.after) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid("`before` and `after` exclude each other"));
            }
            (before, None) => Part::Newest { before, limit },
            (None, Some(seq)) => Part::After { seq, limit },
        };
        let key = RoomKey::new(&caller.tenant, &request.room_id);
        loop {
            let (room, decided) = self.enter(&caller, &key).await?;
            let listen = match (room.row.kind, &room.participants) {
                (RoomKind::Direct, Membership::All(users)) => users.contains_key(&caller.user_id),
                (RoomKind::Support, _) => connection.namespace != Namespace::Chat,
                _ => false,
            };
            let marks = self.read_marks(&caller.tenant, &room).await?;
            let mut give = |page: Page| {
                answer(MessagePage {
                    messages: ReadMarks::apply(marks, page.messages),
                    has_more: page.has_more,
                    rev: page.rev,
                });
            };
            let given = self
                .live
                .history(&key, connection, part, listen, decided, &mut give)
                .await?;
            if given {
                return Ok(());
            }
        }
    }

    /// Who is to hear of a message beside those who are `here`, in the room, each with so many connections.
    fn delivery(
        &self,
        caller: &Identity,
        room: &RoomRecord,
        here: &HashMap<UserId, usize>,
    ) -> Delivery {
        let users: Vec<&UserId> = match &room.participants {
            Membership::All(users) => users.keys().collect(),
            // So many are not notified of every message.
            Membership::Large => Vec::new(),
        };
        let is_direct = room.row.kind == RoomKind::Direct;
        let listeners = match (room.row.kind, users.as_slice()) {
            (RoomKind::Direct, [one, other]) => {
                Listeners::Direct([(*one).clone(), (*other).clone()])
            }
            (RoomKind::Support, _) => Listeners::Support(customers(room)),
            _ => Listeners::None,
        };
        let (mut recipients, mut partly_here) = (Vec::new(), Vec::new());
        // Customers and staff hear of a support room where they look after it.
        let is_notified = room.row.kind != RoomKind::Support;
        if is_notified && users.len() <= self.config.notification_room_limit {
            for user in users.into_iter().filter(|user| **user != caller.user_id) {
                match here.get(user) {
                    None => recipients.push(user.clone()),
                    // On other nodes they may have connections that are not in the room.
                    Some(count)
                        if self.roster.is_shared()
                            || self.presence.connection_count(&caller.tenant, user) > *count =>
                    {
                        partly_here.push(user.clone());
                    }
                    Some(_) => {}
                }
            }
        }
        Delivery {
            listeners: Arc::new(listeners),
            recipients,
            partly_here,
            kind: if is_direct {
                NotificationKind::PrivateMessage
            } else {
                NotificationKind::Message
            },
            title: if is_direct {
                Arc::clone(&caller.username)
            } else {
                room.row.name.as_str().into()
            },
        }
    }
}
