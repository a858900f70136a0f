//! The connection to Redis that commands and scripts go over. Nothing waits for Redis: while it is away, everything that
//! is asked of it is answered at once.

use std::sync::Arc;

use parking_lot::Mutex;
use rand::random_range;
use redis::{
    Cmd, ErrorKind, FromRedisValue, Pipeline, PushInfo, PushKind, RedisError, RedisResult,
    ScriptInvocation, ServerErrorKind,
};
use tokio::{
    sync::{Notify, watch},
    time::{Duration, Instant, sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::{
    health::{Health, Monitor, Part},
    names::Names,
    target::{Connection, Target},
};
use crate::{
    bus::{NodeId, Topic, Unreachable},
    config::Config,
};

/// How long whoever asks waits.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often an idle connection is asked whether it is still there, and how long it may take to show that it is.
const PROBE_EVERY: Duration = Duration::from_secs(1);
const PROBE_PATIENCE: Duration = Duration::from_millis(1500);
/// How often something that should not happen is told of.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

/// What can be asked of Redis.
pub enum Request<'a> {
    Command(&'a Cmd),
    /// On a Redis Cluster all of its keys have the same owner.
    Pipeline(&'a Pipeline),
    Script(&'a ScriptInvocation<'a>),
}

impl<'a> From<&'a Cmd> for Request<'a> {
    fn from(command: &'a Cmd) -> Self {
        Self::Command(command)
    }
}

impl<'a> From<&'a Pipeline> for Request<'a> {
    fn from(pipeline: &'a Pipeline) -> Self {
        Self::Pipeline(pipeline)
    }
}

impl<'a> From<&'a ScriptInvocation<'a>> for Request<'a> {
    fn from(script: &'a ScriptInvocation<'a>) -> Self {
        Self::Script(script)
    }
}

/// This node's connection to Redis. Clones share it; it ends with the last one.
#[derive(Clone)]
pub struct Link {
    /// Who we are among the nodes.
    pub node: NodeId,
    shared: Arc<Shared>,
    _running: Arc<DropGuard>,
}

/// What the task that keeps the connection shares with those who use it.
pub(super) struct Shared {
    pub(super) target: Target,
    pub(super) names: Names,
    pub(super) monitor: Arc<Monitor>,
    connection: Mutex<Option<Connection>>,
    /// Something went wrong: look whether Redis is still there.
    suspicion: Notify,
    complained: Mutex<Option<Instant>>,
}

impl Link {
    /// The connection that the settings ask for, if they do. It is made behind the scenes: a server starts without it.
    ///
    /// # Errors
    /// The settings are wrong, in words, without the password.
    pub fn start(config: &Config) -> Result<Option<Self>, String> {
        let Some((target, names)) = place(config)? else {
            return Ok(None);
        };
        let node = NodeId(Uuid::now_v7());
        let shared = Arc::new(Shared {
            target,
            names,
            monitor: Arc::new(Monitor::new()),
            connection: Mutex::new(None),
            suspicion: Notify::new(),
            complained: Mutex::new(None),
        });
        let end = CancellationToken::new();
        let keeping = keep(Arc::clone(&shared), node);
        tokio::spawn(end.clone().run_until_cancelled_owned(keeping));
        Ok(Some(Self {
            node,
            shared,
            _running: Arc::new(end.drop_guard()),
        }))
    }

    /// Looks whether the Redis of the settings, if there is one, is of use, and changes nothing in it.
    ///
    /// # Errors
    /// Why it is not, in words, without the password.
    pub async fn inspect(config: &Config) -> Result<bool, String> {
        let Some((target, names)) = place(config)? else {
            return Ok(false);
        };
        let looking = async {
            let mut connection = target.connect(|_| Ok(())).await?;
            // Writes, and finds nothing to remove.
            let key = names.name("probe", &["none"], &[]);
            let write = redis::cmd("DEL").arg(key).clone();
            write.exec_async(&mut connection).await
        };
        let why = match timeout(PROBE_PATIENCE, looking).await {
            Ok(Ok(())) => return Ok(true),
            Ok(Err(error)) => words(&error),
            Err(_) => "it did not answer in time".to_owned(),
        };
        Err(format!("the Redis of redis_url: {why}"))
    }

    /// Asks Redis, for half a second at most. While it is away this does not wait at all.
    ///
    /// # Errors
    /// There was no answer, or a refusal (it has no memory left, say); whether it was done is not known then.
    /// [`Self::health`] says when asking again makes sense; it may be up still, where only this request failed.
    pub async fn run<'a, T: FromRedisValue>(
        &self,
        request: impl Into<Request<'a>>,
    ) -> Result<T, Unreachable> {
        if self.is_away() {
            return Err(Unreachable);
        }
        let connection = self.shared.connection.lock().clone();
        let mut connection = connection.ok_or(Unreachable)?;
        let asking = async {
            match request.into() {
                Request::Command(command) => command.query_async(&mut connection).await,
                Request::Pipeline(pipeline) => pipeline.query_async(&mut connection).await,
                Request::Script(script) => script.invoke_async(&mut connection).await,
            }
        };
        match timeout(PATIENCE, asking).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.shared.failed(&error);
                Err(Unreachable)
            }
            Err(_) => {
                self.shared.suspicion.notify_one();
                Err(Unreachable)
            }
        }
    }

    /// # Errors
    /// As [`Self::run`].
    pub async fn ping(&self) -> Result<(), Unreachable> {
        self.run(&redis::cmd("PING")).await
    }

    /// Whether Redis cannot be reached. False where that is not known yet.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.health() == Health::Away
    }

    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.monitor.health()
    }

    /// Changes with [`Self::health`].
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Health> {
        self.shared.monitor.watch()
    }

    /// The name of a key: `prefix:kind:{owner}:detail`. Parts may hold any text. A Redis Cluster keeps keys of the same
    /// owner (a tenant and a user, say) together, so that one script can use several.
    #[must_use]
    pub fn key(&self, kind: &str, owner: &[&str], detail: &[&str]) -> String {
        self.shared.names.name(kind, owner, detail)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// Where Redis is, and what is ours in it.
fn place(config: &Config) -> Result<Option<(Target, Names)>, String> {
    let Some(url) = &config.redis_url.0 else {
        return Ok(None);
    };
    let target = Target::parse(url)?;
    let names = Names::new(&config.redis_prefix)?;
    // Fails only where there is one already.
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(Some((target, names)))
}

impl Shared {
    /// What a topic is called. Channels, other than keys, are shared by all databases of a server.
    pub(super) fn channel(&self, topic: &Topic) -> String {
        let (kind, owner): (_, &[&str]) = match topic {
            Topic::Room(tenant, room) => ("room", &[&tenant.to_string(), &room.to_string()]),
            Topic::User(tenant, user) => ("user", &[&tenant.to_string(), &user.to_string()]),
            Topic::Tenant(tenant) => ("tenant", &[&tenant.to_string()]),
            Topic::Desk(tenant) => ("desk", &[&tenant.to_string()]),
            Topic::Nodes => ("nodes", &[]),
        };
        match self.target.database() {
            0 => self.names.name(kind, owner, &[]),
            database => self.names.name(kind, owner, &["in", &database.to_string()]),
        }
    }

    /// What a refusal means for the connection.
    fn failed(&self, error: &RedisError) {
        match Trouble::of(error) {
            Trouble::Lost | Trouble::Refused => self.suspicion.notify_one(),
            Trouble::Fault => self.complain(&words(error)),
        }
    }

    /// Tells of what should not happen, once in a while.
    pub(super) fn complain(&self, what: &str) {
        let mut complained = self.complained.lock();
        if complained.is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY) {
            *complained = Some(Instant::now());
            tracing::error!(what, "Redis answered what it should not");
        }
    }
}

