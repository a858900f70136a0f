//! What the document says of one request: made from the types that cross the wire, so that it cannot differ from them.

use std::collections::{BTreeMap, BTreeSet};

use axum::{http::Method, routing::MethodFilter};
use utoipa::{
    ToSchema,
    openapi::{
        AllOfBuilder, ContentBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema,
        Type,
        path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        security::SecurityRequirement,
    },
};

/// The security schemes, by the names that the document gives them.
pub const TOKEN: &str = "token";
pub const GUEST_SESSION: &str = "guest_session";
/// The schema of what every success says.
pub const SUCCESS: &str = "Success";

/// Who may send a request, as far as the document can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    Token,
    TokenOrGuestSession,
}

pub type Schemas = BTreeMap<String, RefOr<Schema>>;

#[derive(Clone)]
pub struct Description {
    pub method: Method,
    /// Below `/api`.
    pub path: &'static str,
    pub id: String,
    pub tag: &'static str,
    summary: &'static str,
    needs: Needs,
    parameters: Vec<Parameter>,
    body: Option<(RefOr<Schema>, Required)>,
    answer: Option<RefOr<Schema>>,
    statuses: Vec<u16>,
    refusals: BTreeSet<u16>,
    /// The types that it names.
    pub schemas: Schemas,
}

impl Description {
    pub fn new(method: Method, path: &'static str, id: &str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            id: id.to_owned(),
            tag: "",
            summary,
            needs: Needs::Nothing,
            parameters: Vec::new(),
            body: None,
            answer: None,
            statuses: vec![200],
            // Whatever is asked: a page of another site, too many requests, a failure, a stop.
            refusals: BTreeSet::from([403, 429, 500, 503]),
            schemas: Schemas::new(),
        }
    }

    pub fn tag(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    pub fn needs(mut self, needs: Needs) -> Self {
        if needs != Needs::Nothing {
            self.refusals.insert(401);
        }
        self.needs = needs;
        self
    }

    /// Statuses of refusals beside those that every request can get.
    pub fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    /// The statuses of success, 200 unless told.
    pub fn says(mut self, statuses: &[u16]) -> Self {
        self.statuses = statuses.to_vec();
        self
    }

    pub fn answers<A: ToSchema>(self) -> Self {
        let answer = self.successful::<A>();
        self.answers_with(answer).naming::<A>()
    }

    pub fn answers_with(mut self, answer: RefOr<Schema>) -> Self {
        self.answer = Some(answer);
        self
    }

    /// A type, and `success` beside its fields.
    pub fn successful<A: ToSchema>(&self) -> RefOr<Schema> {
        let _ = self;
        AllOfBuilder::new()
            .item(Ref::from_schema_name(SUCCESS))
            .item(Ref::from_schema_name(A::name()))
            .into()
    }

    /// Puts a type, and those that it names, into the document.
    pub fn naming<T: ToSchema>(mut self) -> Self {
        self.schemas.insert(T::name().into_owned(), T::schema());
        let mut named = Vec::new();
        T::schemas(&mut named);
        self.schemas.extend(named);
        self
    }

    pub fn body<B: ToSchema>(self) -> Self {
        self.naming::<B>()
            .body_with(Ref::from_schema_name(B::name()).into(), Required::True)
    }

    pub fn body_with(mut self, body: RefOr<Schema>, required: Required) -> Self {
        self.body = Some((body, required));
        self.refuses(&[400])
    }

    pub fn parameter(
        mut self,
        place: ParameterIn,
        name: &str,
        schema: impl Into<RefOr<Schema>>,
        required: Required,
    ) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .schema(Some(schema));
        self.parameters.push(parameter.build());
        self.refuses(&[400])
    }

    pub fn operation(&self) -> Operation {
        let mut operation = OperationBuilder::new()
            .tag(self.tag)
            .operation_id(Some(self.id.as_str()))
            .summary(Some(self.summary))
            .parameters(Some(self.parameters.clone()));
        for requirement in match self.needs {
            Needs::Nothing => &[][..],
            Needs::Token => &[TOKEN],
            Needs::TokenOrGuestSession => &[TOKEN, GUEST_SESSION],
        } {
            let scopes: [&str; 0] = [];
            operation = operation.security(SecurityRequirement::new(*requirement, scopes));
        }
        if let Some((schema, required)) = &self.body {
            let json = ContentBuilder::new().schema(Some(schema.clone())).build();
            let body = RequestBodyBuilder::new()
                .required(Some(required.clone()))
                .content("application/json", json)
                .build();
            operation = operation.request_body(Some(body));
        }
        let answer = self.answer.clone();
        let answer = answer.unwrap_or_else(|| Ref::from_schema_name(SUCCESS).into());
        for status in &self.statuses {
            let json = ContentBuilder::new().schema(Some(answer.clone())).build();
            let response = ResponseBuilder::new()
                .description(if *status == 201 { "Made" } else { "Done" })
                .content("application/json", json);
            operation = operation.response(status.to_string(), response);
        }
        for status in &self.refusals {
            let shared = Ref::from_response_name(refusal_name(*status));
            operation = operation.response(status.to_string(), shared);
        }
        operation.build()
    }

    pub fn http_method(&self) -> HttpMethod {
        match self.method {
            Method::POST => HttpMethod::Post,
            Method::PATCH => HttpMethod::Patch,
            Method::DELETE => HttpMethod::Delete,
            _ => HttpMethod::Get,
        }
    }

    pub fn method_filter(&self) -> MethodFilter {
        match self.method {
            Method::POST => MethodFilter::POST,
            Method::PATCH => MethodFilter::PATCH,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        }
    }
}

/// `{"success": true}`, beside what else an answer says.
pub fn success() -> RefOr<Schema> {
    let always = ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .enum_values(Some([true]));
    ObjectBuilder::new()
        .property("success", always)
        .required("success")
        .into()
}

/// What the document calls the answers of refusal, by their status, and says of them.
pub const REFUSALS: [(u16, &str, &str); 8] = [
    (400, "Invalid", "`invalid_payload`: the message says why"),
    (
        401,
        "Unauthorized",
        "`unauthorized`, `token_expired`, `signed_out`, `guest_linked`: no valid token or guest session",
    ),
    (
        403,
        "Denied",
        "`access_denied`, `forbidden` (for staff only), `blocked`, `account_disabled`, `origin_not_allowed`",
    ),
    (
        404,
        "NotFound",
        "`not_found`: there is no such thing, or it is another tenant's",
    ),
    (
        409,
        "Conflict",
        "What was asked does not fit what is there; `code` says how",
    ),
    (
        429,
        "TooMany",
        "`rate_limited`, `overloaded`, `too_many_connections`",
    ),
    (500, "Failed", "`internal`: a bug"),
    (
        503,
        "Unavailable",
        "`restarting`, `storage_unavailable`: nothing was stored, try again",
    ),
];

fn refusal_name(status: u16) -> &'static str {
    let known = REFUSALS.iter().find(|(known, _, _)| *known == status);
    known.map_or("Failed", |(_, name, _)| name)
}
