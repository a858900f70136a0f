//! Many rows in one statement, whose text does not depend on how many they are: a database prepares each text anew, and a
//! connection remembers some of them only.
//!
//! PostgreSQL takes an array for each column. SQLite takes a list of rows, of which there is a power of two: the last ones
//! are empty.

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, IdenStatic, Iterable, Statement, Value,
    sea_query::ArrayType,
};

/// What a column holds. Arrays hold no NULL: what may be missing is given as something that no value is, and made NULL
/// with `NULLIF`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Uuid,
}

/// Rows for a statement, where they are the table `v`.
pub(super) struct Rows {
    columns: &'static [(&'static str, Kind)],
    rows: Vec<Vec<Value>>,
}

impl Rows {
    pub(super) fn new(columns: &'static [(&'static str, Kind)]) -> Self {
        let rows = Vec::new();
        Self { columns, rows }
    }

    /// One value for each column, in their order.
    pub(super) fn push(&mut self, row: Vec<Value>) {
        debug_assert_eq!(row.len(), self.columns.len(), "a row is whole");
        self.rows.push(row);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The statement in which these rows stand where `{v}` does.
    pub(super) fn statement(self, db: &impl ConnectionTrait, sql: &str) -> Statement {
        let backend = db.get_database_backend();
        let (table, values) = match backend {
            DbBackend::Postgres => self.arrays(),
            _ => self.list(),
        };
        Statement::from_sql_and_values(backend, sql.replace("{v}", &table), values)
    }

    fn arrays(self) -> (String, Vec<Value>) {
        let mut arrays: Vec<Vec<Value>> =
            vec![Vec::with_capacity(self.rows.len()); self.columns.len()];
        for row in self.rows {
            for (array, value) in arrays.iter_mut().zip(row) {
                array.push(value);
            }
        }
        let typed = self.columns.iter().zip(arrays);
        let values = typed.map(|((_, kind), array)| {
            let of = match kind {
                Kind::Text => ArrayType::String,
                Kind::Integer => ArrayType::BigInt,
                Kind::Uuid => ArrayType::Uuid,
            };
            Value::Array(of, Some(Box::new(array)))
        });
        let parameters: Vec<String> = (1..=self.columns.len()).map(|n| format!("${n}")).collect();
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let table = format!(
            "UNNEST({}) AS v({})",
            parameters.join(", "),
            names.join(", ")
        );
        (table, values.collect())
    }

    fn list(mut self) -> (String, Vec<Value>) {
        let empty: Vec<Value> = self
            .columns
            .iter()
            .map(|(_, kind)| match kind {
                Kind::Text => Value::String(None),
                Kind::Integer => Value::BigInt(None),
                Kind::Uuid => Value::Uuid(None),
            })
            .collect();
        self.rows.resize(self.rows.len().next_power_of_two(), empty);
        let width = self.columns.len();
        let lines: Vec<String> = (0..self.rows.len())
            .map(|line| {
                let first = line * width + 1;
                let parameters: Vec<String> =
                    (first..first + width).map(|n| format!("?{n}")).collect();
                format!("({})", parameters.join(", "))
            })
            .collect();
        let names: Vec<String> = (self.columns.iter().zip(1..))
            .map(|((name, _), n)| format!("column{n} AS {name}"))
            .collect();
        let first = self.columns.first().map_or("", |(name, _)| *name);
        let table = format!(
            "(SELECT * FROM (SELECT {} FROM (VALUES {})) WHERE {first} IS NOT NULL) AS v",
            names.join(", "),
            lines.join(", ")
        );
        (table, self.rows.into_iter().flatten().collect())
    }
}

/// The rows of a table that meet `condition` with the rows of `v`, each named `t`. With `FOR UPDATE` they are locked, in
/// the order of their keys.
pub(super) async fn select<E: EntityTrait>(
    db: &impl ConnectionTrait,
    entity: E,
    rows: Rows,
    condition: &str,
    locked: Option<&str>,
) -> Result<Vec<E::Model>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let columns: Vec<String> = E::Column::iter()
        .map(|column| format!("t.{}", column.as_str()))
        .collect();
    let order = locked.map_or_else(String::new, |key| {
        format!(" ORDER BY {key}{}", for_update(db))
    });
    // A cross join: SQLite begins with the rows, and finds the others by their index.
    let sql = format!(
        "SELECT {} FROM {{v}} CROSS JOIN {} AS t WHERE {condition}{order}",
        columns.join(", "),
        entity.table_name(),
    );
    E::find()
        .from_raw_sql(rows.statement(db, &sql))
        .all(db)
        .await
}

/// Locks the rows of `t` in the order in which they are found.
pub(super) fn for_update(db: &impl ConnectionTrait) -> &'static str {
    match db.get_database_backend() {
        DbBackend::Postgres => " FOR UPDATE OF t",
        _ => "",
    }
}

/// A list for `IN`, of which there is a power of two: the last value is repeated.
pub(super) fn padded<T: Clone>(mut values: Vec<T>) -> Vec<T> {
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}
