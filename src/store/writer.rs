//! The one writer: group commit. What arrives while a commit is under way goes into the next one, so that the cost of
//! reaching the disk is shared by all who wait for it, and what is acknowledged is on disk.

use std::{mem, sync::Arc, time::Instant};

use entity::ids::TenantId;
use futures_util::future::BoxFuture;
use sea_orm::{DatabaseTransaction, DbErr, TransactionTrait};
use tokio::sync::{mpsc, oneshot};

use super::{
    append::{NewMessage, Stored},
    committing::Database,
    failure,
    interruptions::Place,
    open::Hold,
    transactions::Transactions,
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
pub(super) type Answer = Box<dyn FnOnce(Result<()>) + Send>;
/// Does its part of a transaction; the error is that of the transaction, which is lost then.
pub(super) type Work = Box<
    dyn for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, (Answer, Result<(), DbErr>)>
        + Send,
>;

enum Job {
    Append(Append),
    Write(Work),
    Close(oneshot::Sender<()>),
}

struct Append {
    tenant: TenantId,
    message: NewMessage,
    arrived: Instant,
    answer: oneshot::Sender<Result<Stored>>,
}

/// A handle of the writer. Cheap to clone.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// Where writes other than messages go on PostgreSQL. In the transaction of the messages one of them that waits for a
    /// lock would hold up all, and what each locks could not be in one order.
    beside: Option<Arc<Transactions>>,
    hold: Arc<Hold>,
}

impl Writer {
    pub(super) fn start(
        database: Database,
        beside: Option<Transactions>,
        hold: Arc<Hold>,
        clock: Clock,
        committed: mpsc::Sender<Committed>,
    ) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let writing = Committer {
            database,
            clock,
            committed,
        };
        tokio::spawn(writing.run(queue));
        Self {
            jobs,
            beside: beside.map(Arc::new),
            hold,
        }
    }

    /// Puts a message in the queue. Its place there is its place in the order; the answer comes when it is committed
    /// and has been handed to its room.
    pub(super) async fn append(
        &self,
        tenant: TenantId,
        message: NewMessage,
    ) -> Result<oneshot::Receiver<Result<Stored>>> {
        self.check_hold()?;
        let (answer, receiver) = oneshot::channel();
        let job = Job::Append(Append {
            tenant,
            message,
            arrived: Instant::now(),
            answer,
        });
        self.jobs.send(job).await.map_err(|_| Error::Restarting)?;
        Ok(receiver)
    }

    /// Nothing is stored by a node that has lost the database to others.
    fn check_hold(&self) -> Result<()> {
        if self.hold.is_lost() {
            return Err(Error::StorageUnavailable);
        }
        Ok(())
    }

    /// Runs `work`: it is committed whole or not at all. On SQLite inside the next transaction, under a savepoint; on
    /// PostgreSQL in one of its own, which is done again if others get in its way.
    pub(super) async fn write<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T, DbErr>>
            + Clone
            + Send
            + 'static,
    {
        self.check_hold()?;
        if let Some(transactions) = &self.beside {
            return transactions.write(name, work).await;
        }
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
        if let Some(transactions) = &self.beside {
            transactions.close().await;
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
    database: Database,
    clock: Clock,
    committed: mpsc::Sender<Committed>,
}

impl Committer {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        loop {
            tokio::select! {
                taken = queue.recv_many(&mut batch, MAX_BATCH) => if taken == 0 {
                    return;
                },
                () = self.database.interrupted() => {
                    self.database.recover().await;
                    continue;
                }
            }
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
            self.database.disconnect().await;
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
        let mut steps = steps(batch);
        let result = self.database.commit(&self.clock, &mut steps).await;
        metrics::histogram!("confab_query_seconds", "query" => "commit")
            .record(start.elapsed().as_secs_f64());
        for step in steps {
            match step {
                // Without an answer it was never run: who waits for it hears that the storage is unavailable.
                Step::Write { answer, .. } => {
                    if let Some(answer) = answer {
                        answer(result.clone());
                    }
                }
                Step::Messages(messages) => self.answer(messages, &result).await,
            }
        }
    }

    async fn answer(&self, messages: Messages, result: &Result<()>) {
        let Messages {
            new,
            waiting,
            stored,
        } = messages;
        if let Err(error) = result {
            for (_, answer) in waiting {
                drop(answer.send(Err(error.clone())));
            }
            return;
        }
        let stored = new.into_iter().zip(waiting).zip(stored);
        for (((tenant, _), (arrived, answer)), stored) in stored {
            match stored {
                Err(refusal) => drop(answer.send(Err(refusal))),
                Ok(stored) => {
                    self.hand_over(Committed {
                        tenant,
                        stored,
                        arrived,
                        answer,
                    })
                    .await;
                }
            }
        }
    }

    async fn hand_over(&self, message: Committed) {
        metrics::histogram!("confab_commit_seconds")
            .record(message.arrived.elapsed().as_secs_f64());
        if !message.stored.duplicate {
            metrics::counter!("confab_messages_stored_total").increment(1);
        }
        if let Err(mpsc::error::SendError(message)) = self.committed.send(message).await {
            // Nobody delivers any more; it is stored all the same.
            message.acknowledge();
        }
    }
}

/// A part of a transaction.
pub(super) enum Step {
    Messages(Messages),
    Write {
        work: Option<Work>,
        answer: Option<Answer>,
    },
}

/// Messages that follow each other in the queue, stored together.
#[derive(Default)]
pub(super) struct Messages {
    pub new: Vec<(TenantId, NewMessage)>,
    waiting: Vec<(Instant, oneshot::Sender<Result<Stored>>)>,
    /// What became of each, before the commit.
    pub stored: Vec<Result<Stored>>,
}

fn steps(batch: Vec<Job>) -> Vec<Step> {
    let mut steps = Vec::new();
    for job in batch {
        match job {
            Job::Append(append) => {
                if !matches!(steps.last(), Some(Step::Messages(_))) {
                    steps.push(Step::Messages(Messages::default()));
                }
                if let Some(Step::Messages(last)) = steps.last_mut() {
                    last.new.push((append.tenant, append.message));
                    last.waiting.push((append.arrived, append.answer));
                }
            }
            Job::Write(work) => steps.push(Step::Write {
                work: Some(work),
                answer: None,
            }),
            Job::Close(_) => {}
        }
    }
    steps
}

impl Step {
    /// Whether it can be done once more.
    pub(super) const fn is_repeatable(&self) -> bool {
        matches!(self, Self::Messages(_))
    }

    /// The rooms that it gives new messages.
    pub(super) fn new_messages_in(&self) -> Vec<Place> {
        let Self::Messages(part) = self else {
            return Vec::new();
        };
        let with_answers = part.new.iter().zip(&part.stored);
        with_answers
            .filter(|(_, stored)| stored.as_ref().is_ok_and(|stored| !stored.duplicate))
            .map(|((tenant, new), _)| (tenant.clone(), new.room_id.clone()))
            .collect()
    }
}
