//! What this server makes of a token, in words, for whoever wonders why it is refused. The checks are those of
//! [`Authenticator::verify`].

use std::fmt;

use entity::ids::ExternalId;

use super::{Authenticator, Identity, check::Found};
use crate::error::Result;

/// The checks, in their order. The last one is not the token's own: whether it was revoked is in the database.
const CHECKS: [&str; 7] = [
    "form",
    "signature",
    "issuer",
    "kind",
    "time",
    "user",
    "access",
];

/// What was found out about a token, one check after the other up to the first that fails.
pub struct Inspection {
    /// Whose it is, if nothing is wrong with the token itself.
    pub identity: Option<Identity>,
    passed: Vec<String>,
    /// Why it is refused.
    refusal: Option<String>,
}

impl Authenticator {
    /// Looks at a token. Whether its user has lost their access is for the caller to add ([`Inspection::access`]).
    #[must_use]
    pub fn inspect(&self, token: &str) -> Inspection {
        let mut passed = Vec::new();
        let result = self.examine(token, &mut |found| passed.push(self.describe(&found)));
        let refusal = result.as_ref().err().map(ToString::to_string);
        Inspection {
            identity: result.ok(),
            passed,
            refusal,
        }
    }

    fn describe(&self, found: &Found) -> String {
        match found {
            Found::Form(header) => {
                let key = match &header.kid {
                    Some(id) => format!("names the key {id:?}"),
                    None => "names no key".to_owned(),
                };
                format!(
                    "a JWT that says it is signed with {:?} and {key}",
                    header.alg
                )
            }
            Found::Signature(key) => format!("made by {}", key.origin),
            Found::Issuer => {
                let asked = [
                    ("issuer", &self.config.jwt_issuer),
                    ("audience", &self.config.jwt_audience),
                ];
                let mut asked = asked
                    .iter()
                    .filter_map(|(name, value)| Some(format!("{name} {:?}", value.0.as_ref()?)))
                    .peekable();
                if asked.peek().is_none() {
                    return "nobody asks: neither jwt_issuer nor jwt_audience is set".to_owned();
                }
                format!("as asked for: {}", asked.collect::<Vec<_>>().join(", "))
            }
            Found::Kind => "an access token".to_owned(),
            Found::Time(end) => format!(
                "good until {}, which is in {}",
                end.to_rfc3339(),
                duration(end.0 - self.clock.now().0)
            ),
            Found::User(identity) => who(identity),
        }
    }
}

impl Inspection {
    /// Adds whether the user still has access: what the database says of it, or why that is not known.
    pub fn access(&mut self, access: Result<String>) {
        match access {
            Ok(found) => self.passed.push(found),
            Err(error) => self.refusal = Some(error.to_string()),
        }
    }

    /// Why the server refuses the token, if it does.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }
}

/// One line a check.
impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.refusal, &self.identity) {
            (None, Some(identity)) => writeln!(
                f,
                "This server takes the token, as {} of tenant {}.",
                id(&identity.user_id.0),
                identity.tenant
            )?,
            _ => writeln!(f, "This server refuses the token.")?,
        }
        let refusal = self.refusal.iter().map(|why| ("no", why.as_str()));
        let results = self
            .passed
            .iter()
            .map(|found| ("ok", found.as_str()))
            .chain(refusal)
            .chain(std::iter::repeat(("--", "not looked at")));
        for (check, (mark, text)) in CHECKS.iter().zip(results) {
            write!(f, "\n  {mark}  {check:<9}  {text}")?;
        }
        Ok(())
    }
}

fn who(identity: &Identity) -> String {
    let staff = if identity.is_staff {
        "staff"
    } else {
        "not staff"
    };
    let account = match identity.session {
        Some(_) => ", signed in to an account of this server",
        None => "",
    };
    format!(
        "{}, called {:?}, of tenant {}, {staff}, token version {}{account}",
        id(&identity.user_id.0),
        identity.username,
        identity.tenant,
        identity.token_version,
    )
}

/// `7` and `"7"` are two users.
fn id(id: &ExternalId) -> String {
    match id {
        ExternalId::Number(number) => format!("user {number} (a number)"),
        ExternalId::Text(text) => format!("user {text:?} (a text)"),
    }
}

fn duration(millis: i64) -> String {
    let seconds = millis / 1000;
    match seconds {
        ..=0 => "the past, and within the leeway".to_owned(),
        1..120 => format!("{seconds} seconds"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86400),
    }
}
