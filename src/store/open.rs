//! Opening the database: one process a data folder, one connection that writes, some that read, the schema brought up
//! to date.

use std::{
    fs::{self, File, TryLockError},
    io,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use entity::{
    ids::{TenantId, UserId},
    timestamp::Timestamp,
    users,
};
use migration::{Migrator, MigratorTrait, SchemaManager};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, EntityTrait,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Store, UserRow, accounts,
    writer::{Committed, Writer},
};
use crate::{clock::Clock, config::Config};

/// How long a connection waits for another process's lock on the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the data folder {0}: {1}")]
    DataFolder(String, std::io::Error),
    #[error("the database is in use by another server, which holds {0}")]
    InUse(String),
    #[error(
        "the database was written by a newer release (its migration {0} is unknown here): start that release, or restore a backup"
    )]
    Newer(String),
    #[error("the database is locked by another process")]
    Locked,
    #[error("the database cannot be opened: {0}")]
    Database(DbErr),
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
        let lock = lock(config)?;
        let url = database_url(config);
        let write = connect(&url, Access::Write).await?;
        migrate(&write).await?;
        prove_writable(&write).await?;
        let reader = connect(&url, Access::Read).await?;
        let connector = Connector { url };
        Ok(Self {
            reader,
            writer: Writer::start(write, connector, clock, committed),
            _lock: Arc::new(lock),
        })
    }
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
        if Self::inspect(config).await? != Condition::Current {
            return Ok(None);
        }
        let db = connect(&database_url(config), Access::Read).await?;
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
    /// There is no database yet; the first start makes it.
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
        let url = database_url(config);
        if !database_file(config).exists() {
            return Ok(Condition::New);
        }
        let db = connect(&url, Access::Read).await?;
        let is_current = refuse_newer(&db).await?;
        db.close().await?;
        Ok(if is_current {
            Condition::Current
        } else {
            Condition::Older
        })
    }
}

fn database_url(config: &Config) -> String {
    match &config.database_url.0 {
        Some(url) => url.clone(),
        None => format!("sqlite://{}", config.data_dir.join("confab.db").display()),
    }
}

/// Holds the database for this process: two servers on one would not hear each other. The lock lies beside the file.
fn lock(config: &Config) -> Result<File, OpenError> {
    let folder = config.data_dir.display().to_string();
    make_private_folder(&config.data_dir)
        .map_err(|error| OpenError::DataFolder(folder.clone(), error))?;
    let path = database_file(config).with_extension("lock");
    let lock = File::create(&path).map_err(|error| OpenError::DataFolder(folder.clone(), error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(OpenError::DataFolder(folder, error)),
    }
}

/// What is in it is for the server's user only.
fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
}

fn database_file(config: &Config) -> PathBuf {
    let url = database_url(config);
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    PathBuf::from(path.split('?').next().unwrap_or(path))
}

/// Makes the connection that writes anew.
pub(super) struct Connector {
    url: String,
}

impl Connector {
    pub(super) async fn connect(&self) -> Result<DatabaseConnection, DbErr> {
        connect(&self.url, Access::Write).await
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Write,
    Read,
}

async fn connect(url: &str, access: Access) -> Result<DatabaseConnection, DbErr> {
    let readers = thread::available_parallelism()
        .map_or(4, NonZero::get)
        .clamp(2, 8);
    let connections = if access == Access::Write {
        1
    } else {
        u32::try_from(readers).unwrap_or(2)
    };
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options: SqliteConnectOptions| {
            let options = options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // Acknowledged means on disk: every commit waits for it. The pragma is per connection.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY_TIMEOUT)
                .foreign_keys(false)
                .pragma("cache_size", "-16000")
                .pragma("temp_store", "memory");
            if access == Access::Read {
                options.pragma("query_only", "on")
            } else {
                options
            }
        });
    Database::connect(options).await
}

/// A lock of another process must show now, not with the first message.
async fn prove_writable(db: &DatabaseConnection) -> Result<(), DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    db.begin_with_options(options).await?.commit().await
}

async fn migrate(db: &DatabaseConnection) -> Result<(), OpenError> {
    refuse_newer(db).await?;
    Ok(Migrator::up(db, None).await?)
}

/// Says whether all migrations have been run.
async fn refuse_newer(db: &DatabaseConnection) -> Result<bool, OpenError> {
    let known: Vec<String> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(false);
    }
    let applied = Statement::from_string(
        db.get_database_backend(),
        "SELECT version FROM seaql_migrations",
    );
    let rows = db.query_all_raw(applied).await?;
    for row in &rows {
        let version: String = row.try_get("", "version")?;
        if !known.contains(&version) {
            return Err(OpenError::Newer(version));
        }
    }
    Ok(rows.len() == known.len())
}
