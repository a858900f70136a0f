//! Which web pages may connect. Browsers do not keep other sites' pages from opening a WebSocket; this does.

use axum::http::{HeaderMap, Uri, header};

/// Whether the request comes from a page that may connect: no page at all, one of this server, one on the visitor's own
/// machine, or one of the origins in the settings.
pub fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
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
    use axum::http::HeaderValue;

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
