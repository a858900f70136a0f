//! Engine.IO sessions: as much of the protocol as it takes to look at what carries it.

use std::time::Duration;

use reqwest::{Method, header::HeaderName};
use serde::Deserialize;

use super::client::{Answer, Ask, Client, Failure};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
pub const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// CONNECT to a namespace that there is not: the server answers it, and nobody has come in.
pub const NOWHERE: &str = "40/doctor,";
/// The beginning of that answer.
pub const NOT_THERE: &str = "44/doctor,";
/// The first one comes at once, the next ones each [`Terms::ping_interval`].
pub const PING: &str = "2";
/// What is good for nothing but being answered.
pub const PONG: &str = "3";
pub const CLOSE: &str = "1";
/// Between the packets of one body.
const SEPARATOR: char = '\u{1e}';

/// What the server says of itself when a session begins.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    pub sid: String,
    ping_interval: u64,
    ping_timeout: u64,
    pub max_payload: usize,
}

impl Terms {
    /// Reads an open packet.
    pub fn read(packet: &str) -> Option<Self> {
        serde_json::from_str(packet.strip_prefix('0')?).ok()
    }

    pub const fn ping_interval(&self) -> Duration {
        Duration::from_millis(self.ping_interval)
    }

    /// The longest that a healthy connection is silent.
    pub const fn longest_silence(&self) -> Duration {
        Duration::from_millis(self.ping_interval + self.ping_timeout)
    }
}

/// A session of long-polling.
pub struct Session<'a> {
    client: &'a Client,
    pub terms: Terms,
    pub cookies: Vec<String>,
}

/// Why a session did not go on.
pub enum Trouble {
    /// The node that was asked does not know it; in its words.
    Stray(String),
    Answer(Answer),
    Failure(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Trouble {
    pub fn text(&self) -> String {
        match self {
            Self::Stray(text) => text.clone(),
            Self::Answer(answer) => answer.excerpt(),
            Self::Failure(failure) => failure.text.clone(),
        }
    }
}

/// A handshake that was granted.
pub type Handshake = (Answer, Terms);

/// A handshake of long-polling.
pub async fn handshake(
    client: &Client,
    headers: &[(HeaderName, String)],
) -> Result<Handshake, Trouble> {
    let ask = Ask {
        headers: headers.to_vec(),
        ..Ask::default()
    };
    let answer = client.get(POLLING, ask).await?;
    match Terms::read(&answer.body) {
        Some(terms) if answer.status == 200 => Ok((answer, terms)),
        _ => Err(Trouble::Answer(answer)),
    }
}

impl<'a> Session<'a> {
    pub async fn open(client: &'a Client) -> Result<Self, Trouble> {
        let (answer, terms) = handshake(client, &[]).await?;
        let cookies = answer.cookies().into_iter();
        let cookies = cookies.filter_map(|cookie| cookie.split(';').next());
        Ok(Self {
            client,
            terms,
            cookies: cookies.map(str::to_owned).collect(),
        })
    }

    pub async fn post(&self, packets: impl Into<String>) -> Result<Answer, Trouble> {
        let ask = Ask {
            body: Some(packets.into()),
            ..Ask::default()
        };
        self.ask(Method::POST, ask).await
    }

    /// What there is for the client, as soon as there is any.
    pub async fn poll(&self, patience: Duration) -> Result<Answer, Trouble> {
        let ask = Ask {
            patience: Some(patience),
            ..Ask::default()
        };
        self.ask(Method::GET, ask).await
    }

    /// The first packet that is no ping.
    pub async fn news(&self, patience: Duration) -> Result<String, Trouble> {
        loop {
            let answer = self.poll(patience).await?;
            let packets: Vec<&str> = answer.body.split(SEPARATOR).collect();
            if let Some(packet) = packets.iter().find(|packet| **packet != PING) {
                return Ok((*packet).to_owned());
            }
            self.post(PONG).await?;
        }
    }

    async fn ask(&self, method: Method, ask: Ask) -> Result<Answer, Trouble> {
        let path = self.path(POLLING);
        let answer = self
            .client
            .ask(method, &path, ask.cookies(&self.cookies))
            .await?;
        match answer.status {
            200 => Ok(answer),
            400 => Err(match unknown_session(&answer.body) {
                Some(words) => Trouble::Stray(words),
                None => Trouble::Answer(answer),
            }),
            _ => Err(Trouble::Answer(answer)),
        }
    }

    /// Where the session goes on.
    pub fn path(&self, transport: &str) -> String {
        format!("{transport}&sid={}", self.terms.sid)
    }

    pub async fn close(self) {
        // It ends by itself if not.
        drop(self.post(CLOSE).await);
    }
}

/// What a node says that does not have the session, if that is what it says.
pub fn unknown_session(body: &str) -> Option<String> {
    let refusal: serde_json::Value = serde_json::from_str(body).ok()?;
    (refusal["code"] == 1 || refusal["code"] == "1")
        .then(|| refusal["message"].as_str().unwrap_or_default().to_owned())
}
