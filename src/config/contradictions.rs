//! What no single setting shows: values out of bounds, and settings that do not go together.

use std::time::Duration;

use super::{Accounts, Config};

impl Config {
    /// All of them, one sentence each.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(self.keys());
        problems.extend(self.origins());
        problems.extend(self.places());
        problems.extend(self.node());
        problems.extend(self.bounds());
        if self.claims_user_id.0.is_empty() {
            problems.push("claims_user_id: names no claim".to_owned());
        }
        if tracing_subscriber::EnvFilter::try_new(&self.log).is_err() {
            problems.push("log: not of the form info,confab=debug".to_owned());
        }
        problems
    }

    fn keys(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let secret = self.jwt_secret.0.as_ref();
        if secret.is_some_and(|secret| secret.len() < 32) {
            problems.push("jwt_secret: must have at least 32 bytes".to_owned());
        }
        let previous = &self.jwt_previous_secrets.0;
        if previous.iter().any(|secret| secret.len() < 32) {
            problems.push("jwt_previous_secrets: each must have at least 32 bytes".to_owned());
        }
        if self.redis_url.0.is_some() && !self.has_issuer() {
            problems.push(
                "redis_url: several nodes take the same tokens: set jwt_secret, or a public key"
                    .to_owned(),
            );
        }
        if !previous.is_empty() && !self.has_issuer() {
            problems.push("jwt_previous_secrets: set the jwt_secret that follows them".to_owned());
        }
        let pem = self.jwt_public_key.0.iter();
        let files = pem
            .map(|path| ("jwt_public_key", path))
            .chain(self.jwt_jwks.0.iter().map(|path| ("jwt_jwks", path)));
        for (name, path) in files {
            if !path.is_file() {
                problems.push(format!("{name}: there is no file {}", path.display()));
            }
        }
        let signs_tokens = secret.is_some() || !self.has_public_keys();
        if !signs_tokens && matches!(self.accounts, Accounts::Open | Accounts::Closed) {
            problems.push("accounts: need a jwt_secret beside the public key".to_owned());
        }
        problems
    }

    fn origins(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.token_cookie.0.is_some()
            && self.allowed_origins.0.iter().any(|origin| origin == "*")
        {
            problems.push("allowed_origins: \"*\" together with token_cookie lets every site act as its visitors".to_owned());
        }
        if self.effective_accounts() != Accounts::Off
            && self.allowed_origins.0.iter().any(|origin| origin == "*")
        {
            problems.push("allowed_origins: \"*\" lets every site act as those who have signed in here; name the origins, or set accounts = \"off\"".to_owned());
        }
        for (name, origins) in [
            ("allowed_origins", &self.allowed_origins),
            ("frame_ancestors", &self.frame_ancestors),
        ] {
            let wrong = origins
                .0
                .iter()
                .filter(|origin| *origin != "*" && !is_origin(origin));
            problems.extend(
                wrong.map(|origin| {
                    format!("{name}: {origin} is not of the form https://host[:port]")
                }),
            );
        }
        problems
    }

    fn places(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let url = self.database_url.0.as_ref();
        let schemes = ["sqlite:", "postgres:", "postgresql:"];
        if url.is_some_and(|url| !schemes.iter().any(|scheme| url.starts_with(scheme))) {
            problems.push("database_url: must begin with sqlite: or postgres:".to_owned());
        }
        let is_postgres = url.is_some_and(|url| url.starts_with("postgres"));
        if self.redis_url.0.is_some() && !is_postgres {
            problems.push(
                "redis_url: several nodes share one database: set database_url to a PostgreSQL"
                    .to_owned(),
            );
        }
        if !(2..=1000).contains(&self.database_connections) {
            problems.push("database_connections: must be from 2 to 1000".to_owned());
        }
        let Some(root) = &self.web_root.0 else {
            return problems;
        };
        if !root.is_dir() {
            problems.push("web_root: there is no such folder".to_owned());
        }
        let [root, data] = [root, &self.data_dir]
            .map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        if data.starts_with(&root) {
            problems.push(
                "web_root: holds the data folder, which would be served to everyone".to_owned(),
            );
        }
        problems
    }

    /// Both stand in a cookie.
    fn node(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, value) in [
            ("node_name", &self.node_name),
            ("sticky_cookie", &self.sticky_cookie),
        ] {
            if value.0.as_ref().is_some_and(|value| !is_word(value)) {
                problems.push(format!("{name}: only letters, digits, -, _ and ."));
            }
        }
        if self.sticky_cookie.0.is_some() && self.node_name.0.is_none() {
            problems.push("sticky_cookie: set node_name, which is what it holds".to_owned());
        }
        problems
    }

    fn bounds(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, value) in [
            ("command_queue", self.command_queue),
            ("send_buffer", self.send_buffer),
            ("max_connections", self.max_connections),
            ("max_connections_per_user", self.max_connections_per_user),
            ("max_pending_per_ip", self.max_pending_per_ip),
            ("max_payload_bytes", self.max_payload_bytes),
        ] {
            if !(1..=10_000_000).contains(&value) {
                problems.push(format!("{name}: must be from 1 to 10,000,000"));
            }
        }
        for (name, value) in [
            ("database_timeout_seconds", self.database_timeout_seconds),
            ("rate_limit_window_seconds", self.rate_limit_window_seconds),
            ("slow_reader_seconds", self.slow_reader_seconds),
            ("header_timeout_seconds", self.header_timeout_seconds),
            ("connect_timeout_seconds", self.connect_timeout_seconds),
            ("ping_interval_seconds", self.ping_interval_seconds),
            ("ping_timeout_seconds", self.ping_timeout_seconds),
            ("heartbeat_seconds", self.heartbeat_seconds),
        ] {
            if value.0.is_zero() || value.0 > Duration::from_hours(24) {
                problems.push(format!("{name}: must be from 1 to 86,400"));
            }
        }
        if self.notification_room_limit > 1000 {
            problems.push("notification_room_limit: must be at most 1000".to_owned());
        }
        problems
    }
}

fn is_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_origin(text: &str) -> bool {
    let uri = text.parse::<http::Uri>();
    uri.is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.path() == "/"
            && uri.query().is_none()
            && !text.ends_with('/')
    }) && !text.contains([';', ',', '\'', '@'])
}
