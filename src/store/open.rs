//! Opening the database: who may use it, the schema brought up to date, connections that write and others that read.

use std::{fs::File, io, num::NonZero, sync::Arc, thread, time::Duration};

use entity::{
    ids::{TenantId, UserId},
    timestamp::Timestamp,
    users,
};
use sea_orm::{DatabaseConnection, DbErr, EntityTrait};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Store, UserRow, accounts,
    claim::{Claim, Share, lock_schema},
    committing::Database,
    health::Health,
    interruptions::Interruptions,
    pool::Pool,
    postgres::{Postgres, Purpose},
    schema,
    sqlite::{self, Access},
    transactions::Transactions,
    writer::{Committed, Writer},
};
use crate::{clock::Clock, config::Config};

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the data folder {0}: {1}")]
    DataFolder(String, io::Error),
    #[error("the database is in use by another server, which holds {0}")]
    InUse(String),
    #[error(
        "the database is in use by other servers: set redis_url on all of them, so that they hear each other"
    )]
    OtherNodes,
    #[error(
        "the database is in use by a server without redis_url: set it there too, so that they hear each other"
    )]
    NodeAlone,
    #[error(
        "the database was written by a newer release (its migration {0} is unknown here): start that release, or restore a backup"
    )]
    Newer(String),
    #[error("the database is locked by another process")]
    Locked,
    #[error("the database cannot be opened: {0}")]
    Database(DbErr),
    #[error("database_url: {0}")]
    Url(String),
    #[error("the PostgreSQL at {place}: {why}")]
    Postgres { place: String, why: String },
}

impl From<DbErr> for OpenError {
    fn from(error: DbErr) -> Self {
        if error.to_string().contains("database is locked") {
            Self::Locked
        } else {
            Self::Database(error)
        }
    }
}

/// What keeps those off the database who would not hear this node.
pub(super) enum Hold {
    /// Until it is dropped.
    File {
        _lock: File,
    },
    Claim(Claim),
}

impl Hold {
    pub(super) fn release(&self) {
        if let Self::Claim(claim) = self {
            claim.release();
        }
    }

    /// Whether others have the database now.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::File { .. } => false,
            Self::Claim(claim) => claim.is_lost(),
        }
    }
}

/// Makes the connection that stores messages, and makes it anew.
pub(super) enum Connector {
    Sqlite(String),
    Postgres(Arc<Postgres>),
}

impl Connector {
    pub(super) async fn connect(&self) -> Result<DatabaseConnection, DbErr> {
        match self {
            Self::Sqlite(url) => sqlite::connect(url, Access::Write, 1).await,
            Self::Postgres(postgres) => Ok(postgres.pool(Purpose::Append)),
        }
    }
}

impl Store {
    /// Opens the database that the settings name and runs what migrations it lacks. What is committed is handed to
    /// `committed`, in the order of the commits.
    ///
    /// # Errors
    /// [`OpenError`], in words for an operator.
    pub async fn open(
        config: &Config,
        clock: Clock,
        committed: mpsc::Sender<Committed>,
    ) -> Result<Self, OpenError> {
        let Some(postgres) = Postgres::from_settings(config)? else {
            return Self::open_sqlite(config, clock, committed).await;
        };
        let postgres = Arc::new(postgres);
        let share = if config.redis_url.0.is_some() {
            Share::WithNodes
        } else {
            Share::Alone
        };
        let claim = Claim::take(Arc::clone(&postgres), share).await?;
        migrate(&postgres).await?;
        let health = Arc::<Health>::default();
        let general = Pool::of_postgres(Arc::clone(&postgres), Arc::clone(&health));
        let interruptions = Arc::new(Interruptions::new());
        // A connection and then all that is done with it.
        let patience = postgres.timeout() * 2;
        let places = (config.database_connections / 2).max(1);
        let beside = Transactions::new(
            general.clone(),
            places,
            Arc::clone(&postgres),
            Arc::clone(&interruptions),
        );
        let database = Database::new(
            Connector::Postgres(postgres),
            patience,
            Arc::clone(&interruptions),
            health,
        );
        let hold = Arc::new(Hold::Claim(claim));
        Ok(Self {
            reader: general,
            writer: Writer::start(database, Some(beside), Arc::clone(&hold), clock, committed),
            hold,
            interruptions,
        })
    }

