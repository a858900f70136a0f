//! Who is let in: pages of which origins, and the bearer of the token.

use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderName, ORIGIN};
use serde_json::{Value, json};

use super::{
    Options,
    client::{Ask, Client, PATIENCE},
    report::Finding,
    session::{self, Session, Trouble},
    websocket,
};

/// CONNECT with a token.
pub fn connect(token: &str) -> String {
    format!("40{}", json!({"token": token}))
}

pub async fn examine(client: &Client, options: &Options) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &options.origin {
        Some(origin) => findings.push(page_of(client, origin).await),
        None => findings.extend(own_page(client).await),
    }
    findings.push(match &options.token {
        Some(token) => bearer(client, token).await,
        None => nobody(client).await,
    });
    findings
}

async fn ask_as(client: &Client, origin: &str) -> Result<session::Handshake, Trouble> {
    let header: [(HeaderName, String); 1] = [(ORIGIN, origin.to_owned())];
    session::handshake(client, &header).await
}

fn is_refused(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Answer(answer) if answer.status == 403
        && answer.json().is_some_and(|body| body["code"] == "origin_not_allowed"))
}

async fn page_of(client: &Client, origin: &str) -> Finding {
    let answer = match ask_as(client, origin).await {
        Ok((answer, _)) => answer,
        Err(trouble) if is_refused(&trouble) => {
            return Finding::problem(
                "origin",
                format!("pages of {origin} may not connect"),
                "Put that origin into allowed_origins (CONFAB_ALLOWED_ORIGINS) on every node",
            );
        }
        Err(trouble) => {
            return Finding::problem(
                "origin",
                format!(
                    "a handshake as a page of {origin} does it is answered: {}",
                    trouble.text()
                ),
                "Something on the way does not like the Origin header: look at the load balancer",
            );
        }
    };
    let allowed: Vec<_> = answer
        .headers
        .get_all(ACCESS_CONTROL_ALLOW_ORIGIN)
        .iter()
        .collect();
    match allowed.as_slice() {
        [one] if one.as_bytes() == origin.as_bytes() => {
            Finding::ok("origin", format!("pages of {origin} may connect"))
        }
        [] => Finding::problem(
            "origin",
            format!(
                "the nodes let pages of {origin} connect, but their browsers are not told: Access-Control-Allow-Origin is lost on the way"
            ),
            "Let the load balancer pass response headers on",
        ),
        _ => Finding::problem(
            "origin",
            format!(
                "browsers will refuse the answers to pages of {origin}: Access-Control-Allow-Origin is changed or doubled on the way"
            ),
            "Let the load balancer add no CORS headers: the nodes do",
        ),
    }
}

/// A page that the same address serves. Its origin is compared with the Host that reaches the node.
async fn own_page(client: &Client) -> Option<Finding> {
    let origin = client.origin();
    match ask_as(client, &origin).await {
        Err(trouble) if is_refused(&trouble) => Some(Finding::problem(
            "origin",
            format!(
                "pages of this very address, {origin}, may not connect: the nodes are told another Host"
            ),
            "Let the load balancer pass Host on, with its port (nginx: proxy_set_header Host $http_host), or put the origin into allowed_origins",
        )),
        _ => None,
    }
}

async fn nobody(client: &Client) -> Finding {
    let ways = client.get("/api/auth", Ask::default()).await;
    let ways: Option<Value> = ways.ok().and_then(|answer| answer.json());
    match ways.as_ref().map(|ways| &ways["guests"]) {
        Some(Value::Bool(true)) => Finding::ok(
            "token",
            "none was given, and guests may come in (nobody did: --token tries a user)",
        ),
        Some(Value::Bool(false)) => Finding::warning(
            "token",
            "none was given, and guests are off here: whether anybody gets in was not tried",
            "Give one with --token (`confab token` makes one)",
        ),
        _ => Finding::warning(
            "token",
            "none was given, and /api/auth does not say whether guests may come in: whether anybody gets in was not tried",
            "Give one with --token, and let /api pass through the load balancer",
        ),
    }
}

async fn bearer(client: &Client, token: &str) -> Finding {
    let answer = match websocket::open(client).await {
        Ok((mut websocket, _)) => {
            let answer = match websocket.send(&connect(token)).await {
                Ok(()) => websocket.news(PATIENCE).await,
                Err(end) => Err(end),
            };
            // Gone without a trace: the user was there for a moment.
            websocket.leave(&["41"]).await;
            answer.map_err(|_| "the connection ended without an answer".to_owned())
        }
        Err(_) => by_polling(client, token).await,
    };
    match answer {
        Ok(packet) if packet.starts_with("40") => Finding::ok(
            "token",
            "it is taken: its bearer was let in, and left again",
        ),
        Ok(packet) => {
            let refusal: Value = packet
                .strip_prefix("44")
                .and_then(|refusal| serde_json::from_str(refusal).ok())
                .unwrap_or_default();
            let why = refusal["message"].as_str().unwrap_or(&packet).to_owned();
            Finding::problem(
                "token",
                format!("its bearer is not let in: {why}"),
                "`confab token inspect` on a node, with its settings, says what is wrong with a token, one check after the other",
            )
        }
        Err(why) => Finding::problem(
            "token",
            format!("whether it is taken is not known: {why}"),
            "See the findings above",
        ),
    }
}

async fn by_polling(client: &Client, token: &str) -> Result<String, String> {
    let session = Session::open(client)
        .await
        .map_err(|trouble| trouble.text())?;
    let result = async {
        session.post(connect(token)).await?;
        session.news(PATIENCE).await
    };
    let packet = result.await;
    session.close().await;
    packet.map_err(|trouble| trouble.text())
}
