//! The nodes behind the address: which there are, and whether they agree.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use entity::timestamp::Timestamp;
use futures_util::future::join_all;
use reqwest::header::{SERVER, VIA};
use serde::Deserialize;

use super::{
    client::{Answer, Ask, Client, PATIENCE},
    report::Finding,
};

/// Each of `/healthz` and `/readyz` is asked so often, so many at the same time.
const ROUNDS: usize = 4;
const AT_ONCE: usize = 6;

/// Clocks that differ by more are worth a word; by more than tokens may be off (`jwt_leeway_seconds`) they do harm.
const CLOCK_WARNING: i64 = 1000;
const CLOCK_PROBLEM: i64 = 5000;

const SLOW_DATABASE: f64 = 100.0;
const SLOW_REDIS: f64 = 50.0;

#[derive(Deserialize)]
struct Health {
    node: String,
    version: String,
    time: Timestamp,
    forwarded: Option<String>,
    #[serde(default)]
    status: String,
    database: Option<Dependency>,
    redis: Option<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    ok: bool,
    ms: f64,
}

/// What is known of one node.
#[derive(Default)]
struct Node {
    versions: Vec<String>,
    /// How much its clock is ahead of the one here, and how exactly that is known, in milliseconds.
    clock: Option<(i64, i64)>,
    forwarded: Option<String>,
    is_draining: bool,
    is_unavailable: bool,
    database: Vec<Dependency>,
    redis: Vec<Dependency>,
}

#[derive(Default)]
struct Nodes {
    asked: usize,
    known: BTreeMap<String, Node>,
    /// Answers of no node, by what they were.
    strange: BTreeMap<String, usize>,
    /// Whether an answer names a proxy.
    is_proxied: bool,
}

pub async fn examine(client: &Client) -> Vec<Finding> {
    let mut nodes = Nodes::default();
    let start = Instant::now();
    for _ in 0..ROUNDS {
        if start.elapsed() > PATIENCE {
            break;
        }
        for path in ["/healthz", "/readyz"] {
            let asked = (0..AT_ONCE).map(|_| client.get(path, Ask::default()));
            for answer in join_all(asked).await {
                nodes.asked += 1;
                match answer {
                    Ok(answer) => nodes.hear(&answer),
                    Err(failure) => *nodes.strange.entry(failure.text).or_default() += 1,
                }
            }
        }
    }
    let mut findings = vec![nodes.met()];
    findings.extend(nodes.strange());
    findings.extend(nodes.states());
    if !nodes.known.is_empty() {
        findings.push(nodes.versions());
        findings.push(nodes.clocks());
        findings.extend(nodes.dependencies());
        findings.extend(nodes.addresses());
    }
    findings
}

impl Nodes {
    fn hear(&mut self, answer: &Answer) {
        self.is_proxied |= [SERVER, VIA]
            .iter()
            .any(|name| answer.header(name).is_some());
        let Ok(health) = serde_json::from_str::<Health>(&answer.body) else {
            let what = answer.excerpt();
            *self.strange.entry(what).or_default() += 1;
            return;
        };
        let node = self.known.entry(health.node).or_default();
        if !node.versions.contains(&health.version) {
            node.versions.push(health.version);
        }
        let ahead = health.time.0 - answer.at.0;
        let exact = i64::try_from(answer.took.as_millis() / 2).unwrap_or(i64::MAX);
        if node.clock.is_none_or(|(_, best)| exact < best) {
            node.clock = Some((ahead, exact));
        }
        node.forwarded = health.forwarded.or(node.forwarded.take());
        node.is_draining |= health.status == "draining";
        node.is_unavailable |= health.status == "unavailable";
        node.database.extend(health.database);
        node.redis.extend(health.redis);
    }

    fn met(&self) -> Finding {
        let names: Vec<&str> = self.known.keys().map(String::as_str).collect();
        match names.as_slice() {
            [] => Finding::warning(
                "nodes",
                "/healthz and /readyz say nothing that a node of this release says, so that nodes, clocks and database are not known",
                "Let them pass through the load balancer",
            ),
            [name] => Finding::ok(
                "nodes",
                format!("{} requests met one node, {name}", self.asked),
            ),
            names => Finding::ok(
                "nodes",
                format!(
                    "{} requests met {} nodes: {}",
                    self.asked,
                    names.len(),
                    names.join(", ")
                ),
            ),
        }
    }

    fn strange(&self) -> impl Iterator<Item = Finding> {
        let has_nodes = !self.known.is_empty();
        let asked = self.asked;
        let strange = self.strange.iter().filter(move |_| has_nodes);
        strange.map(move |(what, count)| {
            Finding::problem(
                "nodes",
                format!("{count} of {asked} requests were answered by no node, but: {what}"),
                "The load balancer sends requests to nodes that are gone, or to something else: look at its health checks (/readyz) and at its log",
            )
        })
    }

