//! The way out to one Socket.IO connection, and the ways to end it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::body::Body;
use axum::http::Request;
use serde_json::value::RawValue;
use socketioxide::{SendError, SocketError, TransportType, extract::SocketRef};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use super::Service;
use crate::{
    chat::{CloseReason, Outlet},
    gateway::{Gateway, transport::Transport},
};

/// A connection's socket, and what ends it.
pub struct SocketOutlet {
    socket: SocketRef,
    gateway: Arc<Gateway>,
    service: Service,
    /// The session is to answer what it has received, then to close.
    closing: CancellationToken,
    /// The session has ended.
    closed: CancellationToken,
    cut: AtomicBool,
}

impl SocketOutlet {
    pub const fn new(
        socket: SocketRef,
        gateway: Arc<Gateway>,
        service: Service,
        closing: CancellationToken,
        closed: CancellationToken,
    ) -> Self {
        Self {
            socket,
            gateway,
            service,
            closing,
            closed,
            cut: AtomicBool::new(false),
        }
    }

    /// The TCP connection that carries the session, unless it is one of long-polling.
    fn transport(&self) -> Option<Arc<Transport>> {
        if self.socket.transport_type() == TransportType::Polling {
            return None;
        }
        let session = self.socket.id.to_string();
        self.gateway
            .transports
            .of(&session)
            .or_else(|| self.socket.req_parts().extensions.get().cloned())
    }

    /// Closes the connection so that the client comes back by itself; what was pushed before is still sent.
    pub async fn finish(&self) {
        match self.transport() {
            Some(transport) => transport.finish(),
            None => close_polling(self.service.clone(), self.socket.id.to_string()).await,
        }
    }

    /// Ends the connection now. It takes no data, so nothing can be said to it any more.
    fn cut(&self) {
        if self.cut.swap(true, Ordering::SeqCst) {
            return;
        }
        metrics::counter!("confab_slow_readers_total").increment(1);
        tracing::info!("closing a connection that does not keep up");
        match self.transport() {
            Some(transport) => transport.cut(),
            None => {
                tokio::spawn(close_polling(
                    self.service.clone(),
                    self.socket.id.to_string(),
                ));
            }
        }
        self.closed.cancel();
    }
}

impl Outlet for SocketOutlet {
    fn push(&self, event: &'static str, payload: &RawValue) {
        match self.socket.emit(event, payload) {
            Ok(()) => {}
            Err(SendError::Socket(SocketError::InternalChannelFull)) => self.cut(),
            Err(SendError::Socket(SocketError::Closed)) => self.closed.cancel(),
            Err(SendError::Serialize(error)) => {
                tracing::error!(%error, event, "an event could not be written");
            }
        }
    }

    fn close(&self, _: CloseReason) {
        self.closing.cancel();
    }
}

/// Closes a session of long-polling, as its client would: with Engine.IO's close packet. The library has no other way
/// that lets the client come back.
async fn close_polling(mut service: Service, session: String) {
    let request = Request::post(format!("/socket.io/?EIO=4&transport=polling&sid={session}"))
        .body(Body::from("1"));
    let Ok(request) = request else { return };
    match service.call(request).await {
        Ok(response) => {
            tracing::debug!(status = %response.status(), "a polling session was closed");
        }
        Err(never) => match never {},
    }
}

impl Outlet for Arc<SocketOutlet> {
    fn push(&self, event: &'static str, payload: &RawValue) {
        (**self).push(event, payload);
    }

    fn close(&self, reason: CloseReason) {
        (**self).close(reason);
    }
}
