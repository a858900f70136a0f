//! Requests over HTTP: JSON in, JSON out, the errors of all doors.

mod auth;
mod extract;

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tower_http::set_header::SetResponseHeaderLayer;

use super::{Gateway, http::ErrorResponse, refusals};
use crate::{
    error::{Error, Result},
    protocol::Success,
};
use extract::Visitor;

/// All of `/api`.
pub fn router() -> Router<Arc<Gateway>> {
    auth::router().layer(SetResponseHeaderLayer::if_not_present(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store"),
    ))
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
    refusals::note(&error, what, &visitor.ip.to_string());
    ErrorResponse(error).into_response()
}
