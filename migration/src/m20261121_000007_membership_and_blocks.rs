//! Rooms can be archived, users can block each other.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let archived_at = ColumnDef::new("archived_at").big_integer().to_owned();
        manager
            .alter_table(
                Table::alter()
                    .table("rooms")
                    .add_column(archived_at)
                    .to_owned(),
            )
            .await?;
        let blocks = Table::create()
            .table("blocks")
            .col(text("tenant_id"))
            .col(text("user_id"))
            .col(text("blocked_id"))
            .col(big_integer("created_at"))
            .primary_key(
                Index::create()
                    .col("tenant_id")
                    .col("user_id")
                    .col("blocked_id"),
            )
            .to_owned();
        manager.create_table(blocks).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("blocks").to_owned())
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("rooms")
                    .drop_column("archived_at")
                    .to_owned(),
            )
            .await
    }
}
