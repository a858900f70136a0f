//! Who shares rooms with somebody.

use entity::rooms::RoomKind;

use super::{Database, make_room, node, tenant, user};

#[tokio::test(flavor = "multi_thread")]
async fn companions_are_others_each_named_once() {
    let database = Database::new().await;
    let store = node(&database, &[]).await;
    make_room(&store, "one", RoomKind::Private, &["ann", "bob"]).await;
    make_room(&store, "two", RoomKind::Private, &["bob", "ann", "cem"]).await;
    make_room(&store, "other", RoomKind::Private, &["cem", "dan"]).await;
    // Whoever comes is told too, and is not to be told twice.
    let mut companions = store.companions(tenant(), &user("ann"), 10).await.unwrap();
    companions.sort_by_key(ToString::to_string);
    assert_eq!(companions, [user("bob"), user("cem")]);
}
