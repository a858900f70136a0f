//! What becomes of refusals: every one passes here, is counted, and goes to the audit.

use std::net::IpAddr;

use crate::{
    auth::Identity,
    chat::{Audit, Entry},
    error::Error,
};

/// Notes a refusal. The entry says what was refused and to whom.
pub fn note(audit: &Audit, error: &Error, entry: Entry) {
    metrics::counter!(
        "confab_refusals_total",
        "code" => error.code(), "event" => entry.action(), "door" => entry.door_name(),
    )
    .increment(1);
    audit.note(entry.refused(error));
}

/// Somebody is not let in at a door.
pub fn connect(audit: &Audit, door: &'static str, ip: Option<IpAddr>, refused: &Refused) {
    count_connect(door, refused.error.code());
    let entry = refused.entry("connect").door(door);
    let entry = match ip {
        Some(ip) => entry.address(ip),
        None => entry,
    };
    note(audit, &refused.error, entry);
}

/// Counts an attempt to connect; `ok`, or the code of the refusal.
pub fn count_connect(door: &'static str, outcome: &'static str) {
    metrics::counter!("confab_connects_total", "door" => door, "outcome" => outcome).increment(1);
}

/// A refusal of somebody whose token was good, or who has not shown any that was.
#[derive(Debug)]
pub struct Refused {
    pub error: Error,
    who: Option<Box<Identity>>,
}

impl Refused {
    pub fn of(error: Error, who: &Identity) -> Self {
        Self {
            error,
            who: Some(Box::new(who.clone())),
        }
    }

    /// Whose token was good.
    pub fn who(&self) -> Option<&Identity> {
        self.who.as_deref()
    }

    /// What the audit says of it.
    pub fn entry(&self, action: &'static str) -> Entry {
        match &self.who {
            Some(who) => Entry::new(action, who),
            None => Entry::stranger(action),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, who: None }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        refused.error
    }
}
