//! The servers that events go over: one, or all masters of a Redis Cluster, each for the channels of its slots.

use std::{
    collections::HashMap,
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::{select_ok, try_join_all};
use redis::{
    ConnectionInfo, FromRedisValue, Pipeline, PushInfo, RedisResult, Value,
    aio::MultiplexedConnection, cluster_routing::Slot, from_redis_value,
};
use tokio::time::{Duration, Instant, timeout};

use super::{
    link::words,
    target::{self, Target},
};

/// How long finding and reaching all of them may take.
const OPEN: Duration = Duration::from_millis(1500);
const SLOTS: usize = 16384;

/// Connections to all of them.
pub(super) struct Servers {
    pub(super) all: Vec<Server>,
    owners: Owners,
}

/// By slot, the place among the servers; empty where there is one.
type Owners = HashMap<Slot, usize>;

pub(super) struct Server {
    pub(super) connection: MultiplexedConnection,
    heard: Arc<LastHeard>,
}

/// When something came last.
struct LastHeard {
    start: Instant,
    milliseconds: AtomicU64,
}

impl LastHeard {
    fn now() -> Self {
        Self {
            start: Instant::now(),
            milliseconds: AtomicU64::new(0),
        }
    }

    fn note(&self) {
        let milliseconds = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.milliseconds.store(milliseconds, Ordering::Relaxed);
    }

    fn elapsed(&self) -> Duration {
        let heard = Duration::from_millis(self.milliseconds.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(heard)
    }
}

impl Servers {
    /// Connects to all. `heard` is called in the tasks that read, with what was not asked for.
    pub(super) async fn open(
        target: &Target,
        heard: impl Fn(PushInfo) + Clone + Send + Sync + 'static,
    ) -> Result<Self, String> {
        timeout(OPEN, Self::find(target, heard))
            .await
            .map_err(|_| "it did not answer in time".to_owned())?
    }

    async fn find(
        target: &Target,
        heard: impl Fn(PushInfo) + Clone + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let (addresses, owners) = if target.is_cluster() {
            masters(target).await?
        } else {
            (target.seeds().to_vec(), Owners::new())
        };
        let connecting = addresses
            .iter()
            .map(|address| Server::connect(address, heard.clone()));
        let all = try_join_all(connecting)
            .await
            .map_err(|error| words(&error))?;
        Ok(Self { all, owners })
    }

    /// Where a channel lives, as a place in [`Self::all`].
    pub(super) fn of(&self, channel: &str) -> usize {
        let owner = self.owners.get(&Slot::for_key(channel));
        owner.copied().unwrap_or_default()
    }

    /// Sends each of them its pipeline.
    pub(super) async fn exec(&self, pipelines: &[Pipeline]) -> RedisResult<()> {
        let sending = self
            .all
            .iter()
            .zip(pipelines)
            .filter(|(_, pipeline)| !pipeline.is_empty())
            .map(async |(server, pipeline)| {
                let mut connection = server.connection.clone();
                pipeline.exec_async(&mut connection).await
            });
        try_join_all(sending).await.map(drop)
    }

    /// Whether all of them answer, each within `patience` after it was last heard.
    pub(super) async fn ping(&self, patience: Duration) -> Result<(), String> {
        try_join_all(self.all.iter().map(|server| server.ping(patience))).await?;
        Ok(())
    }
}

impl Server {
    async fn connect(
        address: &ConnectionInfo,
        heard: impl Fn(PushInfo) + Send + Sync + 'static,
    ) -> RedisResult<Self> {
        let last = Arc::new(LastHeard::now());
        let noted = Arc::clone(&last);
        let connection = target::connect(address, move |push| {
            heard(push);
            noted.note();
            Ok(())
        })
        .await?;
        Ok(Self {
            connection,
            heard: last,
        })
    }

    async fn ping(&self, patience: Duration) -> Result<(), String> {
        let mut connection = self.connection.clone();
        let command = redis::cmd("PING");
        let mut answer = std::pin::pin!(command.exec_async(&mut connection));
        let mut left = patience;
        loop {
            match timeout(left, &mut answer).await {
                Ok(outcome) => return outcome.map_err(|error| words(&error)),
                // What is sent to us comes before the answer: while something comes, it is there.
                Err(_) if self.heard.elapsed() < patience => {
                    left = patience.saturating_sub(self.heard.elapsed());
                }
                Err(_) => return Err("it did not answer in time".to_owned()),
            }
        }
    }
}

/// The masters of a cluster, as the first that answers sees them, and which of them owns each slot.
async fn masters(target: &Target) -> Result<(Vec<ConnectionInfo>, Owners), String> {
    let asking = target.seeds().iter().map(|seed| Box::pin(slots(seed)));
    let (ranges, _) = select_ok(asking).await.map_err(|error| words(&error))?;
    let mut addresses = Vec::new();
    let mut places = HashMap::new();
    let mut owners = Owners::new();
    for (range, host, port) in ranges {
        let place = *places.entry((host.clone(), port)).or_insert_with(|| {
            addresses.push(target.sibling(&host, port));
            addresses.len() - 1
        });
        owners.extend(range.filter_map(Slot::new).map(|slot| (slot, place)));
    }
    if owners.len() < SLOTS {
        return Err("some slots of the cluster have no server".to_owned());
    }
    Ok((addresses, owners))
}

/// Slots, and where their master is.
type Range = (RangeInclusive<u16>, String, u16);

async fn slots(seed: &ConnectionInfo) -> RedisResult<Vec<Range>> {
    let mut connection = target::connect(seed, |_| Ok(())).await?;
    let answer: Vec<Vec<Value>> = redis::cmd("CLUSTER")
        .arg("SLOTS")
        .query_async(&mut connection)
        .await?;
    answer.into_iter().map(|entry| range(entry, seed)).collect()
}

/// One entry: the first slot, the last one, the master, its replicas.
fn range(entry: Vec<Value>, seed: &ConnectionInfo) -> RedisResult<Range> {
    let mut fields = entry.into_iter();
    let mut next = move || fields.next().unwrap_or(Value::Nil);
    let (first, last) = (read(next())?, read(next())?);
    let mut master = read::<Vec<Value>>(next())?.into_iter();
    let mut next = move || master.next().unwrap_or(Value::Nil);
    let host: Option<String> = read(next())?;
    let port = read(next())?;
    // A server that does not know how it is called is the one that was asked.
    let host = host
        .filter(|host| !host.is_empty())
        .unwrap_or_else(|| target::host(seed));
    Ok((first..=last, host, port))
}

fn read<T: FromRedisValue>(value: Value) -> RedisResult<T> {
    Ok(from_redis_value(value)?)
}
