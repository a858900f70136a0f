//! The description of the API as an OpenAPI document, and the page that shows it. Both come out of the binary.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    extract::Path,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ComponentsBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, LicenseBuilder,
        ObjectBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, ResponseBuilder, Type,
        path::PathItem,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::TagBuilder,
    },
};
use utoipa_swagger_ui::Config;

use super::describe::{Description, GUEST_SESSION, REFUSALS, SUCCESS, TOKEN, success};
use crate::{
    error::Error,
    gateway::{Gateway, http::ErrorResponse},
    protocol::ErrorBody,
};

const ABOUT: &str = "The same rooms, rules and limits as over Socket.IO: what is posted here is heard there at once. \
    Every answer says `success`. A refusal has a `code` for programs and a `message` for people.";

/// The page loads nothing but its own files. Its library sets styles on elements, and holds its icons as `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The document of all that is described.
pub fn document<'a>(descriptions: impl Iterator<Item = &'a Description>) -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut components = components();
    let mut tags: Vec<&str> = Vec::new();
    for about in descriptions {
        let item = PathItem::new(about.http_method(), about.operation());
        paths = paths.path(format!("/api{}", about.path), item);
        components.schemas.extend(about.schemas.clone());
        if !tags.contains(&about.tag) {
            tags.push(about.tag);
        }
    }
    let info = InfoBuilder::new()
        .title("Confab")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(
            LicenseBuilder::new()
                .name("MIT")
                .identifier(Some("MIT"))
                .build(),
        ));
    let tags = tags
        .into_iter()
        .map(|tag| TagBuilder::new().name(tag).build());
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags))
        .build()
}

fn components() -> Components {
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .build();
    let guest = ApiKeyValue::with_description("X-Guest-Session", "The secret of a guest session");
    let mut components = ComponentsBuilder::new()
        .schema(SUCCESS, success())
        .schema(ErrorBody::name(), ErrorBody::schema())
        .security_scheme(TOKEN, SecurityScheme::Http(token))
        .security_scheme(GUEST_SESSION, SecurityScheme::ApiKey(ApiKey::Header(guest)));
    for (status, name, description) in REFUSALS {
        let json = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(ErrorBody::name())))
            .build();
        let mut response = ResponseBuilder::new()
            .description(description)
            .content("application/json", json);
        if status == 429 {
            let seconds = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1));
            let retry_after = HeaderBuilder::new()
                .schema(Some(seconds))
                .description(Some("Seconds, where waiting helps"))
                .build();
            response = response.header("Retry-After", retry_after);
        }
        components = components.response(name, response.build());
    }
    components.build()
}

/// Serves the document and its page.
pub fn router(document: &OpenApi) -> Router<Arc<Gateway>> {
    let json = document.to_json().unwrap_or_default();
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    let page = Router::new()
        // With the slash, so that the page finds its files.
        .route("/docs", get(|| async { Redirect::permanent("docs/") }))
        .route("/docs/", get(|| async { file("index.html") }))
        .route(
            "/docs/{file}",
            get(|Path(name): Path<String>| async move { file(&name) }),
        )
        .layer(fixed(header::CONTENT_SECURITY_POLICY, POLICY))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"));
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    Router::new()
        .route("/openapi.json", get(|| async move { (content_type, json) }))
        .merge(page)
}

/// A file of the page.
fn file(name: &str) -> Response {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        // No badge of a validator: that would ask a server elsewhere.
        Arc::new(Config::from("../openapi.json").validator_url("none"))
    });
    match utoipa_swagger_ui::serve(name, Arc::clone(&CONFIG)) {
        Ok(Some(file)) => {
            let mut response = (
                [(header::CONTENT_TYPE, file.content_type)],
                file.bytes.into_owned(),
            )
                .into_response();
            if file.gzpipped {
                let gzip = HeaderValue::from_static("gzip");
                response
                    .headers_mut()
                    .insert(header::CONTENT_ENCODING, gzip);
            }
            response
        }
        Ok(None) => ErrorResponse(Error::NotFound("Page")).into_response(),
        Err(error) => {
            tracing::error!(%error, "a file of the API's page was not made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
