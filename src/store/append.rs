//! The append: gives messages their revisions and stores them, many in one transaction.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use entity::{
    ids::{ClientId, MessageId, Rev, RoomId, TenantId, UserId},
    messages::{ActiveModel, Column, Entity},
    notifications::{self, NotificationKind},
    rooms,
    timestamp::Timestamp,
};
use parking_lot::Mutex;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr,
    EntityTrait, QueryFilter, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::{ContextV7, Uuid};

use super::{
    Store, lock,
    messages::from_model,
    participants,
    permission::Permissions,
    support::{SupportBatch, SupportState, SupportWrite},
};
use crate::{
    error::{Error, Result},
    protocol::Message,
};

/// Rows that one statement inserts.
const ROWS_AT_ONCE: usize = 1000;

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub username: Arc<str>,
    pub text: String,
    pub client_id: Option<ClientId>,
    pub reply_to: Option<MessageId>,
    /// Whether the sender has read the room up to here by sending.
    pub mark_read: bool,
    /// The sender may write only while a participant of the room.
    pub as_participant: bool,
    pub delivery: Arc<Delivery>,
    /// In a support room.
    pub support: Option<SupportWrite>,
    /// The guests that the sender was before signing in: what they sent under a `client_id` is not sent again.
    pub sent_before_as: Arc<[UserId]>,
}

/// Whose connections hear a message though they have not joined its room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Listeners {
    None,
    /// The two users of a direct room.
    Direct([UserId; 2]),
    /// The customer, and the staff.
    Support(Vec<UserId>),
}

/// Who is to hear of a message beside those who are in its room.
#[derive(Debug)]
pub struct Delivery {
    pub listeners: Arc<Listeners>,
    /// Participants who are not in the room: a notification is kept for each, with the same commit.
    pub recipients: Vec<UserId>,
    /// Participants who are in the room with some of their connections only: the others are notified too, and nothing
    /// is kept.
    pub partly_here: Vec<UserId>,
    pub kind: NotificationKind,
    /// What a notification is headed.
    pub title: Arc<str>,
}

impl Delivery {
    /// The two users of a direct room.
    #[must_use]
    pub fn direct(&self) -> Option<&[UserId; 2]> {
        match &*self.listeners {
            Listeners::Direct(pair) => Some(pair),
            _ => None,
        }
    }
}

/// A message that is committed.
#[derive(Clone, Debug)]
pub struct Stored {
    pub message: Arc<Message>,
    /// It was stored before, under the same `client_id`: nothing was written now.
    pub duplicate: bool,
    pub delivery: Arc<Delivery>,
    /// Where the support room stands with it.
    pub support: Option<Arc<SupportState>>,
}

impl Store {
    /// Puts a message in the writer's queue, which is its place in the order of its room and its sender. The answer
    /// comes when it is committed and was handed to its room.
    ///
    /// # Errors
    /// [`Error::Restarting`] when the writer has ended.
    pub async fn append(
        &self,
        tenant: &TenantId,
        message: NewMessage,
    ) -> Result<oneshot::Receiver<Result<Stored>>> {
        self.writer.append(tenant.clone(), message).await
    }
}

/// Stores messages in their order. Each takes its room's next revision, or is refused, or was stored before.
pub(super) async fn append(
    txn: &DatabaseTransaction,
    now: Timestamp,
    messages: &[(TenantId, NewMessage)],
) -> Result<Vec<Result<Stored>>, DbErr> {
    // The locks first: what is read after them is true until the commit.
    let mut revs = room_revs(txn, messages).await?;
    let mut known = stored_before(txn, messages).await?;
    let mut support = SupportBatch::load(txn, messages).await?;
    let permissions = Permissions::read(txn, messages).await?;
    let mut answers = Vec::with_capacity(messages.len());
    let mut rows = Vec::with_capacity(messages.len());
    for (tenant, new) in messages {
        let known_as = retry_keys(tenant, new);
        if let Some(message) = known_as.iter().find_map(|key| known.get(key)) {
            answers.push(Ok(Stored {
                message: Arc::clone(message),
                duplicate: true,
                delivery: Arc::clone(&new.delivery),
                support: None,
            }));
            continue;
        }
        let Some(room) = revs.get_mut(&(tenant.clone(), new.room_id.clone())) else {
            answers.push(Err(Error::ROOM_NOT_FOUND));
            continue;
        };
        if let Some(refusal) = permissions.refusal(tenant, new, room.is_archived) {
            answers.push(Err(refusal));
            continue;
        }
        if let Err(refusal) = support.admits(tenant, new, room.last_message_seq) {
            answers.push(Err(refusal));
            continue;
        }
        room.last_rev = room.last_rev.next();
        room.last_message_seq = room.last_rev;
        room.grew = true;
        let sender_type = new.support.as_ref().map(|write| write.sender);
        let message = Arc::new(Message {
            id: MessageId(uuid_at(now)),
            room_id: new.room_id.clone(),
            user_id: new.user_id.clone(),
            username: new.username.to_string(),
            message: new.text.clone(),
            timestamp: now,
            seq: room.last_rev,
            rev: room.last_rev,
            client_id: new.client_id.clone(),
            reply_to: new.reply_to,
            content: sender_type.map(|_| new.text.clone()),
            sender_type,
            sender_name: sender_type.map(|_| new.username.to_string()),
            is_read: sender_type.map(|_| false),
        });
        rows.push(to_model(tenant, &message));
        if let Some(key) = known_as.into_iter().next() {
            known.insert(key, Arc::clone(&message));
        }
        answers.push(Ok(Stored {
            duplicate: false,
            delivery: Arc::clone(&new.delivery),
            support: support.take(tenant, new, message.seq, now).map(Arc::new),
            message,
        }));
    }
    if rows.is_empty() {
        return Ok(answers);
    }
    // Both databases bound the number of bound values in one statement.
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(ROWS_AT_ONCE));
        Entity::insert_many(std::mem::replace(&mut rows, rest))
            .exec_without_returning(txn)
            .await?;
    }
    for ((tenant, room), end) in revs.into_iter().filter(|(_, end)| end.grew) {
        rooms::Entity::update_many()
            .col_expr(rooms::Column::LastRev, Expr::value(end.last_rev))
            .col_expr(rooms::Column::LastMessageSeq, Expr::value(end.last_rev))
            .col_expr(rooms::Column::LastMessageAt, Expr::value(now))
            .filter(rooms::Column::TenantId.eq(tenant))
            .filter(rooms::Column::Id.eq(room))
            .exec(txn)
            .await?;
    }
    support.save(txn).await?;
    notify_and_mark_read(txn, now, messages, &answers).await?;
    Ok(answers)
}

