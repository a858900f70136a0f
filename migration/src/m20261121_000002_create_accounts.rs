//! Built-in accounts and their sessions.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, uuid},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let accounts = Table::create()
            .table("accounts")
            .col(text("tenant_id"))
            .col(text("name_key"))
            .col(text("user_id"))
            .col(text("password_hash"))
            .col(big_integer("created_at"))
            .primary_key(Index::create().col("tenant_id").col("name_key"))
            .to_owned();
        manager.create_table(accounts).await?;
        let one_a_user = Index::create()
            .name("accounts_user")
            .table("accounts")
            .unique()
            .col("tenant_id")
            .col("user_id")
            .to_owned();
        manager.create_index(one_a_user).await?;
        let sessions = Table::create()
            .table("account_sessions")
            .col(uuid("id").primary_key())
            .col(text("tenant_id"))
            .col(text("user_id"))
            .col(big_integer("generation"))
            .col(big_integer("previous_generation"))
            .col(big_integer("rotated_at"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .to_owned();
        manager.create_table(sessions).await?;
        let expiry = Index::create()
            .name("account_sessions_expires_at")
            .table("account_sessions")
            .col("expires_at")
            .to_owned();
        manager.create_index(expiry).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["account_sessions", "accounts"] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}
