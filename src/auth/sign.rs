//! The tokens that this server signs: of built-in accounts, and of `confab token`.

use entity::timestamp::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, Validation, decode, encode};
use serde_json::json;
use uuid::Uuid;

use super::{Authenticator, Identity, RefreshToken, SESSION_CLAIM, keys::accounts_secret};
use crate::error::{Error, Result};

impl Authenticator {
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
        let mut validation = Validation::new(Algorithm::HS256);
        // Checked against a clock that tests can move.
        validation.validate_exp = false;
        let keys = self.keys.current();
        let token = keys
            .iter()
            .filter(|key| key.is_accounts)
            .find_map(|key| decode::<RefreshToken>(token, &key.decoding, &validation).ok())
            .ok_or_else(refused)?
            .claims;
        let has_ended = token.exp.saturating_mul(1000) <= self.clock.now().0;
        if token.token_type != "refresh" || has_ended {
            return Err(refused());
        }
        Ok(token)
    }
}
