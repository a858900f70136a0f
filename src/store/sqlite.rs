//! The database inside: a file that one process holds.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::open::OpenError;
use crate::config::Config;

/// How long a connection waits for another process's lock on the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    Read,
}

/// Where the database is.
pub(super) fn url(config: &Config) -> String {
    match &config.database_url.0 {
        Some(url) => url.clone(),
        None => format!("sqlite://{}", config.data_dir.join("confab.db").display()),
    }
}

pub(super) fn file(config: &Config) -> PathBuf {
    let url = url(config);
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    PathBuf::from(path.split('?').next().unwrap_or(path))
}

/// Holds the database for this process: two servers on one would not hear each other. The lock lies beside the file.
pub(super) fn lock(config: &Config) -> Result<File, OpenError> {
    let folder = config.data_dir.display().to_string();
    make_private_folder(&config.data_dir)
        .map_err(|error| OpenError::DataFolder(folder.clone(), error))?;
    let path = file(config).with_extension("lock");
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

pub(super) async fn connect(
    url: &str,
    access: Access,
    connections: u32,
) -> Result<DatabaseConnection, DbErr> {
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
pub(super) async fn prove_writable(db: &DatabaseConnection) -> Result<(), DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    db.begin_with_options(options).await?.commit().await
}
