//! `confab doctor`: connects through an address as clients do, and says in words what is wrong on the way to the nodes.
//!
//! It speaks as much of Engine.IO as that takes, and leaves nothing behind: it makes no guest, and with a token it comes
//! in as that user for a moment.

mod client;
mod door;
mod idle;
mod nodes;
mod polling;
mod report;
mod session;
mod websocket;

use std::{future::Future, time::Duration};

use reqwest::Url;
use tokio::time::timeout;

use client::{Ask, Client, Failure};
use report::Finding;
pub use report::Report;
use session::Trouble;

/// How long each part of an examination may take, or as long as it watches silent connections and somewhat more.
const LIMIT: Duration = Duration::from_secs(10);
const SLACK: Duration = Duration::from_secs(1);

/// What to examine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where clients connect.
    pub url: String,
    pub token: Option<String>,
    /// A page's origin, as browsers name it.
    pub origin: Option<String>,
    /// How long idle connections are watched.
    pub wait: Duration,
}

impl Options {
    /// The same, with the origin as browsers name it.
    fn checked(&self) -> Result<Self, String> {
        // The server would take nothing for no token, and make a guest.
        if self
            .token
            .as_deref()
            .is_some_and(|token| token.trim().is_empty())
        {
            return Err("--token: is empty".to_owned());
        }
        let origin = self.origin.as_deref().map(page_origin).transpose()?;
        Ok(Self {
            origin,
            ..self.clone()
        })
    }
}

/// What browsers send as the origin of a page.
fn page_origin(text: &str) -> Result<String, String> {
    // That of a page in a file or in a sandbox.
    if text == "null" {
        return Ok(text.to_owned());
    }
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/");
    let origin = url.map(|url| url.origin().ascii_serialization());
    origin.ok_or_else(|| format!("--origin {text}: is not of the form https://host[:port]"))
}

/// Examines what is behind an address.
///
/// # Errors
/// Options that make no sense, in words.
pub async fn examine(options: &Options) -> Result<Report, String> {
    let client = Client::new(&options.url)?;
    let options = &options.checked()?;
    let mut findings = match reach(&client).await {
        Ok(finding) => vec![finding],
        Err(finding) => return Ok(Report(vec![finding])),
    };
    findings.extend(client.left_out.as_ref().map(|path| {
        Finding::warning(
            "address",
            format!("{path} of --url was left out: Socket.IO is at /socket.io/ of the root, and its clients take a path for a namespace"),
            format!("Let clients connect to {}", client.origin()),
        )
    }));
    let limit = LIMIT.max(options.wait + SLACK);
    let all = tokio::join!(
        bounded("nodes", limit, nodes::examine(&client)),
        bounded("websocket", limit, websocket::examine(&client)),
        bounded("polling", limit, polling::examine(&client)),
        bounded("idle", limit, idle::examine(&client, options)),
        bounded("door", limit, door::examine(&client, options)),
    );
    let all: [Vec<Finding>; 5] = all.into();
    findings.extend(all.into_iter().flatten());
    Ok(Report(findings))
}

async fn bounded(
    about: &'static str,
    limit: Duration,
    examination: impl Future<Output = Vec<Finding>>,
) -> Vec<Finding> {
    timeout(limit, examination).await.unwrap_or_else(|_| {
        vec![Finding::problem(
            about,
            format!(
                "was not done after {} s: answers come very slowly",
                limit.as_secs()
            ),
            "Look at the load of nodes and load balancer, and at the network",
        )]
    })
}

/// Whether Confab is there at all.
async fn reach(client: &Client) -> Result<Finding, Finding> {
    let failure = match session::handshake(client, &[]).await {
        Ok((answer, _)) => {
            let took = answer.took.as_millis();
            let text = format!(
                "{} is reached, the first answer took {took} ms",
                client.origin()
            );
            return Ok(Finding::ok("address", text));
        }
        Err(Trouble::Failure(failure)) => return Err(not_reached(client, &failure)),
        Err(trouble) => trouble,
    };
    let Trouble::Answer(answer) = &failure else {
        return Err(Finding::problem("address", failure.text(), ""));
    };
    let location = answer.header(&reqwest::header::LOCATION);
    if let (300..400, Some(location)) = (answer.status, location) {
        return Err(Finding::problem(
            "address",
            format!(
                "{} sends clients on to {location}, and Socket.IO clients do not follow",
                client.origin()
            ),
            "Use that address",
        ));
    }
    let health = client.get("/healthz", Ask::default()).await;
    let is_confab =
        health.is_ok_and(|health| health.json().is_some_and(|json| json["node"].is_string()));
    let said = format!("the Socket.IO handshake is answered: {}", failure.text());
    Err(match (answer.status, is_confab) {
        (502 | 504, _) => Finding::problem(
            "address",
            format!(
                "the load balancer answers {}: it reaches no node",
                answer.status
            ),
            "See whether the nodes run (/healthz of each), and whether the load balancer has their addresses",
        ),
        (_, true) => Finding::problem(
            "address",
            format!("Confab is there, but {said}"),
            "Let /socket.io/ pass through the load balancer unchanged; the message says what the node made of it",
        ),
        _ => Finding::problem(
            "address",
            format!("what is there is not Confab: {said}"),
            "See which address the load balancer serves Confab at; Socket.IO is at /socket.io/ of its root",
        ),
    })
}

fn not_reached(client: &Client, failure: &Failure) -> Finding {
    let why = &failure.text;
    let is_tls = client.base().scheme() == "https"
        && [
            "certificate",
            "tls",
            "handshake",
            "InvalidContentType",
            "peer",
        ]
        .iter()
        .any(|word| {
            why.to_ascii_lowercase()
                .contains(&word.to_ascii_lowercase())
        });
    if is_tls {
        return Finding::problem(
            "tls",
            format!(
                "{} is reached, but no secure connection comes about: {why}",
                client.origin()
            ),
            "Clients will refuse it too: see the certificate (its names, its end, its chain), and that the port speaks TLS; SSL_CERT_FILE names a file of authorities of your own",
        );
    }
    Finding::problem(
        "address",
        format!("{} is not reached: {why}", client.origin()),
        "See whether the name is right, the load balancer runs, and no firewall is between",
    )
}
