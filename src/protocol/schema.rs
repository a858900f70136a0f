//! How the description of the API says what a field may hold, where the type checks it while it is read.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use super::{
    AccountName, Email, Password, Wait,
    accounts::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS},
    requests::{Limit, MAX_WAIT_SECONDS, Text},
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
        .maximum(Some(i64::MAX))
}

macro_rules! schema {
    (impl [$($generics:tt)*] $name:ty => $schema:expr) => {
        impl<$($generics)*> PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl<$($generics)*> ToSchema for $name {}
    };
    ($name:ty => $schema:expr) => {
        schema!(impl [] $name => $schema);
    };
}

schema!(impl [const MIN: usize, const MAX: usize] Text<MIN, MAX>
    => text(MIN, MAX, if MIN > 0 { SOME_TEXT } else { ANY_TEXT }));
schema!(impl [const DEFAULT: u32, const MAX: u32] Limit<DEFAULT, MAX>
    => integer().minimum(Some(1)).default(Some(DEFAULT.into())));
schema!(Wait => integer().minimum(Some(0)).default(Some(0.into())).description(Some(format!(
    "Seconds, {MAX_WAIT_SECONDS} at the most"
))));
schema!(AccountName => text(1, 100, SOME_TEXT));
schema!(Password => ObjectBuilder::new()
    .schema_type(Type::String)
    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
    .min_length(Some(MIN_PASSWORD_CHARS))
    .max_length(Some(MAX_PASSWORD_CHARS)));
schema!(Email => text(0, 254, EMAIL));
