//! Losing access, to the instruction: what is given to a removed user between the end of one removal and the beginning
//! of their return, while they ask for everything they can on all threads.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use confab::{
    auth::Identity,
    chat::{Chat, CloseReason, Connection, Namespace, Outlet},
    clock::Clock,
    protocol::{ChatMessage, CreateRoom, GetMessages, JoinRoom, MarkRead, Typing},
    store::Store,
};
use entity::ids::{ExternalId, RoomId, TenantId, UserId};
use serde_json::{Value, json, value::RawValue};
use tempfile::TempDir;
use tokio::{sync::mpsc, task::JoinSet};

use crate::support::config;

const OWNER: &str = "owner";
const VICTIM: &str = "victim";
/// Comes and goes, and shares only the room with the victim.
const COMPANION: &str = "companion";
const REMOVALS: usize = 80;
const PATIENCE: Duration = Duration::from_mins(1);

/// What everybody looks at when something is given.
#[derive(Default)]
struct Watch {
    /// The victim has been removed, and is not being added again yet.
    is_out: AtomicBool,
    /// The first message since then.
    since: AtomicI64,
    leaks: Mutex<Vec<String>>,
    /// Rounds that those who ask have made.
    rounds: AtomicUsize,
}

impl Watch {
    fn note(&self, leaks: impl FnOnce() -> bool, what: impl FnOnce() -> String) {
        if self.is_out.load(Ordering::SeqCst) && leaks() {
            self.leaks.lock().unwrap().push(what());
        }
    }

    /// An answer that was put together over some time may be late, but says nothing that came later.
    fn note_text(&self, what: &str, answer: &impl serde::Serialize) {
        let answer = serde_json::to_value(answer).unwrap().to_string();
        self.note(
            || {
                let since = self.since.load(Ordering::SeqCst);
                since > 0 && answer.contains(&format!("secret-{since}."))
            },
            || what.to_owned(),
        );
    }
}

/// A connection of somebody.
struct Spy {
    user: &'static str,
    watch: Arc<Watch>,
}

impl Outlet for Spy {
    fn push(&self, event: &'static str, payload: &RawValue) {
        let payload: Value = serde_json::from_str(payload.get()).unwrap();
        let of_victim = payload["user_id"] == VICTIM;
        let leaks = match (self.user, event) {
            (VICTIM, "user_online" | "user_offline") => payload["user_id"] == COMPANION,
            (VICTIM, _) => true,
            (_, "user_joined" | "read_receipt") => of_victim,
            (_, "typing_update") => payload["typing_users"]
                .as_array()
                .unwrap()
                .contains(&json!(VICTIM)),
            _ => false,
        };
        self.watch
            .note(|| leaks, || format!("{} heard {event}", self.user));
    }

    fn close(&self, _: CloseReason) {}
}

fn user(id: &str) -> UserId {
    UserId(ExternalId::Text(id.into()))
}

fn request<T: serde::de::DeserializeOwned>(payload: Value) -> T {
    serde_json::from_value(payload).unwrap()
}

async fn connect(chat: &Arc<Chat>, watch: &Arc<Watch>, id: &'static str) -> Arc<Connection> {
    let identity = Identity {
        tenant: TenantId::default(),
        user_id: user(id),
        username: Arc::from(id),
        is_guest: false,
        is_staff: false,
        expires_at: None,
        session: None,
        former_guests: Arc::default(),
        token_version: 0,
    };
    chat.know_user(&identity).await.unwrap();
    let watch = Arc::clone(watch);
    let connection = Connection::new(Namespace::Chat, identity, Box::new(Spy { user: id, watch }));
    chat.expect(&connection).await;
    chat.connect(&connection, None).await.unwrap();
    connection
}

async fn say(chat: &Chat, identity: &Identity, room: &RoomId, text: &str) -> i64 {
    let message: ChatMessage = request(json!({ "room_id": room, "message": text }));
    let sending = chat.send_message(identity, message).await.unwrap();
    sending.stored(&chat.limits).await.unwrap().seq.0
}

