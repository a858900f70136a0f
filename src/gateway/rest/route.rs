//! A request over HTTP that stands for a command: which event it is, and how its payload is put together from path,
//! query, headers and body.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, Query, RawPathParams},
    http::{HeaderMap, Method, StatusCode, request::Parts},
};
use serde_json::{Map, Value, value::RawValue};
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, RefOr, Required, Schema, Type, path::ParameterIn, schema::Object},
};

use super::{
    describe::{Description, Needs, Schemas},
    kind::{Kind, kind, outside},
};
use crate::{
    chat::Namespace,
    error::{Error, Result},
    gateway::commands::Command,
    protocol::to_raw,
};

/// The field that makes a retry harmless, and the header that can stand for it.
const CLIENT_ID: &str = "client_id";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Printable ASCII, beginning and ending with a visible character.
const KEY_PATTERN: &str = r"^[\u0021-\u007e]([\u0020-\u007e]*[\u0021-\u007e])?$";
/// With which status a success is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Always(StatusCode),
    /// 201 if the answer's field `created` says so, else 200.
    CreatedIfSaid,
}

pub struct Route {
    pub about: Description,
    pub namespace: Namespace,
    pub event: &'static str,
    status: Status,
    /// What the path and the query may say.
    fields: HashMap<String, Kind>,
    takes_key: bool,
}

impl Route {
    /// A request for the command `P` that is answered with an `A`. The fields of `P` that the path names come from
    /// there, the others from the query or, where there is one, the body.
    pub fn new<P: Command + ToSchema, A: ToSchema>(
        method: Method,
        path: &'static str,
        summary: &'static str,
    ) -> Self {
        let about = Description::new(method, path, P::EVENT, summary)
            .needs(Needs::TokenOrGuestSession)
            .answers::<A>();
        let mut named = Vec::new();
        P::schemas(&mut named);
        let mut route = Self {
            about,
            namespace: Namespace::Chat,
            event: P::EVENT,
            status: Status::Always(StatusCode::OK),
            fields: HashMap::new(),
            takes_key: false,
        };
        if let RefOr::T(Schema::Object(payload)) = P::schema() {
            route = route.asks(payload, &named.into_iter().collect());
        }
        route
    }

    pub fn get<P: Command + ToSchema, A: ToSchema>(
        path: &'static str,
        about: &'static str,
    ) -> Self {
        Self::new::<P, A>(Method::GET, path, about)
    }

    pub fn post<P: Command + ToSchema, A: ToSchema>(
        path: &'static str,
        about: &'static str,
    ) -> Self {
        Self::new::<P, A>(Method::POST, path, about)
    }

    pub fn patch<P: Command + ToSchema, A: ToSchema>(
        path: &'static str,
        about: &'static str,
    ) -> Self {
        Self::new::<P, A>(Method::PATCH, path, about)
    }

    pub fn delete<P: Command + ToSchema, A: ToSchema>(
        path: &'static str,
        about: &'static str,
    ) -> Self {
        Self::new::<P, A>(Method::DELETE, path, about)
    }

    /// What is made is answered with 201.
    pub fn creates(mut self) -> Self {
        self.status = Status::Always(StatusCode::CREATED);
        self.about = self.about.says(&[201]);
        self
    }

    /// Where it may have been there already, the answer's field `created` says which.
    pub fn may_create(mut self) -> Self {
        self.status = Status::CreatedIfSaid;
        self.about = self.about.says(&[200, 201]);
        self
    }

    /// The namespace that the command is one of, `/` unless told.
    pub fn of(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        let (prefix, needs) = match namespace {
            Namespace::Chat => return self,
            Namespace::Support => ("support", Needs::TokenOrGuestSession),
            Namespace::Admin => ("admin", Needs::Token),
        };
        if !self.event.starts_with(prefix) {
            self.about.id = format!("{prefix}_{}", self.event);
        }
        self.about = self.about.needs(needs);
        self
    }

    pub fn refuses(mut self, statuses: &[u16]) -> Self {
        self.about = self.about.refuses(statuses);
        self
    }

    pub fn tag(mut self, tag: &'static str) -> Self {
        self.about = self.about.tag(tag);
        self
    }

    /// Whether it changes nothing: then nobody needs its end who does not wait for it.
    pub fn only_reads(&self) -> bool {
        self.about.method == Method::GET
    }

