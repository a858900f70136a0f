//! How long tokens and sessions of built-in accounts last, with a clock that is moved by hand.

use std::time::Duration;

use confab::clock::Clock;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::TestServer;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

struct Api<'a> {
    server: &'a TestServer,
    http: reqwest::Client,
}

impl<'a> Api<'a> {
    fn new(server: &'a TestServer) -> Self {
        // A second call fails, and changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::new();
        Self { server, http }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/{path}", self.server.address)
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.http.post(self.url(path)).json(&body);
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn register(&self) -> Value {
        let credentials = json!({ "username": "alice", "password": "correct horse" });
        let (status, body) = self.post("auth/register", credentials).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body
    }

    async fn login(&self, username: &str) -> (StatusCode, Value) {
        let credentials = json!({ "username": username, "password": "wrong horse" });
        self.post("auth/login", credentials).await
    }

    /// Uses a refresh token: the one that is given for it.
    async fn refresh(&self, token: &Value) -> Result<Value, Value> {
        let (status, body) = self
            .post("auth/refresh", json!({ "refresh_token": token }))
            .await;
        if status == StatusCode::OK {
            return Ok(body["refresh_token"].clone());
        }
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
        Err(body["code"].clone())
    }

    async fn is_known(&self, access_token: &Value) -> bool {
        let request = self.http.get(self.url("me"));
        let response = request.bearer_auth(access_token.as_str().unwrap());
        response.send().await.unwrap().status() == StatusCode::OK
    }
}

async fn start(clock: &Clock) -> TestServer {
    TestServer::start(clock.clone(), &[("accounts", "open")]).await
}

#[tokio::test]
async fn tabs_that_refresh_at_the_same_time_both_go_on() {
    let clock = Clock::manual();
    let server = start(&clock).await;
    let api = Api::new(&server);
    let first = api.register().await["refresh_token"].clone();
    let second = api.refresh(&first).await.unwrap();
    clock.advance(Duration::from_secs(29));
    assert_eq!(
        api.refresh(&first).await.unwrap(),
        second,
        "one answer to both"
    );
    let third = api.refresh(&second).await.unwrap();
    assert!(api.refresh(&third).await.is_ok());
    server.stop().await;
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_can_be_asked_for_again_later() {
    let clock = Clock::manual();
    let server = start(&clock).await;
    let api = Api::new(&server);
    let first = api.register().await["refresh_token"].clone();
    let lost = api.refresh(&first).await.unwrap();
    clock.advance(20 * MINUTE);
    let second = api.refresh(&first).await.unwrap();
    assert_ne!(second, lost);
    let third = api.refresh(&second).await.unwrap();
    assert!(api.refresh(&third).await.is_ok());
    server.stop().await;
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_session_as_soon_as_both_have_used_it() {
    let clock = Clock::manual();
    let server = start(&clock).await;
    let api = Api::new(&server);
    let signed_in = api.register().await;
    let stolen = &signed_in["refresh_token"];
    let users = api.refresh(stolen).await.unwrap();
    clock.advance(MINUTE);
    let thiefs = api.refresh(stolen).await.unwrap();
    assert!(api.is_known(&signed_in["access_token"]).await);
    assert_eq!(api.refresh(&users).await, Err(json!("signed_out")));
    assert_eq!(api.refresh(&thiefs).await, Err(json!("signed_out")));
    assert!(!api.is_known(&signed_in["access_token"]).await);
    server.stop().await;
}

#[tokio::test]
async fn a_session_lasts_for_30_days_without_a_visit_and_an_access_token_for_6_hours() {
    let clock = Clock::manual();
    let server = start(&clock).await;
    let api = Api::new(&server);
    let signed_in = api.register().await;
    let access_token = &signed_in["access_token"];
    clock.advance(Duration::from_mins(6 * 60 - 1));
    assert!(api.is_known(access_token).await);
    clock.advance(2 * MINUTE);
    assert!(!api.is_known(access_token).await);
    let mut token = signed_in["refresh_token"].clone();
    for _ in 0..3 {
        clock.advance(29 * DAY);
        token = api.refresh(&token).await.unwrap();
    }
    clock.advance(30 * DAY);
    assert_eq!(api.refresh(&token).await, Err(json!("unauthorized")));
    server.stop().await;
}

#[tokio::test]
async fn attempts_for_one_account_are_limited_and_others_are_not_held_up() {
    let clock = Clock::manual();
    let server = start(&clock).await;
    let api = Api::new(&server);
    for _ in 0..10 {
        assert_eq!(api.login("alice").await.0, StatusCode::UNAUTHORIZED);
    }
    let (status, body) = api.login("ALICE").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        (&body["code"], &body["retry_after_ms"]),
        (&json!("rate_limited"), &json!(6_000))
    );
    assert_eq!(api.login("bob").await.0, StatusCode::UNAUTHORIZED);
    clock.advance(Duration::from_secs(6));
    assert_eq!(api.login("alice").await.0, StatusCode::UNAUTHORIZED);
    server.stop().await;
}
