//! The kinds of values that settings have, in the file and in the environment.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

/// A list in the file, a comma-separated text in the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            List(Vec<String>),
            Text(String),
        }
        let parts = match Form::deserialize(deserializer)? {
            Form::List(parts) => parts,
            Form::Text(text) => text.split(',').map(str::to_owned).collect(),
        };
        parts
            .iter()
            .map(|part| part.trim())
            .filter(|part| !part.is_empty())
            .map(|part| {
                T::deserialize(
                    serde::de::value::StrDeserializer::<serde::de::value::Error>::new(part),
                )
                .map_err(serde::de::Error::custom)
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Addresses, or one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(pub IpNet);

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let address = || text.parse().map(|address: IpAddr| IpNet::from(address));
        let network = text.parse().or_else(|_| address());
        network
            .map(Self)
            .map_err(|_| serde::de::Error::custom(format!("{text} is no address or network")))
    }
}

/// Seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(|seconds| Self(Duration::from_secs(seconds.into())))
    }
}

/// A text of which the empty one means "not set".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maybe<T>(pub Option<T>);

impl<'de, T: From<String>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self(if text.is_empty() {
            None
        } else {
            Some(T::from(text))
        }))
    }
}
