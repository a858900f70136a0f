//! The ways to a Redis: password, TLS, a socket in the file system.

use std::process::Command;

use confab::bus::{Bus, Health, Link};
use tempfile::TempDir;

use super::nodes::{Log, Node, room, typing};
use crate::support::{config, redis_server::RedisServer};

async fn hear_each_other(url: &str) {
    let (one, other) = Node::two(url).await;
    let _there = other.listen(room(1)).await;
    one.bus.publish(typing(1, 7));
    assert_eq!(other.heard.typists(1).await, [7]);
}

#[tokio::test]
async fn with_a_password() {
    let redis = RedisServer::with(&["--requirepass", "p,w@:/ö"]).await;
    let port = redis.port;
    hear_each_other(&format!("redis://:p%2Cw%40%3A%2F%C3%B6@127.0.0.1:{port}/2")).await;
    let log = Log::capture();
    let wrong = Node::without_redis(&format!("redis://:not-secret@127.0.0.1:{port}"));
    wrong.is(Health::Away).await;
    let lines = log.lines("WARN");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("WRONGPASS"), "{lines:?}");
    assert!(!lines[0].contains("not-secret"), "{lines:?}");
}

#[tokio::test]
async fn with_a_user_who_may_do_no_more_than_is_needed() {
    let redis = RedisServer::start().await;
    let rules = "ACL SETUSER confab on >secret ~confab:* &confab:* -@all +@read +@write +@pubsub +@connection +eval +evalsha +script|load +time +info";
    redis.order(&rules.split(' ').collect::<Vec<_>>()).await;
    let log = Log::capture();
    let url = format!("redis://confab:secret@127.0.0.1:{}", redis.port);
    hear_each_other(&url).await;
    assert_eq!(log.lines("WARN").len(), 0, "{:?}", log.lines("WARN"));
}

#[tokio::test]
async fn over_a_socket_in_the_file_system() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("redis.sock").display().to_string();
    let _redis = RedisServer::with(&["--unixsocket", &path]).await;
    hear_each_other(&format!("unix://{path}")).await;
}

#[test]
fn a_wrong_address_is_refused_at_the_start() {
    let folder = TempDir::new().unwrap();
    let refused = |url: &str| {
        let mut config = config(&folder, &[]);
        config.redis_url.0 = Some(url.to_owned());
        Link::start(&config).map(|_| ()).unwrap_err()
    };
    for url in ["localhost", "http://:secret@a", "redis://:secret@a/x"] {
        let reason = refused(url);
        assert!(reason.starts_with("redis_url: "), "{reason}");
        assert!(!reason.contains("secret"), "{reason}");
    }
    let config = config(&folder, &[]);
    assert!(Link::start(&config).unwrap().is_none(), "none is needed");
}

/// The certificate of the test's own authority is made known by the environment, which a process has but one of.
#[test]
fn over_tls() {
    let folder = TempDir::new().unwrap();
    certificates(&folder);
    let test = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "bus::doors::over_tls_in_a_process_of_its_own"])
        .args(["--ignored", "--nocapture"])
        .env("SSL_CERT_FILE", folder.path().join("ca.pem"))
        .env("TEST_CERTIFICATES", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&test.stdout);
    assert!(test.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "started by over_tls"]
async fn over_tls_in_a_process_of_its_own() {
    let folder = std::env::var("TEST_CERTIFICATES").unwrap();
    let path = |name: &str| format!("{folder}/{name}");
    let tls = crate::support::redis_server::free_port();
    let arguments = [
        "--tls-port",
        &tls.to_string(),
        "--tls-cert-file",
        &path("server.pem"),
        "--tls-key-file",
        &path("server.key"),
        "--tls-ca-cert-file",
        &path("ca.pem"),
        "--tls-auth-clients",
        "no",
    ];
    let _redis = RedisServer::with(&arguments).await;
    hear_each_other(&format!("rediss://localhost:{tls}")).await;
    let log = Log::capture();
    let wrong = Node::without_redis(&format!("rediss://127.0.0.2:{tls}"));
    wrong.is(Health::Away).await;
    assert_eq!(log.lines("WARN").len(), 1, "the certificate names another");
}

/// An authority, and a server that it vouches for.
fn certificates(folder: &TempDir) {
    let script = "set -e
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-authority
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > extensions
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem";
    let made = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}
