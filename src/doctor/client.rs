//! HTTP and WebSocket as a client of the address speaks them: each request on a connection of its own, so that a load
//! balancer decides anew where it goes.

use std::time::{Duration, Instant};

use entity::timestamp::Timestamp;
use futures_util::{SinkExt, StreamExt};
use reqwest::{
    Method, Response, Upgraded, Url,
    header::{CONNECTION, COOKIE, HeaderMap, HeaderName, SET_COOKIE, UPGRADE},
};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::{client::generate_key, derive_accept_key},
        protocol::Role,
    },
};

use super::session::{PING, PONG};
use crate::clock::Clock;

/// How long an answer may take that nothing has to be waited for.
pub const PATIENCE: Duration = Duration::from_secs(4);

const WEBSOCKET_KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const WEBSOCKET_VERSION: HeaderName = HeaderName::from_static("sec-websocket-version");
const WEBSOCKET_ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");

pub struct Client {
    http: reqwest::Client,
    base: Url,
    /// What the address had behind the host, which is not looked at.
    pub left_out: Option<String>,
}

/// What a request is made of, beside its path.
#[derive(Clone, Default)]
pub struct Ask {
    pub body: Option<String>,
    pub headers: Vec<(HeaderName, String)>,
    /// Other than [`PATIENCE`].
    pub patience: Option<Duration>,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    pub took: Duration,
    /// The time here, halfway between question and answer.
    pub at: Timestamp,
}

/// Why there was no answer.
#[derive(Debug)]
pub struct Failure {
    pub text: String,
    pub is_timeout: bool,
}

impl Ask {
    pub fn cookies(mut self, cookies: &[String]) -> Self {
        if !cookies.is_empty() {
            self.headers.push((COOKIE, cookies.join("; ")));
        }
        self
    }

    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl Answer {
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The cookies that it sets, with their attributes.
    pub fn cookies(&self) -> Vec<&str> {
        let all = self.headers.get_all(SET_COOKIE).iter();
        all.filter_map(|cookie| cookie.to_str().ok()).collect()
    }

    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.body).ok()
    }

    /// Status and the beginning of what it says, on one line.
    pub fn excerpt(&self) -> String {
        let text = if self.body.starts_with('<') {
            text_of(&self.body)
        } else {
            self.body.clone()
        };
        let status = self.status.to_string();
        let mut words: Vec<&str> = text.split_whitespace().collect();
        if words.first() != Some(&status.as_str()) {
            words.insert(0, &status);
        }
        words.join(" ").chars().take(80).collect()
    }
}

/// A page without its tags, from its first heading on.
fn text_of(html: &str) -> String {
    let start = html.find("<h1").unwrap_or_default();
    let parts = html[start..].split('<');
    let texts = parts.filter_map(|part| part.split_once('>').map(|(_, text)| text));
    texts.collect::<Vec<_>>().join(" ")
}

impl Client {
    /// # Errors
    /// An address that none is, in words.
    pub fn new(address: &str) -> Result<Self, String> {
        let (scheme, _) = address.split_once("://").unwrap_or_default();
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" | "ws" => "http",
            "https" | "wss" => "https",
            _ => {
                return Err(format!(
                    "--url {address}: must begin with http:// or https://"
                ));
            }
        };
        let mut base = Url::parse(address).map_err(|error| format!("--url {address}: {error}"))?;
        if base.set_scheme(scheme).is_err() {
            return Err(format!("--url {address}: cannot be read"));
        }
        let path = base.path().to_owned();
        base.set_path("/");
        base.set_query(None);
        // Fails where there is one already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .connect_timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("confab-doctor/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .build()
            .map_err(|error| innermost(&error))?;
        let left_out = (path != "/").then_some(path);
        Ok(Self {
            http,
            base,
            left_out,
        })
    }

    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// As browsers name it.
    pub fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    pub async fn get(&self, path: &str, ask: Ask) -> Result<Answer, Failure> {
        self.ask(Method::GET, path, ask).await
    }

    pub async fn ask(&self, method: Method, path: &str, ask: Ask) -> Result<Answer, Failure> {
        let (asked, start) = (Clock::System.now(), Instant::now());
        let response = self.send(method, path, ask).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.map_err(Failure::from)?;
        let took = start.elapsed();
        let halfway = i64::try_from(took.as_millis() / 2).unwrap_or_default();
        Ok(Answer {
            status,
            headers,
            body,
            took,
            at: Timestamp(asked.0 + halfway),
        })
    }

    async fn send(&self, method: Method, path: &str, ask: Ask) -> Result<Response, Failure> {
        let url = self.base.join(path).map_err(|error| Failure {
            text: error.to_string(),
            is_timeout: false,
        })?;
        let mut request = self.http.request(method, url);
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        if let Some(body) = ask.body {
            request = request.body(body);
        }
        let patience = ask.patience.unwrap_or(PATIENCE);
        Ok(request.timeout(patience).send().await?)
    }

    /// Asks for a WebSocket.
    ///
    /// # Errors
    /// What came instead.
    pub async fn websocket(&self, path: &str, ask: Ask) -> Result<WebSocket, Refused> {
        let key = generate_key();
        let ask = ask
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(WEBSOCKET_VERSION, "13")
            .header(WEBSOCKET_KEY, &key);
        let response = self.send(Method::GET, path, ask).await?;
        let status = response.status().as_u16();
        let accept = response.headers().get(WEBSOCKET_ACCEPT);
        let is_accepted = accept.is_some_and(|accept| {
            accept.as_bytes() == derive_accept_key(key.as_bytes()).as_bytes()
        });
        if status != 101 || !is_accepted {
            let body = response.text().await.unwrap_or_default();
            return Err(Refused::Answer { status, body });
        }
        let upgraded = response.upgrade().await.map_err(Failure::from)?;
        Ok(WebSocket(
            WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await,
        ))
    }
}

/// Why there is no WebSocket.
pub enum Refused {
    Answer { status: u16, body: String },
    Failure(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self {
            is_timeout: error.is_timeout(),
            text: innermost(&error),
        }
    }
}

/// The cause, without what stands around it.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    cause.to_string()
}

/// How a WebSocket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server said goodbye.
    Closed,
    /// The connection was gone without a word.
    Cut,
    /// Not yet.
    Silent,
}

pub struct WebSocket(WebSocketStream<Upgraded>);

impl WebSocket {
    pub async fn send(&mut self, packet: &str) -> Result<(), End> {
        let sent = self.0.send(Message::text(packet)).await;
        sent.map_err(|_| End::Cut)
    }

    /// The next text.
    ///
    /// # Errors
    /// There is none within `patience`.
    pub async fn receive(&mut self, patience: Duration) -> Result<String, End> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                    Some(Ok(Message::Close(_))) => return Err(End::Closed),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(End::Cut),
                }
            }
        };
        timeout(patience, next).await.unwrap_or(Err(End::Silent))
    }

    /// The next text that is no ping of the server.
    ///
    /// # Errors
    /// There is none within `patience`, or somewhat more.
    pub async fn news(&mut self, patience: Duration) -> Result<String, End> {
        loop {
            let packet = self.receive(patience).await?;
            if packet != PING {
                return Ok(packet);
            }
            self.send(PONG).await?;
        }
    }

    /// Says the last words and closes it, if it is not gone already.
    pub async fn leave(mut self, words: &[&str]) {
        for packet in words {
            if self.send(packet).await.is_err() {
                return;
            }
        }
        drop(self.0.close(None).await);
    }
}
