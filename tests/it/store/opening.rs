//! Who may use a database, and what an operator is told.

use std::time::Duration;

use confab::{
    config::Config,
    store::{Condition, Store},
};

use super::{
    Database, NOW, make_room, message, node, open, refused, say, settings, tenant, user, within,
};
use entity::rooms::RoomKind;

fn alone(database: &Database) -> Config {
    let mut config = settings(database, &[("database_timeout_seconds", "3")]);
    config.redis_url.0 = None;
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_together_migrate_once() {
    let database = Database::new().await;
    let config = settings(&database, &[]);
    assert_eq!(Store::inspect(&config).await.unwrap(), Condition::New);
    let starts: Vec<_> = (0..4).map(|_| node(&database, &[])).collect();
    futures_util::future::join_all(starts).await;
    let applied = database
        .ask::<i64>("SELECT count(DISTINCT version) FROM seaql_migrations")
        .await;
    let rows = database
        .ask::<i64>("SELECT count(*) FROM seaql_migrations")
        .await;
    assert_eq!(applied, rows);
    assert_eq!(Store::inspect(&config).await.unwrap(), Condition::Current);
    Store::migrate(&config).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn text_sorts_by_its_bytes_whatever_the_database_was_made_for() {
    let options = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de'";
    let database = Database::made_with(options).await;
    let before = database.ask::<bool>("SELECT 'a' < 'B'").await;
    assert_eq!(before, [true], "the database is for people");
    let store = node(&database, &[]).await;
    let others = "SELECT table_name || '.' || column_name FROM information_schema.columns \
                  WHERE table_schema = current_schema() AND data_type = 'text' \
                  AND collation_name IS DISTINCT FROM 'C'";
    assert_eq!(database.ask::<String>(others).await, Vec::<String>::new());
    for id in ["b", "B", "a", "ä"] {
        let id = user(id);
        store.save_user(tenant(), &id, "x", 0, NOW).await.unwrap();
    }
    let ids = database
        .ask::<String>("SELECT id FROM users ORDER BY id")
        .await;
    assert_eq!(ids, ["B", "a", "b", "ä"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_other_applications_in_the_same_database_are_left_alone() {
    let database = Database::new().await;
    database.execute("CREATE TABLE customers (name text)").await;
    node(&database, &[]).await;
    let collation = "SELECT collation_name::text FROM information_schema.columns WHERE table_name = 'customers'";
    assert_eq!(database.ask::<Option<String>>(collation).await, [None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_is_refused_unless_all_of_them_have_redis() {
    let database = Database::new().await;
    let first = open(&alone(&database)).await.unwrap();
    let (others, one) = ("OtherNodes", "NodeAlone");
    let why = refused(&alone(&database)).await;
    assert!(why.contains(others), "{why}");
    let config = settings(&database, &[("database_timeout_seconds", "3")]);
    let why = refused(&config).await;
    assert!(why.contains(one), "{why}");
    first.close().await;
    let second = open(&config).await.unwrap();
    let third = open(&config).await.unwrap();
    let why = refused(&alone(&database)).await;
    assert!(why.contains(others), "{why}");
    second.close().await;
    third.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_its_database_to_another_stores_nothing_more() {
    let database = Database::new().await;
    let store = open(&alone(&database)).await.unwrap();
    let place = make_room(&store, "room", RoomKind::Public, &["owner"]).await;
    let mut other = database.connect().await;
    let here = "locktype = 'advisory' \
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let lock =
        format!("SELECT pg_advisory_lock(classid::int, objid::int) FROM pg_locks WHERE {here}");
    let waiting = tokio::spawn(async move {
        let lock = sea_orm::sqlx::raw_sql(sea_orm::sqlx::AssertSqlSafe(lock));
        lock.execute(&mut other).await.unwrap();
        other
    });
    let waits = format!("SELECT 1 FROM pg_locks WHERE NOT granted AND {here}");
    database.wait_for(&waits).await;
    let end =
        format!("SELECT pg_terminate_backend(pid)::int FROM pg_locks WHERE granted AND {here}");
    database.ask::<i32>(&end).await;
    let other = waiting.await.unwrap();
    within(Duration::from_secs(20), async {
        while say(&store, message(&place, "owner", "is this stored?"))
            .await
            .is_ok()
        {}
    })
    .await;
    assert!(store.ping().await.is_err(), "a load balancer is told");
    let count = "SELECT count(*) FROM messages";
    let before = database.ask::<i64>(count).await;
    assert!(say(&store, message(&place, "owner", "no")).await.is_err());
    assert_eq!(database.ask::<i64>(count).await, before);
    drop(other);
    within(Duration::from_secs(20), async {
        while say(&store, message(&place, "owner", "and now?"))
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert!(store.ping().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_database_is_said_in_words_and_without_the_password() {
    let database = Database::new().await;
    let name = database.url.rsplit('/').next().unwrap().to_owned();
    let role = "DO $$ BEGIN CREATE ROLE guarded LOGIN PASSWORD 'right-0815'; EXCEPTION WHEN duplicate_object THEN END $$";
    database.execute(role).await;
    let address = database.address();
    let (host, _) = address.split_once(':').unwrap();
    for (url, why) in [
        (
            format!("postgres://guarded:wrong-4711@{address}/{name}"),
            "does not take the password of guarded",
        ),
        (
            format!("postgres://guarded:right-0815@{address}/nowhere"),
            "there is no database nowhere",
        ),
        (
            format!("postgres://guarded:right-0815@{address}/{name}"),
            "permission denied",
        ),
        (
            format!("postgres://guarded:right-0815@{host}:1/{name}"),
            "cannot be reached",
        ),
        (
            format!("postgres://guarded:right-0815@{address}/{name}?sslmode=require"),
            "TLS failed",
        ),
        (
            format!("postgres://guarded:right-0815@{address}/{name}?pasword=wrong-4711"),
            "no parameter is called pasword",
        ),
        (
            format!("postgres://guarded:right-0815@{host}:port/{name}"),
            "invalid port",
        ),
    ] {
        let config = settings(&Database { url }, &[("database_timeout_seconds", "3")]);
        let words = refused(&config).await;
        assert!(words.contains(why), "{words}");
        assert!(
            !words.contains("right-0815") && !words.contains("wrong-4711"),
            "{words}"
        );
    }
}