/// An error in the server's words, or the library's.
pub(super) fn words(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    }
}

/// What an error says of Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It is not there, or as good as.
    Lost,
    /// It takes no writes.
    Refused,
    /// It is there; the request was wrong.
    Fault,
}

impl Trouble {
    pub(super) fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io
            | ErrorKind::AuthenticationFailed
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::RESP3NotSupported
            | ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly,
            ) => Self::Lost,
            ErrorKind::Server(ServerErrorKind::NoPerm) => Self::Refused,
            _ => match error.code() {
                Some("OOM" | "MISCONF" | "NOREPLICAS") => Self::Refused,
                Some("NOAUTH" | "WRONGPASS" | "BUSY") => Self::Lost,
                _ if error.is_unrecoverable_error() => Self::Lost,
                _ => Self::Fault,
            },
        }
    }
}

/// Connects, looks after the connection, and connects again.
async fn keep(shared: Arc<Shared>, node: NodeId) {
    let mut backoff = Backoff::default();
    loop {
        let closed = Arc::new(Notify::new());
        let reason = match open(&shared, node, &closed).await {
            Ok(connection) => {
                *shared.connection.lock() = Some(connection.clone());
                shared.monitor.up(Part::Commands);
                backoff.connected();
                let reason = look_after(&shared, node, connection, &closed).await;
                *shared.connection.lock() = None;
                reason
            }
            Err(reason) => reason,
        };
        shared.monitor.down(Part::Commands, &reason);
        backoff.wait().await;
    }
}

