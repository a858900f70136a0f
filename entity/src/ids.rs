//! The ids of everything that is stored or named on the wire.
//!
//! Clients compare ids with `===`, so an id keeps the JSON type it was first given: user `7` and user `"7"` are two
//! users. In the database both are text ([`ExternalId`]'s `Display`), written so that they cannot be mixed up.

mod schema;

use std::{fmt, str::FromStr, sync::Arc};

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ts_rs::TS;
use uuid::Uuid;

/// The largest integer that a JavaScript number holds exactly.
const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;
/// The longest textual id, in characters.
pub const MAX_ID_CHARS: usize = 128;

/// An id given by the host application or a client: a JSON integer or a JSON string.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExternalId {
    Number(i64),
    Text(Arc<str>),
}

/// Why a value cannot be an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidId(&'static str);

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidId {}

impl ExternalId {
    /// # Errors
    /// The number is not exactly representable in JavaScript.
    pub fn number(value: i64) -> Result<Self, InvalidId> {
        if value.abs() > MAX_SAFE_INTEGER {
            return Err(InvalidId("an id that is a number must be a safe integer"));
        }
        Ok(Self::Number(value))
    }

    /// # Errors
    /// The text is empty, longer than [`MAX_ID_CHARS`] or holds control characters.
    pub fn text(value: &str) -> Result<Self, InvalidId> {
        if value.is_empty() || value.chars().count() > MAX_ID_CHARS {
            return Err(InvalidId("an id must have 1 to 128 characters"));
        }
        if value.chars().any(char::is_control) {
            return Err(InvalidId("an id must not hold control characters"));
        }
        Ok(Self::Text(value.into()))
    }

    /// # Errors
    /// The value is neither an integer nor a valid text.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, InvalidId> {
        match value {
            serde_json::Value::String(text) => Self::text(text),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(number) => Self::number(number),
                None => Err(InvalidId("an id that is a number must be an integer")),
            },
            _ => Err(InvalidId("an id must be a string or an integer")),
        }
    }

    /// How people see the id: `7` for both `7` and `"7"`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.to_string(),
        }
    }
}

/// The form in the database: a number is `#7`; a text is itself, with a leading `#` doubled.
impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "#{number}"),
            Self::Text(text) if text.starts_with('#') => write!(f, "#{text}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl FromStr for ExternalId {
    type Err = InvalidId;

    fn from_str(stored: &str) -> Result<Self, InvalidId> {
        match stored.strip_prefix('#') {
            None => Ok(Self::Text(stored.into())),
            Some(text) if text.starts_with('#') => Ok(Self::Text(text.into())),
            Some(number) => match number.parse() {
                Ok(number) => Ok(Self::Number(number)),
                Err(_) => Err(InvalidId("a stored id is not in the form that was written")),
            },
        }
    }
}

impl Serialize for ExternalId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for ExternalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = ExternalId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id (a string or an integer)")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<ExternalId, E> {
                ExternalId::number(number).map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<ExternalId, E> {
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                ExternalId::number(number).map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ExternalId, E> {
                ExternalId::text(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

macro_rules! external_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, DeriveValueType, TS)]
        #[sea_orm(value_type = "String")]
        #[ts(type = "number | string")]
        pub struct $name(pub ExternalId);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(stored: &str) -> Result<Self, InvalidId> {
                stored.parse().map(Self)
            }
        }

        impl $name {
            /// How people see the id, see [`ExternalId::label`].
            #[must_use]
            pub fn label(&self) -> String {
                self.0.label()
            }
        }
    };
}

external_id! {
    /// A user or a guest, unique in their tenant.
    UserId
}
external_id! {
    /// A room, unique in its tenant.
    RoomId
}
external_id! {
    /// The sender's own id of a message, unique per user: what makes a retry harmless.
    ClientId
}

/// The customer of a shared server: nothing of one tenant is visible in another.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, DeriveValueType,
)]
#[serde(try_from = "String")]
#[sea_orm(value_type = "String")]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// # Errors
    /// As [`ExternalId::text`].
    pub fn new(name: &str) -> Result<Self, InvalidId> {
        ExternalId::text(name).map(|_| Self(name.into()))
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self("default".into())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for TenantId {
    type Error = InvalidId;

    fn try_from(name: String) -> Result<Self, InvalidId> {
        Self::new(&name)
    }
}

impl FromStr for TenantId {
    type Err = InvalidId;

    fn from_str(stored: &str) -> Result<Self, InvalidId> {
        Self::new(stored)
    }
}

/// A UUIDv7, so that ids made later sort later.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    DeriveValueType,
    TS,
)]
#[ts(type = "string")]
pub struct MessageId(pub Uuid);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A revision of a room: 1, 2, 3 … without holes. 0 is a room in which nothing happened yet.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    DeriveValueType,
    TS,
)]
#[ts(type = "number")]
pub struct Rev(pub i64);

impl Rev {
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0 - 1)
    }
}

impl fmt::Display for Rev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// SeaORM asks every primary key whether the database can number it; ours cannot.
macro_rules! never_numbered {
    ($($name:ident),*) => {$(
        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )*};
}

never_numbered!(TenantId, UserId, RoomId, MessageId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_text_stay_two_ids_in_json_and_in_the_database() {
        for json in ["7", "\"7\"", "\"#7\"", "\"##7\"", "-3", "\"lobby\""] {
            let id: ExternalId = serde_json::from_str(json).unwrap();
            let stored: ExternalId = id.to_string().parse().unwrap();
            assert_eq!(stored, id);
            assert_eq!(serde_json::to_string(&stored).unwrap(), json);
        }
        let number: ExternalId = serde_json::from_str("7").unwrap();
        let text: ExternalId = serde_json::from_str("\"#7\"").unwrap();
        assert_ne!(number.to_string(), text.to_string());
    }

    #[test]
    fn what_javascript_cannot_compare_is_not_an_id() {
        for json in [
            "9007199254740993",
            "1.5",
            "true",
            "null",
            "\"\"",
            "\"a\\u0000b\"",
            "[]",
        ] {
            assert!(serde_json::from_str::<ExternalId>(json).is_err(), "{json}");
        }
    }
}
