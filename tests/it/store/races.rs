//! What is decided on one node while another one writes.

use confab::{
    error::Error,
    store::{
        ChangeRequest, GuestKey, Linked, NewMessage, NewSupportRoom, RoomChange, Store, Stored,
    },
};
use entity::{ids::RoomId, participants::Role, rooms::RoomKind};
use tokio::{sync::mpsc, task::JoinSet};

use super::{Database, NOW, make_room, message, node, revisions, room, say, send, tenant, user};
use confab::{error::Result, store::Listeners};

const ROUNDS: usize = 25;

async fn two_nodes() -> [Store; 2] {
    let database = Database::new().await;
    [node(&database, &[]).await, node(&database, &[]).await]
}

async fn change(store: &Store, place: &RoomId, subject: &str, change: RoomChange) -> Result<()> {
    let request = ChangeRequest {
        room: place.clone(),
        actor: user("owner"),
        subject: user(subject),
        change,
        at: NOW,
    };
    let decide = |standing: &confab::store::Standing, change: &RoomChange| {
        let leaves = matches!(
            change,
            RoomChange::Remove | RoomChange::SetRole(Role::Member)
        );
        let is_last = standing.owners == 1 && standing.subject == Some(Role::Owner);
        if leaves && is_last {
            return Err(Error::LastOwner);
        }
        Ok(true)
    };
    let changed = store.change_room(tenant(), request, decide).await;
    changed.map(drop)
}

