//! Logs and metrics.

use std::{
    io::{self, IsTerminal},
    sync::OnceLock,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Config, LogFormat};

/// From 0.1 ms to 10 s.
const LATENCY_BUCKETS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// Writes the log to standard error from here on. A second call changes nothing.
pub fn init_log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    // At their most talkative they print what was received, tokens included.
    let talkative = ["tungstenite=info", "tokio_tungstenite=info", "hyper=info"];
    // What each connection to a database that goes away says of it; we say it once.
    let repetitive = ["sqlx_core::pool=error", "sqlx::postgres::notice=error"];
    let filter = talkative
        .into_iter()
        .chain(repetitive)
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let result = match config.log_format {
        LogFormat::Text => registry.with(layer).try_init(),
        LogFormat::Json => registry.with(layer.json()).try_init(),
    };
    // A program that embeds the server may have a log of its own.
    drop(result);
}

/// The process's metrics, in Prometheus' text format.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), LATENCY_BUCKETS)
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Fails only where another recorder was installed first; ours then stays empty.
        drop(metrics::set_global_recorder(recorder));
        describe();
        handle
    })
}

fn describe() {
    use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};
    describe_gauge!(
        "confab_connections",
        "Connections that are live now, by door and kind of user"
    );
    describe_gauge!("confab_live_rooms", "Rooms with members on this node");
    describe_counter!(
        "confab_connects_total",
        "Attempts to connect, by door and outcome"
    );
    describe_counter!("confab_events_total", "Requests by event, outcome and door");
    describe_counter!(
        "confab_http_requests_total",
        "HTTP requests by route, method and status"
    );
    describe_counter!("confab_messages_stored_total", "Messages committed");
    describe_counter!(
        "confab_deliveries_total",
        "new_message events pushed to connections"
    );
    describe_counter!(
        "confab_notifications_late_total",
        "Messages whose notifications wait for their users to return"
    );
    describe_counter!("confab_refusals_total", "Refusals by code, event and door");
    describe_counter!("confab_audit_total", "Entries of the audit by action");
    describe_counter!(
        "confab_audit_dropped_total",
        "Entries for which the audit had no place"
    );
    describe_counter!(
        "confab_slow_readers_total",
        "Connections closed because they did not read"
    );
    describe_counter!(
        "confab_unknown_sessions_total",
        "Requests for Socket.IO sessions that this node does not have"
    );
    describe_nodes();
    describe_histogram!(
        "confab_commit_seconds",
        "From a message's arrival in the writer to its commit"
    );
    describe_histogram!("confab_commit_batch", "Messages that were stored together");
    describe_histogram!(
        "confab_delivery_seconds",
        "From a message's arrival to its hand-over to all of its room"
    );
    describe_histogram!("confab_query_seconds", "Database time by query");
    gauge!("confab_live_rooms").set(0.0);
    // What has not happened yet is 0, not unknown: rules see the first time too.
    for name in [
        "confab_messages_stored_total",
        "confab_deliveries_total",
        "confab_notifications_late_total",
        "confab_audit_dropped_total",
        "confab_slow_readers_total",
        "confab_unknown_sessions_total",
    ] {
        counter!(name).increment(0);
    }
}

/// What several nodes have.
fn describe_nodes() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_gauge!("confab_bus_up", "Whether Redis can be reached: 1 or 0");
    describe_counter!(
        "confab_bus_outages_total",
        "How often Redis could not be reached any more"
    );
    describe_gauge!("confab_bus_channels", "Channels that this node listens to");
    describe_counter!("confab_bus_published_total", "Events sent to other nodes");
    describe_counter!(
        "confab_bus_received_total",
        "Events received from other nodes, repeated ones included"
    );
    describe_counter!(
        "confab_bus_dropped_total",
        "Events that were not sent to other nodes, which found them in the store"
    );
    describe_counter!(
        "confab_bus_unreadable_total",
        "Events of other nodes that this release cannot read"
    );
    describe_histogram!(
        "confab_bus_lag_seconds",
        "How far behind is what is heard of other nodes"
    );
    describe_gauge!("confab_roster_nodes", "Nodes whose leases are in force");
    describe_counter!(
        "confab_roster_declared_total",
        "How often this node told again who is here: what it could not tell, everything, or everything aloud"
    );
    describe_counter!(
        "confab_roster_nodes_died_total",
        "Nodes whose leases ended and whom this node cleared away"
    );
    describe_counter!(
        "confab_roster_users_died_total",
        "Users who went offline with nodes that this node cleared away"
    );
}
