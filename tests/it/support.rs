//! A server in this process, and a client that speaks just enough Socket.IO.

pub mod proxy;
pub mod redis_server;

use std::net::SocketAddr;

use confab::{app::Server, clock::Clock, config::Config};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::postgres;

pub const SECRET: &str = "a secret that is only used in tests";

/// Settings over the defaults, in a folder of their own.
pub fn config(folder: &TempDir, settings: &[(&str, &str)]) -> Config {
    let database_url = postgres::instead_of(folder.path());
    Config::from_sources(None, |name| match name {
        "listen" => Some("127.0.0.1:0".to_owned()),
        "data_dir" => Some(folder.path().display().to_string()),
        "jwt_secret" => Some(SECRET.to_owned()),
        _ => settings
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
            .or_else(|| database_url.clone().filter(|_| name == "database_url")),
    })
    .unwrap()
}

pub struct TestServer {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
    _folder: TempDir,
}

impl TestServer {
    pub async fn start(clock: Clock, settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let server = Server::bind(config(&folder, settings), clock)
            .await
            .unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async {
            stopped.await.ok();
        }));
        Self {
            address,
            stop: Some(stop),
            running,
            _folder: folder,
        }
    }

    pub async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.running.await.unwrap();
    }
}

pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    requests: u64,
}

impl Client {
    pub async fn connect(server: &TestServer, token: &str) -> Self {
        let url = format!(
            "ws://{}/socket.io/?EIO=4&transport=websocket",
            server.address
        );
        let (socket, _) = connect_async(url).await.unwrap();
        let mut client = Self {
            socket,
            requests: 0,
        };
        assert!(client.next().await.starts_with('0'), "Engine.IO opens");
        client
            .send(format!("40{}", json!({ "token": token })))
            .await;
        assert!(
            client.next().await.starts_with("40"),
            "the namespace is entered"
        );
        client
    }

    async fn send(&mut self, text: String) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next packet that is no ping.
    async fn next(&mut self) -> String {
        loop {
            match self.socket.next().await.unwrap().unwrap() {
                Message::Text(text) if text == "2" => self.send("3".to_owned()).await,
                Message::Text(text) => return text.to_string(),
                _ => {}
            }
        }
    }

    /// Sends an event and returns its acknowledgement; what arrives meanwhile is passed over.
    pub async fn request(&mut self, event: &str, payload: Value) -> Value {
        self.requests += 1;
        self.send(format!("42{}{}", self.requests, json!([event, payload])))
            .await;
        let answer = format!("43{}[", self.requests);
        loop {
            let text = self.next().await;
            if let Some(body) = text.strip_prefix(&answer) {
                return serde_json::from_str(body.strip_suffix(']').unwrap()).unwrap();
            }
        }
    }
}
