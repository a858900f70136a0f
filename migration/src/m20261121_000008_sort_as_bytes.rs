//! Text sorts by its bytes on PostgreSQL too, as on SQLite: whatever language the database was made for, lists have one
//! order, and so have locks.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Our text columns that sort otherwise, by table. The schema may hold tables of other applications.
const COLUMNS: &str = "
    SELECT c.relname AS table_name,
           string_agg(format('ALTER COLUMN %I TYPE text COLLATE \"C\"', a.attname), ', ') AS changes
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
      AND c.relname IN ('tenants', 'users', 'rooms', 'participants', 'messages', 'guest_sessions', 'notifications',
                        'accounts', 'account_sessions', 'support_rooms', 'audit', 'blocks')
      AND NOT a.attisdropped
      AND a.atttypid = 'text'::regtype AND a.attcollation <> '\"C\"'::regcollation
    GROUP BY c.relname
    ORDER BY c.relname";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let columns = Statement::from_string(DbBackend::Postgres, COLUMNS);
        for row in db.query_all_raw(columns).await? {
            let table: String = row.try_get("", "table_name")?;
            let changes: String = row.try_get("", "changes")?;
            db.execute_unprepared(&format!("ALTER TABLE \"{table}\" {changes}"))
                .await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