/// A time-ordered id; ids of one millisecond keep the order in which they were made.
fn uuid_at(now: Timestamp) -> Uuid {
    static CONTEXT: LazyLock<Mutex<ContextV7>> = LazyLock::new(|| Mutex::new(ContextV7::new()));
    let millis = u64::try_from(now.0).unwrap_or(0);
    let nanos = u32::try_from(millis % 1000 * 1_000_000).unwrap_or(0);
    let time = uuid::Timestamp::from_unix(&*CONTEXT.lock(), millis / 1000, nanos);
    Uuid::new_v7(time)
}

type RetryKey = (TenantId, UserId, ClientId);

/// Under what a message may have been stored before: the sender's own key first.
fn retry_keys(tenant: &TenantId, new: &NewMessage) -> Vec<RetryKey> {
    let Some(client_id) = &new.client_id else {
        return Vec::new();
    };
    std::iter::once(&new.user_id)
        .chain(new.sent_before_as.iter())
        .map(|user| (tenant.clone(), user.clone(), client_id.clone()))
        .collect()
}

async fn stored_before(
    txn: &DatabaseTransaction,
    messages: &[(TenantId, NewMessage)],
) -> Result<HashMap<RetryKey, Arc<Message>>, DbErr> {
    let keys = messages
        .iter()
        .flat_map(|(tenant, new)| retry_keys(tenant, new))
        .map(|(tenant, user, client_id)| {
            Condition::all()
                .add(Column::TenantId.eq(tenant))
                .add(Column::UserId.eq(user))
                .add(Column::ClientId.eq(client_id))
        });
    let keys: Vec<Condition> = keys.collect();
    let mut known = HashMap::new();
    // SQLite bounds how deep an expression may be.
    for part in keys.chunks(100) {
        let any = part.iter().cloned().fold(Condition::any(), Condition::add);
        for model in Entity::find().filter(any).all(txn).await? {
            if let Some(client_id) = model.client_id.clone() {
                let key = (model.tenant_id.clone(), model.user_id.clone(), client_id);
                known.insert(key, Arc::new(from_model(model)));
            }
        }
    }
    Ok(known)
}

struct RoomEnd {
    last_rev: Rev,
    is_archived: bool,
    last_message_seq: Rev,
    grew: bool,
}

async fn room_revs(
    txn: &DatabaseTransaction,
    messages: &[(TenantId, NewMessage)],
) -> Result<HashMap<(TenantId, RoomId), RoomEnd>, DbErr> {
    let places: Vec<_> = messages
        .iter()
        .map(|(tenant, new)| (tenant.clone(), new.room_id.clone()))
        .collect();
    let rooms = lock::rooms(txn, &places).await?;
    let ends = rooms.into_iter().map(|room| {
        let end = RoomEnd {
            last_rev: room.last_rev,
            is_archived: room.archived_at.is_some(),
            last_message_seq: room.last_message_seq,
            grew: false,
        };
        ((room.tenant_id, room.id), end)
    });
    Ok(ends.collect())
}

async fn notify_and_mark_read(
    txn: &impl ConnectionTrait,
    now: Timestamp,
    messages: &[(TenantId, NewMessage)],
    answers: &[Result<Stored>],
) -> Result<(), DbErr> {
    let mut rows = Vec::new();
    for ((tenant, new), answer) in messages.iter().zip(answers) {
        let Ok(Stored {
            message,
            duplicate: false,
            ..
        }) = answer
        else {
            continue;
        };
        rows.extend(
            new.delivery
                .recipients
                .iter()
                .map(|user| notifications::ActiveModel {
                    tenant_id: Set(tenant.clone()),
                    user_id: Set(user.clone()),
                    message_id: Set(message.id),
                    room_id: Set(message.room_id.clone()),
                    kind: Set(new.delivery.kind),
                    created_at: Set(now),
                    delivered_at: Set(None),
                    read_at: Set(None),
                }),
        );
        if new.mark_read {
            participants::mark_read(txn, tenant, &message.room_id, &message.user_id, message.seq)
                .await?;
        }
    }
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(ROWS_AT_ONCE));
        notifications::Entity::insert_many(std::mem::replace(&mut rows, rest))
            .exec_without_returning(txn)
            .await?;
    }
    Ok(())
}

fn to_model(tenant: &TenantId, message: &Message) -> ActiveModel {
    ActiveModel {
        id: Set(message.id),
        tenant_id: Set(tenant.clone()),
        room_id: Set(message.room_id.clone()),
        seq: Set(message.seq),
        rev: Set(message.rev),
        user_id: Set(message.user_id.clone()),
        username: Set(message.username.clone()),
        text: Set(message.message.clone()),
        client_id: Set(message.client_id.clone()),
        reply_to: Set(message.reply_to),
        created_at: Set(message.timestamp),
        sender_type: Set(message.sender_type),
    }
}
