//! What went wrong in the database: whether it can be tried again, and what callers may know of it.

use std::time::Duration;

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, sqlx::Error as SqlxError};

use crate::error::Error;

/// The log gets the cause, the caller does not. That the database is away is said once, by those who connect to it.
pub(super) fn failure(query: &'static str, error: &DbErr) -> Error {
    if is_away(error) {
        tracing::debug!(query, %error, "the database is away");
    } else {
        tracing::error!(query, %error, "the database failed");
    }
    Error::StorageUnavailable
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