async fn open(shared: &Shared, node: NodeId, closed: &Arc<Notify>) -> Result<Connection, String> {
    let notify = Arc::clone(closed);
    let heard = move |push: PushInfo| {
        if push.kind == PushKind::Disconnection {
            notify.notify_one();
        }
        Ok(())
    };
    let opening = shared.target.connect(heard);
    let mut connection = timeout(PROBE_PATIENCE, opening)
        .await
        .map_err(|_| "it did not answer in time".to_owned())?
        .map_err(|error| words(&error))?;
    probe(shared, node, &mut connection).await?;
    Ok(connection)
}

/// Says why the connection is no good any more, once it is not.
async fn look_after(
    shared: &Shared,
    node: NodeId,
    mut connection: Connection,
    closed: &Notify,
) -> String {
    loop {
        tokio::select! {
            () = closed.notified() => {
                // A cluster's connections come back by themselves.
                if !shared.target.is_cluster() {
                    return "the connection was closed".to_owned();
                }
            }
            () = shared.suspicion.notified() => {}
            () = sleep(PROBE_EVERY) => {}
        }
        if let Err(reason) = probe(shared, node, &mut connection).await {
            return reason;
        }
        shared.monitor.conclude_later();
    }
}

/// Writes something small: a server that takes no writes shows it in no other way.
async fn probe(shared: &Shared, node: NodeId, connection: &mut Connection) -> Result<(), String> {
    let key = shared.names.name("probe", &[&node.0.to_string()], &[]);
    let command = redis::cmd("SET").arg(key).arg(1).arg("EX").arg(10).clone();
    let probing = command.exec_async(connection);
    let outcome: RedisResult<()> = timeout(PROBE_PATIENCE, probing)
        .await
        .map_err(|_| "it did not answer in time".to_owned())?;
    match outcome {
        Ok(()) => shared.monitor.writes(Ok(())),
        Err(error) if Trouble::of(&error) == Trouble::Lost => return Err(words(&error)),
        Err(error) => shared.monitor.writes(Err(&words(&error))),
    }
    Ok(())
}

/// How long to wait before the next attempt: not in step with other nodes, and never so long that it would be felt.
#[derive(Default)]
pub(super) struct Backoff {
    failures: u32,
    connected: Option<Instant>,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(25);
    const LONGEST: Duration = Duration::from_millis(400);
    /// A connection that held so long was a good one.
    const GOOD: Duration = Duration::from_secs(5);

    pub(super) fn connected(&mut self) {
        self.connected = Some(Instant::now());
    }

    pub(super) async fn wait(&mut self) {
        if self
            .connected
            .take()
            .is_some_and(|since| since.elapsed() >= Self::GOOD)
        {
            self.failures = 0;
        }
        let longest = (Self::FIRST * 2_u32.pow(self.failures.min(4))).min(Self::LONGEST);
        self.failures = self.failures.saturating_add(1);
        sleep(longest.mul_f64(random_range(0.5..1.0))).await;
    }
}
