//! Requests over HTTP: JSON in, JSON out, the errors of all doors.

mod admin;
mod auth;
mod extract;

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{HeaderValue, StatusCode, header},
    middleware::from_fn_with_state,
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
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ));
    Router::new().nest("/api", api)
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
