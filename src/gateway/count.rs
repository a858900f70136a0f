//! Counts what is asked over HTTP, by route.

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::Response,
};

/// Counts a request when it is answered. The route is the one that serves it, so that there are as many as there are
/// routes, whatever people ask for.
pub async fn requests(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = method(request.method());
    let response = next.run(request).await;
    let route = route
        .as_ref()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let status = response.status().as_str().to_owned();
    metrics::counter!(
        "confab_http_requests_total",
        "route" => route, "method" => method, "status" => status
    )
    .increment(1);
    response
}

/// A client can make up methods; they are counted as one.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
