//! What went wrong in the database: whether it can be tried again, and what callers may know of it.

use std::{
    collections::HashMap,
    sync::LazyLock,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, sqlx::Error as SqlxError};

use crate::error::Error;

/// How often it is told that the same query fails in the same way.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// When it was told, and how often it has happened since.
type Told = HashMap<(&'static str, String), (Instant, u64)>;

/// The log gets the cause, the caller does not. That the database is away is said by those who connect to it, see
/// `health.rs`.
pub(super) fn failure(query: &'static str, error: &DbErr) -> Error {
    if is_away(error) {
        tracing::debug!(query, %error, "the database is away");
    } else if let Some(times) = times_to_tell(query, error) {
        tracing::error!(query, %error, times, "a query failed");
    } else {
        tracing::debug!(query, %error, "a query failed");
    }
    Error::StorageUnavailable
}

/// How often this has happened since it was told last, if it is told now.
fn times_to_tell(query: &'static str, error: &DbErr) -> Option<u64> {
    static TOLD: LazyLock<Mutex<Told>> = LazyLock::new(Mutex::default);
    // Its words may hold whatever was asked for.
    let kind = code(error).unwrap_or_default();
    let now = Instant::now();
    let mut told = TOLD.lock();
    let Some((at, times)) = told.get_mut(&(query, kind.clone())) else {
        told.insert((query, kind), (now, 0));
        return Some(1);
    };
    *times += 1;
    if now - *at < TELL_EVERY {
        return None;
    }
    *at = now;
    Some(std::mem::take(times))
}

/// There is no connection, or nothing comes from it.
pub(super) fn is_away(error: &DbErr) -> bool {
    matches!(error, DbErr::ConnectionAcquire(_)) || is_silent(error) || is_broken(error)
}

/// The database has not answered for so long.
pub(super) fn no_answer(patience: Duration) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(format!("no answer for {patience:?}")))
}

pub(super) const fn is_silent(error: &DbErr) -> bool {
    matches!(error, DbErr::Conn(RuntimeErr::Internal(_)))
}

pub(super) fn cause(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// The database's own code of an error: an `SQLSTATE` of PostgreSQL.
fn code(error: &DbErr) -> Option<String> {
    let code = cause(error)?.as_database_error()?.code()?;
    Some(code.into_owned())
}

/// The transaction got in another one's way, which has to do with neither of them: done again it succeeds.
pub(super) fn is_conflict(error: &DbErr) -> bool {
    // A deadlock, a serialization failure, the same key written by another node at the same time.
    matches!(code(error).as_deref(), Some("40P01" | "40001" | "23505"))
}

/// The connection is of no more use.
pub(super) fn is_broken(error: &DbErr) -> bool {
    if matches!(
        error,
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
    ) {
        return true;
    }
    match cause(error) {
        Some(
            SqlxError::Io(_)
            | SqlxError::Tls(_)
            | SqlxError::Protocol(_)
            | SqlxError::PoolClosed
            | SqlxError::WorkerCrashed,
        ) => true,
        Some(SqlxError::Database(error)) => error.code().is_some_and(|code| {
            // The server ends the connection, or the session was idle in a transaction; the server has become a
            // copy of another that can only be read.
            code.starts_with("08") || code.starts_with("57P") || code == "25P03" || code == "25006"
        }),
        _ => false,
    }
}
