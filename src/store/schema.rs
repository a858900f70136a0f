//! The schema, brought up to date at a start.
//!
//! Nodes of two releases run on one database while a cluster is restarted node by node. So a release may start on, and
//! run on, a schema that is newer than itself if what it does not know only adds to what it knows: the names of such
//! migrations end in `_expand`.

use migration::{Migrator, MigratorTrait, SchemaManager};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use super::open::{Condition, OpenError};

/// How the names of migrations end that releases before them can live with.
const COMPATIBLE: &str = "_expand";

/// Runs the migrations that the database lacks.
pub(super) async fn migrate(db: &DatabaseConnection) -> Result<(), OpenError> {
    // The library refuses a database with migrations that it does not know, though it lacks none.
    if condition(db).await? != Condition::Current {
        Migrator::up(db, None).await?;
    }
    Ok(())
}

/// How far the migrations have been run.
///
/// # Errors
/// [`OpenError::Newer`], if there are others too that this release cannot live with.
pub(super) async fn condition(db: &DatabaseConnection) -> Result<Condition, OpenError> {
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(Condition::New);
    }
    let applied = Statement::from_string(
        db.get_database_backend(),
        "SELECT version FROM seaql_migrations",
    );
    let rows = db.query_all_raw(applied).await?;
    let applied: Result<Vec<String>, _> =
        rows.iter().map(|row| row.try_get("", "version")).collect();
    judge(&applied?)
}

fn judge(applied: &[String]) -> Result<Condition, OpenError> {
    let migrations = Migrator::migrations();
    let known: Vec<&str> = migrations
        .iter()
        .map(|migration| migration.name())
        .collect();
    let newer = applied
        .iter()
        .filter(|name| !known.contains(&name.as_str()));
    for name in newer {
        if !name.ends_with(COMPATIBLE) {
            return Err(OpenError::Newer(name.clone()));
        }
    }
    let is_current = known
        .iter()
        .all(|name| applied.iter().any(|applied| applied == name));
    Ok(if is_current {
        Condition::Current
    } else {
        Condition::Older
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<String> {
        Migrator::migrations()
            .iter()
            .map(|migration| migration.name().to_owned())
            .collect()
    }

    #[test]
    fn a_newer_schema_is_taken_if_all_that_is_new_says_that_it_only_adds() {
        let mut applied = all();
        assert_eq!(judge(&applied).unwrap(), Condition::Current);
        applied.push("m20990101_000001_colours_expand".to_owned());
        assert_eq!(judge(&applied).unwrap(), Condition::Current);
        applied.push("m20990102_000001_drop_names".to_owned());
        let Err(OpenError::Newer(name)) = judge(&applied) else {
            panic!("a schema without names was taken");
        };
        assert_eq!(name, "m20990102_000001_drop_names");
    }

    #[test]
    fn a_schema_that_lacks_a_migration_is_older_whatever_else_it_has() {
        let mut applied = all();
        applied.pop();
        assert_eq!(judge(&applied).unwrap(), Condition::Older);
        applied.push("m20990101_000001_colours_expand".to_owned());
        assert_eq!(judge(&applied).unwrap(), Condition::Older);
    }
}
