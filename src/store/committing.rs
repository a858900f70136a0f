//! The connection that stores messages: a transaction on it, again where others got in its way, and the way back after a
//! failure.

use std::{sync::Arc, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::time::{sleep, timeout};

use super::{
    append,
    failure::{is_broken, is_conflict},
    health::{Health, Part},
    interruptions::{Interruptions, Place},
    lock,
    open::Connector,
    pool::within,
    transactions::{ATTEMPTS, step_aside},
    writer::Step,
};
use crate::{
    clock::Clock,
    error::{Error, Result},
};

/// While nothing can be written, how often it is tried whether something can.
const PAUSE: Duration = Duration::from_millis(500);
/// How long that may take: who writes meanwhile waits for it.
const TRIAL: Duration = Duration::from_secs(2);

pub(super) struct Database {
    /// None after a failure: what a connection does after a commit that failed is not known. (SQLite's goes on in a
    /// transaction that nobody ends, and all that is "committed" then is lost.)
    db: Option<DatabaseConnection>,
    connector: Connector,
    /// How long a transaction may take: a connection that was cut off without a word never answers.
    patience: Duration,
    interruptions: Arc<Interruptions>,
    health: Arc<Health>,
}

impl Database {
    pub(super) fn new(
        connector: Connector,
        patience: Duration,
        interruptions: Arc<Interruptions>,
        health: Arc<Health>,
    ) -> Self {
        Self {
            db: None,
            connector,
            patience,
            interruptions,
            health,
        }
    }

    /// Does all of the steps and commits them, or none.
    pub(super) async fn commit(&mut self, clock: &Clock, steps: &mut [Step]) -> Result<()> {
        if self.interruptions.is_on() && !self.recover().await {
            return Err(Error::StorageUnavailable);
        }
        let patience = self.patience;
        let mut attempt = 1;
        loop {
            let mut is_committing = false;
            let transaction = self.attempt(clock, steps, &mut is_committing);
            let Err(error) = within(patience, Box::pin(transaction)).await else {
                return Ok(());
            };
            let may_be_repeated = attempt < ATTEMPTS && steps.iter().all(Step::is_repeatable);
            if is_conflict(&error) && may_be_repeated {
                attempt += 1;
                step_aside().await;
                continue;
            }
            self.disconnect().await;
            // It had ended before: the database was restarted since.
            if is_broken(&error) && !is_committing && may_be_repeated {
                attempt = ATTEMPTS;
                continue;
            }
            let undecided = steps.iter().filter(|_| is_committing);
            let undecided = undecided.flat_map(Step::new_messages_in);
            self.interruptions.begin(undecided);
            self.health.down(Part::Stores, &error);
            return Err(Error::StorageUnavailable);
        }
    }

    async fn attempt(
        &mut self,
        clock: &Clock,
        steps: &mut [Step],
        is_committing: &mut bool,
    ) -> Result<(), DbErr> {
        let db = self.connection().await?;
        let txn = begin(&db).await?;
        for step in steps {
            let done = match step {
                Step::Messages(part) => {
                    metrics::histogram!("confab_commit_batch")
                        .record(u32::try_from(part.new.len()).unwrap_or(u32::MAX));
                    let stored = append::append(&txn, clock.now(), &part.new).await;
                    stored.map(|stored| part.stored = stored)
                }
                Step::Write { work, answer } => match work.take() {
                    Some(work) => {
                        let (prepared, result) = work(&txn).await;
                        *answer = Some(prepared);
                        result
                    }
                    None => Ok(()),
                },
            };
            if let Err(error) = done {
                return txn.rollback().await.and(Err(error));
            }
        }
        *is_committing = true;
        txn.commit().await
    }

    async fn connection(&mut self) -> Result<DatabaseConnection, DbErr> {
        if let Some(db) = &self.db {
            return Ok(db.clone());
        }
        let db = self.connector.connect().await?;
        self.db = Some(db.clone());
        Ok(db)
    }

    pub(super) async fn disconnect(&mut self) {
        let Some(db) = self.db.take() else {
            return;
        };
        // It waits for a connection that may never come back.
        if let Ok(Err(error)) = timeout(TRIAL, db.close()).await {
            tracing::warn!(%error, "closing the database");
        }
    }

    /// Waits until there is an interruption, and then until it may be over.
    pub(super) async fn interrupted(&self) {
        self.interruptions.begun().await;
        sleep(PAUSE).await;
    }

    /// Tries whether something can be written, and says so. A transaction that is lost to us and not to the database
    /// still holds its rooms: to have their locks means that it is decided.
    pub(super) async fn recover(&mut self) -> bool {
        let undecided = self.interruptions.undecided();
        match within(TRIAL, self.try_to_write(&undecided)).await {
            Ok(()) => {
                self.health.up(Part::Stores);
                self.interruptions.end(undecided);
                true
            }
            Err(error) => {
                self.health.down(Part::Stores, &error);
                self.disconnect().await;
                false
            }
        }
    }

    async fn try_to_write(&mut self, rooms: &[Place]) -> Result<(), DbErr> {
        let db = self.connection().await?;
        let txn = begin(&db).await?;
        // Something that changes nothing and goes to the disk nevertheless.
        let anything = "UPDATE seaql_migrations SET applied_at = applied_at \
                        WHERE version IN (SELECT max(version) FROM seaql_migrations)";
        txn.execute_unprepared(anything).await?;
        lock::rooms(&txn, rooms.iter().map(|(tenant, room)| (tenant, room))).await?;
        txn.commit().await
    }
}

async fn begin(db: &DatabaseConnection) -> Result<sea_orm::DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    db.begin_with_options(options).await
}
