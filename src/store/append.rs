//! The append: gives messages their revisions and stores them, many in one transaction.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use entity::{
    ids::{ClientId, MessageId, Rev, RoomId, TenantId, UserId},
    messages::Entity,
    notifications::NotificationKind,
    timestamp::Timestamp,
};
use parking_lot::Mutex;
use sea_orm::{ActiveEnum, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Value};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::{ContextV7, Uuid};

use super::{
    Store,
    interruptions::Place,
    lock,
    messages::from_model,
    participants,
    permission::Permissions,
    rows::{self, Kind, Rows},
    support::{SupportBatch, SupportState, SupportWrite},
};
use crate::{
    error::{Error, Result},
    protocol::Message,
};

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
    let mut fresh = Vec::with_capacity(messages.len());
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
        fresh.push((tenant.clone(), Arc::clone(&message)));
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
    if fresh.is_empty() {
        return Ok(answers);
    }
    insert(txn, &mut fresh).await?;
    move_ends(txn, revs, now).await?;
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
    let mut keys = Rows::new(&[
        ("tenant", Kind::Text),
        ("sender", Kind::Text),
        ("client", Kind::Text),
    ]);
    for (tenant, new) in messages {
        for (tenant, user, client_id) in retry_keys(tenant, new) {
            keys.push(vec![tenant.into(), user.into(), client_id.into()]);
        }
    }
    let same = "t.tenant_id = v.tenant AND t.user_id = v.sender AND t.client_id = v.client";
    let found = rows::select(txn, Entity, keys, same, None).await?;
    let mut known = HashMap::with_capacity(found.len());
    for model in found {
        if let Some(client_id) = model.client_id.clone() {
            let key = (model.tenant_id.clone(), model.user_id.clone(), client_id);
            known.insert(key, Arc::new(from_model(model)));
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
) -> Result<HashMap<Place, RoomEnd>, DbErr> {
    let places = messages.iter().map(|(tenant, new)| (tenant, &new.room_id));
    let rooms = lock::rooms(txn, places).await?;
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

/// In the order of their unique key: where another node stores one of them at the same time, one of the two waits.
async fn insert(
    txn: &DatabaseTransaction,
    messages: &mut [(TenantId, Arc<Message>)],
) -> Result<(), DbErr> {
    messages.sort_by_cached_key(|(tenant, message)| {
        let client_id = message.client_id.as_ref().map(ToString::to_string);
        (tenant.to_string(), message.user_id.to_string(), client_id)
    });
    let mut rows = Rows::new(&[
        ("id", Kind::Uuid),
        ("tenant", Kind::Text),
        ("room", Kind::Text),
        ("seq", Kind::Integer),
        ("sender", Kind::Text),
        ("name", Kind::Text),
        ("words", Kind::Text),
        ("client", Kind::Text),
        ("reply", Kind::Uuid),
        ("at", Kind::Integer),
        ("sender_type", Kind::Text),
    ]);
    for (tenant, message) in messages {
        let sender_type = message.sender_type.map(|kind| kind.to_value());
        rows.push(vec![
            message.id.into(),
            tenant.clone().into(),
            message.room_id.clone().into(),
            message.seq.into(),
            message.user_id.clone().into(),
            message.username.clone().into(),
            message.message.clone().into(),
            or_empty(message.client_id.clone().map(Value::from)),
            message.reply_to.unwrap_or(MessageId(Uuid::nil())).into(),
            message.timestamp.into(),
            or_empty(sender_type.map(Value::from)),
        ]);
    }
    let sql = "INSERT INTO messages (id, tenant_id, room_id, seq, rev, user_id, username, text, client_id, reply_to, \
               created_at, sender_type) \
               SELECT id, tenant, room, seq, seq, sender, name, words, NULLIF(client, ''), NULLIF(reply, {nil}), at, \
               NULLIF(sender_type, '') FROM {v}";
    let nil = match txn.get_database_backend() {
        DbBackend::Postgres => "'00000000-0000-0000-0000-000000000000'::uuid",
        _ => "zeroblob(16)",
    };
    let statement = rows.statement(txn, &sql.replace("{nil}", nil));
    txn.execute_raw(statement).await.map(drop)
}

/// No id is the empty text.
fn or_empty(text: Option<Value>) -> Value {
    text.unwrap_or_else(|| Value::from(""))
}

async fn move_ends(
    txn: &DatabaseTransaction,
    ends: HashMap<Place, RoomEnd>,
    now: Timestamp,
) -> Result<(), DbErr> {
    let mut rows = Rows::new(&[
        ("tenant", Kind::Text),
        ("room", Kind::Text),
        ("rev", Kind::Integer),
        ("at", Kind::Integer),
    ]);
    for ((tenant, room), end) in ends.into_iter().filter(|(_, end)| end.grew) {
        rows.push(vec![
            tenant.into(),
            room.into(),
            end.last_rev.into(),
            now.into(),
        ]);
    }
    let sql = "UPDATE rooms SET last_rev = v.rev, last_message_seq = v.rev, last_message_at = v.at FROM {v} \
               WHERE rooms.tenant_id = v.tenant AND rooms.id = v.room";
    txn.execute_raw(rows.statement(txn, sql)).await.map(drop)
}

async fn notify_and_mark_read(
    txn: &DatabaseTransaction,
    now: Timestamp,
    messages: &[(TenantId, NewMessage)],
    answers: &[Result<Stored>],
) -> Result<(), DbErr> {
    let mut kept = Rows::new(&[
        ("message", Kind::Uuid),
        ("tenant", Kind::Text),
        ("recipient", Kind::Text),
        ("room", Kind::Text),
        ("kind", Kind::Text),
        ("at", Kind::Integer),
    ]);
    let mut read = BTreeMap::new();
    for ((tenant, new), answer) in messages.iter().zip(answers) {
        let Ok(Stored {
            message,
            duplicate: false,
            ..
        }) = answer
        else {
            continue;
        };
        for user in &new.delivery.recipients {
            kept.push(vec![
                message.id.into(),
                tenant.clone().into(),
                user.clone().into(),
                message.room_id.clone().into(),
                new.delivery.kind.to_value().into(),
                now.into(),
            ]);
        }
        if new.mark_read {
            let place = [tenant.to_string(), message.room_id.to_string()];
            read.insert((place, message.user_id.to_string()), message.seq);
        }
    }
    if !kept.is_empty() {
        let sql = "INSERT INTO notifications (tenant_id, user_id, message_id, room_id, kind, created_at) \
                   SELECT tenant, recipient, message, room, kind, at FROM {v}";
        txn.execute_raw(kept.statement(txn, sql)).await?;
    }
    participants::mark_all_read(txn, read).await
}
