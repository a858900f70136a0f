//! Settings: the defaults in `confab.default.toml`, then `confab.toml`, then `CONFAB_*`; read once, with every problem
//! listed.

mod contradictions;
mod values;

use std::{
    fmt::Display,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use config::{File, FileFormat};
use serde::Deserialize;

pub use values::{List, Maybe, Network, Seconds};

/// The commented file of all settings and their defaults.
pub const DEFAULTS: &str = include_str!("../confab.default.toml");

/// All that is wrong with the settings, one sentence each.
#[derive(Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<String>);

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

/// Whether users can have accounts here, with a name and a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accounts {
    /// Open where nobody else signs tokens, else off.
    Auto,
    /// Everybody can make one.
    Open,
    /// Those who have one can sign in.
    Closed,
    Off,
}

/// Declares [`Config`] and reads it field by field, so that one wrong value does not hide the next.
macro_rules! settings {
    ($($name:ident: $ty:ty,)*) => {
        /// The settings in force. `confab.default.toml` says what each is for.
        #[derive(Clone, Debug)]
        pub struct Config {
            $(pub $name: $ty,)*
        }

        const NAMES: &[&str] = &[$(stringify!($name)),*];

        impl Config {
            fn read(values: &config::Config) -> Result<Self, Problems> {
                let mut problems = Vec::new();
                $(let $name = values.get::<$ty>(stringify!($name)).map_err(|error| {
                    problems.push(format!("{}: {}", stringify!($name), reason(&error)));
                }).ok();)*
                match ($($name,)*) {
                    ($(Some($name),)*) => Ok(Self { $($name,)* }),
                    _ => Err(Problems(problems)),
                }
            }
        }
    };
}

// A tuple of more than a dozen settings would not be `Debug`; matching on it needs nothing but its fields.
settings! {
    listen: SocketAddr,
    data_dir: PathBuf,
    database_url: Maybe<String>,
    database_connections: u32,
    database_timeout_seconds: Seconds,
    redis_url: Maybe<String>,
    redis_prefix: String,
    node_name: Maybe<String>,
    web_root: Maybe<PathBuf>,
    jwt_secret: Maybe<String>,
    jwt_previous_secrets: List<String>,
    jwt_public_key: List<PathBuf>,
    jwt_jwks: Maybe<PathBuf>,
    jwt_issuer: Maybe<String>,
    jwt_audience: Maybe<String>,
    jwt_leeway_seconds: Seconds,
    claims_user_id: List<String>,
    claims_username: List<String>,
    claims_tenant: List<String>,
    claims_staff: List<String>,
    claims_roles: List<String>,
    staff_roles: List<String>,
    claims_token_version: List<String>,
    token_cookie: Maybe<String>,
    accounts: Accounts,
    max_sign_ins_per_ip_per_minute: u32,
    max_sign_ins_per_account_per_minute: u32,
    guests: bool,
    guest_session_days: u32,
    guest_tenants: List<String>,
    allowed_origins: List<String>,
    frame_ancestors: List<String>,
    trusted_proxies: List<Network>,
    sticky_cookie: Maybe<String>,
    legacy_clients: bool,
    rate_limit_messages: u32,
    rate_limit_window_seconds: Seconds,
    create_rooms_on_join: bool,
    create_unknown_users: bool,
    typing_timeout_seconds: Seconds,
    presence_grace_seconds: Seconds,
    presence_tenant_limit: usize,
    notification_room_limit: usize,
    audit_days: u32,
    audit_max_rows: u32,
    max_connections: usize,
    max_connections_per_user: usize,
    max_pending_per_ip: usize,
    max_guests_per_ip_per_minute: u32,
    max_payload_bytes: usize,
    command_queue: usize,
    send_buffer: usize,
    slow_reader_seconds: Seconds,
    header_timeout_seconds: Seconds,
    connect_timeout_seconds: Seconds,
    ping_interval_seconds: Seconds,
    ping_timeout_seconds: Seconds,
    heartbeat_seconds: Seconds,
    drain_seconds: Seconds,
    log: String,
    log_format: LogFormat,
}

/// The library's message without its own repetition of the setting's name.
fn reason(error: &dyn Display) -> String {
    let text = error.to_string();
    text.split(" for key ").next().unwrap_or(&text).to_owned()
}

