//! The store on PostgreSQL, with several nodes on one database.

mod companions;
mod failures;
mod opening;
mod races;
mod revisions;

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use confab::{
    clock::Clock,
    config::Config,
    error::{Error, Result},
    store::{Committed, Delivery, Listeners, NewMessage, NewRoom, OpenError, Store, Stored},
};
use entity::{
    ids::{ClientId, ExternalId, Rev, RoomId, TenantId, UserId},
    notifications::NotificationKind,
    participants::Role,
    rooms::RoomKind,
    timestamp::Timestamp,
};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

use crate::{postgres::Database, support::config};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn text(id: &str) -> ExternalId {
    ExternalId::text(id).unwrap()
}

fn user(id: &str) -> UserId {
    UserId(text(id))
}

fn room(id: &str) -> RoomId {
    RoomId(text(id))
}

fn tenant() -> &'static TenantId {
    static TENANT: LazyLock<TenantId> = LazyLock::new(TenantId::default);
    &TENANT
}

/// The settings of one of several nodes.
fn settings(database: &Database, more: &[(&str, &str)]) -> Config {
    let folder = TempDir::new().unwrap();
    let mut all = vec![
        ("database_url", database.url.as_str()),
        ("redis_url", "redis://127.0.0.1:1"),
        ("database_connections", "6"),
    ];
    all.extend(more);
    config(&folder, &all)
}

/// A node as its store sees it: what is committed is acknowledged at once.
async fn node(database: &Database, more: &[(&str, &str)]) -> Store {
    open(&settings(database, more)).await.unwrap()
}

async fn open(config: &Config) -> Result<Store, OpenError> {
    let (sender, mut committed) = mpsc::channel::<Committed>(1024);
    tokio::spawn(async move {
        while let Some(message) = committed.recv().await {
            message.acknowledge();
        }
    });
    Store::open(config, Clock::System, sender).await
}

fn message(room: &RoomId, sender: &str, words: &str) -> NewMessage {
    NewMessage {
        room_id: room.clone(),
        user_id: user(sender),
        username: Arc::from(sender),
        text: words.to_owned(),
        client_id: None,
        reply_to: None,
        mark_read: true,
        as_participant: false,
        delivery: Arc::new(Delivery {
            listeners: Arc::new(Listeners::None),
            recipients: vec![user("away")],
            partly_here: Vec::new(),
            kind: NotificationKind::Message,
            title: Arc::from("title"),
        }),
        support: None,
        sent_before_as: Arc::from([]),
    }
}

/// A message that is known again.
fn known(room: &RoomId, sender: &str, client_id: &str) -> NewMessage {
    NewMessage {
        client_id: Some(ClientId(text(client_id))),
        ..message(room, sender, client_id)
    }
}

type Answer = oneshot::Receiver<Result<Stored>>;

async fn send(store: &Store, new: NewMessage) -> Answer {
    store.append(tenant(), new).await.unwrap()
}

async fn say(store: &Store, new: NewMessage) -> Result<Stored> {
    let answer = store.append(tenant(), new).await?;
    answer.await.unwrap_or(Err(Error::StorageUnavailable))
}

/// Why a store is not opened.
async fn refused(config: &Config) -> String {
    match open(config).await {
        Ok(_) => "not at all".to_owned(),
        Err(error) => format!("{error} {error:?}"),
    }
}

async fn make_room(store: &Store, id: &str, kind: RoomKind, owners: &[&str]) -> RoomId {
    let new = NewRoom {
        id: room(id),
        name: id.to_owned(),
        kind,
        created_by: user(owners[0]),
        created_at: NOW,
        direct_key: (kind == RoomKind::Direct).then(|| format!("direct {id}")),
        participants: owners.iter().map(|id| (user(id), Role::Owner)).collect(),
    };
    store.create_room(tenant(), new).await.unwrap().id
}

/// What is in a room: every revision once, from the first on.
async fn revisions(store: &Store, room: &RoomId) -> Vec<confab::protocol::Message> {
    let all = confab::store::MessageQuery::Since {
        rev: Rev(0),
        limit: 1_000_000,
    };
    let messages = store.messages(tenant(), room, all).await.unwrap();
    let revs: Vec<i64> = messages.iter().map(|message| message.rev.0).collect();
    let count = i64::try_from(revs.len()).unwrap();
    assert_eq!(revs, (1..=count).collect::<Vec<_>>(), "{room} has a hole");
    let last = store.room(tenant(), room).await.unwrap().unwrap().last_rev;
    assert_eq!(last.0, count);
    messages
}

/// How often PostgreSQL had to end a deadlock, after all who used the database are gone.
async fn deadlocks(database: &Database, stores: &[Store]) -> i64 {
    for store in stores {
        store.close().await;
    }
    let others = "SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                  AND pid <> pg_backend_pid())";
    database.wait_for(others).await;
    let count = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    database.ask(count).await[0]
}

async fn within<T>(patience: Duration, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(patience, future).await;
    waited.unwrap_or_else(|_| panic!("not done within {patience:?}"))
}