    async fn open_sqlite(
        config: &Config,
        clock: Clock,
        committed: mpsc::Sender<Committed>,
    ) -> Result<Self, OpenError> {
        let lock = sqlite::lock(config)?;
        let url = sqlite::url(config);
        let write = sqlite::connect(&url, Access::Write, 1).await?;
        schema::migrate(&write).await?;
        sqlite::prove_writable(&write).await?;
        write.close().await?;
        let reader = sqlite::connect(&url, Access::Read, readers()).await?;
        let interruptions = Arc::new(Interruptions::new());
        let health = Arc::<Health>::default();
        let database = Database::new(
            Connector::Sqlite(url),
            Duration::MAX,
            Arc::clone(&interruptions),
            Arc::clone(&health),
        );
        let hold = Arc::new(Hold::File { _lock: lock });
        Ok(Self {
            reader: Pool::of_sqlite(reader, health),
            writer: Writer::start(database, None, Arc::clone(&hold), clock, committed),
            hold,
            interruptions,
        })
    }

    /// Runs what migrations the database lacks, and nothing else: nodes may be running on it.
    ///
    /// # Errors
    /// As [`Store::open`]; a server that holds an SQLite file is in the way.
    pub async fn migrate(config: &Config) -> Result<(), OpenError> {
        if let Some(postgres) = Postgres::from_settings(config)? {
            return migrate(&postgres).await;
        }
        let _lock = sqlite::lock(config)?;
        let db = sqlite::connect(&sqlite::url(config), Access::Write, 1).await?;
        schema::migrate(&db).await?;
        Ok(db.close().await?)
    }
}

fn readers() -> u32 {
    let threads = thread::available_parallelism().map_or(4, NonZero::get);
    u32::try_from(threads.clamp(2, 8)).unwrap_or(2)
}

async fn migrate(postgres: &Postgres) -> Result<(), OpenError> {
    let _session = lock_schema(postgres).await?;
    let db = postgres.pool(Purpose::Migrate);
    let migrated = schema::migrate(&db).await;
    db.close().await?;
    migrated.map_err(|error| postgres.in_words(error))
}

/// What is stored of somebody's access.
pub struct StoredAccess {
    /// None of a user who has never come.
    pub user: Option<UserRow>,
    /// Whether their session goes on, if they have one.
    pub has_session: bool,
}

impl Store {
    /// What is stored of a user's access, without changing anything; a server may be using the database. None where there
    /// is no database of this release.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn look_up(
        config: &Config,
        tenant: &TenantId,
        user: &UserId,
        session: Option<Uuid>,
        now: Timestamp,
    ) -> Result<Option<StoredAccess>, OpenError> {
        let Some(db) = look(config).await? else {
            return Ok(None);
        };
        if schema::condition(&db).await? != Condition::Current {
            return Ok(None);
        }
        let user_row = users::Entity::find_by_id((tenant.clone(), user.clone()));
        let user_row = user_row.one(&db).await?;
        let has_session = match session {
            Some(session) => {
                let of_user = accounts::live_session(tenant, user, session, now);
                of_user.one(&db).await?.is_some()
            }
            None => false,
        };
        db.close().await?;
        Ok(Some(StoredAccess {
            user: user_row,
            has_session,
        }))
    }
}

/// What a start would find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is no database yet, or nothing in it; the first start makes it.
    New,
    /// The next start brings it up to date.
    Older,
    Current,
}

impl Store {
    /// Looks at the database that the settings name without changing it, a server may be using it.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn inspect(config: &Config) -> Result<Condition, OpenError> {
        let Some(db) = look(config).await? else {
            return Ok(Condition::New);
        };
        let condition = schema::condition(&db).await?;
        db.close().await?;
        Ok(condition)
    }
}

/// A connection that reads; None where there is no database.
async fn look(config: &Config) -> Result<Option<DatabaseConnection>, OpenError> {
    if let Some(postgres) = Postgres::from_settings(config)? {
        // It says in words what is wrong; a pool does not.
        postgres.connect(Purpose::General).await?;
        return Ok(Some(postgres.pool(Purpose::General)));
    }
    if !sqlite::file(config).exists() {
        return Ok(None);
    }
    let db = sqlite::connect(&sqlite::url(config), Access::Read, readers()).await?;
    Ok(Some(db))
}