impl Config {
    /// Reads the settings of this process: the file named by `CONFAB_CONFIG`, else `./confab.toml` if there is one,
    /// and the environment.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn load() -> Result<Self, Problems> {
        let file = match std::env::var_os("CONFAB_CONFIG") {
            Some(path) => Some(PathBuf::from(path)),
            None => Some(PathBuf::from("confab.toml")).filter(|path| path.exists()),
        };
        Self::from_sources(file.as_deref(), |name| {
            std::env::var(format!("CONFAB_{}", name.to_uppercase())).ok()
        })
    }

    /// The settings of a file over the defaults, with `overrides` (the environment) on top.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn from_sources(
        file: Option<&Path>,
        overrides: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let mut builder =
            config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = file {
            let source = File::from(path).format(FileFormat::Toml);
            match config::Config::builder().add_source(source.clone()).build() {
                Err(error) => problems.push(format!("{}: {error}", path.display())),
                Ok(values) => {
                    problems
                        .extend(unknown_names(&values).map(|name| {
                            format!("{}: no setting is called {name}", path.display())
                        }));
                    builder = builder.add_source(source);
                }
            }
        }
        for name in NAMES {
            if let Some(value) = overrides(name) {
                builder = match builder.set_override(name, value) {
                    Ok(builder) => builder,
                    Err(error) => return Err(Problems(vec![format!("{name}: {error}")])),
                };
            }
        }
        let values = builder
            .build()
            .map_err(|error| Problems(vec![error.to_string()]))?;
        match Self::read(&values) {
            Ok(config) => {
                problems.extend(config.contradictions());
                if problems.is_empty() {
                    Ok(config)
                } else {
                    Err(Problems(problems))
                }
            }
            Err(Problems(more)) => {
                problems.extend(more);
                Err(Problems(problems))
            }
        }
    }

    /// Whether tokens are signed by somebody else: with a secret or keys that the settings name.
    #[must_use]
    pub fn has_issuer(&self) -> bool {
        self.jwt_secret.0.is_some() || self.has_public_keys()
    }

    fn has_public_keys(&self) -> bool {
        !self.jwt_public_key.0.is_empty() || self.jwt_jwks.0.is_some()
    }

    /// [`Config::accounts`] without `auto`.
    #[must_use]
    pub fn effective_accounts(&self) -> Accounts {
        match self.accounts {
            Accounts::Auto if self.has_issuer() => Accounts::Off,
            Accounts::Auto => Accounts::Open,
            chosen => chosen,
        }
    }
}

/// Variables of the environment that look like settings and are none: most often a typing error.
#[must_use]
pub fn unknown_variables() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let ours = names.filter(|name| {
        name.strip_prefix("CONFAB_").is_some_and(|name| {
            !NAMES.contains(&name.to_lowercase().as_str()) && !["CONFIG", "BIN"].contains(&name)
        })
    });
    ours.collect()
}

/// Names in a file that no setting has: most often a typing error.
fn unknown_names(values: &config::Config) -> impl Iterator<Item = String> {
    let names = values
        .clone()
        .try_deserialize::<std::collections::BTreeMap<String, serde_json::Value>>();
    names
        .unwrap_or_default()
        .into_keys()
        .filter(|name| !NAMES.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn with(overrides: &[(&str, &str)]) -> Result<Config, Problems> {
        Config::from_sources(None, |name| {
            overrides
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_commented_file_holds_every_setting_and_nothing_else() {
        let values = config::Config::builder()
            .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
            .build()
            .unwrap();
        assert_eq!(
            unknown_names(&values).collect::<Vec<_>>(),
            Vec::<String>::new()
        );
        let config = with(&[]).unwrap();
        assert_eq!(config.rate_limit_messages, 20);
        assert_eq!(config.database_url.0, None);
    }

    #[test]
    fn the_environment_is_read_by_the_type_of_the_setting() {
        let config = with(&[
            ("jwt_secret", "00012345678901234567890123456789"),
            (
                "allowed_origins",
                "https://a.example, https://b.example:8443",
            ),
            ("guests", "false"),
            ("drain_seconds", "3"),
        ])
        .unwrap();
        assert_eq!(
            config.jwt_secret.0.as_deref(),
            Some("00012345678901234567890123456789")
        );
        assert_eq!(
            config.allowed_origins.0,
            ["https://a.example", "https://b.example:8443"]
        );
        assert!(!config.guests);
        assert_eq!(config.drain_seconds.0, Duration::from_secs(3));
    }

    #[test]
    fn every_problem_is_listed_at_once() {
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        std::fs::write(
            file.path(),
            "lisen = \"127.0.0.1:1\"\nguests = \"perhaps\"\n",
        )
        .unwrap();
        let problems = Config::from_sources(Some(file.path()), |name| match name {
            "listen" => Some("nonsense".to_owned()),
            "rate_limit_messages" => Some("abc".to_owned()),
            _ => None,
        })
        .unwrap_err();
        let all = problems.0.join("\n");
        for part in ["lisen", "guests: ", "listen: ", "rate_limit_messages: "] {
            assert!(all.contains(part), "{part} is missing in:\n{all}");
        }
    }

    #[test]
    fn a_cookie_for_every_origin_is_refused() {
        let every = ("allowed_origins", "*");
        let problems = with(&[every, ("accounts", "off"), ("token_cookie", "jwt")]).unwrap_err();
        assert_eq!(problems.0.len(), 1);
        let problems = with(&[every, ("accounts", "open")]).unwrap_err();
        assert_eq!(problems.0.len(), 1);
        assert!(with(&[every, ("accounts", "off")]).is_ok());
    }
}
