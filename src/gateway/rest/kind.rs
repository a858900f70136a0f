//! What a value in a path or a query is in JSON: read out of its schema, so that the document and the reading cannot
//! differ.

use entity::ids::ExternalId;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use super::{
    describe::Schemas,
    extract::{path_id, path_id_schema},
};
use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Id,
    Integer,
    Boolean,
    Text,
}

impl Kind {
    pub fn read(self, name: &str, text: &str) -> Result<Value> {
        let wrong = |what: &str| Error::invalid(format!("`{name}` must be {what}"));
        match self {
            Self::Id => match path_id(text)? {
                ExternalId::Number(number) => Ok(number.into()),
                ExternalId::Text(text) => Ok(Value::from(&*text)),
            },
            Self::Integer => {
                let large = || text.parse::<u64>().map(Value::from);
                let number = text.parse::<i64>().map(Value::from).or_else(|_| large());
                number.map_err(|_| wrong("an integer"))
            }
            Self::Boolean => {
                let flag = text.parse::<bool>();
                flag.map(Value::from).map_err(|_| wrong("true or false"))
            }
            Self::Text => Ok(text.into()),
        }
    }
}

/// What a value of a schema is. `named` are the schemas that it may name.
pub fn kind(schema: &RefOr<Schema>, named: &Schemas) -> Kind {
    let types = types(schema, named);
    let is = |name: &str| types.iter().any(|known| known == name);
    match (is("integer"), is("string"), is("boolean")) {
        (true, true, _) => Kind::Id,
        (true, false, _) => Kind::Integer,
        (false, _, true) => Kind::Boolean,
        _ => Kind::Text,
    }
}

/// The JSON types that a schema allows.
fn types(schema: &RefOr<Schema>, named: &Schemas) -> Vec<String> {
    let schema = match schema {
        RefOr::T(schema) => schema,
        RefOr::Ref(reference) => {
            let name = reference
                .ref_location
                .rsplit('/')
                .next()
                .unwrap_or_default();
            return named
                .get(name)
                .map(|schema| types(schema, named))
                .unwrap_or_default();
        }
    };
    match schema {
        Schema::OneOf(one) => one
            .items
            .iter()
            .flat_map(|item| types(item, named))
            .collect(),
        Schema::Object(object) => match serde_json::to_value(&object.schema_type) {
            Ok(Value::String(name)) => vec![name],
            Ok(Value::Array(several)) => several
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// How a value is written outside of JSON: without `null`, and ids as text.
pub fn outside(kind: Kind, schema: RefOr<Schema>) -> RefOr<Schema> {
    match (kind, schema) {
        (Kind::Id, _) => path_id_schema(),
        (_, RefOr::T(Schema::OneOf(one))) => {
            let is_null = |item: &RefOr<Schema>| types(item, &Schemas::new()) == ["null"];
            let mut items: Vec<_> = one
                .items
                .iter()
                .filter(|item| !is_null(item))
                .cloned()
                .collect();
            match (items.pop(), items.is_empty()) {
                (Some(item), true) => item,
                _ => RefOr::T(Schema::OneOf(one)),
            }
        }
        (_, schema) => schema,
    }
}
