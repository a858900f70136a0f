//! The claim of this node to its database: alone, or with equal nodes that hear each other over Redis. Two servers that
//! do not hear each other would each show its clients half of the conversation.
//!
//! It is an advisory lock of PostgreSQL, held by a session of its own, so it ends with the node. When the session is lost
//! it is taken again; a node that finds that another took its place meanwhile stores nothing more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::sqlx::{self, Connection as _, Error as SqlxError, PgConnection};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    open::OpenError,
    postgres::{Postgres, Purpose},
};

/// How often the session is looked at, and a lost one made anew.
const PULSE: Duration = Duration::from_secs(2);
/// A start waits so much longer than anything may take for a predecessor that died without a word: the database notices
/// it after about as long.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a lock that another session holds is asked for.
const RETRY: Duration = Duration::from_millis(200);

/// With whom a node shares its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    Alone,
    WithNodes,
}

/// The first half of the locks' keys, so that others can use the second half; "Conf".
const NODES: i32 = 0x436f_6e66;
const SCHEMA: i32 = NODES + 1;

pub(super) struct Claim {
    is_lost: Arc<AtomicBool>,
    keeping: JoinHandle<()>,
}

impl Claim {
    /// # Errors
    /// [`OpenError::NodeInUse`] if other nodes stand against it.
    pub(super) async fn take(postgres: Arc<Postgres>, share: Share) -> Result<Self, OpenError> {
        let mut session = postgres.connect(Purpose::Claim).await?;
        let deadline = Instant::now() + postgres.timeout() + PATIENCE;
        while !try_lock(&mut session, NODES, share)
            .await
            .map_err(|error| postgres.explain(&error))?
        {
            if Instant::now() > deadline {
                return Err(match share {
                    Share::Alone => OpenError::OtherNodes,
                    Share::WithNodes => OpenError::NodeAlone,
                });
            }
            sleep(RETRY).await;
        }
        let is_lost = Arc::new(AtomicBool::new(false));
        let keeping = tokio::spawn(keep(session, postgres, share, Arc::clone(&is_lost)));
        Ok(Self { is_lost, keeping })
    }

    /// Whether others have taken the database over.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// Ends it: the session goes with the task that holds it.
    pub(super) fn release(&self) {
        self.keeping.abort();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.release();
    }
}

/// Ends when the session is lost for good: never.
async fn keep(
    mut session: PgConnection,
    postgres: Arc<Postgres>,
    share: Share,
    is_lost: Arc<AtomicBool>,
) {
    loop {
        while is_alive(&mut session, postgres.timeout()).await {
            sleep(PULSE).await;
        }
        session = loop {
            sleep(PULSE).await;
            let Ok(mut session) = postgres.connect(Purpose::Claim).await else {
                continue;
            };
            match try_lock(&mut session, NODES, share).await {
                Ok(true) => {
                    if is_lost.swap(false, Ordering::Relaxed) {
                        tracing::info!("the database is this node's again");
                    }
                    break session;
                }
                Ok(false) => {
                    if !is_lost.swap(true, Ordering::Relaxed) {
                        tracing::error!(
                            "another server has taken the database over; nothing is stored here until it ends"
                        );
                    }
                }
                Err(error) => tracing::debug!(%error, "the claim to the database"),
            }
        };
    }
}

async fn is_alive(session: &mut PgConnection, patience: Duration) -> bool {
    matches!(timeout(patience, session.ping()).await, Ok(Ok(())))
}

/// Holds the schema while it is changed, so that of nodes that start together one does it and the others wait.
pub(super) async fn lock_schema(postgres: &Postgres) -> Result<PgConnection, OpenError> {
    let mut session = postgres.connect(Purpose::Claim).await?;
    let mut is_told = false;
    while !try_lock(&mut session, SCHEMA, Share::Alone)
        .await
        .map_err(|error| postgres.explain(&error))?
    {
        if !is_told {
            tracing::info!("waiting for another node that changes the schema");
            is_told = true;
        }
        sleep(RETRY).await;
    }
    Ok(session)
}

async fn try_lock(session: &mut PgConnection, key: i32, share: Share) -> Result<bool, SqlxError> {
    // One Confab in each schema of a database.
    let query = match share {
        Share::Alone => "SELECT pg_try_advisory_lock($1, hashtext(coalesce(current_schema(), '')))",
        Share::WithNodes => {
            "SELECT pg_try_advisory_lock_shared($1, hashtext(coalesce(current_schema(), '')))"
        }
    };
    sqlx::query_scalar(query).bind(key).fetch_one(session).await
}