/// Messages of one node that follow each other, while something happens on another one that refuses them from then on.
/// When it has been acknowledged, nothing more is stored.
async fn nothing_is_stored_after(
    writer: &Store,
    new: impl Fn() -> NewMessage,
    refusal: &Error,
    event: impl AsyncFnOnce(),
) {
    let place = new().room_id;
    let (sender, mut answers) = mpsc::unbounded_channel();
    let sending = async {
        loop {
            let answer = send(writer, new()).await;
            if sender.send(answer).is_err() {
                return;
            }
        }
    };
    let mut refused = 0;
    let hearing = async {
        for _ in 0..20 {
            answers.recv().await.unwrap().await.unwrap().unwrap();
        }
        event().await;
        let last = writer.room(tenant(), &place).await.unwrap().unwrap();
        while refused < 20 {
            match answers.recv().await.unwrap().await.unwrap() {
                Ok(Stored { message, .. }) => assert!(message.rev <= last.last_rev, "{message:?}"),
                Err(error) => {
                    assert_eq!(error, *refusal);
                    refused += 1;
                }
            }
        }
        answers.close();
        while let Some(answer) = answers.recv().await {
            assert_eq!(answer.await.unwrap().unwrap_err(), *refusal);
        }
    };
    tokio::select! {
        () = sending => {}
        () = hearing => {}
    }
    revisions(writer, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_participant_stores_nothing_more_on_any_node() {
    let [one, other] = two_nodes().await;
    for round in 0..ROUNDS {
        let owners = ["owner", "victim"];
        let place = make_room(&one, &format!("room {round}"), RoomKind::Private, &owners).await;
        let new = || NewMessage {
            as_participant: true,
            ..message(&place, "victim", "still here")
        };
        nothing_is_stored_after(&other, new, &Error::ROOM_DENIED, async || {
            change(&one, &place, "victim", RoomChange::Remove)
                .await
                .unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_room_takes_no_message_on_any_node() {
    let [one, other] = two_nodes().await;
    for round in 0..ROUNDS {
        let place = make_room(&one, &format!("room {round}"), RoomKind::Public, &["owner"]).await;
        let new = || message(&place, "owner", "still open");
        nothing_is_stored_after(&other, new, &Error::RoomArchived, async || {
            change(&one, &place, "owner", RoomChange::Archive(true))
                .await
                .unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_is_blocked_stores_nothing_more_on_any_node() {
    let [one, other] = two_nodes().await;
    for round in 0..ROUNDS {
        let pair = [format!("alice {round}"), format!("bob {round}")];
        let both = [pair[0].as_str(), pair[1].as_str()];
        let id = format!("room {round}");
        let place = make_room(&one, &id, RoomKind::Direct, &both).await;
        let users = [user(&pair[0]), user(&pair[1])];
        let new = || {
            let mut new = message(&place, &pair[1], "hello");
            let delivery = std::sync::Arc::get_mut(&mut new.delivery).unwrap();
            delivery.listeners = std::sync::Arc::new(Listeners::Direct(users.clone()));
            new
        };
        nothing_is_stored_after(&other, new, &Error::Blocked, async || {
            let key = format!("direct {id}");
            let blocked = one
                .block(tenant(), [&users[0], &users[1]], key, NOW, 10)
                .await;
            assert!(blocked.unwrap());
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_is_blocked_on_one_node_is_not_added_to_a_room_on_another() {
    let [one, other] = two_nodes().await;
    for round in 0..ROUNDS {
        let pair = [format!("alice {round}"), format!("bob {round}")];
        for id in &pair {
            one.save_user(tenant(), &user(id), id, 0, NOW)
                .await
                .unwrap();
        }
        let users = [user(&pair[0]), user(&pair[1])];
        let new = |id: String, creator: usize| confab::store::NewRoom {
            id: room(&id),
            name: "room".to_owned(),
            kind: RoomKind::Private,
            created_by: users[creator].clone(),
            created_at: NOW,
            direct_key: None,
            participants: users
                .iter()
                .map(|user| (user.clone(), Role::Owner))
                .collect(),
        };
        let made = new(format!("room {round}"), 1);
        let id = made.id.clone();
        let blocking = async {
            let key = format!("direct {round}");
            let pair = [&users[0], &users[1]];
            assert!(one.block(tenant(), pair, key, NOW, 10).await.unwrap());
            one.room(tenant(), &id).await.unwrap().is_some()
        };
        let (was_there, made) = tokio::join!(blocking, other.create_room(tenant(), made));
        // A room that was made first is there when the block is acknowledged; none comes after it.
        assert_eq!(made.is_ok(), was_there, "in round {round}");
        let again = new(format!("again {round}"), 0);
        let again = other.create_room(tenant(), again).await;
        assert_eq!(again.unwrap_err(), Error::Blocked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_leave_at_once_on_two_nodes_one_stays() {
    let [one, other] = two_nodes().await;
    for round in 0..ROUNDS {
        let owners = ["ann", "ben"];
        let place = make_room(&one, &format!("room {round}"), RoomKind::Private, &owners).await;
        let (left, right) = tokio::join!(
            change(&one, &place, "ann", RoomChange::Remove),
            change(&other, &place, "ben", RoomChange::SetRole(Role::Member)),
        );
        let refused: Vec<_> = [left, right].into_iter().filter_map(Result::err).collect();
        assert_eq!(refused, [Error::LastOwner], "in round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_comes_to_two_nodes_has_one_open_room() {
    let [one, other] = two_nodes().await;
    for round in 0..ROUNDS {
        let customer = format!("customer {round}");
        let open = async |store: &Store, id: &str| {
            let new = NewSupportRoom {
                id: room(&format!("{id} {round}")),
                customer: user(&customer),
                is_guest: false,
                name: id.to_owned(),
                email: None,
                is_named: true,
                now: NOW,
            };
            store.open_support_room(tenant(), new).await.unwrap()
        };
        let ((left, left_made), (right, right_made)) =
            tokio::join!(open(&one, "a"), open(&other, "b"));
        assert_eq!(left.room_id, right.room_id);
        assert!(left_made != right_made);
    }
}

/// A guest comes to rooms, opens a conversation and writes on one node while they sign in on the other.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_behind_with_a_guest_who_signs_in_on_another_node() {
    let [one, other] = two_nodes().await;
    for round in 0..ROUNDS {
        let (guest, person) = (
            user(&format!("guest {round}")),
            user(&format!("user {round}")),
        );
        let secret = format!("secret {round}");
        let made = one
            .create_guest(tenant(), secret.clone(), &guest, "Guest 1", NOW)
            .await;
        made.unwrap();
        let mut places = Vec::new();
        for number in 0..4 {
            let id = format!("room {round}.{number}");
            make_room(&one, &id, RoomKind::Private, &["owner"]).await;
            places.push(room(&id));
        }
        let mut coming = JoinSet::new();
        for place in places.clone() {
            let (store, guest) = (one.clone(), guest.clone());
            coming.spawn(async move {
                let row = store.room(tenant(), &place).await.unwrap().unwrap();
                let added = store
                    .add_participant(tenant(), &row, &guest, Role::Member, NOW)
                    .await;
                assert!(added.unwrap());
                let new = NewMessage {
                    as_participant: true,
                    user_id: guest,
                    ..message(&place, "guest", "hello")
                };
                (place, say(&store, new).await)
            });
        }
        let (store, customer) = (one.clone(), guest.clone());
        let opening = tokio::spawn(async move {
            let new = NewSupportRoom {
                id: room(&format!("support {round}")),
                customer,
                is_guest: true,
                name: "Guest 1".to_owned(),
                email: None,
                is_named: false,
                now: NOW,
            };
            store.open_support_room(tenant(), new).await
        });
        let key = GuestKey::Secret(secret);
        let linked = other
            .link_guest(tenant(), key, &person, "Ann", NOW)
            .await
            .unwrap();
        let Linked::Now { rooms, .. } = linked else {
            panic!("{linked:?}");
        };
        for (place, stored) in coming.join_all().await {
            let has_moved = rooms.contains(&place);
            let is_there = |id| other.participant(tenant(), &place, id);
            let (guest_is, person_is) = (is_there(&guest).await, is_there(&person).await);
            // The guest came before and is the user now, or after, as one who has no more to say than before.
            assert_eq!(person_is.unwrap().is_some(), has_moved, "{place}");
            assert_eq!(guest_is.unwrap().is_some(), !has_moved, "{place}");
            if let Err(error) = stored {
                assert_eq!(error, Error::GuestLinked);
            }
        }
        match opening.await.unwrap() {
            Err(error) => assert_eq!(error, Error::GuestLinked),
            Ok((row, _)) => {
                let row = other
                    .support_room(tenant(), &row.room_id)
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!(
                    row.user_id,
                    Some(person.clone()),
                    "the conversation went with the guest"
                );
            }
        }
    }
}
