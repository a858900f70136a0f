//! The HTTP side: metrics, and the places of all doors.

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{HeaderValue, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::set_header::SetResponseHeaderLayer;

use super::{Gateway, count, handshake, health, origin, rest, socketio, sticky, web, websocket};
use crate::{error::Error, telemetry};

/// An error as an HTTP answer.
pub struct ErrorResponse(pub Error);

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let (_, status) = self.0.answer();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = self.0.body();
        let retry_after = body.retry_after_ms.map(|millis| millis.div_ceil(1000));
        let mut response = (status, Json(body)).into_response();
        if let Some(seconds) = retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// All that is served on the listener.
pub fn router(gateway: &Arc<Gateway>) -> Router {
    let service = socketio::service(gateway);
    let socketio = Router::new()
        .route_service("/socket.io/", service.clone())
        // Clients with `addTrailingSlash: false`.
        .route_service("/socket.io", service)
        .layer(from_fn_with_state(Arc::clone(gateway), sticky::guard))
        .layer(from_fn_with_state(Arc::clone(gateway), handshake::guard))
        .layer(from_fn_with_state(Arc::clone(gateway), origin::guard));
    let router = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(|| async { telemetry::metrics().render() }))
        .merge(rest::router(gateway))
        .merge(websocket::router(gateway))
        .merge(web::router(gateway))
        .with_state(Arc::clone(gateway))
        .merge(socketio);
    let router = router.layer(from_fn(count::requests));
    let nosniff = HeaderValue::from_static("nosniff");
    router.layer(SetResponseHeaderLayer::if_not_present(
        header::X_CONTENT_TYPE_OPTIONS,
        nosniff,
    ))
}
