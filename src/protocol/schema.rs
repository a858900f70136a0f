//! How the description of the API says what a field may hold, where the type checks it while it is read.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use super::{
    AccountName, Email, Password, Wait,
    accounts::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS},
    requests::{Limit, Text},
};

/// Neither empty after trimming nor with a NUL.
const SOME_TEXT: &str = r"^[^\u0000]*[^\s\u0000][^\u0000]*$";
const ANY_TEXT: &str = r"^[^\u0000]*$";
const EMAIL: &str = r"^([^@\s\u0000-\u001f\u007f-\u009f]+@[^@\s\u0000-\u001f\u007f-\u009f]+)?$";

fn text(min: usize, max: usize, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length((min > 0).then_some(min))
        .max_length(Some(max))
        .pattern(Some(pattern))
}

fn integer() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .maximum(Some(u64::MAX))
}

/// One type with numbers in it is several in the document.
macro_rules! generic_schema {
    ($name:ident<$one:ident: $type:ident, $other:ident> => $schema:expr) => {
        impl<const $one: $type, const $other: $type> PartialSchema for $name<$one, $other> {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl<const $one: $type, const $other: $type> ToSchema for $name<$one, $other> {
            fn name() -> Cow<'static, str> {
                format!("{}{}To{}", stringify!($name), $one, $other).into()
            }
        }
    };
}

macro_rules! schema {
    ($name:ty => $schema:expr) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {}
    };
}

generic_schema!(Text<MIN: usize, MAX>
    => text(MIN, MAX, if MIN > 0 { SOME_TEXT } else { ANY_TEXT }));
generic_schema!(Limit<DEFAULT: u32, MAX>
    => integer().minimum(Some(1)).default(Some(DEFAULT.into())));
schema!(Wait => integer().minimum(Some(0)).default(Some(0.into())));
schema!(AccountName => text(1, 100, SOME_TEXT));
schema!(Password => ObjectBuilder::new()
    .schema_type(Type::String)
    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
    .min_length(Some(MIN_PASSWORD_CHARS))
    .max_length(Some(MAX_PASSWORD_CHARS)));
schema!(Email => text(0, 254, EMAIL));
