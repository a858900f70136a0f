//! Who is calling: the token or the guest session that came with a connection or a request, wherever it was put.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Gateway, refusals::Refused};
use crate::{
    auth::Identity,
    chat::Namespace,
    config::Config,
    error::{Error, Result},
    limits::UserPlace,
    protocol::Session,
};

/// What somebody shows to be let in.
#[derive(Clone)]
pub struct Credentials {
    pub token: Option<String>,
    pub guest_session: Option<String>,
    /// Whose guest somebody without a token wants to be.
    pub tenant: Option<String>,
    pub ip: IpAddr,
    /// Whether the token came in a cookie: browsers add it to whatever a page sends.
    pub by_cookie: bool,
}

/// Somebody who is let in.
pub struct Admitted {
    pub identity: Identity,
    /// What a new guest has to be told.
    pub made: Option<Session>,
    pub ip: IpAddr,
    /// The user's place for the connection, held as long.
    _place: UserPlace,
}

impl Credentials {
    /// Out of a request's query, headers and cookies: the first token that is given counts.
    pub fn of_request(uri: &Uri, headers: &HeaderMap, config: &Config, ip: IpAddr) -> Self {
        let query = |name| query_value(uri, name);
        let token = query("token")
            .or_else(|| query("access"))
            .or_else(|| bearer(headers));
        let by_cookie = token.is_none();
        let token = token.or_else(|| cookie(headers, config.token_cookie.0.as_deref()?));
        let guest_header = || headers.get("x-guest-session")?.to_str().ok();
        let guest_session = query("guest_session").or_else(|| guest_header().map(str::to_owned));
        Self {
            by_cookie: by_cookie && token.is_some(),
            token,
            guest_session,
            tenant: query("tenant"),
            ip,
        }
    }

    /// What Socket.IO's `auth` object says comes before the rest.
    ///
    /// # Errors
    /// [`Error::Unauthorized`]: it is not an object, or holds no texts.
    pub fn with_auth(mut self, auth: &Value) -> Result<Self> {
        if !auth.is_null() && !auth.is_object() {
            return Err(Error::unauthorized("auth is not an object"));
        }
        self.token = auth_text(auth, "token")?.or(self.token);
        self.guest_session = auth_text(auth, "guest_session")?.or(self.guest_session);
        self.tenant = auth_text(auth, "tenant")?.or(self.tenant);
        Ok(self)
    }
}

impl Gateway {
    /// Who somebody is: by their token, else as a guest. With both, the guest turns out to be the user.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] and its like, [`Error::Forbidden`], [`Error::GuestAlreadyLinked`].
    pub async fn identify(
        &self,
        namespace: Namespace,
        credentials: &Credentials,
    ) -> Result<(Identity, Option<Session>), Refused> {
        let secret = credentials.guest_session.as_deref();
        if let Some(identity) = self.bearer(namespace, credentials).await? {
            return Ok((identity, None));
        }
        let tenant = credentials.tenant.as_deref();
        let guest = self.chat.guest(secret, tenant, credentials.ip).await?;
        Ok((guest.identity, guest.made))
    }

    /// Who sends a request that stands alone: by their token, else by a guest session that there is.
    ///
    /// # Errors
    /// As [`Gateway::identify`].
    pub async fn recognize(
        &self,
        namespace: Namespace,
        credentials: &Credentials,
    ) -> Result<Identity, Refused> {
        if let Some(identity) = self.bearer(namespace, credentials).await? {
            return Ok(identity);
        }
        let secret = credentials.guest_session.as_deref();
        let secret = secret
            .ok_or_else(|| Error::unauthorized("an access token or a guest session is required"))?;
        let guest = self.chat.known_guest(secret).await?;
        Ok(guest.ok_or_else(|| Error::unauthorized("there is no such guest session"))?)
    }

    /// The user of a token, if one is given or needed.
    async fn bearer(
        &self,
        namespace: Namespace,
        credentials: &Credentials,
    ) -> Result<Option<Identity>, Refused> {
        let Some(token) = &credentials.token else {
            if namespace == Namespace::Admin {
                return Err(Error::unauthorized("an access token is required").into());
            }
            return Ok(None);
        };
        let identity = self.authenticator.verify(token)?;
        let of_them = |error| Refused::of(error, &identity);
        namespace.admits(&identity).map_err(of_them)?;
        let secret = credentials.guest_session.as_deref();
        let signed_in = self.chat.sign_in(identity.clone(), secret).await;
        Ok(Some(signed_in.map_err(of_them)?))
    }

    /// Lets somebody in who wants to hold a connection.
    ///
    /// # Errors
    /// As [`Gateway::identify`], and [`Error::TooManyConnections`].
    pub async fn admit(
        &self,
        namespace: Namespace,
        credentials: &Credentials,
    ) -> Result<Admitted, Refused> {
        let (identity, made) = self.identify(namespace, credentials).await?;
        if self.sessions.len() >= self.config.max_connections {
            return Err(Refused::of(Error::TooManyConnections, &identity));
        }
        let limits = &self.chat.limits;
        let place = limits
            .connection(&identity.tenant, &identity.user_id)
            .await
            .map_err(|error| Refused::of(error, &identity))?;
        Ok(Admitted {
            identity,
            made,
            ip: credentials.ip,
            _place: place,
        })
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

/// A value in a query that is not empty.
pub fn query_value(uri: &Uri, name: &str) -> Option<String> {
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
