//! The live stream over a bus that loses, repeats and reorders, as one between nodes can.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use confab::{
    auth::Identity,
    bus::{Event, Listener, Origin},
    chat::{Chat, CloseReason, Connection, Namespace, Outlet},
    clock::Clock,
    protocol::{ChatMessage, JoinRoom, PrivateMessage},
    store::{Committed, Store},
};
use entity::ids::{ExternalId, TenantId, UserId};
use serde_json::{Value, json, value::RawValue};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

use crate::support::config;

/// Messages that are sent in each test.
const MESSAGES: usize = 300;

/// How long what must come may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps what it is told.
#[derive(Clone)]
struct Recorder {
    heard: Arc<Mutex<Vec<Value>>>,
    changed: watch::Sender<usize>,
}

impl Recorder {
    fn new() -> Self {
        Self {
            heard: Arc::default(),
            changed: watch::Sender::new(0),
        }
    }

    /// The sequence numbers of the messages heard, once there are so many.
    async fn messages(&self, count: usize) -> Vec<i64> {
        let mut changed = self.changed.subscribe();
        let all = changed.wait_for(|heard| *heard >= count);
        let found = tokio::time::timeout(PATIENCE, all).await.map(|_| ());
        let heard = self.heard.lock().unwrap().clone();
        assert!(found.is_ok(), "only {} of {count} were heard", heard.len());
        heard
            .iter()
            .map(|message| message["seq"].as_i64().unwrap())
            .collect()
    }
}

impl Outlet for Recorder {
    fn push(&self, event: &'static str, payload: &RawValue) {
        if event == "new_message" {
            self.heard
                .lock()
                .unwrap()
                .push(serde_json::from_str(payload.get()).unwrap());
            self.changed.send_modify(|heard| *heard += 1);
        }
    }

    fn close(&self, _: CloseReason) {}
}

/// Loses a tenth of the messages, repeats a tenth, and delivers the others out of order within a window of seven. The
/// last is delivered: behind it a gap shows.
async fn unreliable(chat: Arc<Chat>, mut committed: mpsc::Receiver<Committed>) {
    let mut random = 7_u32;
    let mut next = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(random >> 16).unwrap()
    };
    let mut window: Vec<Event> = Vec::new();
    let mut count = 0;
    while let Some(message) = committed.recv().await {
        count += 1;
        let event = Event::Message {
            tenant: message.tenant.clone(),
            message: Arc::clone(&message.stored.message),
            listeners: Arc::clone(&message.stored.delivery.listeners),
            unread_count: None,
        };
        message.acknowledge();
        match next() % 10 {
            0 if count < MESSAGES => {}
            1 => window.extend([event.clone(), event]),
            _ => window.push(event),
        }
        while window.len() > 7 || (count >= MESSAGES && !window.is_empty()) {
            let chosen = next() % window.len();
            chat.hear(window.swap_remove(chosen), Origin::Elsewhere);
        }
    }
}

async fn chat(folder: &TempDir) -> Arc<Chat> {
    let config = config(folder, &[("rate_limit_messages", "0")]);
    let (sender, committed) = mpsc::channel(16);
    let store = Store::open(&config, Clock::System, sender).await.unwrap();
    // The chat's own publisher gets nothing to publish.
    let (_, nothing) = mpsc::channel(1);
    let (chat, _) = Chat::start(config, Clock::System, store, nothing, None);
    tokio::spawn(unreliable(Arc::clone(&chat), committed));
    chat
}

async fn connect(chat: &Arc<Chat>, user: i64) -> (Arc<Connection>, Recorder) {
    let recorder = Recorder::new();
    let identity = Identity {
        tenant: TenantId::default(),
        user_id: UserId(ExternalId::Number(user)),
        username: Arc::from(format!("user {user}")),
        is_guest: false,
        is_staff: false,
        expires_at: None,
        session: None,
        former_guests: Arc::default(),
        token_version: 0,
    };
    chat.know_user(&identity).await.unwrap();
    let connection = Connection::new(Namespace::Chat, identity, Box::new(recorder.clone()));
    chat.expect(&connection).await;
    chat.connect(&connection, None).await.unwrap();
    (connection, recorder)
}

fn request<T: serde::de::DeserializeOwned>(payload: Value) -> T {
    serde_json::from_value(payload).unwrap()
}

#[tokio::test]
async fn a_room_is_complete_and_in_order_over_a_bus_that_loses_repeats_and_reorders() {
    let folder = TempDir::new().unwrap();
    let chat = chat(&folder).await;
    let (connection, recorder) = connect(&chat, 1).await;
    let join: JoinRoom = request(json!({ "room_id": "lobby" }));
    chat.join_room(&connection, join, &mut |_| {})
        .await
        .unwrap();
    for number in 0..MESSAGES {
        let message: ChatMessage =
            request(json!({ "room_id": "lobby", "message": number.to_string() }));
        chat.send_message(&connection.identity(), message)
            .await
            .unwrap()
            .stored(&chat.limits)
            .await
            .unwrap();
    }
    let last = i64::try_from(MESSAGES).unwrap();
    assert_eq!(
        recorder.messages(MESSAGES).await,
        (1..=last).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_private_conversation_is_complete_and_in_order_though_nobody_joined_it() {
    let folder = TempDir::new().unwrap();
    let chat = chat(&folder).await;
    let (alice, alices) = connect(&chat, 1).await;
    let (_bob, bobs) = connect(&chat, 2).await;
    let (_phone, bobs_phone) = connect(&chat, 2).await;
    for number in 0..MESSAGES {
        let message: PrivateMessage =
            request(json!({ "recipient_id": 2, "message": number.to_string() }));
        let sending = chat
            .send_private_message(&alice.identity(), message)
            .await
            .unwrap();
        sending.stored(&chat.limits).await.unwrap();
    }
    let last = i64::try_from(MESSAGES).unwrap();
    for recorder in [alices, bobs, bobs_phone] {
        let heard = recorder.messages(MESSAGES).await;
        let mut once = heard.clone();
        once.sort_unstable();
        assert_eq!(once, (1..=last).collect::<Vec<_>>(), "each once");
        // Before the first that was heard nobody listened: what came late of it came when it came.
        let settled = heard.iter().skip_while(|seq| **seq < 10);
        assert!(settled.is_sorted(), "in order: {heard:?}");
    }
}
