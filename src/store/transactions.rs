//! Writes other than messages on PostgreSQL: each is a transaction of its own, several run at once.
//!
//! **Locks.** Transactions of all nodes meet at rows. So that none waits for another that waits for it, each locks in
//! this order, and rows of one kind in the order of their keys as they are stored:
//!
//! 1. the guest sessions of those who may be guests, 2. rooms, 3. support rooms, 4. participants, 5. users,
//! 6. all the rest.
//!
//! What a transaction decides by, it reads after it has the lock under which that can change: the room for its
//! participants, its archiving and its revisions; the two users' direct room for their blocks; the user for what ends
//! their access; the guest session for whether the guest is still one. A row that a transaction makes itself is nobody
//! else's; where two make the same one (`ON CONFLICT DO NOTHING`), the second waits for the first.
//!
//! A deadlock that comes about nevertheless is found by the database, and the transaction done again.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};
use tokio::{sync::Semaphore, time::sleep};

use super::{
    failure::{is_broken, is_conflict},
    interruptions::Interruptions,
    pool::{Pool, within},
    postgres::Postgres,
    timed,
};
use crate::error::{Error, Result};

/// How often a transaction is done that others get in the way of.
pub(super) const ATTEMPTS: u32 = 5;

/// Before it is done again, so that those who met do not meet again.
pub(super) async fn step_aside() {
    sleep(Duration::from_millis(rand::random_range(1..20))).await;
}

pub(super) struct Transactions {
    pool: Pool,
    /// Some connections are left for those who read.
    turns: Semaphore,
    places: u32,
    postgres: Arc<Postgres>,
    interruptions: Arc<Interruptions>,
}

impl Transactions {
    pub(super) fn new(
        pool: Pool,
        places: u32,
        postgres: Arc<Postgres>,
        interruptions: Arc<Interruptions>,
    ) -> Self {
        Self {
            pool,
            turns: Semaphore::new(places as usize),
            places,
            postgres,
            interruptions,
        }
    }

    /// Runs `work` in a transaction. It goes on though nobody waits for it any more.
    pub(super) async fn write<T, F>(self: &Arc<Self>, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T, DbErr>>
            + Clone
            + Send
            + 'static,
    {
        let this = Arc::clone(self);
        let running = tokio::spawn(async move {
            let Ok(_turn) = this.turns.acquire().await else {
                return Err(Error::Restarting);
            };
            timed(name, this.repeat(work)).await
        });
        running.await.unwrap_or(Err(Error::Internal))
    }

    async fn repeat<T, F>(&self, work: F) -> Result<T, DbErr>
    where
        F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T, DbErr>> + Clone,
    {
        let mut attempt = 1;
        loop {
            let (db, generation) = self.pool.connections();
            let mut is_committing = false;
            let transaction = transaction(&db, work.clone(), &mut is_committing);
            let done = within(self.pool.patience(&self.postgres), transaction).await;
            self.pool.learn(generation, &done);
            let Err(error) = done else {
                return done;
            };
            let is_conflict = is_conflict(&error);
            if is_committing && !is_conflict {
                // Whether it was committed is not known.
                self.interruptions.begin([]);
                return Err(error);
            }
            if attempt == ATTEMPTS || !(is_conflict || is_broken(&error)) {
                return Err(error);
            }
            attempt += 1;
            step_aside().await;
        }
    }

    /// Waits for those that are under way and lets no more in.
    pub(super) async fn close(&self) {
        drop(self.turns.acquire_many(self.places).await);
        self.turns.close();
    }
}

async fn transaction<T, F>(
    db: &DatabaseConnection,
    work: F,
    is_committing: &mut bool,
) -> Result<T, DbErr>
where
    F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T, DbErr>>,
{
    let transaction = db.begin().await?;
    match work(&transaction).await {
        Ok(value) => {
            *is_committing = true;
            transaction.commit().await.map(|()| value)
        }
        Err(error) => {
            // Without it the database ends it with the connection.
            drop(transaction.rollback().await);
            Err(error)
        }
    }
}
