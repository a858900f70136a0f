//! The limit of messages, to the nanosecond, with a clock that is moved by hand.

use std::{sync::Arc, time::Duration};

use confab::{
    auth::{Authenticator, Identity},
    clock::Clock,
};
use entity::ids::{ExternalId, TenantId, UserId};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Client, TestServer, config};

fn token(clock: &Clock) -> String {
    let folder = TempDir::new().unwrap();
    let identity = Identity {
        tenant: TenantId::default(),
        user_id: UserId(ExternalId::Number(7)),
        username: Arc::from("alice"),
        is_guest: false,
        is_staff: false,
        expires_at: None,
        session: None,
        former_guests: Arc::default(),
        token_version: 0,
    };
    Authenticator::new(&config(&folder, &[]), clock.clone())
        .unwrap()
        .sign(&identity, 3600)
        .unwrap()
}

#[tokio::test]
async fn one_more_is_admitted_exactly_when_the_first_of_20_is_60_s_old() {
    let clock = Clock::manual();
    let server = TestServer::start(clock.clone(), &[]).await;
    let token = token(&clock);
    let mut clients = [
        Client::connect(&server, &token).await,
        Client::connect(&server, &token).await,
    ];
    for client in &mut clients {
        client
            .request("join_room", json!({ "room_id": "lobby" }))
            .await;
    }
    let message = json!({ "room_id": "lobby", "message": "hello" });
    for sent in 0..20 {
        let ack = clients[sent % 2]
            .request("chat_message", message.clone())
            .await;
        assert_eq!(ack["success"], true, "{ack}");
        clock.advance(Duration::from_secs(1));
    }
    // The first is 20 s old.
    for client in &mut clients {
        let ack = client.request("chat_message", message.clone()).await;
        assert_eq!(
            (&ack["code"], &ack["retry_after_ms"]),
            (&json!("rate_limited"), &json!(40_000)),
            "{ack}"
        );
    }
    clock.advance(Duration::from_nanos(39_999_999_999));
    assert_eq!(
        clients[0].request("chat_message", message.clone()).await["code"],
        "rate_limited"
    );
    clock.advance(Duration::from_nanos(1));
    assert_eq!(
        clients[1].request("chat_message", message.clone()).await["success"],
        true
    );
    let ack = clients[0].request("chat_message", message).await;
    assert_eq!(
        (&ack["code"], &ack["retry_after_ms"]),
        (&json!("rate_limited"), &json!(1_000)),
        "{ack}"
    );
    server.stop().await;
}
