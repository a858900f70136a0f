//! Connections that are made anew when they fail.
//!
//! A PostgreSQL connection ends with the server, or with the network between. One that was cut off without a word never
//! answers again, and the library would wait for it to take it back. So whatever breaks a connection replaces the pool:
//! those that are in use end by themselves, and nobody gets one of them again.

use std::{future::Future, sync::Arc, time::Duration};

use parking_lot::RwLock;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, prelude::async_trait::async_trait,
};
use tokio::time::timeout;

use super::{
    failure::is_broken,
    postgres::{Postgres, Purpose},
};

/// A pool, for queries that can be asked again: those that read, and statements that stand alone.
#[derive(Clone)]
pub(super) struct Pool {
    current: Arc<RwLock<Current>>,
    /// None for SQLite, whose connections do not fail by themselves.
    renewal: Option<Arc<Postgres>>,
}

struct Current {
    db: DatabaseConnection,
    generation: u64,
}

impl Pool {
    pub(super) fn of_sqlite(db: DatabaseConnection) -> Self {
        Self::new(db, None)
    }

    pub(super) fn of_postgres(postgres: Arc<Postgres>) -> Self {
        Self::new(postgres.pool(Purpose::General), Some(postgres))
    }

    fn new(db: DatabaseConnection, renewal: Option<Arc<Postgres>>) -> Self {
        let current = Current { db, generation: 0 };
        Self {
            current: Arc::new(RwLock::new(current)),
            renewal,
        }
    }

    /// The connections to use now, and what to name when they break.
    pub(super) fn connections(&self) -> (DatabaseConnection, u64) {
        let current = self.current.read();
        (current.db.clone(), current.generation)
    }

    /// Replaces the connections of a generation, once.
    pub(super) fn renew(&self, generation: u64) {
        let Some(postgres) = &self.renewal else {
            return;
        };
        let mut current = self.current.write();
        if current.generation == generation {
            current.db = postgres.pool(Purpose::General);
            current.generation += 1;
        }
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        let (db, _) = self.connections();
        db.close().await
    }

    /// Asks, and once more if the connection turns out to be broken.
    async fn ask<T, F>(&self, query: impl Fn(DatabaseConnection) -> F) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        let Some(postgres) = &self.renewal else {
            return query(self.connections().0).await;
        };
        // For a connection, and then for the answer.
        let patience = postgres.timeout() * 2;
        let mut may_ask_again = true;
        loop {
            let (db, generation) = self.connections();
            let error = match timeout(patience, query(db)).await {
                Ok(Err(error)) if is_broken(&error) => error,
                Ok(answer) => return answer,
                Err(_) => {
                    may_ask_again = false;
                    no_answer(patience)
                }
            };
            self.renew(generation);
            if !may_ask_again {
                return Err(error);
            }
            may_ask_again = false;
        }
    }
}

/// The database has not answered for so long.
pub(super) fn no_answer(patience: Duration) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(format!("no answer for {patience:?}")))
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
