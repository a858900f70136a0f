//! What bounds the audit: how much a second may bring, and how long it is kept, with a clock that is moved by hand.

use std::{sync::Arc, time::Duration};

use confab::{
    auth::Identity,
    chat::{AuditQuery, Chat, Entry},
    clock::Clock,
    error::Error,
    protocol::AuditEntry,
    store::Store,
};
use entity::ids::{ExternalId, TenantId, UserId};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::support::config;

const DAY: Duration = Duration::from_hours(24);

async fn start(folder: &TempDir, clock: &Clock) -> Arc<Chat> {
    let config = config(folder, &[]);
    let (sender, committed) = mpsc::channel(1);
    let store = Store::open(&config, clock.clone(), sender).await.unwrap();
    Chat::start(config, clock.clone(), store, committed, None).0
}

fn user(number: i64) -> UserId {
    UserId(ExternalId::Number(number))
}

fn staff() -> Identity {
    Identity {
        tenant: TenantId::default(),
        user_id: user(1),
        username: Arc::from("agent"),
        is_guest: false,
        is_staff: true,
        expires_at: None,
        session: None,
        former_guests: Arc::default(),
        token_version: 0,
    }
}

async fn read(chat: &Chat) -> Vec<AuditEntry> {
    let query = AuditQuery {
        limit: 100_000,
        ..AuditQuery::default()
    };
    chat.read_audit(&staff(), query).await.unwrap().entries
}

#[tokio::test]
async fn a_flood_of_different_refusals_is_bounded_counted_and_keeps_no_act_out() {
    let folder = TempDir::new().unwrap();
    let chat = start(&folder, &Clock::System).await;
    for number in 0..5000 {
        let entry = Entry::new("join_room", &staff()).subject(&user(number));
        chat.audit.note(entry.refused(&Error::ROOM_DENIED));
    }
    chat.audit
        .note(Entry::new("user.disable", &staff()).subject(&user(7)));
    let entries = read(&chat).await;
    // It may have begun in one second and ended in the next.
    assert!(entries.len() <= 2003, "{} rows", entries.len());
    let all: i64 = entries.iter().map(|entry| entry.count).sum();
    assert_eq!(all, 5001);
    let dropped = entries
        .iter()
        .filter(|entry| entry.action == "audit.dropped");
    assert!(dropped.map(|entry| entry.count).sum::<i64>() >= 3000);
    assert!(entries.iter().any(|entry| entry.action == "user.disable"));
}

#[tokio::test]
async fn entries_are_kept_for_90_days() {
    let folder = TempDir::new().unwrap();
    let clock = Clock::manual();
    let chat = start(&folder, &clock).await;
    chat.audit.note(Entry::new("first", &staff()));
    assert_eq!(read(&chat).await.len(), 1);
    clock.advance(89 * DAY);
    chat.audit.note(Entry::new("second", &staff()));
    assert_eq!(read(&chat).await.len(), 2);
    clock.advance(2 * DAY);
    // It is swept within a second.
    let left = async {
        loop {
            let entries = read(&chat).await;
            if entries.len() < 2 {
                return entries;
            }
            tokio::task::yield_now().await;
        }
    };
    let left = tokio::time::timeout(Duration::from_secs(30), left).await;
    let actions: Vec<_> = left
        .unwrap()
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(actions, ["second"]);
}
