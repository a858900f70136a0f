//! Who gets in: the token or the guest session of a connecting client.
//!
//! All handlers are registered here, in the middleware, before the library answers CONNECT: an event that the client
//! sends along with its CONNECT would be lost otherwise, and so would a disconnect.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::http::request::Parts;
use parking_lot::Mutex;
use serde_json::Value;
use socketioxide::extract::{SocketRef, TryData};
use tokio::sync::{mpsc, oneshot};

use super::{
    Service,
    incoming::SocketEvent,
    outlet::{Ending, SocketOutlet},
};
use crate::{
    chat::{Audit, Entry, Namespace},
    error::Error,
    gateway::{
        Gateway,
        admission::{Admitted, Credentials},
        commands,
        handshake::{ClientIp, Pending},
        refusals::{self, Refused},
        reply::Reply,
        session::{Door, Incoming as _, Session},
        transport::Transport,
    },
};

/// The door's name in metrics and in the audit.
const DOOR: &str = "socketio";

/// How much earlier than its dismissal a client is told why it is refused. The library sends the refusal at once, without
/// saying when it has.
const REFUSAL_AHEAD: Duration = Duration::from_millis(200);

/// What the middleware needs.
#[derive(Clone)]
pub struct Admission {
    gateway: Arc<Gateway>,
    service: Service,
    namespace: Namespace,
}

/// Hands the connected socket to its session.
#[derive(Clone)]
struct Connected(Arc<Mutex<Option<oneshot::Sender<SocketRef>>>>);

/// The connect handler: CONNECT was answered.
pub async fn connected(socket: SocketRef) {
    let Some(Connected(sender)) = socket.extensions.remove::<Connected>() else {
        return;
    };
    if let Some(sender) = sender.lock().take() {
        // The session ends only after this.
        drop(sender.send(socket.clone()));
    }
}

type Admitting = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

impl Admission {
    pub const fn new(gateway: Arc<Gateway>, service: Service, namespace: Namespace) -> Self {
        Self {
            gateway,
            service,
            namespace,
        }
    }

    pub fn middleware(
        self,
    ) -> impl Fn(SocketRef, TryData<Value>) -> Admitting + Clone + Send + Sync + 'static {
        move |socket, TryData(auth)| {
            let this = self.clone();
            Box::pin(async move { this.admit(socket, auth.unwrap_or(Value::Null)).await })
        }
    }

    async fn admit(self, socket: SocketRef, auth: Value) -> Result<(), Refusal> {
        let admitted = match self.let_in(socket.req_parts(), &auth).await {
            Ok(admitted) => admitted,
            Err(refused) => return Err(self.refuse(&socket, refused)),
        };
        let gateway = &self.gateway;
        let (queue, events) = mpsc::channel::<SocketEvent>(gateway.config.command_queue);
        let ending = Ending::new(Arc::clone(gateway), self.service.clone());
        socket.extensions.insert(Arc::clone(&ending));
        let (sender, connected) = oneshot::channel();
        socket
            .extensions
            .insert(Connected(Arc::new(Mutex::new(Some(sender)))));
        let crowd = Crowd {
            ending: Arc::clone(&ending),
            namespace: self.namespace,
            audit: gateway.chat.audit.clone(),
            of: Entry::new("unknown", &admitted.identity)
                .door(DOOR)
                .address(admitted.ip),
        };
        socket.on_fallback(move |event: SocketEvent| {
            // Runs before the next event is read, so that the queue holds them in the order of arrival.
            if let Err(full) = queue.try_send(event) {
                crowd.refuse(full);
            }
            std::future::ready(())
        });
        let line = Arc::clone(&ending.line);
        let closed = line.closed.clone();
        socket.on_disconnect(move || {
            closed.cancel();
            std::future::ready(())
        });
        if let Some(pending) = socket.req_parts().extensions.get::<Pending>() {
            pending.release();
        }
        let door = Door {
            name: DOOR,
            namespace: self.namespace,
        };
        let outlet = Arc::new(SocketOutlet::new(ending));
        let (gateway, way) = (Arc::clone(gateway), Arc::clone(&outlet));
        let sessions = gateway.sessions.clone();
        let session = Session::begin(gateway, door, admitted, events, line, way).await;
        sessions.spawn(async move {
            match connected.await {
                Ok(socket) => {
                    outlet.connected(socket);
                    session.run().await;
                }
                Err(_) => session.abandon().await,
            }
        });
        Ok(())
    }

    async fn let_in(&self, parts: &Parts, auth: &Value) -> Result<Admitted, Refused> {
        let ip = parts.extensions.get::<ClientIp>().ok_or(Error::Internal)?.0;
        let config = &self.gateway.config;
        let credentials = Credentials::of_request(&parts.uri, &parts.headers, config, ip);
        let credentials = credentials.with_auth(auth)?;
        self.gateway.admit(self.namespace, &credentials).await
    }

    /// What a refused client is told; it is dismissed unless waiting helps.
    fn refuse(&self, socket: &SocketRef, refused: Refused) -> Refusal {
        let ip = socket.req_parts().extensions.get::<ClientIp>();
        let audit = &self.gateway.chat.audit;
        refusals::connect(audit, DOOR, ip.map(|ip| ip.0), &refused);
        let error = refused.error;
        if matches!(
            error,
            Error::StorageUnavailable | Error::Internal | Error::Restarting
        ) {
            // Not the client's fault: without an answer it tries again.
            if let Some(transport) = socket.req_parts().extensions.get::<Arc<Transport>>() {
                transport.cut();
            }
        }
        tokio::spawn(dismiss(socket.clone()));
        Refusal {
            with_close_code: self.namespace == Namespace::Admin,
            error,
        }
    }
}

/// Refuses events for which a connection's queue has no place, or which came after its end.
#[derive(Clone)]
struct Crowd {
    ending: Arc<Ending>,
    namespace: Namespace,
    audit: Audit,
    of: Entry,
}

impl Crowd {
    fn refuse(&self, refused: mpsc::error::TrySendError<SocketEvent>) {
        let (event, error) = match refused {
            mpsc::error::TrySendError::Full(event) => (event, Error::Overloaded),
            mpsc::error::TrySendError::Closed(event) => (event, self.ending.reason().error()),
        };
        let (event, _, answer) = event.into_parts();
        let entry = self
            .of
            .clone()
            .named(commands::name(self.namespace, &event));
        Reply::new(&self.audit, entry, answer).fail(&error);
    }
}

/// What a refused client reads in `connect_error`: the code and the reason. It does not come back by itself.
pub struct Refusal {
    error: Error,
    /// In front of it, as the staff's clients expect it.
    with_close_code: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.with_close_code {
            write!(f, "{} ", self.error.close_code())?;
        }
        write!(f, "{}: {}", self.error.code(), self.error)
    }
}

/// Clients before 4.4 keep the transport of a refused namespace open, and come back when it times out. Telling them that
/// they are disconnected ends that; the refusal has to reach them first.
async fn dismiss(socket: SocketRef) {
    tokio::time::sleep(REFUSAL_AHEAD).await;
    if socket
        .req_parts()
        .extensions
        .get::<Pending>()
        .is_some_and(Pending::is_released)
    {
        // It came back on the same transport, and was admitted.
        return;
    }
    if let Err(error) = socket.disconnect() {
        tracing::debug!(%error, "a refused client was not dismissed");
    }
}
