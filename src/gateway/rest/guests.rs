//! Guest sessions of those who hold no connection: made here, and only when asked for.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode},
    response::Response,
};
use utoipa::{
    ToSchema,
    openapi::{Ref, Required},
};

use super::{
    Api, answer, call,
    describe::{Description, Needs},
    extract::{Visitor, fields},
};
use crate::{
    chat::Namespace,
    error::Error,
    gateway::Gateway,
    protocol::{Done, LinkGuest, NewGuest, Session},
};

type Served = State<Arc<Gateway>>;

pub fn serve(api: Api) -> Api {
    let about = Description::new(
        Method::POST,
        "/guest-sessions",
        "create_guest_session",
        "Makes a guest",
    );
    let about = about
        .tag("Signing in")
        .naming::<NewGuest>()
        .body_with(
            Ref::from_schema_name(NewGuest::name()).into(),
            Required::False,
        )
        .says(&[201])
        .answers::<Session>()
        // Where the tenant has no guests.
        .refuses(&[401]);
    api.serve(about, create)
}

pub fn serve_link(api: Api) -> Api {
    let about = Description::new(
        Method::POST,
        "/guest-sessions/link",
        "link_guest_session",
        "Says that a guest was the caller, who has their rooms from now on",
    );
    let about = about
        .tag("Signing in")
        .needs(Needs::Token)
        .body::<LinkGuest>()
        .answers::<Done>()
        .refuses(&[404, 409]);
    api.serve(about, link)
}

async fn create(State(gateway): Served, visitor: Visitor, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let made = async {
        let asked: NewGuest = fields(&gateway, &parts.headers, body).await?;
        let tenant = asked.tenant.as_deref();
        let guest = gateway.chat.new_guest(tenant, visitor.ip).await?;
        guest.made.ok_or(Error::Internal)
    };
    let made = made.await.map(|session| (StatusCode::CREATED, session));
    answer("guest.make", &visitor, made)
}

async fn link(State(gateway): Served, visitor: Visitor, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let linked = async {
        let identity = call::caller(&gateway, Namespace::Chat, &parts, &visitor).await?;
        let asked: LinkGuest = fields(&gateway, &parts.headers, body).await?;
        let secret = &asked.guest_session;
        gateway.chat.link_guest(&identity, secret).await
    };
    let linked = linked.await.map(|()| (StatusCode::OK, Done {}));
    answer("guest.link", &visitor, linked)
}
