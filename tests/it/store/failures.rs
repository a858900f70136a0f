//! Connections that end in the middle, or say nothing more.

use std::time::{Duration, Instant};

use confab::{
    error::Error,
    store::{AuditQuery, AuditRow, Store},
};
use entity::{audit::ActorKind, ids::RoomId, rooms::RoomKind};
use uuid::Uuid;

use super::{Database, NOW, known, make_room, message, node, revisions, say, tenant, user, within};
use crate::{
    bus::nodes::Log,
    proxy::{Fault, Proxy},
    support::proxy::{self, Network},
};

/// A node whose connections to the database can be cut, and another one.
async fn nodes(timeout: &str) -> (Database, Proxy, Store, Store, RoomId) {
    let database = Database::new().await;
    let proxy = Proxy::start(database.address()).await;
    let more = [("database_timeout_seconds", timeout)];
    let node_behind = node(&database.through(&proxy.address), &more).await;
    let other = node(&database, &more).await;
    let place = make_room(&other, "room", RoomKind::Public, &["owner"]).await;
    say(&node_behind, message(&place, "owner", "first"))
        .await
        .unwrap();
    (database, proxy, node_behind, other, place)
}

async fn writing_works_again(store: &Store, before: u64) {
    let mut over = store.interruptions();
    let waiting = over.wait_for(|count| *count > before);
    drop(within(Duration::from_secs(20), waiting).await.unwrap());
}

/// The next message that is committed meets a fault; it is told to be unavailable and can be sent again.
async fn a_commit_meets(fault: Fault, is_stored: bool) {
    let (_, proxy, store, other, place) = nodes("2").await;
    let before = *store.interruptions().borrow();
    proxy.set("COMMIT", fault);
    let refused = say(&store, known(&place, "owner", "second")).await;
    assert_eq!(refused.unwrap_err(), Error::StorageUnavailable);
    writing_works_again(&store, before).await;
    // Nobody was told of it: whoever keeps the room in memory learns where to look.
    let unannounced = store.take_unannounced();
    assert_eq!(unannounced, [(tenant().clone(), place.clone())]);
    assert_eq!(
        revisions(&other, &place).await.len(),
        if is_stored { 2 } else { 1 }
    );
    let again = say(&store, known(&place, "owner", "second")).await.unwrap();
    assert_eq!(again.duplicate, is_stored);
    assert_eq!(revisions(&other, &place).await.len(), 2);
    assert!(store.take_unannounced().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_known_to_be_looked_for() {
    a_commit_meets(Fault::CutAfter, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_did_not_arrive_stored_nothing() {
    a_commit_meets(Fault::CutBefore, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_never_answered_is_given_up() {
    let start = Instant::now();
    a_commit_meets(Fault::Silence, true).await;
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_falls_silent_in_a_transaction_holds_others_up_no_longer_than_the_timeout() {
    let (_, proxy, store, other, place) = nodes("2").await;
    // It has the room's lock, and the database never hears what is to become of it.
    proxy.set("said with the last breath", Fault::Silence);
    let new = message(&place, "owner", "said with the last breath");
    let lost = store.append(tenant(), new).await.unwrap();
    proxy.sprung().await;
    let start = Instant::now();
    say(&other, message(&place, "owner", "second"))
        .await
        .unwrap();
    let waited = start.elapsed();
    let bounds = Duration::from_millis(500)..Duration::from_millis(3500);
    assert!(bounds.contains(&waited), "{waited:?}");
    assert!(
        !matches!(lost.await, Ok(Ok(_))),
        "nobody is told that it was stored"
    );
    assert_eq!(revisions(&other, &place).await.len(), 2);
    within(Duration::from_secs(20), async {
        while say(&store, message(&place, "owner", "third"))
            .await
            .is_err()
        {}
    })
    .await;
    assert_eq!(revisions(&other, &place).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_connections_were_ended_while_nothing_was_asked() {
    let (database, _, store, _, place) = nodes("5").await;
    for _ in 0..5 {
        let reads = (0..6).map(|_| store.room(tenant(), &place));
        for read in futures_util::future::join_all(reads).await {
            assert!(read.unwrap().is_some());
        }
        let end = "SELECT pg_terminate_backend(pid)::int FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        database.ask::<i32>(end).await;
        let reads = (0..6).map(|_| store.room(tenant(), &place));
        for read in futures_util::future::join_all(reads).await {
            assert!(read.unwrap().is_some());
        }
        database.ask::<i32>(end).await;
        let saved = store
            .save_user(tenant(), &user("owner"), "name", 0, NOW)
            .await;
        assert!(saved.is_ok());
        let said = say(&store, message(&place, "owner", "still here")).await;
        assert!(said.is_ok());
    }
}

// On one thread, whose log is captured.
#[tokio::test]
async fn an_outage_is_logged_once_however_many_notice_it_and_so_is_a_query_that_fails_by_itself() {
    let log = Log::capture();
    let database = Database::new().await;
    let port = database.address().rsplit(':').next().unwrap().parse();
    let proxy = proxy::Proxy::start(port.unwrap()).await;
    let behind = database.through(&proxy.address.to_string());
    let store = node(&behind, &[("database_timeout_seconds", "2")]).await;
    let place = make_room(&store, "room", RoomKind::Public, &["owner"]).await;

    let before = *store.interruptions().borrow();
    proxy.set(Network::Silent);
    let reads = (0..50).map(|_| store.room(tenant(), &place));
    let writes = (0..20).map(|_| say(&store, message(&place, "owner", "lost")));
    let (read, written) = tokio::join!(
        futures_util::future::join_all(reads),
        futures_util::future::join_all(writes)
    );
    assert!(read.iter().all(Result::is_err));
    assert!(written.iter().all(Result::is_err));
    proxy.set(Network::Whole);
    writing_works_again(&store, before).await;
    within(Duration::from_secs(20), async {
        while store.room(tenant(), &place).await.is_err() {}
    })
    .await;
    let lines = |words| log.lines(words).len();
    assert_eq!(lines("the database failed"), 1);
    assert_eq!(lines("the database works again"), 1);
    assert_eq!(lines("ERROR"), 1);

    let rename = "ALTER TABLE notifications RENAME TO gone";
    database.execute(rename).await;
    let owner = user("owner");
    for _ in 0..20 {
        let pending = store.pending_notifications(tenant(), &owner);
        assert!(pending.await.is_err());
    }
    let told = log.lines("a query failed");
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("pending_notifications"), "{told:?}");
    assert_eq!(lines("the database failed"), 1);
}

fn audited(action: &str) -> AuditRow {
    AuditRow {
        id: Uuid::now_v7(),
        tenant_id: tenant().clone(),
        at: NOW,
        action: action.to_owned(),
        outcome: "ok".to_owned(),
        actor: None,
        actor_kind: ActorKind::System,
        room_id: None,
        subject: None,
        address: None,
        door: None,
        count: 1,
        detail: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_goes_on_after_a_commit_whose_answer_was_lost() {
    let (_, proxy, store, other, _) = nodes("2").await;
    let mut rows = vec![audited("one"), audited("two")];
    proxy.set("COMMIT", Fault::CutAfter);
    assert!(store.write_audit(rows.clone()).await.is_err());
    // Whoever writes does not know, and writes them with the next ones.
    rows.push(audited("three"));
    store.write_audit(rows).await.unwrap();
    let query = AuditQuery {
        limit: 10,
        ..AuditQuery::default()
    };
    let written = other.audit(tenant(), query).await.unwrap();
    let actions: Vec<_> = written.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["three", "two", "one"]);
}
