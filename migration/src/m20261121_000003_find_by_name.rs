//! Users and rooms are found by name: a column with the name as it is searched.

use entity::names::name_key;
use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, TryGetable},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [(&str, &str); 2] = [("users", "username"), ("rooms", "name")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name) in TABLES {
            let column = ColumnDef::new("name_key")
                .text()
                .not_null()
                .default("")
                .to_owned();
            manager
                .alter_table(Table::alter().table(table).add_column(column).to_owned())
                .await?;
            fill(manager.get_connection(), table, name).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, _) in TABLES {
            manager
                .alter_table(
                    Table::alter()
                        .table(table)
                        .drop_column("name_key")
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }
}

/// The databases do not fold all letters: names are folded here.
async fn fill(db: &SchemaManagerConnection<'_>, table: &str, name: &str) -> Result<(), DbErr> {
    let query = Query::select()
        .columns(["tenant_id", "id", name].map(Alias::new))
        .from(table.to_owned())
        .to_owned();
    for row in db.query_all(&query).await? {
        let text = |column| String::try_get(&row, "", column).map_err(DbErr::from);
        let update = Query::update()
            .table(table.to_owned())
            .value("name_key", name_key(&text(name)?))
            .and_where(Expr::col("tenant_id").eq(text("tenant_id")?))
            .and_where(Expr::col("id").eq(text("id")?))
            .to_owned();
        db.execute(&update).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sea_orm_migration::{
        MigratorTrait,
        sea_orm::{ConnectionTrait, Database, DbErr, Statement},
    };

    use crate::Migrator;

    #[tokio::test]
    async fn those_who_were_there_before_are_found_by_name_too() -> Result<(), DbErr> {
        let db = Database::connect("sqlite::memory:").await?;
        Migrator::up(&db, Some(2)).await?;
        let user = "INSERT INTO users VALUES ('default', 'z', 'ZO\u{cb}', FALSE, 0, NULL)";
        db.execute_unprepared(user).await?;
        Migrator::up(&db, None).await?;
        let names = Statement::from_string(db.get_database_backend(), "SELECT name_key FROM users");
        let row = db.query_one_raw(names).await?;
        let name: Option<String> = row.map(|row| row.try_get("", "name_key")).transpose()?;
        assert_eq!(name.as_deref(), Some("zo\u{eb}"));
        Ok(())
    }
}
