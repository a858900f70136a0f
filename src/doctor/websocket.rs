//! WebSocket: begun as one, and after a beginning with long-polling.

use super::{
    client::{Ask, Client, End, PATIENCE, Refused, WebSocket},
    report::Finding,
    session::{self, CLOSE, Session, Terms, WEBSOCKET},
};

const HEADERS: &str = "Let the load balancer pass the upgrade on (nginx: proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade, proxy_set_header Connection \"upgrade\"); a CDN or a firewall on the way may have to allow WebSocket";

/// A WebSocket that the server has greeted.
///
/// # Errors
/// What came in its place, in words.
pub async fn open(client: &Client) -> Result<(WebSocket, Terms), String> {
    let mut websocket = client
        .websocket(WEBSOCKET, Ask::default())
        .await
        .map_err(|refused| words(&refused))?;
    match websocket.receive(PATIENCE).await {
        Ok(packet) => match Terms::read(&packet) {
            Some(terms) => Ok((websocket, terms)),
            None => Err("granted, but greeted by something else than Confab".to_owned()),
        },
        Err(End::Silent) => {
            Err("granted, but then nothing of what the server says comes through".to_owned())
        }
        Err(End::Closed | End::Cut) => Err("granted, and closed at once".to_owned()),
    }
}

pub async fn examine(client: &Client) -> Vec<Finding> {
    match open(client).await {
        Ok((websocket, _)) => websocket.leave(&[]).await,
        Err(what) => {
            return vec![Finding::problem(
                "websocket",
                format!(
                    "a WebSocket handshake is {what}; long-polling works, and is all that clients can use here"
                ),
                HEADERS,
            )];
        }
    }
    let ok = Finding::ok("websocket", "a WebSocket gets through");
    vec![ok, upgrade(client).await]
}

fn words(refused: &Refused) -> String {
    match refused {
        Refused::Answer { status, .. } => format!("answered {status} instead of 101"),
        Refused::Failure(failure) => format!("not answered ({})", failure.text),
    }
}

/// As most clients come: long-polling first, then a WebSocket for the same session.
async fn upgrade(client: &Client) -> Finding {
    let session = match Session::open(client).await {
        Ok(session) => session,
        Err(trouble) => {
            return Finding::problem(
                "upgrade",
                format!("a long-polling handshake was answered: {}", trouble.text()),
                "Look at the log of the load balancer, and of the node",
            );
        }
    };
    let ask = Ask::default().cookies(&session.cookies);
    let opened = client.websocket(&session.path(WEBSOCKET), ask).await;
    let what = match opened {
        Ok(mut websocket) => {
            let probed = async {
                websocket.send("2probe").await?;
                websocket.news(PATIENCE).await
            };
            let answer = probed.await;
            // Both go away, whatever it was.
            websocket.leave(&["5", CLOSE]).await;
            match answer {
                Ok(packet) if packet == "3probe" => {
                    return Finding::ok(
                        "upgrade",
                        "a session that begins with long-polling moves to WebSocket",
                    );
                }
                Ok(packet) => format!("answered {packet}"),
                Err(end) => format!("granted, and then {}", ending(end)),
            }
        }
        Err(Refused::Answer { body, .. }) if session::unknown_session(&body).is_some() => {
            return Finding::problem(
                "upgrade",
                "the WebSocket of a session that began with long-polling comes to a node that does not know the session: clients stay on long-polling, or lose their connection",
                "Make sessions sticky: see examples/cluster. Clients with transports: [\"websocket\"] do without",
            );
        }
        Err(refused) => words(&refused),
    };
    session.close().await;
    Finding::problem(
        "upgrade",
        format!(
            "the WebSocket of a session that began with long-polling is {what}; one that begins as a WebSocket gets through"
        ),
        "Look at the log of the load balancer, and of the node",
    )
}

const fn ending(end: End) -> &'static str {
    match end {
        End::Closed => "closed by the server",
        End::Cut => "cut",
        End::Silent => "silent",
    }
}
