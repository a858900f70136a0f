//! What keeps the requests of a long-polling session at one node: a cookie that names the node, for the load balancer to
//! go by; and the answer to those that come to another node all the same.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{Gateway, handshake::Query};

/// Where the cookie is sent.
const COOKIE_PATH: &str = "/socket.io";

/// How often the log says that requests go astray.
const WARNING_EVERY: Duration = Duration::from_mins(1);

/// More than the library's refusals have.
const MAX_REFUSAL: usize = 1024;

/// Engine.IO's code of "Session ID unknown"; the library writes it as a text.
const UNKNOWN_SESSION: [&str; 2] = ["1", "\"1\""];

/// Requests for sessions that this node does not have, since the log last spoke of them.
#[derive(Default)]
pub struct Strays(Mutex<(u64, Option<Instant>)>);

impl Strays {
    /// Counts one. How many there were, where it is time to say so.
    fn add(&self) -> Option<u64> {
        let (count, said) = &mut *self.0.lock();
        *count += 1;
        if said.is_some_and(|said| said.elapsed() < WARNING_EVERY) {
            return None;
        }
        *said = Some(Instant::now());
        Some(std::mem::take(count))
    }
}

/// Stands directly in front of the Socket.IO library.
pub async fn guard(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let query = Query::parse(request.uri());
    let Some(session) = query.session else {
        let names_node = !query.is_websocket;
        let headers = request.headers().clone();
        let mut response = next.run(request).await;
        if names_node && response.status().is_success() {
            name_node(&gateway, &headers, &mut response);
        }
        return response;
    };
    if query.is_websocket {
        // The library would switch protocols first and then hang up without a word. A request of long-polling that says
        // nothing changes nothing, and is answered by whether there is such a session.
        let asked = format!("/socket.io/?EIO=4&transport=polling&sid={session}");
        if let Ok(question) = Request::post(asked).body(Body::empty())
            && if_known(next.clone().run(question).await).await.is_none()
        {
            return refuse(&gateway);
        }
        return next.run(request).await;
    }
    match if_known(next.run(request).await).await {
        Some(response) => response,
        None => refuse(&gateway),
    }
}

/// The response, unless it says that there is no such session.
async fn if_known(response: Response) -> Option<Response> {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let may_say_so = response.status() == StatusCode::BAD_REQUEST
        && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !may_say_so {
        return Some(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, MAX_REFUSAL).await.unwrap_or_default();
    let refusal: Value = serde_json::from_slice(&body).unwrap_or_default();
    if UNKNOWN_SESSION.contains(&refusal["code"].to_string().as_str()) {
        return None;
    }
    Some(Response::from_parts(parts, Body::from(body)))
}

fn refuse(gateway: &Gateway) -> Response {
    metrics::counter!("confab_unknown_sessions_total").increment(1);
    if let Some(count) = gateway.strays.add() {
        tracing::warn!(
            count,
            node = &*gateway.node,
            "requests for Socket.IO sessions that this node does not have: either they have ended (the node was \
             restarted, the client was away), or the load balancer sends the requests of one session to different nodes \
             and needs sticky sessions"
        );
    }
    let message = format!(
        "Session ID unknown to node {}: either the session has ended, or the load balancer sends the requests of one \
         session to different nodes (stickiness is missing)",
        gateway.node
    );
    let body = Json(json!({"code": 1, "message": message}));
    (StatusCode::BAD_REQUEST, body).into_response()
}

/// Sets the cookie, unless it is there.
fn name_node(gateway: &Gateway, request: &HeaderMap, response: &mut Response) {
    let Some(name) = &gateway.config.sticky_cookie.0 else {
        return;
    };
    let jar = CookieJar::from_headers(request);
    if jar.get(name).is_some_and(|is| is.value() == &*gateway.node) {
        return;
    }
    let cookie = Cookie::build((name.as_str(), &*gateway.node))
        .path(COOKIE_PATH)
        .http_only(true);
    // A page of another site: browsers keep its cookies only so. They name the origin of a page of this one on no GET.
    let is_foreign = request
        .get(header::ORIGIN)
        .is_some_and(|origin| origin.as_bytes().starts_with(b"https://"));
    let cookie = if is_foreign {
        cookie
            .same_site(SameSite::None)
            .secure(true)
            .partitioned(true)
    } else {
        cookie.same_site(SameSite::Lax)
    };
    if let Ok(cookie) = HeaderValue::from_str(&cookie.build().to_string()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_speaks_at_once_and_then_not_for_a_while() {
        let strays = Strays::default();
        assert_eq!(strays.add(), Some(1));
        assert_eq!((strays.add(), strays.add()), (None, None));
        strays.0.lock().1 = Instant::now().checked_sub(WARNING_EVERY);
        assert_eq!(strays.add(), Some(3));
    }
}
