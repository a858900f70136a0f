//! PostgreSQL: how its connections are made, and what its errors mean.

use std::{str::FromStr, time::Duration};

use sea_orm::{
    DatabaseConnection, SqlxPostgresConnector,
    sqlx::{
        ConnectOptions as _, Connection as _, Error as SqlxError, Executor as _, PgConnection,
        postgres::{PgConnectOptions, PgPoolOptions},
    },
};
use tokio::time::timeout;

use super::{failure::cause, open::OpenError};
use crate::config::Config;

/// A transaction that waits for its node longer than this is ended by the database: a node that is paused or cut off
/// must not keep rooms locked. Others wait for a lock twice as long, at least.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(5);

/// Every statement that stores messages finds its rows by an index, one after the other. Planned once, while the tables
/// are small or their statistics old, it might go through all of them for ever.
const BY_INDEX: [(&str, &str); 5] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// What may stand behind the `?` of the URL. The library would log what it does not know, with its value.
const PARAMETERS: [&str; 14] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
    "ssl-mode",
];

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Storing messages.
    Append,
    /// All other reads and writes.
    General,
    /// Changing the schema: may take its time.
    Migrate,
    /// Holding the database for this node.
    Claim,
}

/// Where the database is and how to reach it.
#[derive(Clone)]
pub(super) struct Postgres {
    options: PgConnectOptions,
    connections: u32,
    timeout: Duration,
}

impl Postgres {
    /// None where the settings name another database.
    pub(super) fn from_settings(config: &Config) -> Result<Option<Self>, OpenError> {
        match &config.database_url.0 {
            Some(url) if is_url(url) => Self::parse(url, config).map(Some),
            _ => Ok(None),
        }
    }

    fn parse(url: &str, config: &Config) -> Result<Self, OpenError> {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let names = query.split('&').filter_map(|part| part.split('=').next());
        let unknown = names
            .filter(|name| !name.is_empty() && !name.starts_with("options["))
            .find(|name| !PARAMETERS.contains(name));
        if let Some(name) = unknown {
            return Err(OpenError::Url(format!("no parameter is called {name}")));
        }
        let options = PgConnectOptions::from_str(url).map_err(|error| match error {
            SqlxError::Configuration(why) => OpenError::Url(why.to_string()),
            _ => OpenError::Url("it cannot be read".to_owned()),
        })?;
        Ok(Self {
            options: options.disable_statement_logging(),
            connections: config.database_connections,
            timeout: config.database_timeout_seconds.0,
        })
    }

    /// How long anything may take.
    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A pool that connects when it is used.
    pub(super) fn pool(&self, purpose: Purpose) -> DatabaseConnection {
        let connections = if purpose == Purpose::General {
            self.connections
        } else {
            1
        };
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(self.timeout)
            .test_before_acquire(false)
            // Acknowledged means on disk. Who has chosen more than that keeps it.
            .after_connect(|connection, _| {
                Box::pin(async move {
                    let on_disk = "SELECT set_config('synchronous_commit', 'on', false) \
                                   WHERE current_setting('synchronous_commit') = 'off'";
                    connection.execute(on_disk).await.map(drop)
                })
            })
            .connect_lazy_with(self.options(purpose));
        SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
    }

    /// One connection, now.
    pub(super) async fn connect(&self, purpose: Purpose) -> Result<PgConnection, OpenError> {
        let options = self.options(purpose);
        match timeout(self.timeout, PgConnection::connect_with(&options)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(self.explain(&error)),
            Err(_) => Err(self.at(format!("it did not answer for {:?}", self.timeout))),
        }
    }

    fn options(&self, purpose: Purpose) -> PgConnectOptions {
        let millis = |duration: Duration| duration.as_millis().to_string();
        let timeout = millis(self.timeout);
        let name = match self.options.get_application_name() {
            Some(name) => name.to_owned(),
            None => "confab".to_owned(),
        };
        let mut settings = vec![
            ("default_transaction_isolation", "read committed".to_owned()),
            ("lock_timeout", timeout.clone()),
            // What it notes in passing is not worth a line in the log.
            ("client_min_messages", "warning".to_owned()),
            (
                "idle_in_transaction_session_timeout",
                millis((self.timeout / 2).min(IDLE_IN_TRANSACTION)),
            ),
            // A node that is gone without a word: the database notices.
            ("tcp_keepalives_idle", "5".to_owned()),
            ("tcp_keepalives_interval", "2".to_owned()),
            ("tcp_keepalives_count", "3".to_owned()),
            ("tcp_user_timeout", timeout.clone()),
        ];
        match purpose {
            Purpose::Migrate => settings.push(("statement_timeout", "0".to_owned())),
            _ => settings.push(("statement_timeout", timeout)),
        }
        if purpose == Purpose::Append {
            settings.extend(BY_INDEX.map(|(name, value)| (name, value.to_owned())));
        }
        self.options
            .clone()
            .application_name(&name)
            .options(settings)
    }

    /// What an operator is told of a connection that cannot be made.
    pub(super) fn explain(&self, error: &SqlxError) -> OpenError {
        let user = self.options.get_username();
        let database = self.options.get_database().unwrap_or(user);
        let why = match error {
            SqlxError::Io(error) => format!("it cannot be reached ({error})"),
            SqlxError::Tls(error) => format!("TLS failed ({error})"),
            SqlxError::Database(error) => match error.code().as_deref() {
                Some("28P01") => format!("it does not take the password of {user}"),
                Some("28000") => format!("it does not let {user} in ({error})"),
                Some("3D000") => format!("there is no database {database}"),
                Some("42501") => format!("{user} may not use the database {database} ({error})"),
                Some("53300") => "it has too many connections".to_owned(),
                _ => error.to_string(),
            },
            error => error.to_string(),
        };
        self.at(why)
    }

    fn at(&self, why: String) -> OpenError {
        let place = match self.options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        };
        OpenError::Postgres { place, why }
    }

    /// An error of the library's in the words for this database.
    pub(super) fn in_words(&self, error: OpenError) -> OpenError {
        let OpenError::Database(error) = error else {
            return error;
        };
        match cause(&error) {
            Some(cause) => self.explain(cause),
            None => self.at(error.to_string()),
        }
    }
}

/// Whether a URL names a PostgreSQL database.
fn is_url(url: &str) -> bool {
    ["postgres:", "postgresql:"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}
