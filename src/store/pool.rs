//! Connections that are made anew when they fail.
//!
//! A PostgreSQL connection ends with the server, or with the network between. One that was cut off without a word never
//! answers again, and the library would wait for it to take it back. So whatever breaks a connection replaces the pool:
//! those that are in use end by themselves, and nobody gets one of them again.

use std::{future::Future, sync::Arc, time::Duration};

use parking_lot::RwLock;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    prelude::async_trait::async_trait,
};
use tokio::time::timeout;

use super::{
    failure::{is_away, is_broken, is_silent, no_answer},
    health::{Health, Part},
    postgres::{Postgres, Purpose},
};

/// While the database is away nobody waits for it longer than this.
const WHILE_AWAY: Duration = Duration::from_secs(2);
/// How long connections may take to end.
const AT_THE_END: Duration = Duration::from_secs(5);

/// A pool, for queries that can be asked again: those that read, and statements that stand alone.
#[derive(Clone)]
pub(super) struct Pool {
    current: Arc<RwLock<Current>>,
    /// None for SQLite, whose connections do not fail by themselves.
    renewal: Option<Arc<Postgres>>,
    health: Arc<Health>,
}

struct Current {
    db: DatabaseConnection,
    generation: u64,
}

impl Pool {
    pub(super) fn of_sqlite(db: DatabaseConnection, health: Arc<Health>) -> Self {
        Self::new(db, None, health)
    }

    pub(super) fn of_postgres(postgres: Arc<Postgres>, health: Arc<Health>) -> Self {
        Self::new(postgres.pool(Purpose::General), Some(postgres), health)
    }

    fn new(db: DatabaseConnection, renewal: Option<Arc<Postgres>>, health: Arc<Health>) -> Self {
        let current = Current { db, generation: 0 };
        Self {
            current: Arc::new(RwLock::new(current)),
            renewal,
            health,
        }
    }

    /// The connections to use now, and what to name when they break.
    pub(super) fn connections(&self) -> (DatabaseConnection, u64) {
        let current = self.current.read();
        (current.db.clone(), current.generation)
    }

    /// Replaces the connections of a generation, once.
    fn renew(&self, generation: u64) {
        let Some(postgres) = &self.renewal else {
            return;
        };
        let mut current = self.current.write();
        if current.generation == generation {
            current.db = postgres.pool(Purpose::General);
            current.generation += 1;
        }
    }

    pub(super) async fn close(&self) {
        let (db, _) = self.connections();
        // It waits for connections that may never come back.
        if let Ok(Err(error)) = timeout(AT_THE_END, db.close()).await {
            tracing::warn!(%error, "closing the database");
        }
    }

    /// Takes note of what became of something that was asked for, whose connections are of this generation.
    pub(super) fn learn<T>(&self, generation: u64, answer: &Result<T, DbErr>) {
        match answer {
            Err(error) if is_away(error) => {
                if is_broken(error) || is_silent(error) {
                    self.renew(generation);
                }
                self.health.down(Part::Answers, error);
            }
            _ => self.health.up(Part::Answers),
        }
    }

    /// How long something may take: a connection, and then the answer.
    pub(super) fn patience(&self, postgres: &Postgres) -> Duration {
        if self.health.is_down(Part::Answers) {
            WHILE_AWAY
        } else {
            postgres.timeout() * 2
        }
    }

    /// Asks, and once more if the connection turns out to be broken.
    async fn ask<T, F>(&self, query: impl Fn(DatabaseConnection) -> F) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        let Some(postgres) = &self.renewal else {
            let (db, generation) = self.connections();
            let answer = query(db).await;
            self.learn(generation, &answer);
            return answer;
        };
        let patience = self.patience(postgres);
        let (db, mut generation) = self.connections();
        let mut answer = within(patience, query(db)).await;
        if answer.as_ref().is_err_and(is_broken) {
            self.renew(generation);
            let (db, renewed) = self.connections();
            generation = renewed;
            answer = within(patience, query(db)).await;
        }
        self.learn(generation, &answer);
        answer
    }
}

pub(super) async fn within<T>(
    patience: Duration,
    answer: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let answered = timeout(patience, answer).await;
    answered.unwrap_or_else(|_| Err(no_answer(patience)))
}

#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        self.connections().0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.ask(|db| {
            let statement = statement.clone();
            async move { db.execute_raw(statement).await }
        })
        .await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.ask(|db| async move { db.execute_unprepared(sql).await })
            .await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.ask(|db| {
            let statement = statement.clone();
            async move { db.query_one_raw(statement).await }
        })
        .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.ask(|db| {
            let statement = statement.clone();
            async move { db.query_all_raw(statement).await }
        })
        .await
    }
}