    fn states(&self) -> Vec<Finding> {
        let named = |is: fn(&Node) -> bool| {
            let those = self.known.iter().filter(|(_, node)| is(node));
            those
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut findings = Vec::new();
        let draining = named(|node| node.is_draining);
        if !draining.is_empty() {
            findings.push(Finding::warning(
                "draining",
                format!("{draining}: is being stopped, and still reached through the load balancer"),
                "During a restart that is as it should be, for drain_seconds; a load balancer that asks /readyz would send nobody there",
            ));
        }
        let unavailable = named(|node| node.is_unavailable);
        if !unavailable.is_empty() {
            findings.push(Finding::problem(
                "readiness",
                format!("{unavailable}: is not ready, since its database does not answer, and still reached through the load balancer"),
                "Look at the node's log and at the database; let the load balancer ask /readyz",
            ));
        }
        findings
    }

    fn versions(&self) -> Finding {
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, node) in &self.known {
            for version in &node.versions {
                versions.entry(version).or_default().push(name);
            }
        }
        let list: Vec<String> = versions
            .iter()
            .map(|(version, names)| format!("{version} on {}", names.join(", ")))
            .collect();
        match list.as_slice() {
            [_] => Finding::ok("versions", format!("all of release {}", list.concat())),
            _ => Finding::warning(
                "versions",
                format!("the nodes are of different releases: {}", list.join("; ")),
                "Finish the update: two releases get along for as long as one takes, not for ever",
            ),
        }
    }

    fn clocks(&self) -> Finding {
        let clocks: Vec<(&str, i64, i64)> = self
            .known
            .iter()
            .filter_map(|(name, node)| {
                node.clock
                    .map(|(ahead, exact)| (name.as_str(), ahead, exact))
            })
            .collect();
        let first = clocks.iter().min_by_key(|(_, ahead, _)| *ahead);
        let last = clocks.iter().max_by_key(|(_, ahead, _)| *ahead);
        let (Some(behind), Some(before)) = (first, last) else {
            return Finding::ok("clocks", "not known");
        };
        let apart = before.1 - behind.1 - before.2 - behind.2;
        if apart > CLOCK_WARNING {
            let text = format!(
                "the clock of {} is {} ahead of that of {}: messages carry wrong times, and tokens end early or late",
                before.0,
                seconds(before.1 - behind.1),
                behind.0
            );
            let advice = "Run an NTP client (chrony, systemd-timesyncd) on every node";
            return if apart > CLOCK_PROBLEM {
                Finding::problem("clocks", text, advice)
            } else {
                Finding::warning("clocks", text, advice)
            };
        }
        let (name, ahead, exact) = if before.1.abs() > behind.1.abs() {
            before
        } else {
            behind
        };
        if ahead.abs() - exact > CLOCK_WARNING {
            let side = if *ahead > 0 { "ahead of" } else { "behind" };
            return Finding::warning(
                "clocks",
                format!(
                    "the clock of {name} is {} {side} the one here, and the nodes agree among themselves",
                    seconds(ahead.abs())
                ),
                "One of the two is wrong: compare both with an NTP server",
            );
        }
        Finding::ok(
            "clocks",
            "the nodes and this machine agree to within a second",
        )
    }

    fn dependencies(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, node) in &self.known {
            findings.extend(slow("database", name, &node.database, SLOW_DATABASE));
            if node.redis.iter().any(|redis| !redis.ok) {
                findings.push(Finding::problem(
                    "redis",
                    format!("{name} has lost Redis: its clients hear those of other nodes late, out of the database"),
                    "Look at Redis, at redis_url and at the network between them; the node comes back by itself",
                ));
            }
            findings.extend(slow("redis", name, &node.redis, SLOW_REDIS));
        }
        if self.known.len() > 1 && self.known.values().all(|node| node.redis.is_empty()) {
            findings.push(Finding::problem(
                "redis",
                "the nodes use no Redis, so each of them is alone: those at different nodes do not hear each other",
                "Set redis_url, and one database_url, on all of them",
            ));
        }
        if findings.is_empty() {
            findings.push(Finding::ok(
                "database",
                "answers quickly on every node that was met",
            ));
        }
        findings
    }

    /// Whether the nodes learn where clients come from.
    fn addresses(&self) -> Option<Finding> {
        let is_balanced = self.is_proxied || self.known.len() > 1;
        let named = |word: &str| {
            let those = self
                .known
                .iter()
                .filter(|(_, node)| node.forwarded.as_deref() == Some(word));
            those
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let untrusted = named("untrusted");
        if !untrusted.is_empty() {
            return Some(Finding::warning(
                "addresses",
                format!(
                    "{untrusted} does not believe the proxy's X-Forwarded-For, so that all clients have one address and share its limits"
                ),
                "Put the proxy's address into trusted_proxies (CONFAB_TRUSTED_PROXIES)",
            ));
        }
        let silent = named("no");
        (is_balanced && !silent.is_empty()).then(|| {
            Finding::warning(
                "addresses",
                format!("the proxy does not tell {silent} where clients come from, so that they all have one address and share its limits"),
                "Let it add X-Forwarded-For (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; HAProxy: option forwardfor)",
            )
        })
    }
}

/// A dependency of a node that answers, but slowly at the median.
fn slow(what: &'static str, node: &str, answers: &[Dependency], limit: f64) -> Option<Finding> {
    let mut times: Vec<f64> = answers
        .iter()
        .filter(|answer| answer.ok)
        .map(|answer| answer.ms)
        .collect();
    times.sort_by(f64::total_cmp);
    let median = *times.get(times.len() / 2)?;
    (median > limit).then(|| {
        Finding::warning(
            what,
            format!("{node} waits {median:.0} ms for the smallest answer: every message takes at least as long"),
            "Look at its load, and at the network between them",
        )
    })
}

fn seconds(millis: i64) -> String {
    let duration = Duration::from_millis(millis.unsigned_abs());
    format!("{:.1} s", duration.as_secs_f64())
}
