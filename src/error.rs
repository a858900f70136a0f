//! Every way in which a request can be refused, and the one table of how that is said: code, HTTP status, close code,
//! message.

use std::{borrow::Cow, time::Duration};

use crate::protocol::ErrorBody;

/// A refusal or failure, as its cause sees it. What clients see of it is [`Error::body`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    InvalidPayload(String),
    #[error("Unknown event")]
    UnknownEvent,
    #[error("This path has other methods")]
    MethodNotAllowed,
    #[error("{0}")]
    Unauthorized(Cow<'static, str>),
    #[error("The access token has expired")]
    TokenExpired,
    #[error("The session has ended: sign in again")]
    SignedOut,
    #[error("This account is disabled")]
    AccountDisabled,
    #[error("This name is taken")]
    UsernameTaken,
    #[error("{0}")]
    AccessDenied(&'static str),
    #[error("Only staff may do this")]
    Forbidden,
    #[error("This guest session belongs to another user")]
    GuestAlreadyLinked,
    #[error("This guest has signed in")]
    GuestLinked,
    #[error("This conversation is closed")]
    RoomClosed,
    #[error("There are newer messages. Read them before you answer.")]
    StaleReply,
    /// Does not say who blocked whom.
    #[error("You and this user cannot contact each other")]
    Blocked,
    #[error("A room needs an owner: pass ownership on first")]
    LastOwner,
    #[error("This room is archived")]
    RoomArchived,
    #[error("{0} not found")]
    NotFound(&'static str),
    #[error("Rate limit exceeded. Please wait before sending more messages.")]
    RateLimited { retry_after: Duration },
    #[error("Too many attempts. Please wait before trying again.")]
    TooManyAttempts { retry_after: Duration },
    #[error("Too many requests are waiting")]
    Overloaded,
    #[error("Too many connections")]
    TooManyConnections,
    #[error("{0}")]
    TooSlow(&'static str),
    #[error("The message is too large")]
    TooLarge,
    #[error("This origin may not connect here")]
    OriginNotAllowed,
    #[error("The server is restarting")]
    Restarting,
    #[error("The message store is unavailable; nothing was stored")]
    StorageUnavailable,
    #[error("Internal error")]
    Internal,
}

impl Error {
    /// The answer to anything about a room that the caller may not enter.
    pub const ROOM_DENIED: Self = Self::AccessDenied("Access denied to this room");
    pub const NO_GUESTS: Self = Self::Unauthorized(Cow::Borrowed("This tenant has no guests"));
    pub const ROOM_NOT_FOUND: Self = Self::NotFound("Room");

    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidPayload(reason.into())
    }

    pub fn unauthorized(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unauthorized(reason.into())
    }

    /// The stable word for programs, and the HTTP status that goes with it.
    #[must_use]
    pub const fn answer(&self) -> (&'static str, u16) {
        match self {
            Self::InvalidPayload(_) => ("invalid_payload", 400),
            Self::UnknownEvent => ("unknown_event", 400),
            Self::MethodNotAllowed => ("method_not_allowed", 405),
            Self::Unauthorized(_) => ("unauthorized", 401),
            Self::TokenExpired => ("token_expired", 401),
            Self::SignedOut => ("signed_out", 401),
            Self::AccountDisabled => ("account_disabled", 403),
            Self::UsernameTaken => ("username_taken", 409),
            Self::AccessDenied(_) => ("access_denied", 403),
            Self::Forbidden => ("forbidden", 403),
            Self::GuestAlreadyLinked => ("guest_already_linked", 409),
            Self::GuestLinked => ("guest_linked", 401),
            Self::RoomClosed => ("room_closed", 409),
            Self::StaleReply => ("stale_reply", 409),
            Self::Blocked => ("blocked", 403),
            Self::LastOwner => ("last_owner", 409),
            Self::RoomArchived => ("room_archived", 409),
            Self::OriginNotAllowed => ("origin_not_allowed", 403),
            Self::NotFound(_) => ("not_found", 404),
            Self::RateLimited { .. } | Self::TooManyAttempts { .. } => ("rate_limited", 429),
            Self::Overloaded => ("overloaded", 429),
            Self::TooManyConnections => ("too_many_connections", 429),
            Self::TooSlow(_) => ("too_slow", 408),
            Self::TooLarge => ("too_large", 413),
            Self::Restarting => ("restarting", 503),
            Self::StorageUnavailable => ("storage_unavailable", 503),
            Self::Internal => ("internal", 500),
        }
    }

    /// The code with which a WebSocket is closed for it, in the range that applications may use.
    #[must_use]
    pub const fn close_code(&self) -> u16 {
        match self {
            Self::Unauthorized(_) | Self::TokenExpired | Self::SignedOut | Self::GuestLinked => {
                4401
            }
            Self::AccessDenied(_)
            | Self::AccountDisabled
            | Self::Forbidden
            | Self::GuestAlreadyLinked
            | Self::OriginNotAllowed => 4403,
            Self::NotFound(_) => 4404,
            Self::TooSlow(_) => 4408,
            Self::RateLimited { .. }
            | Self::TooManyAttempts { .. }
            | Self::TooManyConnections
            | Self::Overloaded => 4429,
            // Those of RFC 6455: too big, the service restarts, an unexpected condition.
            Self::TooLarge => 1009,
            Self::Restarting => 1012,
            Self::StorageUnavailable | Self::Internal => 1011,
            _ => 4400,
        }
    }

    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.answer().0
    }

    #[must_use]
    pub fn body(&self) -> ErrorBody {
        let retry_after_ms = match self {
            // Rounded up: one who waits exactly this long is admitted.
            Self::RateLimited { retry_after } | Self::TooManyAttempts { retry_after } => {
                Some(u64::try_from(retry_after.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
            }
            _ => None,
        };
        ErrorBody {
            success: false,
            code: self.code(),
            message: self.to_string(),
            retry_after_ms,
        }
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
