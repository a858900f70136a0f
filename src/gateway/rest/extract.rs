//! What requests carry: who sends them, and a body.

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use entity::ids::{ExternalId, MAX_ID_CHARS, UserId};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tower_http::timeout::TimeoutBody;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

use crate::{
    auth::Identity,
    chat::{Audit, Entry},
    error::{Error, Result},
    gateway::{Gateway, commands, handshake::client_ip, refusals, transport::Transport},
};

/// The door's name in metrics and in the audit.
pub const DOOR: &str = "rest";

/// The largest body of those who sign in, in bytes.
const MAX_CREDENTIALS: usize = 64 * 1024;
/// The largest body otherwise: the longest message, even if every character of it is escaped.
const MAX_BODY: usize = 256 * 1024;

/// Whoever sends the request.
pub struct Visitor {
    pub ip: IpAddr,
    /// Whether their browser sees this server over HTTPS, so that its cookies can be kept to it.
    pub is_secure: bool,
    /// Who it turned out to be, once that is known.
    who: OnceLock<Identity>,
    /// The user whom it is about, where that is somebody else.
    subject: OnceLock<UserId>,
    audit: Audit,
}

impl Visitor {
    /// They have shown who they are.
    pub fn is(&self, identity: &Identity) {
        // Asked twice, it is the same.
        let _ = self.who.set(identity.clone());
    }

    /// It is about some user.
    pub fn concerns(&self, user: Option<UserId>) {
        if let Some(user) = user {
            let _ = self.subject.set(user);
        }
    }

    /// Notes that they were refused something.
    pub fn refused(&self, what: &'static str, error: &Error) {
        let entry = match self.who.get() {
            Some(who) => Entry::new(what, who),
            None => Entry::stranger(what),
        };
        let entry = entry.door(DOOR).address(self.ip);
        let entry = match self.subject.get() {
            Some(subject) => entry.subject(subject),
            None => entry,
        };
        refusals::note(&self.audit, error, entry);
    }
}

impl FromRequestParts<Arc<Gateway>> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Arc<Transport>>();
        // Requests come in by connections only; one that did not has the address that nobody has.
        let peer = peer.map_or([0, 0, 0, 0].into(), |transport| transport.peer.ip());
        Ok(Self {
            ip: client_ip(&gateway.config, peer, &parts.headers),
            who: OnceLock::new(),
            subject: OnceLock::new(),
            audit: gateway.chat.audit.clone(),
            is_secure: text(&parts.headers, header::ORIGIN)
                .is_some_and(|origin| origin.starts_with("https://")),
        })
    }
}

/// A JSON object. No other type of content is read: a page of another site could send it unasked.
pub struct Object<T>(pub Result<T>);

impl<T: DeserializeOwned> FromRequest<Arc<Gateway>> for Object<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, Infallible> {
        let (parts, body) = request.into_parts();
        let read = async {
            json_only(&parts.headers)?;
            parse(&read(gateway, body, MAX_CREDENTIALS).await?)
        };
        Ok(Self(read.await))
    }
}

/// The fields of a body. A request without fields may come without a body.
///
/// # Errors
/// [`Error::InvalidPayload`].
pub async fn fields<T: DeserializeOwned>(
    gateway: &Gateway,
    headers: &HeaderMap,
    body: Body,
) -> Result<T> {
    let bytes = read(gateway, body, MAX_BODY).await?;
    if bytes.is_empty() {
        return commands::parse(RawValue::NULL);
    }
    json_only(headers)?;
    parse(&bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let json = serde_json::from_slice::<Box<RawValue>>(bytes)
        .map_err(|_| Error::invalid("the body is not JSON"))?;
    // An event may come with `null` for nothing; a body that says nothing is empty.
    if json.get() == "null" {
        return Err(Error::invalid("the body must be an object"));
    }
    commands::parse(&json)
}

async fn read(gateway: &Gateway, body: Body, most: usize) -> Result<Bytes> {
    let patience = gateway.config.header_timeout_seconds.0;
    let body = Body::new(TimeoutBody::new(patience, body));
    to_bytes(body, most)
        .await
        .map_err(|_| Error::invalid("the body is too large or did not arrive"))
}

/// Refuses what is not said to be JSON.
///
/// # Errors
/// [`Error::InvalidPayload`].
pub fn json_only(headers: &HeaderMap) -> Result<()> {
    let content_type = text(headers, header::CONTENT_TYPE).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Error::invalid("the content type must be application/json"))
    }
}

/// An id in a path or a query, in the form in which it is stored: `#7` is the number 7, anything else a text.
///
/// # Errors
/// [`Error::InvalidPayload`].
pub fn path_id(text: &str) -> Result<ExternalId> {
    let id = match text.parse() {
        Ok(ExternalId::Number(number)) => ExternalId::number(number),
        Ok(ExternalId::Text(text)) => ExternalId::text(&text),
        Err(error) => Err(error),
    };
    id.map_err(|error| Error::invalid(error.to_string()))
}

/// A text or `#7` for the number 7; a text that begins with `#` has another before it.
const PATH_ID: &str = r"^(#-?[0-9]{1,15}|##[^\u0000-\u001f\u007f-\u009f]*|[^#\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*)$";

/// What the document says of such an id.
pub fn path_id_schema() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(MAX_ID_CHARS))
        .pattern(Some(PATH_ID))
        .description(Some(
            "An id; the number 7 is written `#7`, a text that begins with `#` has another before it",
        ))
        .into()
}

pub fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
