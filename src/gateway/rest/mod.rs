//! Requests over HTTP: JSON in, JSON out, the errors of all doors.

mod admin;
mod auth;
mod extract;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{MatchedPath, Request},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tower_http::set_header::SetResponseHeaderLayer;

use super::{Gateway, http::ErrorResponse, origin};
use crate::{
    error::{Error, Result},
    protocol::Success,
};
use extract::Visitor;

/// All of `/api`. Its answers are for whoever asked, refusals too: no cache keeps them.
pub fn router(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    let api = auth::router()
        .merge(admin::router())
        .fallback(|| async { ErrorResponse(Error::NotFound("Page")) })
        .method_not_allowed_fallback(|| async { ErrorResponse(Error::MethodNotAllowed) })
        .layer(from_fn_with_state(Arc::clone(gateway), origin::guard))
        .layer(from_fn(count))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ));
    Router::new().nest("/api", api)
}

/// Counts requests. The labels are few, whatever is asked for.
async fn count(request: Request, next: Next) -> Response {
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        None => "none".to_owned(),
    };
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    metrics::counter!(
        "confab_http_requests_total",
        "route" => route, "method" => method, "status" => status,
    )
    .increment(1);
    response
}

/// The answer to a request, whatever came of it; what was refused is counted and logged.
fn answer<T: Serialize>(
    what: &'static str,
    visitor: &Visitor,
    result: Result<(StatusCode, T)>,
) -> Response {
    match result {
        Ok((status, body)) => (status, Json(Success::new(body))).into_response(),
        Err(error) => refuse(what, visitor, error),
    }
}

fn refuse(what: &'static str, visitor: &Visitor, error: Error) -> Response {
    visitor.refused(what, &error);
    ErrorResponse(error).into_response()
}
