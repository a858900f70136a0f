//! Support rooms; guest sessions that end; whose word a message of a support room is.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, text, text_null},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let support_rooms = Table::create()
            .table("support_rooms")
            .col(text("tenant_id"))
            .col(text("room_id"))
            .col(text_null("user_id"))
            .col(text_null("guest_id"))
            .col(text("customer_name"))
            .col(text_null("customer_email"))
            .col(text("status"))
            .col(text_null("assigned_to"))
            .col(big_integer("staff_read_seq"))
            .col(big_integer("unread_count"))
            .col(big_integer("created_at"))
            .col(big_integer("active_at"))
            .col(big_integer_null("closed_at"))
            .primary_key(Index::create().col("tenant_id").col("room_id"))
            .to_owned();
        manager.create_table(support_rooms).await?;
        let by_activity = Index::create()
            .name("support_rooms_active_at")
            .table("support_rooms")
            .col("tenant_id")
            .col("status")
            .col("active_at")
            .to_owned();
        manager.create_index(by_activity).await?;
        // To find a customer's rooms by: a query with parameters cannot use the partial ones.
        for (name, owner) in [
            ("support_rooms_user", "user_id"),
            ("support_rooms_guest", "guest_id"),
        ] {
            let by_owner = Index::create()
                .name(name)
                .table("support_rooms")
                .col("tenant_id")
                .col(owner)
                .to_owned();
            manager.create_index(by_owner).await?;
        }
        let connection = manager.get_connection();
        // One open room a customer, whatever the code believes. Partial indexes: both databases read these.
        for (name, owner) in [("user", "user_id"), ("guest", "guest_id")] {
            connection
                .execute_unprepared(&format!(
                    "CREATE UNIQUE INDEX support_rooms_open_{name} ON support_rooms (tenant_id, {owner}) \
                     WHERE {owner} IS NOT NULL AND status IN ('waiting', 'active')",
                ))
                .await?;
        }
        let sender_type = Table::alter()
            .table("messages")
            .add_column(text_null("sender_type"))
            .to_owned();
        manager.alter_table(sender_type).await?;
        let seen_at = Table::alter()
            .table("guest_sessions")
            .add_column(big_integer("seen_at").default(0))
            .to_owned();
        manager.alter_table(seen_at).await?;
        connection
            .execute_unprepared("UPDATE guest_sessions SET seen_at = created_at")
            .await?;
        let by_user = Index::create()
            .name("guest_sessions_linked_user")
            .table("guest_sessions")
            .col("tenant_id")
            .col("linked_user_id")
            .to_owned();
        manager.create_index(by_user).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop()
                    .name("guest_sessions_linked_user")
                    .table("guest_sessions")
                    .to_owned(),
            )
            .await?;
        for (table, column) in [("guest_sessions", "seen_at"), ("messages", "sender_type")] {
            let alter = Table::alter().table(table).drop_column(column).to_owned();
            manager.alter_table(alter).await?;
        }
        manager
            .drop_table(Table::drop().table("support_rooms").to_owned())
            .await
    }
}
