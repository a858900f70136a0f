//! What happened that concerns who may do what: refusals, sign-ins, what staff did.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, text_null, uuid},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let audit = Table::create()
            .table("audit")
            .col(uuid("id").primary_key())
            .col(text("tenant_id"))
            .col(big_integer("at"))
            .col(text("action"))
            .col(text("outcome"))
            .col(text_null("actor"))
            .col(text("actor_kind"))
            .col(text_null("room_id"))
            .col(text_null("subject"))
            .col(text_null("address"))
            .col(text_null("door"))
            .col(big_integer("count"))
            .col(text_null("detail"))
            .to_owned();
        manager.create_table(audit).await?;
        for (name, columns) in INDEXES {
            let mut index = Index::create().name(name).table("audit").to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("audit").to_owned())
            .await
    }
}

/// Ids sort by time: a tenant's newest, all of it or of one kind or one actor; and what is old enough to go.
const INDEXES: [(&str, &[&str]); 4] = [
    ("audit_tenant", &["tenant_id", "id"]),
    ("audit_action", &["tenant_id", "action", "id"]),
    ("audit_actor", &["tenant_id", "actor", "id"]),
    ("audit_at", &["at"]),
];
