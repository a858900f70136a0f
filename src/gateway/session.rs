//! One connection from its start to its end, whatever its door: takes its events one after the other, in the order of
//! arrival.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use serde_json::value::RawValue;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Gateway,
    admission::Admitted,
    commands::{self, Answered, Caller},
    pace::{self, Pace},
    refusals,
    reply::{Answer, Reply},
};
use crate::{
    chat::{CloseReason, Connection, Entry, Namespace, Outlet, left_undone},
    error::Error,
    protocol::to_raw,
};

/// Messages of one connection that may wait for their commit.
const MAX_UNCOMMITTED: usize = 1024;
/// How long a client may take to hear that its connection is being closed.
pub const CLOSING_PATIENCE: Duration = Duration::from_secs(2);

/// An event as it came in.
pub trait Incoming: Send + 'static {
    /// Its name, its payload (`null` if there is none) and the way to answer.
    fn into_parts(self) -> (String, Box<RawValue>, Box<dyn Answer>);
}

/// What the session of a connection shares with its outlet and its door.
#[derive(Default)]
pub struct Line {
    /// What was received is to be answered, then the connection closed.
    pub closing: CancellationToken,
    /// The connection is gone, or as good as.
    pub closed: CancellationToken,
    /// Bytes of answers since the session looked last.
    pub answered: AtomicUsize,
}

/// The way out of a connection, and how its door closes it.
pub trait Way: Outlet + Send + Sync + 'static {
    /// Hears whose way out it is, before anything goes out.
    fn serves(&self, _connection: &Arc<Connection>) {}

    /// Closes the connection so that the client comes back by itself; what was pushed before is still sent.
    fn finish(&self) -> impl Future<Output = ()> + Send;
}

/// Where a connection comes in.
#[derive(Clone, Copy)]
pub struct Door {
    /// The transport's name in metrics and logs.
    pub name: &'static str,
    pub namespace: Namespace,
}

/// What serves a connection, from the moment before its client is told that it is connected.
pub struct Session<E, W> {
    door: Door,
    admitted: Admitted,
    caller: Caller,
    way: Arc<W>,
    events: mpsc::Receiver<E>,
    line: Arc<Line>,
    /// Messages on their way to the disk, in the order in which they were sent.
    uncommitted: FuturesOrdered<BoxFuture<'static, Answered>>,
    pace: Pace,
}

impl<E: Incoming, W: Way> Session<E, W> {
    /// Makes the connection. What happens from here on it hears once it is served, on whatever node it happens.
    pub async fn begin(
        gateway: Arc<Gateway>,
        door: Door,
        admitted: Admitted,
        events: mpsc::Receiver<E>,
        line: Arc<Line>,
        way: Arc<W>,
    ) -> Self {
        let identity = admitted.identity.clone();
        let connection = Connection::new(door.namespace, identity, Box::new(Arc::clone(&way)));
        way.serves(&connection);
        gateway.chat.expect(&connection).await;
        Self {
            door,
            admitted,
            caller: Caller {
                gateway,
                connection,
            },
            way,
            events,
            line,
            uncommitted: FuturesOrdered::new(),
            pace: Pace::new(),
        }
    }

    /// The client was gone before it was told that it is connected.
    pub async fn abandon(self) {
        let Caller {
            gateway,
            connection,
        } = &self.caller;
        gateway.chat.disconnect(connection).await;
    }

    /// Serves the connection until either side closes it.
    pub async fn run(mut self) {
        let caller = self.caller.clone();
        let kind = caller.connection.identity().kind();
        let gauge = metrics::gauge!("confab_connections", "door" => self.door.name, "kind" => kind);
        gauge.increment(1.0);
        refusals::count_connect(self.door.name, "ok");
        let made = self.admitted.made.as_ref();
        let session = made.map(|session| ("session", to_raw(session)));
        let chat = &caller.gateway.chat;
        if let Err(error) = chat.connect(&caller.connection, session).await {
            left_undone(&error, "a connection was not announced");
            self.way.close(CloseReason::Restarting);
        }
        self.serve(&caller).await;
        self.finish(&caller).await;
        let closed = &self.line.closed;
        if !closed.is_cancelled() {
            self.way.finish().await;
            // The client may take its time, its user is gone all the same.
            drop(timeout(CLOSING_PATIENCE, closed.cancelled()).await);
        }
        caller.gateway.chat.disconnect(&caller.connection).await;
        gauge.decrement(1.0);
    }

    async fn serve(&mut self, caller: &Caller) {
        loop {
            let expiry = expiry(caller);
            self.pace
                .spend(self.line.answered.swap(0, Ordering::Relaxed));
            let wait = self.pace.wait();
            let events = &mut self.events;
            let next = async move {
                if !wait.is_zero() {
                    sleep(wait).await;
                }
                events.recv().await
            };
            tokio::select! {
                biased;
                () = self.line.closed.cancelled() => return,
                () = self.line.closing.cancelled() => return,
                () = expiry => {
                    caller.connection.send("error", &Error::TokenExpired.body());
                    caller.connection.close(CloseReason::TokenExpired);
                }
                Some(answer) = self.uncommitted.next(), if !self.uncommitted.is_empty() => answer(),
                event = next, if self.uncommitted.len() < MAX_UNCOMMITTED => match event {
                    Some(event) => self.take(caller, event).await,
                    None => return,
                },
            }
        }
    }

    /// Answers what was received before the end.
    async fn finish(&mut self, caller: &Caller) {
        self.events.close();
        while let Ok(event) = self.events.try_recv() {
            self.take(caller, event).await;
        }
        self.answer_stored().await;
    }

    /// Waits until all messages are committed, and answers them.
    async fn answer_stored(&mut self) {
        while let Some(answer) = self.uncommitted.next().await {
            answer();
        }
    }

    async fn take(&mut self, caller: &Caller, event: E) {
        let (event, payload, answer) = event.into_parts();
        if !commands::is_pipelined(self.door.namespace, &event) {
            // Whatever is not a message finds all messages that were sent before it.
            self.answer_stored().await;
            self.pace.spend(pace::REQUEST);
        }
        let identity = caller.connection.identity();
        let name = commands::name(self.door.namespace, &event);
        let entry = Entry::new(name, &identity)
            .door(self.door.name)
            .address(self.admitted.ip);
        let reply = Reply::new(&caller.gateway.chat.audit, entry, answer);
        if let Some(why) = caller.connection.refusal() {
            return reply.fail(why);
        }
        if caller
            .gateway
            .chat
            .time_left(&identity)
            .is_some_and(|left| left.is_zero())
            && event != "authenticate"
        {
            return reply.fail(&Error::TokenExpired);
        }
        if let Some(commit) = commands::dispatch(caller, &event, &payload, reply).await {
            self.uncommitted.push_back(commit);
        }
    }
}

/// Ends when the token does; it may be renewed meanwhile.
fn expiry(caller: &Caller) -> impl Future<Output = ()> + use<> {
    let left = caller.gateway.chat.time_left(&caller.connection.identity());
    async move {
        match left {
            // Not even a sleep of no time ends at once, and a flood of events would never wait for it.
            Some(Duration::ZERO) => {}
            Some(left) => sleep(left).await,
            None => pending().await,
        }
    }
}
