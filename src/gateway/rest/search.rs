//! Search: one path for all that can be found, each a command of its own.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    http::{Method, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use utoipa::{
    ToSchema,
    openapi::{OneOfBuilder, Ref, Required, path::ParameterIn},
};

use super::{
    Api, call,
    describe::{Description, Needs},
    extract::Visitor,
    refuse,
};
use crate::{
    auth::Identity,
    chat::{Connection, Namespace},
    error::{Error, Result},
    gateway::{
        Gateway,
        commands::{Caller, Command},
        http::ErrorResponse,
    },
    protocol::{
        RoomsFound, SearchLimit, SearchQuery, SearchRooms, SearchUsers, UsersFound, to_raw,
    },
};

pub fn serve(api: Api) -> Api {
    let about = Description::new(
        Method::GET,
        "/search",
        "search",
        "Finds people or rooms by name",
    )
    .tag("Search")
    .needs(Needs::TokenOrGuestSession)
    .naming::<UsersFound>()
    .naming::<RoomsFound>()
    .naming::<SearchQuery>()
    .naming::<SearchLimit>()
    .parameter(
        ParameterIn::Query,
        "users",
        Ref::from_schema_name(SearchQuery::name()),
        Required::False,
    )
    .parameter(
        ParameterIn::Query,
        "rooms",
        Ref::from_schema_name(SearchQuery::name()),
        Required::False,
    )
    .parameter(
        ParameterIn::Query,
        "limit",
        Ref::from_schema_name(SearchLimit::name()),
        Required::False,
    );
    let found = OneOfBuilder::new()
        .item(about.successful::<UsersFound>())
        .item(about.successful::<RoomsFound>());
    api.serve(about.answers_with(found.into()), search)
}

/// What to look for: exactly one of them.
#[derive(Deserialize)]
struct Wanted {
    users: Option<String>,
    rooms: Option<String>,
    limit: Option<u64>,
}

async fn search(State(gateway): State<Arc<Gateway>>, visitor: Visitor, parts: Parts) -> Response {
    let asked = async {
        let identity = call::caller(&gateway, Namespace::Chat, &parts, &visitor).await?;
        let wanted = Query::<Wanted>::try_from_uri(&parts.uri)
            .map_err(|error| Error::invalid(error.body_text()))?;
        command(wanted.0).map(|(event, payload)| (identity, event, payload))
    };
    let (identity, event, payload): (Identity, _, _) = match asked.await {
        Ok(asked) => asked,
        Err(error) => return refuse("search", &visitor, error),
    };
    let caller = Caller {
        connection: Connection::passing(Namespace::Chat, identity),
        gateway,
    };
    match call::perform(caller, &visitor, event, payload, true).await {
        Ok(body) => Json(body).into_response(),
        Err(error) => ErrorResponse(error).into_response(),
    }
}

fn command(wanted: Wanted) -> Result<(&'static str, Box<RawValue>)> {
    let (event, query) = match (wanted.users, wanted.rooms) {
        (Some(query), None) => (SearchUsers::EVENT, query),
        (None, Some(query)) => (SearchRooms::EVENT, query),
        _ => {
            return Err(Error::invalid(
                "either `users` or `rooms` says what to find",
            ));
        }
    };
    let payload = json!({ "query": query, "limit": wanted.limit });
    Ok((event, to_raw(&payload)))
}
