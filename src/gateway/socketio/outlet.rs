//! The way out to one Socket.IO connection, and the ways to end it.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use axum::http::Request;
use serde_json::value::RawValue;
use socketioxide::{SendError, SocketError, TransportType, extract::SocketRef};
use tower::Service as _;

use super::Service;
use crate::{
    chat::{CloseReason, Outlet},
    gateway::{
        Gateway,
        session::{Line, Way},
        transport::Transport,
    },
};

/// Closing a session of long-polling drops what it has not fetched, and the library does not say when it has: a client
/// that is between two polls is given so long for the next one.
const NEXT_POLL: Duration = Duration::from_millis(500);

/// A session that is being upgraded to WebSocket may be closed by neither way; it is tried so often, so far apart.
const CLOSING_ATTEMPTS: usize = 5;
const UPGRADE: Duration = Duration::from_millis(100);

/// The ways to end a connection. The library's own needs room in the very buffer that is full, and tells the client not
/// to come back.
pub struct Ending {
    gateway: Arc<Gateway>,
    service: Service,
    pub line: Arc<Line>,
    /// Why this side closes the connection.
    why: OnceLock<CloseReason>,
    cut: AtomicBool,
}

impl Ending {
    pub fn new(gateway: Arc<Gateway>, service: Service) -> Arc<Self> {
        Arc::new(Self {
            gateway,
            service,
            line: Arc::default(),
            why: OnceLock::new(),
            cut: AtomicBool::new(false),
        })
    }

    /// Why there is an end, if there is one.
    pub fn reason(&self) -> CloseReason {
        self.why.get().copied().unwrap_or(CloseReason::Restarting)
    }

    /// The TCP connection that carries the session, unless it is one of long-polling.
    fn transport(&self, socket: &SocketRef) -> Option<Arc<Transport>> {
        if socket.transport_type() == TransportType::Polling {
            return None;
        }
        let session = socket.id.to_string();
        self.gateway
            .transports
            .of(&session)
            .or_else(|| socket.req_parts().extensions.get().cloned())
    }

    /// Closes the connection so that the client comes back by itself; what was pushed before is still sent.
    async fn finish(&self, socket: &SocketRef) {
        // Whoever is to come back by itself has not been told why.
        if self.transport(socket).is_none() && self.reason() != CloseReason::Restarting {
            tokio::time::sleep(NEXT_POLL).await;
        }
        for _ in 0..CLOSING_ATTEMPTS {
            if let Some(transport) = self.transport(socket) {
                return transport.finish();
            }
            if close_polling(self.service.clone(), socket.id.to_string()).await {
                return;
            }
            tokio::time::sleep(UPGRADE).await;
        }
    }

    /// What became of something that was sent. A connection whose buffer is full is cut: it comes back and catches up,
    /// where otherwise it would have missed something and not know it.
    pub fn sent(&self, socket: &SocketRef, result: Result<(), SendError>) {
        match result {
            Ok(()) => {}
            Err(SendError::Socket(SocketError::InternalChannelFull)) => self.cut(socket),
            Err(SendError::Socket(SocketError::Closed)) => self.line.closed.cancel(),
            Err(SendError::Serialize(error)) => {
                tracing::error!(%error, "a payload could not be written");
            }
        }
    }

    fn cut(&self, socket: &SocketRef) {
        if self.cut.swap(true, Ordering::SeqCst) {
            return;
        }
        metrics::counter!("confab_slow_readers_total").increment(1);
        tracing::info!("closing a connection that does not keep up");
        match self.transport(socket) {
            Some(transport) => transport.cut(),
            None => {
                tokio::spawn(close_polling(self.service.clone(), socket.id.to_string()));
            }
        }
        self.line.closed.cancel();
    }
}

/// The way out of a connection.
pub struct SocketOutlet {
    /// Not before CONNECT was answered: nothing may be sent, and a socket that never gets there has to go.
    socket: OnceLock<SocketRef>,
    ending: Arc<Ending>,
}

impl SocketOutlet {
    pub const fn new(ending: Arc<Ending>) -> Self {
        Self {
            socket: OnceLock::new(),
            ending,
        }
    }

    pub fn connected(&self, socket: SocketRef) {
        // It is connected once.
        drop(self.socket.set(socket));
    }
}

impl Way for SocketOutlet {
    async fn finish(&self) {
        if let Some(socket) = self.socket.get() {
            self.ending.finish(socket).await;
        }
    }
}

impl Outlet for SocketOutlet {
    fn push(&self, event: &'static str, payload: &RawValue) {
        if let Some(socket) = self.socket.get() {
            self.ending.sent(socket, socket.emit(event, payload));
        }
    }

    fn close(&self, reason: CloseReason) {
        // The first is what it is closed for.
        self.ending.why.get_or_init(|| reason);
        self.ending.line.closing.cancel();
    }
}

/// Closes a session of long-polling, as its client would: with Engine.IO's close packet. The library has no other way
/// that lets the client come back. `false`: it is no session of long-polling, or none any more.
async fn close_polling(mut service: Service, session: String) -> bool {
    let request = Request::post(format!("/socket.io/?EIO=4&transport=polling&sid={session}"))
        .body(Body::from("1"));
    let Ok(request) = request else { return false };
    match service.call(request).await {
        Ok(response) => {
            tracing::debug!(status = %response.status(), "a polling session was closed");
            response.status().is_success()
        }
        Err(never) => match never {},
    }
}
