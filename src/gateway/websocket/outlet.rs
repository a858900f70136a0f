//! The way out to one raw WebSocket, and the answers to what it asks.

use std::sync::{Arc, OnceLock, Weak, atomic::Ordering};

use serde_json::value::RawValue;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

use super::frames;
use crate::{
    chat::{CloseReason, Connection, Outlet},
    error::Error,
    gateway::{
        reply::Answer,
        session::{Incoming, Line, Way},
    },
    protocol::to_raw,
};

/// What waits to be written.
pub enum Out {
    Frame(Utf8Bytes),
    /// All that came before is written, then the connection closed.
    Close,
}

/// Why a connection is closed.
pub struct Farewell {
    pub error: Error,
    /// Whether the client was sent the error already.
    pub is_told: bool,
}

pub struct FrameOutlet {
    queue: mpsc::Sender<Out>,
    pub line: Arc<Line>,
    echo: bool,
    connection: OnceLock<Weak<Connection>>,
    /// The first reason counts.
    farewell: OnceLock<Farewell>,
    /// More waits than may: what does is dropped.
    pub overflowed: CancellationToken,
}

impl FrameOutlet {
    pub fn new(queue: mpsc::Sender<Out>, echo: bool) -> Arc<Self> {
        Arc::new(Self {
            queue,
            line: Arc::default(),
            echo,
            connection: OnceLock::new(),
            farewell: OnceLock::new(),
            overflowed: CancellationToken::new(),
        })
    }

    pub fn send(&self, frame: Utf8Bytes) {
        self.put(Out::Frame(frame));
    }

    /// Why the connection ends, as far as the server has a reason.
    pub fn farewell(&self) -> &Farewell {
        self.farewell.get_or_init(|| Farewell {
            error: Error::Restarting,
            is_told: false,
        })
    }

    /// Ends the connection after what was received has been answered.
    pub fn fail(&self, error: Error) {
        self.end(error, false);
    }

    fn end(&self, error: Error, is_told: bool) {
        drop(self.farewell.set(Farewell { error, is_told }));
        self.line.closing.cancel();
    }

    fn put(&self, out: Out) {
        match self.queue.try_send(out) {
            Ok(()) => {}
            Err(TrySendError::Closed(_)) => self.line.closed.cancel(),
            Err(TrySendError::Full(_)) => self.overflow(),
        }
    }

    /// It would miss something and not know it: it is closed, comes back and catches up.
    fn overflow(&self) {
        if self.overflowed.is_cancelled() {
            return;
        }
        metrics::counter!("confab_slow_readers_total").increment(1);
        tracing::info!("closing a connection that does not keep up");
        drop(self.farewell.set(Farewell {
            error: Error::TooSlow("Too much waits for this connection"),
            is_told: false,
        }));
        self.overflowed.cancel();
        self.line.closed.cancel();
    }

    fn connection(&self) -> Option<Arc<Connection>> {
        self.connection.get().and_then(Weak::upgrade)
    }

    fn is_own(&self, payload: &RawValue) -> bool {
        let own = self
            .connection()
            .map(|connection| to_raw(&connection.identity().user_id));
        own.is_some_and(|own| {
            frames::sender(payload).is_some_and(|sender| sender.get() == own.get())
        })
    }
}

impl Outlet for FrameOutlet {
    fn push(&self, event: &'static str, payload: &RawValue) {
        if self.echo || event != "new_message" || !self.is_own(payload) {
            self.send(frames::event(event, payload));
        }
    }

    fn close(&self, reason: CloseReason) {
        // Where access has ended the connection knows more exactly why.
        let connection = self.connection();
        let why = connection.as_ref().and_then(|of| of.refusal());
        let error = why.cloned().unwrap_or_else(|| reason.error());
        self.end(error, reason != CloseReason::Restarting);
    }
}

impl Way for FrameOutlet {
    fn serves(&self, connection: &Arc<Connection>) {
        drop(self.connection.set(Arc::downgrade(connection)));
    }

    async fn finish(&self) {
        self.put(Out::Close);
    }
}

/// A request that waits for its turn.
pub struct FrameEvent {
    pub event: String,
    pub payload: Box<RawValue>,
    pub answer: FrameAnswer,
}

impl Incoming for FrameEvent {
    fn into_parts(self) -> (String, Box<RawValue>, Box<dyn Answer>) {
        (self.event, self.payload, Box::new(self.answer))
    }
}

/// Answers in an `ack` frame where one was asked for, else failures in an `error` frame.
pub struct FrameAnswer {
    pub outlet: Arc<FrameOutlet>,
    pub ack: Option<Box<RawValue>>,
    pub after_failure: AfterFailure,
}

/// What a failure means to the connection.
pub enum AfterFailure {
    GoesOn,
    /// It ends. If the client showed a token that was not taken, that is why it may not enter the room.
    Ends {
        token_refused: Option<Error>,
    },
}

impl FrameAnswer {
    pub fn new(outlet: &Arc<FrameOutlet>, ack: Option<Box<RawValue>>) -> Self {
        Self {
            outlet: Arc::clone(outlet),
            ack,
            after_failure: AfterFailure::GoesOn,
        }
    }
}

impl Answer for FrameAnswer {
    fn success(self: Box<Self>, body: &RawValue) {
        if let Some(ack) = &self.ack {
            let answered = &self.outlet.line.answered;
            answered.fetch_add(body.get().len(), Ordering::Relaxed);
            self.outlet.send(frames::ack(ack, body));
        }
    }

    fn failure(self: Box<Self>, error: &Error) {
        let AfterFailure::Ends { token_refused } = self.after_failure else {
            return self.outlet.send(match &self.ack {
                Some(ack) => frames::ack(ack, &to_raw(&error.body())),
                None => frames::failure(error),
            });
        };
        let is_denied = matches!(error, Error::AccessDenied(_) | Error::NotFound(_));
        let error = token_refused
            .filter(|_| is_denied)
            .unwrap_or_else(|| error.clone());
        self.outlet.send(frames::failure(&error));
        self.outlet.end(error, true);
    }
}
