//! The door for clients without Socket.IO: JSON texts over a plain WebSocket. `admit` finds out who is calling, `frames`
//! says what a frame holds, `outlet` is the way out, `pump` moves frames between the socket and the session.

mod admit;
mod frames;
mod outlet;
mod pump;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use entity::ids::{ExternalId, RoomId};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::server::create_response_with_body,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{
    Gateway,
    admission::{Credentials, query_value},
    handshake::{self, Pending},
    http::ErrorResponse,
    origin,
    transport::Transport,
};
use crate::{
    chat::Namespace,
    error::{Error, Result},
};
use frames::Entry;

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Bytes that one connection reads ahead, and that are gathered before they are written.
const READ_BUFFER: usize = 4 * 1024;
const WRITE_BUFFER: usize = 16 * 1024;

/// Somebody at the door: what the request said.
struct Visit {
    gateway: Arc<Gateway>,
    namespace: Namespace,
    /// The room that the address names.
    room: Option<Entry>,
    /// Whether they hear their own messages.
    echo: bool,
    credentials: Credentials,
    /// Whether a token or a guest session was shown, were it an empty one: who they are need not be waited for.
    has_introduced_itself: bool,
    /// Their place among those who have not said who they are; without one they are told so.
    pending: Result<Pending>,
}

/// Each address with and without a slash at its end.
pub fn router(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    let chat = |State(gateway): State<Arc<Gateway>>, request: Request| async {
        open(gateway, Namespace::Chat, None, request)
    };
    let support = |State(gateway): State<Arc<Gateway>>, request: Request| async {
        open(gateway, Namespace::Support, None, request)
    };
    let admin = |State(gateway): State<Arc<Gateway>>, request: Request| async {
        open(gateway, Namespace::Admin, None, request)
    };
    Router::new()
        .route("/ws/chat", get(chat))
        .route("/ws/chat/", get(chat))
        .route("/ws/chat/{room}", get(chat_room))
        .route("/ws/chat/{room}/", get(chat_room))
        .route("/ws/support", get(support))
        .route("/ws/support/", get(support))
        .route("/ws/admin/chat", get(admin))
        .route("/ws/admin/chat/", get(admin))
        .method_not_allowed_fallback(|| async { ErrorResponse(Error::MethodNotAllowed) })
        .layer(from_fn_with_state(Arc::clone(gateway), origin::guard))
}

async fn chat_room(
    State(gateway): State<Arc<Gateway>>,
    room: std::result::Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let since = query_value(request.uri(), "since");
    let entry = Entry {
        room: room.ok().and_then(|Path(room)| room_id(&room)),
        since: since.and_then(|since| since.parse().ok()),
    };
    open(gateway, Namespace::Chat, Some(entry), request)
}

/// The room that an address names: a text, or the stored form of a number (`#7`).
fn room_id(text: &str) -> Option<RoomId> {
    let id = match text.parse().ok()? {
        ExternalId::Number(number) => ExternalId::number(number),
        ExternalId::Text(text) => ExternalId::text(&text),
    };
    id.map(RoomId).ok()
}

/// Accepts the WebSocket. Whoever is refused hears why over it: a browser tells its page nothing about a refusal that
/// comes before.
fn open(
    gateway: Arc<Gateway>,
    namespace: Namespace,
    room: Option<Entry>,
    mut request: Request,
) -> Response {
    let response = match create_response_with_body(&request, axum::body::Body::empty) {
        Ok(response) => response,
        Err(error) => return ErrorResponse(Error::invalid(error.to_string())).into_response(),
    };
    let Some(ip) = address(&gateway, &request) else {
        return ErrorResponse(Error::Internal).into_response();
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let uri = request.uri();
    let credentials = Credentials::of_request(uri, request.headers(), &gateway.config, ip);
    let query = uri.query().unwrap_or_default();
    let visit = Visit {
        namespace,
        room,
        echo: query_value(uri, "echo").as_deref() != Some("0"),
        has_introduced_itself: credentials.token.is_some()
            || credentials.guest_session.is_some()
            || query.split('&').any(|pair| pair == "guest_session="),
        credentials,
        pending: handshake::enter(&gateway, ip),
        gateway,
    };
    tokio::spawn(async move {
        match upgrade.await {
            Ok(upgraded) => {
                let config = settings(visit.gateway.config.max_payload_bytes);
                let io = TokioIo::new(upgraded);
                let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
                visit.receive(socket).await;
            }
            Err(error) => tracing::debug!(%error, "a connection was gone before its upgrade"),
        }
    });
    response
}

fn address(gateway: &Gateway, request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<Arc<Transport>>()?.peer.ip();
    Some(handshake::client_ip(
        &gateway.config,
        peer,
        request.headers(),
    ))
}

fn settings(max_payload: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(max_payload))
        .max_frame_size(Some(max_payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_room_by_its_text_or_by_a_number_in_stored_form() {
        let json = |text| room_id(text).map(|id| serde_json::to_string(&id).unwrap());
        assert_eq!(json("lobby").as_deref(), Some("\"lobby\""));
        assert_eq!(json("7").as_deref(), Some("\"7\""));
        assert_eq!(json("#7").as_deref(), Some("7"));
        assert_eq!(json("##7").as_deref(), Some("\"#7\""));
        for none in ["#seven", "#9007199254740993", "a\u{0}b", &"x".repeat(129)] {
            assert_eq!(json(none), None, "{none}");
        }
    }
}
