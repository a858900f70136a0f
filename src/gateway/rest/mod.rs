//! Requests over HTTP: JSON in, JSON out, the commands, rules and errors of all doors.
//!
//! A route stands for a command (`routes.rs`): its payload is put together from path, query and body, and goes the same
//! way as an event of a socket. What has no command (signing in, guests) has handlers of its own.

mod admin;
mod auth;
mod call;
mod describe;
mod document;
mod extract;
mod guests;
mod kind;
mod route;
mod routes;
mod search;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    handler::Handler,
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::on,
};
use serde::Serialize;
use tower_http::set_header::SetResponseHeaderLayer;

use super::{Gateway, http::ErrorResponse, origin};
use crate::{
    error::{Error, Result},
    protocol::Success,
};
use describe::Description;
use extract::Visitor;

/// All of `/api`. Its answers are for whoever asked, refusals too: no cache keeps them.
pub fn router(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    // Those who sign in have not said who they are.
    let open = guests::serve(auth::serve(Api::default()));
    let mut api = guests::serve_link(auth::serve_me(Api::default()));
    for route in routes::all() {
        let about = route.about.clone();
        let route = Arc::new(route);
        api = api.serve(about, move |State(gateway), request: Request| {
            call::serve(gateway, Arc::clone(&route), request)
        });
    }
    let api = admin::serve(search::serve(api));
    let pages = document::router(&document::document(
        open.described.iter().chain(&api.described),
    ));
    let open = open
        .router
        .merge(pages)
        .layer(from_fn_with_state(Arc::clone(gateway), count_stranger));
    let api = api
        .router
        .merge(open)
        .fallback(|| async { ErrorResponse(Error::NotFound("Page")) })
        .method_not_allowed_fallback(|| async { ErrorResponse(Error::MethodNotAllowed) })
        .layer(from_fn_with_state(Arc::clone(gateway), origin::guard))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ));
    Router::new().nest("/api", api)
}

/// Routes and what the document says of them: whatever is served is described.
#[derive(Default)]
struct Api {
    router: Router<Arc<Gateway>>,
    described: Vec<Description>,
}

impl Api {
    fn serve<H, T>(mut self, about: Description, handler: H) -> Self
    where
        H: Handler<T, Arc<Gateway>>,
        T: 'static,
    {
        let route = on(about.method_filter(), handler);
        self.router = self.router.route(about.path, route);
        self.described.push(about);
        self
    }
}

/// Counts a request by the address that it comes from.
async fn count_stranger(
    State(gateway): State<Arc<Gateway>>,
    visitor: Visitor,
    request: Request,
    next: Next,
) -> Response {
    match gateway.chat.limits.request_from(visitor.ip) {
        Ok(()) => next.run(request).await,
        Err(error) => refuse("request", &visitor, error),
    }
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
