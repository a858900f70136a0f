//! Who gets in: the token or the guest session of a connecting client.
//!
//! All handlers are registered here, in the middleware, before the library answers CONNECT: an event that the client
//! sends along with its CONNECT would be lost otherwise, and so would a disconnect.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::http::{HeaderMap, Uri, header, request::Parts};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use socketioxide::extract::{SocketRef, TryData};
use tokio::sync::{mpsc, oneshot};

use super::{Service, incoming::Incoming, outlet::Ending, session::Session};
use crate::{
    auth::Identity,
    chat::GuestSession,
    error::{Error, Result},
    gateway::{
        Gateway, commands,
        handshake::{ClientIp, Pending},
        refusals,
        reply::Reply,
        transport::Transport,
    },
};

/// How much earlier than its dismissal a client is told why it is refused. The library sends the refusal at once, without
/// saying when it has.
const REFUSAL_AHEAD: Duration = Duration::from_millis(200);

/// What the middleware needs.
#[derive(Clone)]
pub struct Admission {
    gateway: Arc<Gateway>,
    service: Service,
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
    pub const fn new(gateway: Arc<Gateway>, service: Service) -> Self {
        Self { gateway, service }
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
        let admitted = async {
            let guest = self.identify(socket.req_parts(), &auth).await?;
            if self.gateway.sessions.len() >= self.gateway.config.max_connections {
                return Err(Error::TooManyConnections);
            }
            let place = self
                .gateway
                .chat
                .limits
                .connection(&guest.identity.tenant, &guest.identity.user_id)?;
            Ok::<_, Error>((guest, place))
        };
        let (guest, place) = match admitted.await {
            Ok(admitted) => admitted,
            Err(error) => return Err(refuse(&socket, error)),
        };
        let gateway = &self.gateway;
        let (queue, events) = mpsc::channel::<Incoming>(gateway.config.command_queue);
        let ending = Ending::new(Arc::clone(gateway), self.service.clone());
        socket.extensions.insert(Arc::clone(&ending));
        let (sender, connected) = oneshot::channel();
        socket
            .extensions
            .insert(Connected(Arc::new(Mutex::new(Some(sender)))));
        let identity = Arc::new(guest.identity.clone());
        socket.on_fallback(move |incoming: Incoming| {
            // Runs before the next event is read, so that the queue holds them in the order of arrival.
            if let Err(full) = queue.try_send(incoming) {
                overflow(full, &identity);
            }
            std::future::ready(())
        });
        let on_closed = ending.closed.clone();
        socket.on_disconnect(move || {
            on_closed.cancel();
            std::future::ready(())
        });
        if let Some(pending) = socket.req_parts().extensions.get::<Pending>() {
            pending.release();
        }
        let session = Session::new(Arc::clone(gateway), guest, events, ending);
        gateway.sessions.spawn(session.run(connected, place));
        Ok(())
    }

    /// Who connects: by the first token that is given, else as a guest.
    async fn identify(&self, parts: &Parts, auth: &Value) -> Result<GuestSession> {
        if !auth.is_null() && !auth.is_object() {
            return Err(Error::unauthorized("auth is not an object"));
        }
        let chat = &self.gateway.chat;
        let query = |name| query_value(&parts.uri, name);
        let token = auth_text(auth, "token")?
            .or_else(|| query("token"))
            .or_else(|| query("access"))
            .or_else(|| bearer(&parts.headers))
            .or_else(|| {
                cookie(
                    &parts.headers,
                    self.gateway.config.token_cookie.0.as_deref()?,
                )
            });
        if let Some(token) = token {
            let identity = self.gateway.authenticator.verify(&token)?;
            chat.know_user(&identity).await?;
            Ok(GuestSession {
                identity,
                made: None,
            })
        } else {
            let secret = auth_text(auth, "guest_session")?.or_else(|| query("guest_session"));
            let ip = parts.extensions.get::<ClientIp>().ok_or(Error::Internal)?.0;
            chat.guest(secret.as_deref(), ip).await
        }
    }
}

/// A text in the `auth` object; an empty one or null is as good as none.
fn auth_text(auth: &Value, name: &str) -> Result<Option<String>> {
    match auth.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Error::unauthorized(format!("auth.{name} is not a text"))),
    }
}

fn query_value(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = uri
        .query()?
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, value)| *key == name && !value.is_empty())?;
    Some(
        percent_decode_str(&value.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned(),
    )
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let scheme = value.get(..7)?;
    scheme
        .eq_ignore_ascii_case("bearer ")
        .then(|| value[7..].trim().to_owned())
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// Refuses an event for which the connection's queue has no place, or which came after its end.
fn overflow(refused: mpsc::error::TrySendError<Incoming>, identity: &Identity) {
    let (incoming, error) = match refused {
        mpsc::error::TrySendError::Full(incoming) => (incoming, Error::Overloaded),
        mpsc::error::TrySendError::Closed(incoming) => (incoming, Error::Restarting),
    };
    let (event, _, answer) = incoming.into_parts();
    Reply::new(commands::name(&event), identity, answer).fail(&error);
}

/// What a refused client reads in `connect_error`: the code and the reason. It does not come back by itself.
pub struct Refusal(Error);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code(), self.0)
    }
}

fn refuse(socket: &SocketRef, error: Error) -> Refusal {
    let ip = socket
        .req_parts()
        .extensions
        .get::<ClientIp>()
        .map(|ip| ip.0.to_string());
    refusals::note(&error, "connect", &ip.unwrap_or_default());
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
    Refusal(error)
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
