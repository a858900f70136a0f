//! What stands in front of those who have not said who they are: every request for the Socket.IO library passes here
//! first, and every raw WebSocket.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tower_http::timeout::TimeoutBody;

use super::{Gateway, http::ErrorResponse, origin, refusals, transport::Transport};
use crate::{
    chat::Entry,
    config::Config,
    error::{Error, Result},
    limits::Place,
};

/// The place of a session among those of its address that have not said who they are. Given back when they have, or
/// when the session ends.
#[derive(Clone)]
pub struct Pending(Arc<Mutex<Option<Place<IpAddr>>>>);

impl Pending {
    fn new(place: Place<IpAddr>) -> Self {
        Self(Arc::new(Mutex::new(Some(place))))
    }

    /// Whether somebody was admitted on the session.
    pub fn is_released(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }

    pub fn release(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The client's address, behind trusted proxies too.
#[derive(Clone, Copy)]
pub struct ClientIp(pub IpAddr);

/// Lets a request through to the Socket.IO library, or refuses it.
pub async fn guard(
    State(gateway): State<Arc<Gateway>>,
    mut request: Request,
    next: Next,
) -> Response {
    let query = Query::parse(request.uri());
    if query.engine == Some("3") && !gateway.config.legacy_clients {
        return refuse(
            &gateway,
            &Error::invalid("Socket.IO clients 2.x are not accepted here (setting legacy_clients)"),
            &request,
        );
    }
    let session = query.session.map(str::to_owned);
    let is_upgrade = query.is_websocket;
    let Some(transport) = request.extensions().get::<Arc<Transport>>().cloned() else {
        return ErrorResponse(Error::Internal).into_response();
    };
    if session.is_none() {
        let ip = client_ip(&gateway.config, transport.peer.ip(), request.headers());
        match enter(&gateway, ip) {
            Ok(pending) => request.extensions_mut().insert(pending),
            Err(error) => return refuse(&gateway, &error, &request),
        };
        request.extensions_mut().insert(ClientIp(ip));
    }
    let body_timeout = gateway.config.header_timeout_seconds.0;
    let request = compact(request).map(|body| Body::new(TimeoutBody::new(body_timeout, body)));
    let response = next.run(request).await;
    if let (Some(session), true, StatusCode::SWITCHING_PROTOCOLS) =
        (session, is_upgrade, response.status())
    {
        gateway.transports.upgraded(&session, &transport);
    }
    response
}

/// Takes a place among those of an address that have not said who they are.
///
/// # Errors
/// [`Error::Restarting`], [`Error::TooManyConnections`].
pub fn enter(gateway: &Gateway, ip: IpAddr) -> Result<Pending> {
    if gateway.is_draining() {
        return Err(Error::Restarting);
    }
    gateway.chat.limits.pending(ip).map(Pending::new)
}

fn refuse(gateway: &Gateway, error: &Error, request: &Request) -> Response {
    refusals::count_connect("socketio", error.code());
    let entry = stranger("handshake", gateway, request).door("socketio");
    refusals::note(&gateway.chat.audit, error, entry);
    ErrorResponse(error.clone()).into_response()
}

/// What the audit says of a request that was refused before anybody asked who it is: where it comes from.
pub fn stranger(action: &'static str, gateway: &Gateway, request: &Request) -> Entry {
    let entry = Entry::stranger(action);
    let entry = entry.detail(format!("origin: {}", origin::of(request.headers())));
    match request.extensions().get::<Arc<Transport>>() {
        Some(transport) => {
            let peer = transport.peer.ip();
            entry.address(client_ip(&gateway.config, peer, request.headers()))
        }
        None => entry,
    }
}

/// The parts of a Socket.IO request's query that decide here.
pub struct Query<'a> {
    engine: Option<&'a str>,
    pub session: Option<&'a str>,
    pub is_websocket: bool,
}

impl<'a> Query<'a> {
    pub fn parse(uri: &'a Uri) -> Self {
        let mut query = Self {
            engine: None,
            session: None,
            is_websocket: false,
        };
        // As the library reads it, the first of a name counts.
        let mut transport = None;
        for (name, value) in uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
        {
            match name {
                "EIO" => query.engine = query.engine.or(Some(value)),
                "sid" => query.session = query.session.or(Some(value)),
                "transport" => transport = transport.or(Some(value)),
                _ => {}
            }
        }
        query.is_websocket = transport == Some("websocket");
        query
    }
}

/// What a proxy said of the client's address, and whether it is believed.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Forwarded {
    /// Nothing: either there is no proxy, or it does not say.
    No,
    Trusted,
    /// The proxy is not in `trusted_proxies`.
    Untrusted,
}

pub fn forwarded(config: &Config, request: &Request) -> Forwarded {
    let peer = request.extensions().get::<Arc<Transport>>();
    if !request.headers().contains_key("x-forwarded-for") {
        Forwarded::No
    } else if peer.is_some_and(|transport| is_trusted(config, transport.peer.ip())) {
        Forwarded::Trusted
    } else {
        Forwarded::Untrusted
    }
}

fn is_trusted(config: &Config, ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let mut proxies = config.trusted_proxies.0.iter();
    proxies.any(|network| network.0.contains(&ip))
}

/// The last address that no trusted proxy has added.
pub fn client_ip(config: &Config, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut ip = peer.to_canonical();
    let forwarded = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = forwarded
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    for hop in hops.iter().rev() {
        if !is_trusted(config, ip) {
            break;
        }
        let Some(address) = hop_address(hop) else {
            break;
        };
        ip = address.to_canonical();
    }
    ip
}

/// An address in `X-Forwarded-For`; some proxies add the port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse().map(|address: SocketAddr| address.ip());
    hop.parse().or_else(|_| with_port()).ok()
}

/// Copies the head: its parts are kept as long as the session lives, and as they come they hold on to the whole read
/// buffer of the connection.
fn compact(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    let copied = parts.headers.iter().filter_map(|(name, value)| {
        let mut copy = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        copy.set_sensitive(*name == header::AUTHORIZATION || *name == header::COOKIE);
        Some((HeaderName::from_bytes(name.as_str().as_bytes()).ok()?, copy))
    });
    parts.headers = copied.collect();
    if let Ok(uri) = parts.uri.to_string().parse() {
        parts.uri = uri;
    }
    Request::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_the_last_address_that_no_trusted_proxy_added() {
        let config = Config::from_sources(None, |name| {
            (name == "trusted_proxies").then(|| "127.0.0.0/8,10.1.1.1".to_owned())
        })
        .unwrap();
        let ip = |peer: &str, forwarded: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_str(forwarded).unwrap());
            client_ip(&config, peer.parse().unwrap(), &headers).to_string()
        };
        assert_eq!(ip("127.0.0.1", "203.0.113.9"), "203.0.113.9");
        assert_eq!(
            ip("127.0.0.1", "1.2.3.4, 203.0.113.9, 10.1.1.1"),
            "203.0.113.9"
        );
        assert_eq!(
            ip("198.51.100.7", "203.0.113.9"),
            "198.51.100.7",
            "a stranger's word counts for nothing"
        );
        assert_eq!(ip("127.0.0.1", "nonsense"), "127.0.0.1");
        assert_eq!(ip("::ffff:127.0.0.1", "203.0.113.9:4711"), "203.0.113.9");
    }
}
