//! What ends a user's access before their tokens do: a version that counts up, and a time at which they were disabled.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let version = ColumnDef::new("token_version")
            .big_integer()
            .not_null()
            .default(0)
            .to_owned();
        let disabled = ColumnDef::new("disabled_at")
            .big_integer()
            .null()
            .to_owned();
        for column in [version, disabled] {
            let table = Table::alter().table("users").add_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        let of_user = Index::create()
            .name("account_sessions_user")
            .table("account_sessions")
            .col("tenant_id")
            .col("user_id")
            .to_owned();
        manager.create_index(of_user).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop()
            .name("account_sessions_user")
            .table("account_sessions")
            .to_owned();
        manager.drop_index(index).await?;
        for column in ["token_version", "disabled_at"] {
            let table = Table::alter().table("users").drop_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