/// Everything that a connection can ask for, once.
async fn ask(chat: &Arc<Chat>, watch: &Watch, connection: &Arc<Connection>, room: &RoomId) {
    let identity = connection.identity();
    let join: JoinRoom = request(json!({ "room_id": room, "since": 0 }));
    let mut entered = |_| watch.note(|| true, || "join_room was answered".to_owned());
    let _ = chat.join_room(connection, join, &mut entered).await;
    let typing: Typing = request(json!({ "room_id": room, "is_typing": true }));
    let _ = chat.typing(connection, typing).await;
    let part: GetMessages = request(json!({ "room_id": room, "before": 5 }));
    let mut read = |_| watch.note(|| true, || "get_messages was answered".to_owned());
    let _ = chat.get_messages(connection, part, &mut read).await;
    let mark: MarkRead = request(json!({ "room_id": room, "seq": 1_000_000 }));
    let _ = chat.read_up_to(&identity, mark).await;
    if let Ok(conversations) = chat.conversations(&identity).await {
        watch.note_text("get_user_conversations", &conversations);
    }
    if let Ok(participants) = chat.participants(&identity, room).await {
        watch.note_text("get_room_participants", &participants);
    }
    chat.leave_room(connection, room).await;
    watch.rounds.fetch_add(1, Ordering::SeqCst);
}

async fn rounds(watch: &Watch, count: usize) {
    let until = watch.rounds.load(Ordering::SeqCst) + count;
    let done = async {
        while watch.rounds.load(Ordering::SeqCst) < until {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_given_to_a_removed_user_from_the_moment_that_the_removal_has_ended() {
    let folder = TempDir::new().unwrap();
    let settings = [
        ("rate_limit_messages", "0"),
        // Presence goes to those who share a room.
        ("presence_tenant_limit", "0"),
        ("presence_grace_seconds", "0"),
    ];
    let config = config(&folder, &settings);
    let (sender, committed) = mpsc::channel(16);
    let store = Store::open(&config, Clock::System, sender).await.unwrap();
    let (chat, _publisher) = Chat::start(config, Clock::System, store, committed, None);
    let watch = Arc::new(Watch::default());

    let owner = connect(&chat, &watch, OWNER).await;
    let owner_is = owner.identity();
    let create: CreateRoom = request(json!({
        "name": "secret", "private": true, "participants": [VICTIM, COMPANION],
    }));
    let room = chat.create_room(&owner_is, create).await.unwrap().room_id;
    let join: JoinRoom = request(json!({ "room_id": room }));
    chat.join_room(&owner, join, &mut |_| {}).await.unwrap();

    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let (chat, watch, room) = (Arc::clone(&chat), Arc::clone(&watch), room.clone());
        tasks.spawn(async move {
            let connection = connect(&chat, &watch, VICTIM).await;
            loop {
                ask(&chat, &watch, &connection, &room).await;
            }
        });
    }
    let (others, others_watch) = (Arc::clone(&chat), Arc::clone(&watch));
    tasks.spawn(async move {
        loop {
            let connection = connect(&others, &others_watch, COMPANION).await;
            others.disconnect(&connection).await;
        }
    });
    let (chatter, chatter_is, chatter_room) = (Arc::clone(&chat), owner.identity(), room.clone());
    tasks.spawn(async move {
        loop {
            say(&chatter, &chatter_is, &chatter_room, "chatter").await;
        }
    });

    for removal in 1..=REMOVALS {
        let number = i64::try_from(removal).unwrap();
        chat.remove_participant(&owner_is, &room, &user(VICTIM))
            .await
            .unwrap();
        watch.since.store(number, Ordering::SeqCst);
        watch.is_out.store(true, Ordering::SeqCst);
        // Something to be found out: a message, and a new participant.
        say(&chat, &owner_is, &room, &format!("secret-{number}.")).await;
        let newcomer = user(&format!("secret-{number}."));
        chat.add_participant(&owner_is, &room, &newcomer)
            .await
            .unwrap();
        rounds(&watch, 6).await;
        watch.is_out.store(false, Ordering::SeqCst);
        chat.add_participant(&owner_is, &room, &user(VICTIM))
            .await
            .unwrap();
        rounds(&watch, removal % 3).await;
        let leaks = std::mem::take(&mut *watch.leaks.lock().unwrap());
        assert!(leaks.is_empty(), "after removal {removal}: {leaks:?}");
        assert!(tasks.try_join_next().is_none(), "those who ask go on");
    }
    tasks.shutdown().await;
}
