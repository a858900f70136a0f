//! One connection from its CONNECT to its end: takes its events one after the other, in the order of arrival.

use std::{
    future::pending,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use socketioxide::extract::SocketRef;
use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    incoming::Incoming,
    outlet::{Ending, SocketOutlet},
    pace::{self, Pace},
};
use crate::{
    auth::Identity,
    chat::{CloseReason, Connection, GuestSession, Outlet},
    error::Error,
    gateway::{
        Gateway,
        commands::{self, Caller},
        reply::Reply,
    },
};

/// Messages of one connection that may wait for their commit.
const MAX_UNCOMMITTED: usize = 1024;
/// How long a client may take to hear that its connection is being closed.
const CLOSING_PATIENCE: Duration = Duration::from_secs(2);

pub struct Session {
    gateway: Arc<Gateway>,
    guest: GuestSession,
    events: mpsc::Receiver<Incoming>,
    /// What was received is to be answered, then the connection closed.
    closing: CancellationToken,
    ending: Arc<Ending>,
    /// Messages on their way to the disk, in the order in which they were sent.
    uncommitted: FuturesOrdered<BoxFuture<'static, ()>>,
    pace: Pace,
}

impl Session {
    pub fn new(
        gateway: Arc<Gateway>,
        guest: GuestSession,
        events: mpsc::Receiver<Incoming>,
        ending: Arc<Ending>,
    ) -> Self {
        Self {
            gateway,
            guest,
            events,
            closing: CancellationToken::new(),
            ending,
            uncommitted: FuturesOrdered::new(),
            pace: Pace::new(),
        }
    }

    /// Serves the connection. `_place` is the user's place for it, held as long.
    pub async fn run(mut self, connected: oneshot::Receiver<SocketRef>, _place: impl Send) {
        // If the client was gone before CONNECT was answered, there never was a connection.
        let Ok(socket) = connected.await else { return };
        let outlet = Arc::new(SocketOutlet::new(
            socket,
            Arc::clone(&self.ending),
            self.closing.clone(),
        ));
        let connection =
            Connection::new(self.guest.identity.clone(), Box::new(Arc::clone(&outlet)));
        let kind = if self.guest.identity.is_guest {
            "guest"
        } else {
            "user"
        };
        let gauge = metrics::gauge!("confab_connections", "door" => "socketio", "kind" => kind);
        gauge.increment(1.0);
        if let Some(session) = &self.guest.made {
            connection.send("session", session);
        }
        let caller = Caller {
            gateway: Arc::clone(&self.gateway),
            connection,
        };
        if let Err(error) = caller.gateway.chat.connect(&caller.connection).await {
            tracing::warn!(%error, "a connection was not announced");
            outlet.close(CloseReason::Restarting);
        }
        self.serve(&caller).await;
        self.finish(&caller).await;
        let closed = &self.ending.closed;
        if !closed.is_cancelled() {
            outlet.finish().await;
            // The client may take its time, its user is gone all the same.
            drop(timeout(CLOSING_PATIENCE, closed.cancelled()).await);
        }
        caller.gateway.chat.disconnect(&caller.connection).await;
        gauge.decrement(1.0);
    }

    /// Until the connection is closed by either side.
    async fn serve(&mut self, caller: &Caller) {
        loop {
            let expiry = self.expiry(caller);
            self.pace
                .spend(self.ending.answered.swap(0, Ordering::Relaxed));
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
                () = self.ending.closed.cancelled() => return,
                () = self.closing.cancelled() => return,
                () = expiry => {
                    caller.connection.send("error", &Error::TokenExpired.body());
                    caller.connection.close(CloseReason::TokenExpired);
                }
                Some(()) = self.uncommitted.next(), if !self.uncommitted.is_empty() => {}
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
        while self.uncommitted.next().await.is_some() {}
    }

    async fn take(&mut self, caller: &Caller, event: Incoming) {
        let (event, payload, answer) = event.into_parts();
        if !commands::is_pipelined(&event) {
            // Whatever is not a message finds all messages that were sent before it.
            while self.uncommitted.next().await.is_some() {}
            self.pace.spend(pace::REQUEST);
        }
        let identity = caller.connection.identity();
        let reply = Reply::new(commands::name(&event), &identity, answer);
        if caller.connection.is_revoked() {
            return reply.fail(&Error::SignedOut);
        }
        if self.time_left(&identity).is_some_and(|left| left.is_zero()) && event != "authenticate" {
            return reply.fail(&Error::TokenExpired);
        }
        if let Some(commit) = commands::dispatch(caller, &event, &payload, reply).await {
            self.uncommitted.push_back(commit);
        }
    }

    /// How long the caller's token is still accepted; guests have none.
    fn time_left(&self, caller: &Identity) -> Option<Duration> {
        let now =
            Duration::from_millis(u64::try_from(self.gateway.chat.clock.now().0).unwrap_or(0));
        let leeway = self.gateway.config.jwt_leeway_seconds.0;
        let end = Duration::from_millis(u64::try_from(caller.expires_at?.0).unwrap_or(0)) + leeway;
        Some(end.saturating_sub(now))
    }

    /// Ends when the token does; it may be renewed meanwhile.
    fn expiry(&self, caller: &Caller) -> impl Future<Output = ()> + use<> {
        let left = self.time_left(&caller.connection.identity());
        async move {
            match left {
                // Not even a sleep of no time ends at once, and a flood of events would never wait for it.
                Some(Duration::ZERO) => {}
                Some(left) => sleep(left).await,
                None => pending().await,
            }
        }
    }
}
