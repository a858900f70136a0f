//! How the description of the API says what an id is.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat, Type},
};

use super::{
    ClientId, ExternalId, MAX_ID_CHARS, MAX_SAFE_INTEGER, MessageId, Rev, RoomId, TenantId, UserId,
};

/// Text without control characters, as [`ExternalId::text`] demands it.
const PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

fn text() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(MAX_ID_CHARS))
        .pattern(Some(PATTERN))
}

fn external(description: &str) -> RefOr<Schema> {
    OneOfBuilder::new()
        .description(Some(description))
        .item(
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(-MAX_SAFE_INTEGER))
                .maximum(Some(MAX_SAFE_INTEGER)),
        )
        .item(text())
        .into()
}

macro_rules! external_schema {
    ($($name:ident: $description:literal,)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                external($description)
            }
        }

        impl ToSchema for $name {}
    )*};
}

external_schema! {
    ExternalId: "An id keeps its JSON type: 7 and \"7\" are two.",
    UserId: "A user or a guest. 7 and \"7\" are two.",
    RoomId: "A room. 7 and \"7\" are two.",
    ClientId: "The sender's own id of a message: the same one stores one message.",
}

impl PartialSchema for TenantId {
    fn schema() -> RefOr<Schema> {
        text().into()
    }
}

impl ToSchema for TenantId {}

impl PartialSchema for MessageId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .into()
    }
}

impl ToSchema for MessageId {}

impl PartialSchema for Rev {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0))
            .maximum(Some(i64::MAX))
            .description(Some(
                "A room's revision: 1, 2, 3 … without holes; 0 before the first",
            ))
            .into()
    }
}

impl ToSchema for Rev {}
