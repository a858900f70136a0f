//! Tokens: who is calling. A token's claims become an [`Identity`]; guests get theirs in `chat/guests.rs`.

mod keys;

use std::{fs, sync::Arc};

use entity::{
    ids::{ExternalId, TenantId, UserId},
    timestamp::Timestamp,
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) use keys::{hex, random_secret};

use crate::{
    clock::Clock,
    config::Config,
    error::{Error, Result},
};
use keys::{SECRET_FILE, VerifyingKey, accounts_secret, jwks_keys, kept_secret, pem_key};

/// The claim that names the session of a built-in account which an access token belongs to.
const SESSION_CLAIM: &str = "confab_session";

/// The largest version that a token may have: what a JavaScript number holds exactly.
const MAX_TOKEN_VERSION: i64 = (1 << 53) - 1;

/// Who is calling, as everything behind the doors sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub tenant: TenantId,
    pub user_id: UserId,
    pub username: Arc<str>,
    pub is_guest: bool,
    pub is_staff: bool,
    /// When the token ends; a guest session does not.
    pub expires_at: Option<Timestamp>,
    /// The session of a built-in account that the token belongs to, and ends with.
    pub session: Option<Uuid>,
    /// The guests that the user was before signing in.
    pub former_guests: Arc<[UserId]>,
    /// The token's version: one below the user's was revoked. Guests have no token.
    pub token_version: i64,
}

impl Identity {
    /// What kind of caller it is, as metrics and the audit say it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match (self.is_guest, self.is_staff) {
            (true, _) => "guest",
            (false, true) => "staff",
            (false, false) => "user",
        }
    }
}

/// What a refresh token says: which session of a built-in account it continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    pub tenant: TenantId,
    pub user_id: UserId,
    pub session: Uuid,
    /// Which of the session's tokens it is: each is good for one use.
    pub generation: i64,
    /// Seconds since the Unix epoch.
    pub exp: i64,
    /// `refresh`: everywhere else it is refused.
    token_type: String,
}

/// Checks tokens, and signs those of built-in accounts and of `confab token`.
pub struct Authenticator {
    keys: Vec<VerifyingKey>,
    secret: Option<String>,
    config: Config,
    clock: Clock,
}

impl Authenticator {
    /// Reads the keys that the settings name.
    ///
    /// # Errors
    /// A key that cannot be read, in words.
    pub fn new(config: &Config, clock: Clock) -> Result<Self, String> {
        let mut keys = Vec::new();
        if let Some(path) = &config.jwt_public_key.0 {
            let pem = fs::read(path).map_err(|error| format!("jwt_public_key: {error}"))?;
            keys.push(
                pem_key(&pem)
                    .ok_or("jwt_public_key: not a public key of RSA, P-256 or Ed25519 in PEM")?,
            );
        }
        if let Some(path) = &config.jwt_jwks.0 {
            keys.extend(jwks_keys(path).map_err(|error| format!("jwt_jwks: {error}"))?);
        }
        let secret = match &config.jwt_secret.0 {
            Some(secret) => Some(secret.clone()),
            None if keys.is_empty() => Some(
                kept_secret(&config.data_dir)
                    .map_err(|error| format!("data_dir: {SECRET_FILE}: {error}"))?,
            ),
            None => None,
        };
        if let Some(secret) = &secret {
            for (secret, is_accounts) in [(secret.clone(), false), (accounts_secret(secret), true)]
            {
                keys.push(VerifyingKey {
                    algorithm: Algorithm::HS256,
                    id: None,
                    decoding: DecodingKey::from_secret(secret.as_bytes()),
                    is_accounts,
                });
            }
        }
        Ok(Self {
            keys,
            secret,
            config: config.clone(),
            clock,
        })
    }

    /// Who the bearer of a token is. `Bearer ` in front of it is allowed.
    ///
    /// # Errors
    /// [`Error::Unauthorized`], with the reason.
    pub fn verify(&self, token: &str) -> Result<Identity> {
        let token = token.trim();
        let token = match token.get(..7) {
            Some(scheme) if scheme.eq_ignore_ascii_case("bearer ") => token[7..].trim_start(),
            _ => token,
        };
        let (claims, is_accounts) = self.claims(token)?;
        let session = if is_accounts {
            Some(session(&claims)?)
        } else {
            None
        };
        self.identity(&claims, session)
    }

