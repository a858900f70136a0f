//! What messages of several nodes become in one room.

use std::collections::HashSet;

use confab::store::Store;
use entity::rooms::RoomKind;
use tokio::task::JoinSet;

use super::{
    Database, deadlocks, known, make_room, message, node, revisions, room, send, tenant, user,
};
use crate::proxy::Proxy;

const NODES: usize = 3;
const ROOMS: usize = 24;
const MESSAGES: usize = 240;

async fn nodes(database: &Database) -> Vec<Store> {
    let mut stores = Vec::new();
    for _ in 0..NODES {
        stores.push(node(database, &[]).await);
    }
    stores
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_to_which_three_nodes_write_have_every_revision_once_and_no_deadlock() {
    let database = Database::new().await;
    let stores = nodes(&database).await;
    for number in 0..ROOMS {
        make_room(
            &stores[0],
            &format!("room {number}"),
            RoomKind::Public,
            &["owner"],
        )
        .await;
    }
    let mut writing = JoinSet::new();
    for (number, store) in stores.iter().cloned().enumerate() {
        writing.spawn(async move {
            let sender = format!("user {number}");
            let mut answers = Vec::new();
            for turn in 0..MESSAGES {
                // Each node goes through the rooms in its own order, and its batches hold many of them.
                let place = room(&format!("room {}", (turn * (2 * number + 5)) % ROOMS));
                answers.push(send(&store, message(&place, &sender, &turn.to_string())).await);
                if turn % 16 == 0 {
                    let (owner, from) = (user("owner"), user(&sender));
                    let marks = vec![
                        (place.clone(), entity::ids::Rev(1)),
                        (room("room 0"), entity::ids::Rev(1)),
                    ];
                    store
                        .save_departure(tenant(), &owner, marks, None)
                        .await
                        .unwrap();
                    store
                        .save_user(tenant(), &from, &format!("name {turn}"), 0, super::NOW)
                        .await
                        .unwrap();
                }
            }
            for answer in answers {
                answer.await.unwrap().unwrap();
            }
        });
    }
    writing.join_all().await;
    let mut count = 0;
    for number in 0..ROOMS {
        let messages = revisions(&stores[0], &room(&format!("room {number}"))).await;
        for sender in 0..NODES {
            let sender = user(&format!("user {sender}"));
            let theirs = messages.iter().filter(|message| message.user_id == sender);
            let turns: Vec<usize> = theirs
                .map(|message| message.message.parse().unwrap())
                .collect();
            assert!(
                turns.is_sorted(),
                "a sender's messages keep their order: {turns:?}"
            );
        }
        count += messages.len();
    }
    assert_eq!(count, NODES * MESSAGES);
    assert_eq!(deadlocks(&database, &stores).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_sent_to_two_nodes_is_stored_once() {
    let database = Database::new().await;
    let stores = nodes(&database).await;
    let places = [
        make_room(&stores[0], "one", RoomKind::Public, &["owner"]).await,
        make_room(&stores[0], "other", RoomKind::Public, &["owner"]).await,
    ];
    for round in 0..60 {
        let mut answers = Vec::new();
        for (number, store) in stores.iter().enumerate() {
            // By mistake to another room too: what a client calls one message is one message.
            for part in 0..4 {
                let client_id = format!("message {round}.{}", (part + number) % 4);
                let place = &places[(number + part) % 2];
                answers.push((
                    client_id.clone(),
                    send(store, known(place, "alice", &client_id)).await,
                ));
            }
        }
        let mut ids = HashSet::new();
        let mut fresh = 0;
        for (client_id, answer) in answers {
            let told = answer.await.unwrap().unwrap();
            fresh += usize::from(!told.duplicate);
            ids.insert((client_id, told.message.id));
        }
        assert_eq!((fresh, ids.len()), (4, 4), "in round {round}");
    }
    let mut count = 0;
    for place in &places {
        count += revisions(&stores[0], place).await.len();
    }
    assert_eq!(count, 60 * 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_any_size_are_stored_by_few_statements_that_are_prepared_once() {
    let database = Database::new().await;
    let proxy = Proxy::start(database.address()).await;
    let store = node(&database.through(&proxy.address), &[]).await;
    for number in 0..40 {
        make_room(
            &store,
            &format!("room {number}"),
            RoomKind::Public,
            &["owner"],
        )
        .await;
    }
    for size in 1..=150 {
        let mut answers = Vec::new();
        for number in 0..size {
            let place = room(&format!("room {}", number % 40));
            let mut new = known(&place, "owner", &format!("{size} {number}"));
            new.as_participant = number % 3 == 0;
            answers.push(send(&store, new).await);
        }
        for answer in answers {
            answer.await.unwrap().unwrap();
        }
    }
    assert_eq!(proxy.count("INSERT INTO messages "), 1);
    let statements = proxy.count("FROM UNNEST(");
    assert!((5..=8).contains(&statements), "{statements} statements");
}
