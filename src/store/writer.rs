//! The one writer: group commit. What arrives while a commit is under way goes into the next one, so that the cost of
//! reaching the disk is shared by all who wait for it, and what is acknowledged is on disk.

use std::{mem, time::Instant};

use entity::ids::TenantId;
use futures_util::future::BoxFuture;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

use super::{
    append::{self, NewMessage, Stored},
    failure,
    open::Connector,
};
use crate::{
    clock::Clock,
    error::{Error, Result},
};

/// The most writes in one transaction: keeps the wait of the first one short.
const MAX_BATCH: usize = 512;
/// Writes that may wait; senders wait beyond that.
const QUEUE: usize = 4096;

/// A committed message on its way to the room, and then to its sender.
pub struct Committed {
    pub tenant: TenantId,
    pub stored: Stored,
    /// When it arrived in the writer.
    pub arrived: Instant,
    answer: oneshot::Sender<Result<Stored>>,
}

impl Committed {
    /// Lets the sender know. To be called after the message went to its room, so that a sender finds what it was told
    /// to be stored.
    pub fn acknowledge(self) {
        // The sender's connection may be gone.
        drop(self.answer.send(Ok(self.stored)));
    }
}

/// What a write other than a message answers, once it is known whether it was committed.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;
/// Does its part of a transaction; the error is that of the transaction, which is lost then.
type Work = Box<
    dyn for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, (Answer, Result<(), DbErr>)>
        + Send,
>;

enum Job {
    Append {
        tenant: TenantId,
        message: NewMessage,
        arrived: Instant,
        answer: oneshot::Sender<Result<Stored>>,
    },
    Write(Work),
    Close(oneshot::Sender<()>),
}

/// A handle of the writer. Cheap to clone.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    pub(super) fn start(
        db: DatabaseConnection,
        connector: Connector,
        clock: Clock,
        committed: mpsc::Sender<Committed>,
    ) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        tokio::spawn(
            Committer {
                db: Some(db),
                connector,
                clock,
                committed,
            }
            .run(queue),
        );
        Self { jobs }
    }

    /// Puts a message in the queue. Its place there is its place in the order; the answer comes when it is committed
    /// and has been handed to its room.
    pub(super) async fn append(
        &self,
        tenant: TenantId,
        message: NewMessage,
    ) -> Result<oneshot::Receiver<Result<Stored>>> {
        let (answer, receiver) = oneshot::channel();
        let job = Job::Append {
            tenant,
            message,
            arrived: Instant::now(),
            answer,
        };
        self.jobs.send(job).await.map_err(|_| Error::Restarting)?;
        Ok(receiver)
    }

    /// Runs `work` inside the next transaction, alone under a savepoint: it is committed whole or not at all.
    pub(super) async fn write<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T, DbErr>>
            + Send
            + 'static,
    {
        let (answer, receiver) = oneshot::channel();
        let work: Work = Box::new(move |txn| {
            Box::pin(async move {
                let (result, transaction) = match in_savepoint(txn, work).await {
                    Ok(result) => (result.map_err(|error| failure(name, &error)), Ok(())),
                    Err(error) => (Err(Error::StorageUnavailable), Err(error)),
                };
                let finish: Answer =
                    Box::new(move |committed| drop(answer.send(committed.and(result))));
                (finish, transaction)
            })
        });
        self.jobs
            .send(Job::Write(work))
            .await
            .map_err(|_| Error::Restarting)?;
        receiver.await.unwrap_or(Err(Error::StorageUnavailable))
    }

    /// Ends the writer after what is in the queue.
    pub(super) async fn close(&self) {
        let (closed, receiver) = oneshot::channel();
        if self.jobs.send(Job::Close(closed)).await.is_ok() {
            // Gone already is as good.
            drop(receiver.await);
        }
    }
}

/// The outer error means that the savepoint is gone, and with it the transaction: SQLite ends it by itself when the disk
/// is full, and would take each further statement as a transaction of its own.
async fn in_savepoint<T, F>(txn: &DatabaseTransaction, work: F) -> Result<Result<T, DbErr>, DbErr>
where
    F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T, DbErr>> + Send,
{
    let savepoint = txn.begin().await?;
    match work(&savepoint).await {
        Ok(value) => {
            savepoint.commit().await?;
            Ok(Ok(value))
        }
        Err(error) => {
            savepoint.rollback().await?;
            Ok(Err(error))
        }
    }
}

/// The task behind the writer.
struct Committer {
    /// None after a failure: what a connection does after a commit that failed is not known. (The library goes on in a
    /// transaction that nobody ends, and all that is "committed" then is lost.)
    db: Option<DatabaseConnection>,
    connector: Connector,
    clock: Clock,
    committed: mpsc::Sender<Committed>,
}