    /// What a token says, and whether it is one of a built-in account.
    fn claims(&self, token: &str) -> Result<(Map<String, Value>, bool)> {
        let header =
            decode_header(token).map_err(|_| Error::unauthorized("the token is not a JWT"))?;
        let mut refusal =
            Error::unauthorized("the token is signed in a way that is not accepted here");
        let fitting = self.keys.iter().filter(|key| {
            key.algorithm == header.alg
                && (key.id.is_none() || header.kid.is_none() || key.id == header.kid)
        });
        for key in fitting {
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
            match decode::<Map<String, Value>>(token, &key.decoding, &validation) {
                Ok(data) => return Ok((data.claims, key.is_accounts)),
                Err(error) => {
                    refusal = Error::unauthorized(format!("the token is not valid: {error}"));
                }
            }
        }
        Err(refusal)
    }

    fn identity(&self, claims: &Map<String, Value>, session: Option<Uuid>) -> Result<Identity> {
        let token_type = claims.get("token_type").or_else(|| claims.get("type"));
        if token_type.is_some_and(|kind| kind != "access") {
            return Err(Error::unauthorized("the token is not an access token"));
        }
        let expires_at = self.check_times(claims)?;
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

    /// Signs an access token.
    ///
    /// # Errors
    /// No secret is known: tokens come from whoever has the private key.
    pub fn sign(&self, identity: &Identity, ttl_seconds: i64) -> Result<String, String> {
        let secret = self
            .secret
            .as_ref()
            .ok_or("no jwt_secret is set: tokens are signed by the holder of the private key")?;
        let now = self.clock.now().0 / 1000;
        let mut claims =
            json!({ "token_type": "access", "iat": now, "exp": now.saturating_add(ttl_seconds) });
        // Under the names by which they are looked for.
        for (names, value) in [
            (&self.config.claims_user_id, json!(identity.user_id)),
            (&self.config.claims_username, json!(identity.username)),
            (&self.config.claims_tenant, json!(identity.tenant)),
            (&self.config.claims_staff, json!(identity.is_staff)),
            (
                &self.config.claims_token_version,
                json!(identity.token_version),
            ),
        ] {
            if let Some(name) = names.0.first() {
                claims[name] = value;
            }
        }
        for (name, value) in [
            ("iss", &self.config.jwt_issuer),
            ("aud", &self.config.jwt_audience),
        ] {
            if let Some(value) = &value.0 {
                claims[name] = json!(value);
            }
        }
        let mut secret = secret.clone();
        if let Some(session) = identity.session {
            claims[SESSION_CLAIM] = json!(session);
            secret = accounts_secret(&secret);
        }
        encode(
            &Header::default(),
            &claims,
            &EncodingKey::from_secret(secret.as_bytes()),
        )
        .map_err(|error| error.to_string())
    }

    /// Signs the refresh token of one generation of a session.
    ///
    /// # Errors
    /// No secret is known.
    pub fn sign_refresh(
        &self,
        identity: &Identity,
        session: Uuid,
        generation: i64,
        expires_at: Timestamp,
    ) -> Result<String, String> {
        let secret = self.secret.as_ref().ok_or("no jwt_secret is set")?;
        let token = RefreshToken {
            tenant: identity.tenant.clone(),
            user_id: identity.user_id.clone(),
            session,
            generation,
            exp: expires_at.0 / 1000,
            token_type: "refresh".to_owned(),
        };
        encode(
            &Header::default(),
            &token,
            &EncodingKey::from_secret(accounts_secret(secret).as_bytes()),
        )
        .map_err(|error| error.to_string())
    }

    /// Which session a refresh token continues. Whether the session goes on is for the caller to find out.
    ///
    /// # Errors
    /// [`Error::Unauthorized`].
    pub fn verify_refresh(&self, token: &str) -> Result<RefreshToken> {
        let refused = || Error::unauthorized("the refresh token is not valid");
        let secret = self.secret.as_ref().ok_or_else(refused)?;
        let key = DecodingKey::from_secret(accounts_secret(secret).as_bytes());
        let mut validation = Validation::new(Algorithm::HS256);
        // Checked against a clock that tests can move.
        validation.validate_exp = false;
        let token = decode::<RefreshToken>(token, &key, &validation)
            .map_err(|_| refused())?
            .claims;
        let has_ended = token.exp.saturating_mul(1000) <= self.clock.now().0;
        if token.token_type != "refresh" || has_ended {
            return Err(refused());
        }
        Ok(token)
    }
}

/// The session that a token of a built-in account belongs to.
fn session(claims: &Map<String, Value>) -> Result<Uuid> {
    let id = claims.get(SESSION_CLAIM).and_then(Value::as_str);
    id.and_then(|id| id.parse().ok())
        .ok_or_else(|| Error::unauthorized("the token names no session"))
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
