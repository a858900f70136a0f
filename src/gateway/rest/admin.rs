//! What staff do about the users of their tenant.
//!
//! A user's id in a path is written as it is stored, percent-encoded: a text is itself, the number 7 is `#7`, which is
//! `%237` in an address.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
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
    error::Result,
    gateway::Gateway,
    protocol::{UserRecord, UserRecordAnswer},
};

type Served = State<Arc<Gateway>>;

pub fn router() -> Router<Arc<Gateway>> {
    Router::new()
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

async fn asked(gateway: &Gateway, headers: &HeaderMap, id: &str) -> Result<Asked> {
    Ok(Asked {
        staff: identify(gateway, headers).await?,
        user: UserId(path_id(id)?),
    })
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
        let Asked { staff, user } = asked(&gateway, &headers, &id).await?;
        gateway.chat.user_record(&staff, &user).await
    };
    record("user.look", &visitor, result.await)
}

async fn revoke(
    State(gateway): Served,
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let result = async {
        let Asked { staff, user } = asked(&gateway, &headers, &id).await?;
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
        let Asked { staff, user } = asked(&gateway, &headers, &id).await?;
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
        let Asked { staff, user } = asked(&gateway, &headers, &id).await?;
        gateway.chat.enable(&staff, &user).await
    };
    record("user.enable", &visitor, result.await)
}
