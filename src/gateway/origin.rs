//! Which web pages may connect. Browsers do not keep other sites' pages from opening a WebSocket; this does.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Gateway, handshake, http::ErrorResponse, refusals};
use crate::error::Error;

/// Refuses requests of pages that may not connect, and tells browsers which may.
pub async fn guard(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    if !is_allowed(request.headers(), &gateway.config.allowed_origins.0) {
        let entry = handshake::stranger("origin", &gateway, &request);
        refusals::note(&gateway.chat.audit, &Error::OriginNotAllowed, entry);
        return ErrorResponse(Error::OriginNotAllowed).into_response();
    }
    let cors = cors_headers(request.headers());
    if request.method() == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, cors).into_response();
    }
    let mut response = next.run(request).await;
    response.headers_mut().extend(cors);
    response
}

/// The page's origin, for the log.
pub fn of(headers: &HeaderMap) -> &str {
    let origin = headers.get(header::ORIGIN);
    origin
        .and_then(|origin| origin.to_str().ok())
        .unwrap_or("none")
}

/// For a page of another origin that may connect. Which may was decided before.
fn cors_headers(request: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(origin) = request.get(header::ORIGIN) else {
        return headers;
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Retry-After"),
    );
    if let Some(wanted) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, PATCH, DELETE, OPTIONS"),
        );
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static("600"),
        );
    }
    headers
}

/// Whether the request comes from a page that may connect: no page at all, one of this server, one on the visitor's own
/// machine, or one of the origins in the settings.
fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if allowed
        .iter()
        .any(|entry| entry == "*" || entry.eq_ignore_ascii_case(origin))
    {
        return true;
    }
    let Ok(uri) = origin.parse::<Uri>() else {
        return false;
    };
    let Some(authority) = uri.authority() else {
        return false;
    };
    let own = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    own.is_some_and(|host| host.eq_ignore_ascii_case(authority.as_str()))
        || is_loopback(authority.host())
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origin: Option<&str>, list: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("chat.example:8443"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        is_allowed(
            &headers,
            &list
                .iter()
                .map(|entry| (*entry).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn own_and_loopback_pages_and_programs_may_connect() {
        assert!(allowed(None, &[]));
        assert!(allowed(Some("https://chat.example:8443"), &[]));
        for local in [
            "http://localhost:5173",
            "http://127.0.0.1",
            "http://[::1]:3000",
        ] {
            assert!(allowed(Some(local), &[]), "{local}");
        }
    }

    #[test]
    fn other_pages_may_connect_only_if_listed() {
        for other in [
            "https://evil.example",
            "https://chat.example",
            "http://localhost.evil.example",
            "null",
        ] {
            assert!(!allowed(Some(other), &["https://app.example"]), "{other}");
        }
        assert!(allowed(
            Some("https://app.example"),
            &["https://app.example"]
        ));
        assert!(allowed(Some("https://evil.example"), &["*"]));
    }
}
