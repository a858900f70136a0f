//! What is durable, the same nouns as in `chat`. The only place that names `sea_orm`.
//!
//! Every method takes the tenant first, so that no query can forget it. All writes go through one [`writer`], which
//! commits many at once; reads have connections of their own and never wait for it.

mod accounts;
mod among;
mod append;
mod audit;
mod blocks;
mod claim;
mod committing;
mod failure;
mod guests;
mod health;
mod interruptions;
mod lock;
mod membership;
mod messages;
mod notifications;
mod open;
mod participants;
mod permission;
mod pool;
mod postgres;
mod receipts;
mod revocation;
mod rooms;
mod rows;
mod schema;
mod search;
mod sqlite;
mod support;
mod transactions;
mod users;
mod writer;

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::watch;

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
use entity::ids::{RoomId, TenantId};
use failure::failure;
use interruptions::Interruptions;
use open::Hold;
use pool::{Pool, within};
use writer::Writer;

/// How long the database may take to show that it is there.
const PING: Duration = Duration::from_secs(3);

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    reader: Pool,
    writer: Writer,
    /// What keeps others off the database.
    hold: Arc<Hold>,
    interruptions: Arc<Interruptions>,
}

impl Store {
    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn ping(&self) -> Result<()> {
        if self.hold.is_lost() {
            return Err(Error::StorageUnavailable);
        }
        // A load balancer does not wait for long.
        let answer = within(PING, self.reader.execute_unprepared("SELECT 1"));
        timed("ping", answer).await.map(drop)
    }

    /// Counts the times in which nothing could be written, or in which it is not known what was: it grows when writing
    /// works again. What is kept in memory of the store may be old then.
    #[must_use]
    pub fn interruptions(&self) -> watch::Receiver<u64> {
        self.interruptions.over()
    }

    /// The rooms that may have messages of which nobody was told, since they were committed without our knowing. Each is
    /// named once.
    #[must_use]
    pub fn take_unannounced(&self) -> Vec<(TenantId, RoomId)> {
        self.interruptions.take()
    }

    /// Commits what is waiting and closes the database.
    pub async fn close(&self) {
        self.writer.close().await;
        self.reader.close().await;
        self.hold.release();
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
