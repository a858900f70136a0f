//! What an event travels in. Nodes of two releases may be running side by side: what one does not know it passes over.
//!
//! ```text
//! 0xCF  version  flags  node (16 bytes)  number (8 bytes, big endian)  event (JSON)
//! ```

use uuid::Uuid;

use crate::bus::{Event, NodeId};

const MAGIC: u8 = 0xCF;
/// Higher once the rest is written in another way; an event with more fields or another variant is no reason.
const VERSION: u8 = 1;
/// It is published on several channels: a node that listens to several gets it several times.
const REPEATED: u8 = 1;
const HEAD: usize = 3 + 16 + 8;

/// An event as it was received.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) node: NodeId,
    /// Counted by the node that sent it.
    pub(super) number: u64,
    pub(super) is_repeated: bool,
    event: &'a [u8],
}

/// Nothing that this release can read, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) String);

/// Writes an event.
pub(super) fn write(
    node: NodeId,
    number: u64,
    is_repeated: bool,
    event: &Event,
) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend([MAGIC, VERSION, u8::from(is_repeated) * REPEATED]);
    bytes.extend(node.0.as_bytes());
    bytes.extend(number.to_be_bytes());
    serde_json::to_writer(&mut bytes, event)?;
    Ok(bytes)
}

impl<'a> Envelope<'a> {
    /// Reads who sent it, not yet what.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let foreign = || Unreadable("not an envelope".to_owned());
        let (head, event) = bytes.split_first_chunk::<HEAD>().ok_or_else(foreign)?;
        let [MAGIC, version, flags, rest @ ..] = head else {
            return Err(foreign());
        };
        if *version != VERSION {
            return Err(Unreadable(format!("version {version}")));
        }
        let (node, number) = rest.split_first_chunk::<16>().ok_or_else(foreign)?;
        let number = number.try_into().map_err(|_| foreign())?;
        Ok(Self {
            node: NodeId(Uuid::from_bytes(*node)),
            number: u64::from_be_bytes(number),
            is_repeated: flags & REPEATED != 0,
            event,
        })
    }

    pub(super) fn event(&self) -> Result<Event, Unreadable> {
        serde_json::from_slice(self.event).map_err(|error| Unreadable(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
