//! What staff do about the users of their tenant, and what they read of its audit.
//!
//! A user's id in a path is written as it is stored, percent-encoded: a text is itself, the number 7 is `#7`, which is
//! `%237` in an address.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{Method, StatusCode, request::Parts},
    response::Response,
};
use entity::ids::UserId;
use utoipa::{
    ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, Ref, RefOr, Required, Schema, SchemaFormat, Type,
        path::ParameterIn,
    },
};

use super::{
    Api, answer, call,
    describe::{Description, Needs},
    extract::{Visitor, path_id, path_id_schema},
};
use crate::{
    auth::Identity,
    chat::{AuditQuery, Namespace},
    error::{Error, Result},
    gateway::Gateway,
    protocol::{AuditPage, GetAudit, PageSize, UserRecord, UserRecordAnswer},
};

type Served = State<Arc<Gateway>>;

const USER: &str = "/admin/users/{user_id}";
const REVOKE: &str = "/admin/users/{user_id}/revoke";
const DISABLE: &str = "/admin/users/{user_id}/disable";
const ENABLE: &str = "/admin/users/{user_id}/enable";

pub fn serve(api: Api) -> Api {
    let about = |method, path, id, summary| {
        Description::new(method, path, id, summary)
            .tag("Staff")
            .needs(Needs::Token)
    };
    let record = |method, path, id, summary| {
        about(method, path, id, summary)
            .parameter(
                ParameterIn::Path,
                "user_id",
                path_id_schema(),
                Required::True,
            )
            .answers::<UserRecordAnswer>()
            .refuses(&[404])
    };
    let optional = |about: Description, name, schema: RefOr<Schema>| {
        about.parameter(ParameterIn::Query, name, schema, Required::False)
    };
    let text = || ObjectBuilder::new().schema_type(Type::String).into();
    let uuid = || {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .into()
    };
    let entries = about(
        Method::GET,
        "/admin/audit",
        "read_audit",
        "What concerns who may do what, newest first",
    )
    .answers::<AuditPage>()
    .naming::<PageSize>();
    let entries = optional(entries, "before", uuid());
    let entries = optional(
        entries,
        "limit",
        Ref::from_schema_name(PageSize::name()).into(),
    );
    let entries = optional(entries, "action", text());
    let entries = optional(entries, "outcome", text());
    // Written as in a path; an empty one asks for nothing in particular.
    let entries = optional(entries, "actor", text());
    api.serve(entries, audit)
        .serve(record(Method::GET, USER, "get_user", "One user"), user)
        .serve(
            record(
                Method::POST,
                REVOKE,
                "revoke_user",
                "Revokes all tokens of a user",
            ),
            revoke,
        )
        .serve(
            record(Method::POST, DISABLE, "disable_user", "Shuts a user out"),
            disable,
        )
        .serve(
            record(Method::POST, ENABLE, "enable_user", "Lets a user in again"),
            enable,
        )
}

/// Who asks, and about whom.
struct Asked {
    staff: Identity,
    user: UserId,
}

async fn asked(gateway: &Gateway, visitor: &Visitor, parts: &Parts, id: &str) -> Result<Asked> {
    let staff = call::caller(gateway, Namespace::Chat, parts, visitor).await?;
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
    parts: Parts,
    Path(id): Path<String>,
) -> Response {
    let result = async {
        let Asked { staff, user } = asked(&gateway, &visitor, &parts, &id).await?;
        gateway.chat.user_record(&staff, &user).await
    };
    record("user.show", &visitor, result.await)
}

async fn revoke(
    State(gateway): Served,
    visitor: Visitor,
    parts: Parts,
    Path(id): Path<String>,
) -> Response {
    let result = async {
        let Asked { staff, user } = asked(&gateway, &visitor, &parts, &id).await?;
        gateway.chat.revoke(&staff, user).await
    };
    record("user.revoke", &visitor, result.await)
}

async fn disable(
    State(gateway): Served,
    visitor: Visitor,
    parts: Parts,
    Path(id): Path<String>,
) -> Response {
    let result = async {
        let Asked { staff, user } = asked(&gateway, &visitor, &parts, &id).await?;
        gateway.chat.disable(&staff, user).await
    };
    record("user.disable", &visitor, result.await)
}

async fn enable(
    State(gateway): Served,
    visitor: Visitor,
    parts: Parts,
    Path(id): Path<String>,
) -> Response {
    let result = async {
        let Asked { staff, user } = asked(&gateway, &visitor, &parts, &id).await?;
        gateway.chat.enable(&staff, &user).await
    };
    record("user.enable", &visitor, result.await)
}

async fn audit(
    State(gateway): Served,
    visitor: Visitor,
    parts: Parts,
    query: Result<Query<GetAudit>, QueryRejection>,
) -> Response {
    let result = async {
        let staff = call::caller(&gateway, Namespace::Chat, &parts, &visitor).await?;
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
        action: told(asked.action.map(|text| text.0)),
        outcome: told(asked.outcome.map(|text| text.0)),
        actor: actor.map(UserId),
    })
}
