//! Signing in: the payloads of `/api/auth` and `/api/me`.

use entity::{
    ids::{TenantId, UserId},
    names::name_key,
    timestamp::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize, de};
use ts_rs::TS;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use utoipa::ToSchema;

use super::requests::Text;

pub(super) const MIN_PASSWORD_CHARS: usize = 8;
pub(super) const MAX_PASSWORD_CHARS: usize = 1000;

/// The name of an account: trimmed, 1 to 100 characters, all of them visible or a plain space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountName(pub String);

impl<'de> Deserialize<'de> for AccountName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text::<1, 100>(name) = Text::deserialize(deserializer)?;
        // Whoever hides characters in a name means to look like somebody else.
        if name_key(&name).is_empty() || name.chars().any(is_hidden) {
            return Err(de::Error::custom("the name holds invisible characters"));
        }
        if name_key(&name).starts_with("guest ") {
            return Err(de::Error::custom("only guests are called Guest"));
        }
        Ok(Self(name))
    }
}

fn is_hidden(char: char) -> bool {
    char != ' '
        && matches!(
            char.general_category_group(),
            GeneralCategoryGroup::Other | GeneralCategoryGroup::Separator
        )
}

/// 8 to 1,000 characters, as they are. It never shows up in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let password = String::deserialize(deserializer)?;
        let length = password.chars().count();
        if !(MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&length) {
            return Err(de::Error::custom(format_args!(
                "a password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters"
            )));
        }
        Ok(Self(password))
    }
}

/// `POST /api/auth/register` and `/login`.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Credentials {
    #[ts(type = "string")]
    pub username: AccountName,
    #[ts(type = "string")]
    pub password: Password,
    /// For browsers: the refresh token comes as an HttpOnly cookie, where no script can read it.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub cookie: bool,
}

/// `POST /api/guest-sessions`.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct NewGuest {
    /// Whose guest; `default` unless told.
    #[serde(default)]
    #[ts(optional)]
    pub tenant: Option<String>,
}

/// `POST /api/guest-sessions/link`: the guest turns out to be the caller.
#[derive(Clone, Debug, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct LinkGuest {
    pub guest_session: String,
}

/// `POST /api/auth/refresh` and `/logout`.
#[derive(Clone, Debug, Default, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Refresh {
    /// Left out where the token is in the cookie.
    #[serde(default)]
    #[ts(optional)]
    pub refresh_token: Option<String>,
}

/// The ways in that this server offers.
#[derive(Clone, Copy, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct WaysIn {
    /// Sign in with name and password.
    pub accounts: bool,
    /// Make an account.
    pub registration: bool,
    /// Come in as a guest.
    pub guests: bool,
}

/// Whoever is calling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct User {
    /// Unique in its tenant.
    pub id: UserId,
    #[ts(type = "string")]
    pub tenant: TenantId,
    pub username: String,
    pub is_guest: bool,
    /// Whether somebody of the staff, who answer customers.
    pub is_staff: bool,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct Me {
    pub user: User,
}

#[derive(Clone, Debug, Serialize, TS, ToSchema)]
#[ts(export)]
pub struct SignedIn {
    /// What connections and requests are made with.
    pub access_token: String,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// Good for one use. Left out where the cookie holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub refresh_token: Option<String>,
    pub user: User,
}
