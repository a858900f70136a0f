//! Connections that are being made in the moment in which their access ends: they were let in, and cannot be found yet.

use std::sync::{Arc, Mutex};

use confab::{
    auth::Identity,
    chat::{Chat, CloseReason, Connection, Namespace, Outlet},
    clock::Clock,
    store::Store,
};
use entity::ids::{ExternalId, TenantId, UserId};
use serde_json::value::RawValue;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::support::config;

/// What a connection was told, and how it was closed.
#[derive(Default)]
struct Ending {
    told: Mutex<Vec<String>>,
    closed: Mutex<Option<CloseReason>>,
}

struct Recorder(Arc<Ending>);

impl Outlet for Recorder {
    fn push(&self, event: &'static str, payload: &RawValue) {
        let text = format!("{event} {payload}");
        self.0.told.lock().unwrap().push(text);
    }

    fn close(&self, reason: CloseReason) {
        *self.0.closed.lock().unwrap() = Some(reason);
    }
}

fn identity(user: &str, token_version: i64) -> Identity {
    Identity {
        tenant: TenantId::default(),
        user_id: UserId(ExternalId::text(user).unwrap()),
        username: Arc::from(user),
        is_guest: false,
        is_staff: user == "agent",
        expires_at: None,
        session: None,
        former_guests: Arc::default(),
        token_version,
    }
}

async fn start(folder: &TempDir) -> Arc<Chat> {
    let config = config(folder, &[]);
    let (sender, committed) = mpsc::channel(1);
    let store = Store::open(&config, Clock::System, sender).await.unwrap();
    Chat::start(config, Clock::System, store, committed, None).0
}

/// Goes on with a connection that was let in before.
async fn connect(chat: &Arc<Chat>, identity: &Identity) -> (Arc<Connection>, Arc<Ending>) {
    let ending = Arc::new(Ending::default());
    let outlet = Box::new(Recorder(Arc::clone(&ending)));
    let connection = Connection::new(Namespace::Chat, identity.clone(), outlet);
    chat.expect(&connection).await;
    chat.connect(&connection, None).await.unwrap();
    (connection, ending)
}

fn assert_shut_out(connection: &Connection, ending: &Ending, code: &str, reason: CloseReason) {
    assert_eq!(
        connection.refusal().map(confab::error::Error::code),
        Some(code)
    );
    assert_eq!(*ending.closed.lock().unwrap(), Some(reason));
    let told = ending.told.lock().unwrap();
    let last = told.last().unwrap();
    assert!(
        last.starts_with("error ") && last.contains(code),
        "{told:?}"
    );
}

#[tokio::test]
async fn one_who_is_disabled_between_being_let_in_and_being_connected_is_shut_out() {
    let folder = TempDir::new().unwrap();
    let chat = start(&folder).await;
    let alice = identity("alice", 0);
    chat.know_user(&alice).await.unwrap();
    let staff = identity("agent", 0);
    chat.disable(&staff, alice.user_id.clone()).await.unwrap();
    let (connection, ending) = connect(&chat, &alice).await;
    assert_shut_out(
        &connection,
        &ending,
        "account_disabled",
        CloseReason::Disabled,
    );
}

#[tokio::test]
async fn one_whose_tokens_are_revoked_between_being_let_in_and_being_connected_is_shut_out() {
    let folder = TempDir::new().unwrap();
    let chat = start(&folder).await;
    let alice = identity("alice", 0);
    chat.know_user(&alice).await.unwrap();
    chat.know_user(&identity("alice", 1)).await.unwrap();
    let (connection, ending) = connect(&chat, &alice).await;
    assert_shut_out(&connection, &ending, "signed_out", CloseReason::SignedOut);
    let (connection, ending) = connect(&chat, &identity("alice", 1)).await;
    assert!(connection.refusal().is_none() && ending.closed.lock().unwrap().is_none());
}
