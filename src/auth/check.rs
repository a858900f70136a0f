//! Whether a token is accepted, and whose it is: one check after the other. Each says what it found, so that `confab token
//! inspect` can tell it in words; nobody else listens.

use std::sync::Arc;

use entity::{
    ids::{ExternalId, TenantId, UserId},
    timestamp::Timestamp,
};
use jsonwebtoken::{Header, Validation, decode, decode_header, errors::ErrorKind};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Authenticator, Identity, SESSION_CLAIM, keys::VerifyingKey};
use crate::error::{Error, Result};

/// The largest version that a token may have: what a JavaScript number holds exactly.
const MAX_TOKEN_VERSION: i64 = (1 << 53) - 1;

/// What a check has found that was passed. They come in this order.
pub(super) enum Found<'a> {
    Form(&'a Header),
    /// The key that made the signature.
    Signature(&'a VerifyingKey),
    Issuer,
    Kind,
    Time(Timestamp),
    User(&'a Identity),
}

impl Authenticator {
    /// Who the bearer of a token is. `Bearer ` in front of it is allowed.
    ///
    /// # Errors
    /// [`Error::Unauthorized`], with the reason.
    pub fn verify(&self, token: &str) -> Result<Identity> {
        self.examine(token, &mut |_| {})
    }

    pub(super) fn examine(&self, token: &str, found: &mut dyn FnMut(Found)) -> Result<Identity> {
        let token = token.trim();
        let token = match token.get(..7) {
            Some(scheme) if scheme.eq_ignore_ascii_case("bearer ") => token[7..].trim_start(),
            _ => token,
        };
        let header =
            decode_header(token).map_err(|_| Error::unauthorized("the token is not a JWT"))?;
        found(Found::Form(&header));
        let (claims, is_accounts) = self.signed(token, &header, found)?;
        found(Found::Issuer);
        let token_type = claims.get("token_type").or_else(|| claims.get("type"));
        if token_type.is_some_and(|kind| kind != "access") {
            return Err(Error::unauthorized("the token is not an access token"));
        }
        found(Found::Kind);
        let expires_at = self.check_times(&claims)?;
        found(Found::Time(expires_at));
        let session = if is_accounts {
            Some(session(&claims)?)
        } else {
            None
        };
        let identity = self.identity(&claims, expires_at, session)?;
        found(Found::User(&identity));
        Ok(identity)
    }

    /// What a token says, if it is signed by one of the keys for whoever accepts it here; and whether it is one of a
    /// built-in account. A key checks tokens of its own algorithm only, whatever the token says of itself.
    fn signed(
        &self,
        token: &str,
        header: &Header,
        found: &mut dyn FnMut(Found),
    ) -> Result<(Map<String, Value>, bool)> {
        let keys = self.keys.current();
        let fitting = keys.iter().filter(|key| key.fits(header));
        let mut refusal = if keys.iter().any(|key| key.algorithm == header.alg) {
            "the token names a key that is not known here"
        } else {
            "the token is signed in a way that is not accepted here"
        };
        for key in fitting {
            match decode::<Map<String, Value>>(token, &key.decoding, &self.validation(key)) {
                Ok(signed) => {
                    found(Found::Signature(key));
                    return Ok((signed.claims, key.is_accounts));
                }
                Err(error) => match error.kind() {
                    ErrorKind::InvalidSignature => {
                        refusal = "the token is not signed by a key that is accepted here";
                    }
                    ErrorKind::InvalidIssuer
                    | ErrorKind::InvalidAudience
                    | ErrorKind::InvalidClaimFormat(_)
                    | ErrorKind::MissingRequiredClaim(_) => {
                        found(Found::Signature(key));
                        return Err(Error::unauthorized(wrong_issuer(error.kind())));
                    }
                    _ => refusal = "the token is not a JWT",
                },
            }
        }
        Err(Error::unauthorized(refusal))
    }

    fn validation(&self, key: &VerifyingKey) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        // Times are checked below, against a clock that tests can move.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = self.config.jwt_audience.0.is_some();
        if let Some(audience) = &self.config.jwt_audience.0 {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        if let Some(issuer) = &self.config.jwt_issuer.0 {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        validation
    }

    fn identity(
        &self,
        claims: &Map<String, Value>,
        expires_at: Timestamp,
        session: Option<Uuid>,
    ) -> Result<Identity> {
        let user_id = first(claims, &self.config.claims_user_id.0)
            .ok_or_else(|| Error::unauthorized("the token names no user"))?;
        let user_id = ExternalId::from_json(user_id)
            .map_err(|error| Error::unauthorized(format!("the token's user: {error}")))?;
        let tenant = match first(claims, &self.config.claims_tenant.0) {
            None => TenantId::default(),
            Some(tenant) => ExternalId::from_json(tenant)
                .and_then(|id| TenantId::new(&id.label()))
                .map_err(|error| Error::unauthorized(format!("the token's tenant: {error}")))?,
        };
        let names = self
            .config
            .claims_username
            .0
            .iter()
            .filter_map(|name| claims.get(name)?.as_str());
        let username = names.map(printable).find(|name| !name.is_empty());
        let username = username.unwrap_or_else(|| user_id.label());
        Ok(Identity {
            tenant,
            user_id: UserId(user_id),
            username: username.into(),
            is_guest: false,
            is_staff: self.is_staff(claims),
            expires_at: Some(expires_at),
            session,
            former_guests: Arc::default(),
            token_version: self.token_version(claims)?,
        })
    }

    /// Tokens of an application that counts no versions have the lowest.
    fn token_version(&self, claims: &Map<String, Value>) -> Result<i64> {
        match first(claims, &self.config.claims_token_version.0) {
            None => Ok(0),
            Some(version) => version
                .as_i64()
                .filter(|version| (0..=MAX_TOKEN_VERSION).contains(version))
                .ok_or_else(|| Error::unauthorized("the token's version is not a whole number")),
        }
    }

    fn check_times(&self, claims: &Map<String, Value>) -> Result<Timestamp> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "seconds since the epoch, checked to be a sane number"
        )]
        let time = |name: &str| match claims.get(name).map(Value::as_f64) {
            None => Ok(None),
            Some(Some(seconds)) if seconds.abs() < 1e12 => Ok(Some((seconds * 1000.0) as i64)),
            Some(_) => Err(Error::unauthorized(format!(
                "the token's {name} is not a time"
            ))),
        };
        let leeway = i64::try_from(self.config.jwt_leeway_seconds.0.as_millis()).unwrap_or(0);
        let now = self.clock.now().0;
        let exp = time("exp")?.ok_or_else(|| Error::unauthorized("the token has no exp"))?;
        if exp + leeway <= now {
            return Err(Error::unauthorized("the token has expired"));
        }
        if time("nbf")?.is_some_and(|nbf| nbf - leeway > now) {
            return Err(Error::unauthorized("the token is not valid yet"));
        }
        Ok(Timestamp(exp))
    }

    fn is_staff(&self, claims: &Map<String, Value>) -> bool {
        let flagged = self
            .config
            .claims_staff
            .0
            .iter()
            .any(|name| claims.get(name) == Some(&Value::Bool(true)));
        let staff_role = |role: &Value| {
            role.as_str()
                .is_some_and(|role| self.config.staff_roles.0.iter().any(|r| r == role))
        };
        flagged
            || self
                .config
                .claims_roles
                .0
                .iter()
                .filter_map(|name| claims.get(name))
                .any(|roles| match roles {
                    Value::Array(roles) => roles.iter().any(staff_role),
                    role => staff_role(role),
                })
    }
}

/// The session that a token of a built-in account belongs to.
fn session(claims: &Map<String, Value>) -> Result<Uuid> {
    let id = claims.get(SESSION_CLAIM).and_then(Value::as_str);
    id.and_then(|id| id.parse().ok())
        .ok_or_else(|| Error::unauthorized("the token names no session"))
}

fn wrong_issuer(why: &ErrorKind) -> &'static str {
    match why {
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => "the token names no audience",
        ErrorKind::MissingRequiredClaim(_) => "the token names no issuer",
        _ => "the token is of another issuer",
    }
}

/// The first of some claims that is present and not null.
fn first<'a>(claims: &'a Map<String, Value>, names: &[String]) -> Option<&'a Value> {
    names
        .iter()
        .filter_map(|name| claims.get(name))
        .find(|value| !value.is_null())
}

/// A name without what cannot be printed, not longer than an id.
fn printable(name: &str) -> String {
    let name: String = name
        .trim()
        .chars()
        .filter(|char| !char.is_control())
        .collect();
    name.chars().take(entity::ids::MAX_ID_CHARS).collect()
}
