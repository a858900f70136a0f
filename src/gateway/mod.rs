//! The doors: who is calling, what do they ask, in what order; and the way back. All of them call the same commands.

mod admission;
mod commands;
mod count;
mod handshake;
mod health;
mod http;
mod listener;
mod origin;
mod pace;
mod refusals;
mod reply;
mod rest;
mod session;
mod socketio;
mod sticky;
mod transport;
mod web;
mod websocket;

use std::{sync::Arc, time::Duration};

use rand::{random, random_range};
use tokio::time::{Instant, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use http::router;
pub use listener::serve;

use crate::{
    auth::Authenticator,
    chat::{Chat, CloseReason},
    config::Config,
};
use sticky::Strays;
use transport::Transports;

/// What is left of the drain time for the store to close.
const STORE_PATIENCE: Duration = Duration::from_millis(500);

/// What the doors share.
pub struct Gateway {
    pub config: Config,
    pub chat: Arc<Chat>,
    pub authenticator: Authenticator,
    /// What operators call this node.
    pub node: Arc<str>,
    transports: Transports,
    strays: Strays,
    /// The tasks of all connections, until each has saved what its user leaves behind.
    sessions: TaskTracker,
    draining: CancellationToken,
}

impl Gateway {
    #[must_use]
    pub fn new(config: Config, chat: Arc<Chat>, authenticator: Authenticator) -> Arc<Self> {
        let node = match &config.node_name.0 {
            Some(name) => Arc::from(name.as_str()),
            None => Arc::from(format!("{:08x}", random::<u32>())),
        };
        Arc::new(Self {
            node,
            config,
            chat,
            authenticator,
            transports: Transports::default(),
            strays: Strays::default(),
            sessions: TaskTracker::new(),
            draining: CancellationToken::new(),
        })
    }

    fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Ends all connections: not ready from now on, transports closed one by one at random moments within half of the
    /// drain time, so that clients come back spread over it. What was received is answered first.
    pub async fn drain(&self) {
        self.draining.cancel();
        let time = self.config.drain_seconds.0;
        let deadline = Instant::now() + time;
        let connections = self.chat.connections();
        tracing::info!(connections = connections.len(), "draining");
        // A handful need not be spread.
        let spread = (time / 2)
            .min(Duration::from_millis(2) * u32::try_from(connections.len()).unwrap_or(u32::MAX));
        for connection in connections {
            let pause = spread.mul_f64(random_range(0.0..1.0));
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                connection.close(CloseReason::Restarting);
            });
        }
        self.sessions.close();
        if timeout((spread + time) / 2, self.sessions.wait())
            .await
            .is_ok()
        {
            return;
        }
        // Came in while the others were leaving.
        for connection in self.chat.connections() {
            connection.close(CloseReason::Restarting);
        }
        let left = deadline.saturating_duration_since(Instant::now() + STORE_PATIENCE);
        if timeout(left, self.sessions.wait()).await.is_ok() {
            return;
        }
        tracing::warn!(
            connections = self.chat.connections().len(),
            "not all connections were closed in time"
        );
    }
}
