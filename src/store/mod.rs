//! What is durable, the same nouns as in `chat`. The only place that names `sea_orm`.
//!
//! Every method takes the tenant first, so that no query can forget it. All writes go through one [`writer`], which
//! commits many at once; reads have connections of their own and never wait for it.

mod accounts;
mod among;
mod append;
mod audit;
mod blocks;
mod guests;
mod membership;
mod messages;
mod notifications;
mod open;
mod participants;
mod permission;
mod receipts;
mod revocation;
mod rooms;
mod search;
mod support;
mod users;
mod writer;

use std::{future::Future, sync::Arc, time::Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};

pub use accounts::{NewAccount, Rotation};
pub use among::AMONG;
pub use append::{Delivery, Listeners, NewMessage, Stored};
pub use audit::{ActorKind, AuditQuery, AuditRow};
pub use blocks::Blocked;
pub use guests::{GuestKey, Linked};
pub use membership::{ChangeRequest, Changed, RoomChange, Standing};
pub use messages::MessageQuery;
pub use notifications::PendingNotification;
pub use open::{Condition, OpenError, StoredAccess};
pub use participants::{Member, Membership};
pub use receipts::ReadMark;
pub use rooms::NewRoom;
pub use support::{NewSupportRoom, SupportCursor, SupportRow, SupportState, SupportWrite};
pub use users::UserRow;
pub use writer::Committed;

use crate::error::{Error, Result};
use writer::Writer;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    reader: DatabaseConnection,
    writer: Writer,
    /// Holds the data folder for this process alone.
    _lock: Arc<std::fs::File>,
}

impl Store {
    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn ping(&self) -> Result<()> {
        timed("ping", self.reader.execute_unprepared("SELECT 1"))
            .await
            .map(drop)
    }

    /// Commits what is waiting and closes the database.
    pub async fn close(&self) {
        self.writer.close().await;
        if let Err(error) = self.reader.clone().close().await {
            tracing::warn!(%error, "closing the database");
        }
    }
}

/// Runs a query, measures it, and turns a failure into what callers may know of it.
async fn timed<T>(
    query: &'static str,
    future: impl Future<Output = Result<T, DbErr>>,
) -> Result<T> {
    let start = Instant::now();
    let result = future.await;
    metrics::histogram!("confab_query_seconds", "query" => query)
        .record(start.elapsed().as_secs_f64());
    result.map_err(|error| failure(query, &error))
}

/// The log gets the cause, the caller does not.
fn failure(query: &'static str, error: &DbErr) -> Error {
    tracing::error!(query, %error, "the database failed");
    Error::StorageUnavailable
}
