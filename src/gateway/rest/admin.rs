//! What staff do about the users of their tenant, and what they read of its audit.
//!
//! A user's id in a path is written as it is stored, percent-encoded: a text is itself, the number 7 is `#7`, which is
//! `%237` in an address.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};
use entity::ids::UserId;

use super::{
    answer,
    auth::identify,
    extract::{Visitor, path_id},
};
use crate::{
    auth::Identity,
    chat::AuditQuery,
    error::{Error, Result},
    gateway::Gateway,
    protocol::{GetAudit, UserRecord, UserRecordAnswer},
};

type Served = State<Arc<Gateway>>;

pub fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/admin/audit", get(audit))
        .route("/admin/users/{id}", get(user))
        .route("/admin/users/{id}/revoke", post(revoke))
        .route("/admin/users/{id}/disable", post(disable))
        .route("/admin/users/{id}/enable", post(enable))
}

/// Who asks, and about whom.
struct Asked {
    staff: Identity,
    user: UserId,
}

async fn asked(
    gateway: &Gateway,
    visitor: &Visitor,
    headers: &HeaderMap,
    id: &str,
) -> Result<Asked> {
    let staff = identify(gateway, visitor, headers).await?;
    let user = UserId(path_id(id)?);
    visitor.concerns(Some(user.clone()));
    Ok(Asked { staff, user })
}

fn record(what: &'static str, visitor: &Visitor, result: Result<UserRecord>) -> Response {
    let body = result.map(|user| (StatusCode::OK, UserRecordAnswer { user }));
    answer(what, visitor, body)
}

async fn user(
    State(gateway): Served,
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let result = async {
        let Asked { staff, user } = asked(&gateway, &visitor, &headers, &id).await?;
        gateway.chat.user_record(&staff, &user).await
    };
    record("user.show", &visitor, result.await)
}

async fn revoke(
    State(gateway): Served,
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let result = async {
        let Asked { staff, user } = asked(&gateway, &visitor, &headers, &id).await?;
        gateway.chat.revoke(&staff, user).await
    };
    record("user.revoke", &visitor, result.await)
}

async fn disable(
    State(gateway): Served,
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let result = async {
        let Asked { staff, user } = asked(&gateway, &visitor, &headers, &id).await?;
        gateway.chat.disable(&staff, user).await
    };
    record("user.disable", &visitor, result.await)
}

async fn enable(
    State(gateway): Served,
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let result = async {
        let Asked { staff, user } = asked(&gateway, &visitor, &headers, &id).await?;
        gateway.chat.enable(&staff, &user).await
    };
    record("user.enable", &visitor, result.await)
}

async fn audit(
    State(gateway): Served,
    visitor: Visitor,
    headers: HeaderMap,
    query: Result<Query<GetAudit>, QueryRejection>,
) -> Response {
    let result = async {
        let staff = identify(&gateway, &visitor, &headers).await?;
        let Query(asked) = query.map_err(|error| Error::invalid(error.body_text()))?;
        gateway.chat.read_audit(&staff, which(asked)?).await
    };
    let page = result.await.map(|page| (StatusCode::OK, page));
    answer("audit.read", &visitor, page)
}

/// An empty text asks for nothing in particular.
fn which(asked: GetAudit) -> Result<AuditQuery> {
    let told = |text: Option<String>| text.filter(|text| !text.is_empty());
    let actor = told(asked.actor).map(|actor| path_id(&actor)).transpose()?;
    Ok(AuditQuery {
        before: asked.before,
        limit: asked.limit.0.into(),
        action: told(asked.action),
        outcome: told(asked.outcome),
        actor: actor.map(UserId),
    })
}
