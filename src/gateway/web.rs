//! The web client at `/`, out of the binary, and the headers that keep its page to itself.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
};
use memory_serve::CacheControl;
use tower_http::{
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
};
use tracing::subscriber::{NoSubscriber, with_default};

use super::{Gateway, http::ErrorResponse};
use crate::error::Error;

/// What the page is made of comes from here and from nowhere else, and no text becomes markup or code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The addresses of the page, beside `/`. The client's routes, in `web-client/src/App.tsx`.
const PAGES: [&str; 4] = ["/rooms/{id}", "/people/{id}", "/staff", "/staff/rooms/{id}"];

/// Everything at an address that no other route has.
pub fn router(gateway: &Gateway) -> Router<Arc<Gateway>> {
    let Some(root) = &gateway.config.web_root.0 else {
        return web_client(&gateway.config.frame_ancestors.0)
            .fallback(|| async { ErrorResponse(Error::NotFound("Page")) });
    };
    let page = ServeFile::new(root.join("index.html"));
    Router::new().fallback_service(ServeDir::new(root).fallback(page))
}

fn web_client(frame_ancestors: &[String]) -> Router<Arc<Gateway>> {
    // The names of assets change with their content.
    let files = memory_serve::load!()
        .cache_control(CacheControl::Long)
        .html_cache_control(CacheControl::NoCache);
    let files = PAGES
        .iter()
        .fold(files, |files, page| files.add_alias(page, "/index.html"));
    // The library logs a line for each file.
    let router = with_default(NoSubscriber::new(), || files.into_router());
    let set =
        |name: HeaderName, value: HeaderValue| SetResponseHeaderLayer::overriding(name, value);
    let fixed = |name: HeaderName, value: &'static str| set(name, HeaderValue::from_static(value));
    let policy = format!(
        "{POLICY}; frame-ancestors 'self' {}",
        frame_ancestors.join(" ")
    );
    // The settings were checked: an origin is a header's value.
    let policy = HeaderValue::from_str(policy.trim_end())
        .unwrap_or(HeaderValue::from_static("default-src 'none'"));
    router
        .layer(set(header::CONTENT_SECURITY_POLICY, policy))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ))
        .layer(fixed(
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=()",
        ))
}