impl Committer {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        while queue.recv_many(&mut batch, MAX_BATCH).await > 0 {
            let end = batch.iter().position(|job| matches!(job, Job::Close(_)));
            let Some(end) = end else {
                self.commit(mem::take(&mut batch)).await;
                continue;
            };
            queue.close();
            let closed = batch.remove(end);
            while let Ok(job) = queue.try_recv() {
                batch.push(job);
            }
            self.commit(mem::take(&mut batch)).await;
            self.disconnect().await;
            if let Job::Close(closed) = closed {
                let _ = closed.send(());
            }
            return;
        }
    }

    async fn commit(&mut self, batch: Vec<Job>) {
        if batch.is_empty() {
            return;
        }
        let start = Instant::now();
        let mut outcomes = Vec::with_capacity(batch.len());
        let result = match self.connection().await {
            Ok(db) => transaction(&db, &self.clock, batch, &mut outcomes).await,
            // The senders in the batch go: their receivers answer that the storage is unavailable.
            Err(error) => Err(error),
        };
        metrics::histogram!("confab_query_seconds", "query" => "commit")
            .record(start.elapsed().as_secs_f64());
        let result = result.map_err(|error| failure("commit", &error));
        if result.is_err() {
            self.disconnect().await;
        }
        for outcome in outcomes {
            self.answer(outcome, &result).await;
        }
    }

    async fn connection(&mut self) -> Result<DatabaseConnection, DbErr> {
        if let Some(db) = &self.db {
            return Ok(db.clone());
        }
        let db = self.connector.connect().await?;
        self.db = Some(db.clone());
        Ok(db)
    }

    async fn disconnect(&mut self) {
        if let Some(db) = self.db.take()
            && let Err(error) = db.close().await
        {
            tracing::warn!(%error, "closing the database");
        }
    }

    async fn answer(&self, outcome: Outcome, result: &Result<()>) {
        match (outcome, result) {
            (Outcome::Write(answer), result) => answer(result.clone()),
            (Outcome::Message(_, _, answer, _), Err(error)) => {
                drop(answer.send(Err(error.clone())));
            }
            (Outcome::Message(_, _, answer, Err(refusal)), Ok(())) => {
                drop(answer.send(Err(refusal)));
            }
            (Outcome::Message(tenant, arrived, answer, Ok(stored)), Ok(())) => {
                metrics::histogram!("confab_commit_seconds")
                    .record(arrived.elapsed().as_secs_f64());
                if !stored.duplicate {
                    metrics::counter!("confab_messages_stored_total").increment(1);
                }
                let message = Committed {
                    tenant,
                    stored,
                    arrived,
                    answer,
                };
                if let Err(mpsc::error::SendError(message)) = self.committed.send(message).await {
                    // Nobody delivers any more; it is stored all the same.
                    message.acknowledge();
                }
            }
        }
    }
}

/// What became of one job, before the commit.
enum Outcome {
    Message(
        TenantId,
        Instant,
        oneshot::Sender<Result<Stored>>,
        Result<Stored>,
    ),
    Write(Answer),
}

/// Fills `outcomes` with one for each job; on an error all of them failed.
async fn transaction(
    db: &DatabaseConnection,
    clock: &Clock,
    batch: Vec<Job>,
    outcomes: &mut Vec<Outcome>,
) -> Result<(), DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let mut begun = db.begin_with_options(options).await;
    let mut appends = Appends::default();
    for job in batch {
        match job {
            Job::Append {
                tenant,
                message,
                arrived,
                answer,
            } => {
                appends.messages.push((tenant, message));
                appends.waiting.push((arrived, answer));
            }
            Job::Write(work) => {
                if let Ok(txn) = &begun
                    && let Err(error) = appends.flush(txn, clock, outcomes).await
                {
                    begun = Err(error);
                }
                // Without a transaction the work is dropped: its receiver then answers that the storage is unavailable.
                if let Ok(txn) = &begun {
                    let (answer, result) = work(txn).await;
                    outcomes.push(Outcome::Write(answer));
                    if let Err(error) = result {
                        begun = Err(error);
                    }
                }
            }
            Job::Close(_) => {}
        }
    }
    let result = match begun {
        Ok(txn) => match appends.flush(&txn, clock, outcomes).await {
            Ok(()) => txn.commit().await,
            Err(error) => txn.rollback().await.and(Err(error)),
        },
        Err(error) => Err(error),
    };
    appends.fail(outcomes);
    result
}

/// Messages that follow each other in the queue, stored together.
#[derive(Default)]
struct Appends {
    messages: Vec<(TenantId, NewMessage)>,
    waiting: Vec<(Instant, oneshot::Sender<Result<Stored>>)>,
}

impl Appends {
    async fn flush(
        &mut self,
        txn: &DatabaseTransaction,
        clock: &Clock,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<(), DbErr> {
        if self.messages.is_empty() {
            return Ok(());
        }
        metrics::histogram!("confab_commit_batch")
            .record(u32::try_from(self.messages.len()).unwrap_or(u32::MAX));
        let stored = append::append(txn, clock.now(), &self.messages).await?;
        let messages = self
            .messages
            .drain(..)
            .zip(self.waiting.drain(..))
            .zip(stored);
        outcomes.extend(messages.map(|(((tenant, _), (arrived, answer)), stored)| {
            Outcome::Message(tenant, arrived, answer, stored)
        }));
        Ok(())
    }

    /// The transaction is lost: all that is still here was not stored.
    fn fail(&mut self, outcomes: &mut Vec<Outcome>) {
        let lost = self.messages.drain(..).zip(self.waiting.drain(..));
        outcomes.extend(lost.map(|((tenant, _), (arrived, answer))| {
            Outcome::Message(tenant, arrived, answer, Err(Error::StorageUnavailable))
        }));
    }
}
