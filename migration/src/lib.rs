//! The schema's history, run when the server starts. Written by hand, one migration a file; what was released is
//! never changed again.

use sea_orm_migration::prelude::{MigrationTrait, async_trait};
pub use sea_orm_migration::prelude::{MigratorTrait, SchemaManager};

mod m20261121_000001_create_chat;
mod m20261121_000002_create_accounts;
mod m20261121_000003_find_by_name;
mod m20261121_000004_create_support;
mod m20261121_000005_create_audit;
mod m20261121_000006_revoke_access;
mod m20261121_000007_membership_and_blocks;
mod m20261121_000008_sort_as_bytes;

/// All migrations, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_create_chat::Migration),
            Box::new(m20261121_000002_create_accounts::Migration),
            Box::new(m20261121_000003_find_by_name::Migration),
            Box::new(m20261121_000004_create_support::Migration),
            Box::new(m20261121_000005_create_audit::Migration),
            Box::new(m20261121_000006_revoke_access::Migration),
            Box::new(m20261121_000007_membership_and_blocks::Migration),
            Box::new(m20261121_000008_sort_as_bytes::Migration),
        ]
    }
}
