//! Messages: the append that gives them their revisions, and the pages of a room's history.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, LazyLock},
};

use entity::{
    ids::{ClientId, MessageId, Rev, RoomId, TenantId, UserId},
    messages::{ActiveModel, Column, Entity, Model},
    notifications::{self, NotificationKind},
    rooms,
    timestamp::Timestamp,
};
use parking_lot::Mutex;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr,
    EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use tokio::sync::oneshot;
use uuid::{ContextV7, Uuid};

use super::{Store, participants, timed};
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
    pub delivery: Arc<Delivery>,
}

/// Who is to hear of a message beside those who are in its room.
#[derive(Debug)]
pub struct Delivery {
    /// The two users of a direct room: all of their connections hear it.
    pub direct: Option<[UserId; 2]>,
    /// Participants who are not in the room: a notification is kept for each, with the same commit.
    pub recipients: Vec<UserId>,
    /// Participants who are in the room with some of their connections only: the others are notified too, and nothing
    /// is kept.
    pub partly_here: Vec<UserId>,
    pub kind: NotificationKind,
    /// What a notification is headed.
    pub title: Arc<str>,
}

/// A message that is committed.
#[derive(Clone, Debug)]
pub struct Stored {
    pub message: Arc<Message>,
    /// It was stored before, under the same `client_id`: nothing was written now.
    pub duplicate: bool,
    pub delivery: Arc<Delivery>,
}

/// A part of a room's history.
#[derive(Clone, Copy, Debug)]
pub enum MessageQuery {
    /// The newest messages below a `seq`, or of all.
    Newest { before: Option<Rev>, limit: u32 },
    /// The oldest messages above a `seq`.
    After { seq: Rev, limit: u32 },
    /// What changed after a revision, in the order of the changes.
    Since { rev: Rev, limit: u32 },
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

    /// The message that a user has sent under a `client_id`.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`], as with all reads.
    pub async fn message_by_client_id(
        &self,
        tenant: &TenantId,
        user: &UserId,
        client_id: &ClientId,
    ) -> Result<Option<Message>> {
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::UserId.eq(user.clone()))
            .filter(Column::ClientId.eq(client_id.clone()));
        timed("message_by_client_id", query.one(&self.reader))
            .await
            .map(|model| model.map(from_model))
    }

    pub async fn message_exists(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        id: MessageId,
    ) -> Result<bool> {
        let query = Entity::find_by_id(id)
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::RoomId.eq(room.clone()));
        timed("message_exists", query.one(&self.reader))
            .await
            .map(|found| found.is_some())
    }

    /// A part of a room's history, oldest first.
    pub async fn messages(
        &self,
        tenant: &TenantId,
        room: &RoomId,
        part: MessageQuery,
    ) -> Result<Vec<Message>> {
        let query = Entity::find()
            .filter(Column::TenantId.eq(tenant.clone()))
            .filter(Column::RoomId.eq(room.clone()));
        let (query, newest_first) = match part {
            MessageQuery::Newest { before, limit } => {
                let below = before.map_or_else(Condition::all, |seq| {
                    Condition::all().add(Column::Seq.lt(seq))
                });
                (
                    query
                        .filter(below)
                        .order_by_desc(Column::Seq)
                        .limit(u64::from(limit)),
                    true,
                )
            }
            MessageQuery::After { seq, limit } => (
                query
                    .filter(Column::Seq.gt(seq))
                    .order_by_asc(Column::Seq)
                    .limit(u64::from(limit)),
                false,
            ),
            MessageQuery::Since { rev, limit } => (
                query
                    .filter(Column::Rev.gt(rev))
                    .order_by_asc(Column::Rev)
                    .limit(u64::from(limit)),
                false,
            ),
        };
        let mut messages: Vec<Message> = timed("messages", query.all(&self.reader))
            .await?
            .into_iter()
            .map(from_model)
            .collect();
        if newest_first {
            messages.reverse();
        }
        Ok(messages)
    }
}

/// Stores messages in their order. Each takes its room's next revision, or is refused, or was stored before.
pub(super) async fn append(
    txn: &DatabaseTransaction,
    now: Timestamp,
    messages: &[(TenantId, NewMessage)],
) -> Result<Vec<Result<Stored>>, DbErr> {
    let mut known = stored_before(txn, messages).await?;
    let mut revs = room_revs(txn, messages).await?;
    let mut answers = Vec::with_capacity(messages.len());
    let mut rows = Vec::with_capacity(messages.len());
    for (tenant, new) in messages {
        let retry_key = new
            .client_id
            .as_ref()
            .map(|id| (tenant.clone(), new.user_id.clone(), id.clone()));
        if let Some(message) = retry_key.as_ref().and_then(|key| known.get(key)) {
            answers.push(Ok(Stored {
                message: Arc::clone(message),
                duplicate: true,
                delivery: Arc::clone(&new.delivery),
            }));
            continue;
        }
        let Some(room) = revs.get_mut(&(tenant.clone(), new.room_id.clone())) else {
            answers.push(Err(Error::ROOM_NOT_FOUND));
            continue;
        };
        room.last_rev = room.last_rev.next();
        room.grew = true;
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
            content: None,
            sender_type: None,
            sender_name: None,
            is_read: None,
        });
        rows.push(to_model(tenant, &message));
        if let Some(key) = retry_key {
            known.insert(key, Arc::clone(&message));
        }
        answers.push(Ok(Stored {
            message,
            duplicate: false,
            delivery: Arc::clone(&new.delivery),
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

async fn stored_before(
    txn: &DatabaseTransaction,
    messages: &[(TenantId, NewMessage)],
) -> Result<HashMap<RetryKey, Arc<Message>>, DbErr> {
    let keys = messages.iter().filter_map(|(tenant, new)| {
        let client_id = new.client_id.clone()?;
        Some(
            Condition::all()
                .add(Column::TenantId.eq(tenant.clone()))
                .add(Column::UserId.eq(new.user_id.clone()))
                .add(Column::ClientId.eq(client_id)),
        )
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
    grew: bool,
}

async fn room_revs(
    txn: &DatabaseTransaction,
    messages: &[(TenantId, NewMessage)],
) -> Result<HashMap<(TenantId, RoomId), RoomEnd>, DbErr> {
    let keys: HashSet<_> = messages
        .iter()
        .map(|(tenant, new)| (tenant.clone(), new.room_id.clone()))
        .collect();
    let mut revs = HashMap::with_capacity(keys.len());
    for key in keys {
        if let Some(room) = rooms::Entity::find_by_id(key.clone()).one(txn).await? {
            let end = RoomEnd {
                last_rev: room.last_rev,
                grew: false,
            };
            revs.insert(key, end);
        }
    }
    Ok(revs)
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

pub(super) fn from_model(model: Model) -> Message {
    let is_support = model.sender_type.is_some();
    Message {
        content: is_support.then(|| model.text.clone()),
        sender_type: model.sender_type,
        sender_name: is_support.then(|| model.username.clone()),
        is_read: is_support.then_some(false),
        id: model.id,
        room_id: model.room_id,
        user_id: model.user_id,
        username: model.username,
        message: model.text,
        timestamp: model.created_at,
        seq: model.seq,
        rev: model.rev,
        client_id: model.client_id,
        reply_to: model.reply_to,
    }
}
