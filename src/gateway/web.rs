//! The web client at `/` and the support widget, out of the binary, and the headers that keep their pages to themselves.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::{Next, from_fn},
    response::Response,
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

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const EMBEDDER_POLICY: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");

/// The addresses of the page, beside `/`. The client's routes, in `web-client/src/App.tsx`.
const PAGES: [&str; 4] = ["/rooms/{id}", "/people/{id}", "/staff", "/staff/rooms/{id}"];

/// What belongs to the support widget: the script that other sites' pages load, the page that it shows in a frame, and
/// what that is made of. They are there whatever is served at `/`.
const WIDGET: [&str; 3] = [WIDGET_SCRIPT, WIDGET_PAGE, "/widget/{file}"];
const WIDGET_SCRIPT: &str = "/widget.js";
const WIDGET_PAGE: &str = "/widget";

/// Everything at an address that no other route has.
pub fn router(gateway: &Gateway) -> Router<Arc<Gateway>> {
    let client = web_client(&gateway.config.frame_ancestors.0);
    let Some(root) = &gateway.config.web_root.0 else {
        let client = client.fallback(|| async { ErrorResponse(Error::NotFound("Page")) });
        return Router::new().fallback_service(client);
    };
    let page = ServeFile::new(root.join("index.html"));
    WIDGET
        .iter()
        .fold(Router::new(), |router, path| {
            router.route_service(path, client.clone())
        })
        .fallback_service(ServeDir::new(root).fallback(page))
}

fn web_client(frame_ancestors: &[String]) -> Router {
    // The names of assets change with their content.
    let files = memory_serve::load!()
        .cache_control(CacheControl::Long)
        .html_cache_control(CacheControl::NoCache)
        .add_alias(WIDGET_PAGE, "/widget.html");
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
        .layer(from_fn(for_other_sites))
}

/// The widget is made for pages of other sites, also for those that let in nothing that does not say so
/// (`Cross-Origin-Embedder-Policy`). Its script has one name for ever, so it is not kept for long.
async fn for_other_sites(request: Request, next: Next) -> Response {
    let shared: &[(HeaderName, &str)] = match request.uri().path() {
        WIDGET_SCRIPT => &[
            (
                header::CACHE_CONTROL,
                "public, max-age=300, stale-while-revalidate=86400",
            ),
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (RESOURCE_POLICY, "cross-origin"),
        ],
        WIDGET_PAGE => &[
            (RESOURCE_POLICY, "cross-origin"),
            (EMBEDDER_POLICY, "require-corp"),
        ],
        _ => &[],
    };
    let mut response = next.run(request).await;
    for (name, value) in shared {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
