//! One request for a command, from its headers to its answer.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, Request},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use serde_json::{Map, value::RawValue};
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

use super::{
    extract::{DOOR, Visitor, fields, json_only},
    refuse,
    route::{Route, has_body},
};
use crate::{
    auth::Identity,
    chat::{Connection, Entry, Namespace},
    error::{Error, Result},
    gateway::{
        Gateway,
        admission::Credentials,
        commands::{self, Caller},
        http::ErrorResponse,
        reply::{Answer, Reply},
    },
};

/// What became of a command.
pub type Outcome = Result<Box<RawValue>>;

/// Serves a request that stands for a command.
pub async fn serve(gateway: Arc<Gateway>, route: Arc<Route>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(visitor) = Visitor::from_request_parts(&mut parts, &gateway).await;
    let asked = async {
        let identity = caller(&gateway, route.namespace, &parts, &visitor).await?;
        let body = if has_body(&parts.method) {
            fields(&gateway, &parts.headers, body).await?
        } else {
            Map::new()
        };
        Ok((identity, route.payload(&mut parts, body).await?))
    };
    let (identity, payload) = match asked.await {
        Ok(asked) => asked,
        Err(error) => return refuse(route.event, &visitor, error),
    };
    let caller = Caller {
        connection: Connection::passing(route.namespace, identity),
        gateway,
    };
    match perform(caller, &visitor, route.event, payload, route.only_reads()).await {
        Ok(body) => (route.status(&body), Json(body)).into_response(),
        Err(error) => ErrorResponse(error).into_response(),
    }
}

/// Who sends a request. Every request counts, those of strangers by their address.
///
/// # Errors
/// [`Error::Unauthorized`] and its like, [`Error::TooManyAttempts`].
pub async fn caller(
    gateway: &Gateway,
    namespace: Namespace,
    parts: &Parts,
    visitor: &Visitor,
) -> Result<Identity> {
    let config = &gateway.config;
    let credentials = Credentials::of_request(&parts.uri, &parts.headers, config, visitor.ip);
    let limits = &gateway.chat.limits;
    match gateway.recognize(namespace, &credentials).await {
        Ok(identity) => {
            visitor.is(&identity);
            limits.request(&identity.tenant, &identity.user_id)?;
            // Browsers add the cookie to whatever a page sends. Pages of other sites can send forms unasked, but no JSON.
            if credentials.by_cookie && has_body(&parts.method) {
                json_only(&parts.headers)?;
            }
            Ok(identity)
        }
        Err(refused) => {
            if let Some(who) = refused.who() {
                visitor.is(who);
            }
            limits.request_from(visitor.ip)?;
            Err(refused.error)
        }
    }
}

/// Runs a command to its end, also when the client hangs up; one that only reads ends with its client.
pub async fn perform(
    caller: Caller,
    visitor: &Visitor,
    event: &'static str,
    payload: Box<RawValue>,
    only_reads: bool,
) -> Outcome {
    let (answer, answered) = oneshot::channel();
    let entry = Entry::new(event, &caller.connection.identity())
        .door(DOOR)
        .address(visitor.ip);
    let audit = &caller.gateway.chat.audit;
    let reply = Reply::new(audit, entry, Box::new(HttpAnswer(answer)));
    let sessions = caller.gateway.sessions.clone();
    let task = sessions.spawn(async move {
        if let Some(commit) = commands::dispatch(&caller, event, &payload, reply).await {
            let answer = commit.await;
            answer();
        }
    });
    let _ends_with_client = only_reads.then(|| AbortOnDropHandle::new(task));
    answered.await.unwrap_or(Err(Error::Internal))
}

/// The answer, on its way to whoever holds the request.
struct HttpAnswer(oneshot::Sender<Outcome>);

impl Answer for HttpAnswer {
    fn success(self: Box<Self>, body: &RawValue) {
        drop(self.0.send(Ok(body.to_owned())));
    }

    fn failure(self: Box<Self>, error: &Error) {
        drop(self.0.send(Err(error.clone())));
    }

    fn is_awaited(&self) -> bool {
        !self.0.is_closed()
    }
}