    fn has_body(&self) -> bool {
        has_body(&self.about.method)
    }

    fn asks(mut self, mut payload: Object, named: &Schemas) -> Self {
        let in_path: Vec<&str> = self
            .about
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let mut about = self.about;
        about.schemas.extend(named.clone());
        for name in in_path {
            if let Some(schema) = payload.properties.remove(name) {
                payload.required.retain(|required| required != name);
                let kind = kind(&schema, named);
                about = about
                    .parameter(
                        ParameterIn::Path,
                        name,
                        outside(kind, schema),
                        Required::True,
                    )
                    .refuses(&[404]);
                self.fields.insert(name.to_owned(), kind);
            }
        }
        if has_body(&about.method) {
            if about.method == Method::POST && payload.properties.contains_key(CLIENT_ID) {
                let key = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some(entity::ids::MAX_ID_CHARS))
                    .pattern(Some(KEY_PATTERN))
                    .description(Some("The message's `client_id`"));
                about =
                    about.parameter(ParameterIn::Header, "Idempotency-Key", key, Required::False);
                self.takes_key = true;
            }
            if !payload.properties.is_empty() {
                let required = if payload.required.is_empty() {
                    Required::False
                } else {
                    Required::True
                };
                about = about.body_with(Schema::Object(payload).into(), required);
            }
        } else {
            for (name, schema) in payload.properties {
                let is_required = payload.required.contains(&name);
                let required = if is_required {
                    Required::True
                } else {
                    Required::False
                };
                let kind = kind(&schema, named);
                about = about.parameter(ParameterIn::Query, &name, outside(kind, schema), required);
                self.fields.insert(name, kind);
            }
        }
        self.about = about;
        self
    }

    /// Puts the payload together. What the path says goes before the query, and the query before the body.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`].
    pub async fn payload(
        &self,
        parts: &mut Parts,
        body: Map<String, Value>,
    ) -> Result<Box<RawValue>> {
        let mut payload = body;
        payload.values_mut().for_each(whole_numbers);
        if self.takes_key {
            take_key(&parts.headers, &mut payload)?;
        }
        if !self.has_body() {
            let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
                .map_err(|_| Error::invalid("the query cannot be read"))?;
            // Of a name that is given twice the first counts.
            for (name, value) in query.into_iter().rev() {
                self.take(&name, &value, &mut payload)?;
            }
        }
        let path = RawPathParams::from_request_parts(parts, &())
            .await
            .map_err(|_| Error::invalid("the path is not UTF-8"))?;
        for (name, value) in &path {
            self.take(name, value, &mut payload)?;
        }
        Ok(to_raw(&payload))
    }

    fn take(&self, name: &str, value: &str, payload: &mut Map<String, Value>) -> Result<()> {
        let Some(kind) = self.fields.get(name) else {
            return Ok(());
        };
        payload.insert(name.to_owned(), kind.read(name, value)?);
        Ok(())
    }

    /// The status of a success, whose body it may depend on.
    pub fn status(&self, body: &RawValue) -> StatusCode {
        #[derive(serde::Deserialize)]
        struct Said {
            created: bool,
        }
        match self.status {
            Status::Always(status) => status,
            Status::CreatedIfSaid => match serde_json::from_str(body.get()) {
                Ok(Said { created: true }) => StatusCode::CREATED,
                _ => StatusCode::OK,
            },
        }
    }
}

pub fn has_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PATCH | Method::PUT)
}

/// 7.0 is the integer 7, as JSON Schema has it, and JavaScript.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float that is too large stays the largest integer, and is refused as one"
            )]
            if let Some(float) = whole {
                *value = Value::from(float as i64);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// `Idempotency-Key` is the message's `client_id`; where both are given they are one.
fn take_key(headers: &HeaderMap, payload: &mut Map<String, Value>) -> Result<()> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(());
    };
    let key = key
        .to_str()
        .map_err(|_| Error::invalid("Idempotency-Key is not ASCII"))?;
    let key = Value::from(key);
    match payload.get(CLIENT_ID) {
        Some(given) if !given.is_null() && *given != key => Err(Error::invalid(
            "Idempotency-Key and `client_id` are two different ids",
        )),
        _ => {
            payload.insert(CLIENT_ID.to_owned(), key);
            Ok(())
        }
    }
}
