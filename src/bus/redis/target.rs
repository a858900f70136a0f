//! Which Redis, and how connections to it are made.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    Pipeline, ProtocolVersion, PushInfo, RedisFuture, RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
    io::tcp::TcpSettings,
};

/// How long making a connection may take.
pub(super) const CONNECT: Duration = Duration::from_secs(1);

/// What a wrong address is answered with; never the address, it may hold a password.
const FORM: &str = "redis_url: not of the form redis://[user:password@]host[:port][/database], rediss:// for TLS, \
                    several hosts of a Redis Cluster separated by commas";

/// Hears what a connection is sent without having asked; called in the task that reads.
pub(super) trait Heard: Fn(PushInfo) -> Result<(), ()> + Send + Sync + 'static {}

impl<F: Fn(PushInfo) -> Result<(), ()> + Send + Sync + 'static> Heard for F {}

/// A server, or some of a cluster's.
#[derive(Clone)]
pub(super) struct Target {
    seeds: Vec<ConnectionInfo>,
    is_cluster: bool,
}

impl Target {
    /// Of `redis://…`, `rediss://…`, `unix://…`; a cluster's by `redis+cluster://…` or several, separated by commas.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let mut addresses = url.split(',').map(str::trim);
        let first = addresses.next().unwrap_or_default();
        let (scheme, rest) = first.split_once("://").ok_or(FORM)?;
        let plain = scheme.trim_end_matches("+cluster");
        let mut seeds = vec![parse_one(&format!("{plain}://{rest}"))?];
        let settings = seeds[0].redis_settings().clone();
        for address in addresses {
            let seed = if address.contains("://") {
                parse_one(address)?
            } else {
                // Hosts that follow are reached as the first one is.
                parse_one(&format!("{plain}://{address}"))?.set_redis_settings(settings.clone())
            };
            seeds.push(seed);
        }
        let is_cluster = seeds.len() > 1 || scheme != plain;
        if is_cluster && settings.db() != 0 {
            return Err("redis_url: a Redis Cluster has one database only, 0".to_owned());
        }
        if is_cluster
            && seeds
                .iter()
                .any(|seed| matches!(seed.addr(), ConnectionAddr::Unix(_)))
        {
            return Err(FORM.to_owned());
        }
        Ok(Self { seeds, is_cluster })
    }

    pub(super) const fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    pub(super) fn database(&self) -> i64 {
        self.seeds[0].redis_settings().db()
    }

    /// The servers that are asked first.
    pub(super) fn seeds(&self) -> &[ConnectionInfo] {
        &self.seeds
    }

    /// Another server of the same cluster.
    pub(super) fn sibling(&self, host: &str, port: u16) -> ConnectionInfo {
        let (host, seed) = (host.to_owned(), self.seeds[0].clone());
        let addr = match seed.addr().clone() {
            ConnectionAddr::TcpTls {
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure,
                tls_params,
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        seed.set_addr(addr)
    }

    /// A connection for commands on whatever keys.
    pub(super) async fn connect(&self, heard: impl Heard) -> RedisResult<Connection> {
        if !self.is_cluster {
            return connect(&self.seeds[0], heard).await.map(Connection::One);
        }
        let client: ClusterClient = ClusterClientBuilder::new(self.seeds.clone())
            .use_protocol(ProtocolVersion::RESP3)
            .tcp_settings(tcp_settings())
            .connection_timeout(CONNECT)
            .response_timeout(CONNECT)
            .retries(2)
            .push_sender(heard)
            .build()?;
        client.get_async_connection().await.map(Connection::Cluster)
    }
}

fn tcp_settings() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn parse_one(url: &str) -> Result<ConnectionInfo, String> {
    let info = url.into_connection_info().map_err(|_| FORM)?;
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3)
        .set_lib_name("confab", env!("CARGO_PKG_VERSION"));
    Ok(info
        .set_redis_settings(settings)
        .set_tcp_settings(tcp_settings()))
}

pub(super) fn host(info: &ConnectionInfo) -> String {
    match info.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
        _ => String::new(),
    }
}

/// A connection to one server. Answers may take as long as they like: whoever asks knows how long they have.
pub(super) async fn connect(
    info: &ConnectionInfo,
    heard: impl Heard,
) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(None)
        .set_push_sender(heard);
    Client::open(info.clone())?
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// To one server, or to all of a cluster.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let one = Target::parse("redis://:p%2Cw%40@localhost:7000/3").unwrap();
        assert!(!one.is_cluster());
        assert_eq!(one.database(), 3);
        assert_eq!(one.seeds()[0].redis_settings().password(), Some("p,w@"));
        let many = Target::parse("rediss://u:p@a:1, b:2,c").unwrap();
        assert!(many.is_cluster());
        let found: Vec<String> = many
            .seeds()
            .iter()
            .map(|seed| {
                assert_eq!(seed.redis_settings().password(), Some("p"));
                assert!(matches!(seed.addr(), ConnectionAddr::TcpTls { .. }));
                seed.addr().to_string()
            })
            .collect();
        assert_eq!(found, ["a:1", "b:2", "c:6379"]);
        assert!(Target::parse("redis+cluster://a").unwrap().is_cluster());
        assert!(
            !Target::parse("unix:///run/redis.sock")
                .unwrap()
                .is_cluster()
        );
    }

    #[test]
    fn wrong_addresses_are_refused_without_naming_the_password() {
        for url in [
            "",
            "localhost",
            "http://:secret@a",
            "redis://:secret@",
            "redis://:secret@a/x",
            "redis://:secret@a,http://b",
            "redis://:secret@a/1,b",
            "unix:///a,unix:///b",
        ] {
            let refused = Target::parse(url).map(|_| ()).unwrap_err();
            assert!(refused.starts_with("redis_url: "), "{url}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
