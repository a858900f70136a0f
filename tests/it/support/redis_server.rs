//! A Redis of a test's own, `redis-server` in the path, on a free port of the loopback.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use redis::{FromRedisValue, Value};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// How long it may take to be there.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct RedisServer {
    pub port: u16,
    arguments: Vec<String>,
    folder: TempDir,
    process: Option<Child>,
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl RedisServer {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With arguments as on its command line.
    pub async fn with(arguments: &[&str]) -> Self {
        let mut server = Self::unstarted(arguments);
        server.restart().await;
        server
    }

    /// It has a port, on which nobody listens yet.
    pub fn unstarted(arguments: &[&str]) -> Self {
        Self {
            port: free_port(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            folder: TempDir::new().unwrap(),
            process: None,
        }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again, with nothing in it.
    pub async fn restart(&mut self) {
        self.launch();
        let client = redis::Client::open(self.url()).unwrap();
        let there = async {
            while let Err(error) = client.get_multiplexed_async_connection().await {
                if error.kind() == redis::ErrorKind::AuthenticationFailed
                    || error.code() == Some("NOAUTH")
                {
                    return;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        let is_there = timeout(PATIENCE, there).await.is_ok();
        assert!(is_there, "redis-server does not start");
    }

    /// Starts it without waiting for it.
    pub fn launch(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        assert!(process.is_ok(), "redis-server is not in the path");
        self.process = process.ok();
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Its connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Asks it something over a connection of its own.
    pub async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut connection).await.unwrap()
    }

    pub async fn order(&self, words: &[&str]) {
        let _: Value = self.ask(words).await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
