//! Tenants, users, rooms, participants, messages, guest sessions, notifications.
//!
//! Ids are text in the form of `entity::ids`, times are milliseconds since the
//! Unix epoch.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, boolean, text, text_null, uuid, uuid_null},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// All of it or nothing, on SQLite too: a start that is killed must not leave half a schema.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // A partial index: the builder has no portable form of it, both databases read this one.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX messages_client_id ON messages (tenant_id, user_id, client_id) \
                 WHERE client_id IS NOT NULL",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            if let Some(name) = table.get_table_name() {
                manager
                    .drop_table(Table::drop().table(name.clone()).to_owned())
                    .await?;
            }
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        Table::create()
            .table("tenants")
            .col(text("id").primary_key())
            .col(big_integer("created_at"))
            .to_owned(),
        Table::create()
            .table("users")
            .col(text("tenant_id"))
            .col(text("id"))
            .col(text("username"))
            .col(boolean("is_guest"))
            .col(big_integer("created_at"))
            .col(big_integer_null("last_seen_at"))
            .primary_key(Index::create().col("tenant_id").col("id"))
            .to_owned(),
        Table::create()
            .table("rooms")
            .col(text("tenant_id"))
            .col(text("id"))
            .col(text("name"))
            .col(text("kind"))
            .col(text("created_by"))
            .col(big_integer("created_at"))
            .col(text_null("direct_key"))
            .col(big_integer("last_rev"))
            .col(big_integer("last_message_seq"))
            .col(big_integer_null("last_message_at"))
            .primary_key(Index::create().col("tenant_id").col("id"))
            .to_owned(),
        Table::create()
            .table("participants")
            .col(text("tenant_id"))
            .col(text("room_id"))
            .col(text("user_id"))
            .col(text("role"))
            .col(big_integer("joined_at"))
            .col(big_integer("read_seq"))
            .primary_key(
                Index::create()
                    .col("tenant_id")
                    .col("room_id")
                    .col("user_id"),
            )
            .to_owned(),
        Table::create()
            .table("messages")
            .col(uuid("id").primary_key())
            .col(text("tenant_id"))
            .col(text("room_id"))
            .col(big_integer("seq"))
            .col(big_integer("rev"))
            .col(text("user_id"))
            .col(text("username"))
            .col(text("text"))
            .col(text_null("client_id"))
            .col(uuid_null("reply_to"))
            .col(big_integer("created_at"))
            .to_owned(),
        Table::create()
            .table("guest_sessions")
            .col(text("secret_hash").primary_key())
            .col(text("tenant_id"))
            .col(text("user_id"))
            .col(big_integer("created_at"))
            .col(text_null("linked_user_id"))
            .to_owned(),
        Table::create()
            .table("notifications")
            .col(text("tenant_id"))
            .col(text("user_id"))
            .col(uuid("message_id"))
            .col(text("room_id"))
            .col(text("kind"))
            .col(big_integer("created_at"))
            .col(big_integer_null("delivered_at"))
            .col(big_integer_null("read_at"))
            .primary_key(
                Index::create()
                    .col("tenant_id")
                    .col("user_id")
                    .col("message_id"),
            )
            .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("rooms_direct_key")
            .table("rooms")
            .unique()
            .col("tenant_id")
            .col("direct_key")
            .to_owned(),
        Index::create()
            .name("participants_user")
            .table("participants")
            .col("tenant_id")
            .col("user_id")
            .to_owned(),
        Index::create()
            .name("messages_seq")
            .table("messages")
            .unique()
            .col("tenant_id")
            .col("room_id")
            .col("seq")
            .to_owned(),
        Index::create()
            .name("messages_rev")
            .table("messages")
            .unique()
            .col("tenant_id")
            .col("room_id")
            .col("rev")
            .to_owned(),
        Index::create()
            .name("guest_sessions_user")
            .table("guest_sessions")
            .unique()
            .col("tenant_id")
            .col("user_id")
            .to_owned(),
    ]
}
