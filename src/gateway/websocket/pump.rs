//! Frames in both directions, for as long as a connection lasts: into the session's queue, and out of the outlet's.

use std::{future::pending, sync::Arc, time::Duration};

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde_json::value::RawValue;
use tokio::{
    io::AsyncReadExt,
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::tungstenite::{
    Bytes, Error as SocketError, Message, Utf8Bytes,
    error::{CapacityError, ProtocolError},
};

use super::{
    Socket,
    frames::{self, Frame},
    outlet::{FrameAnswer, FrameEvent, FrameOutlet, Out},
};
use crate::{
    chat::{Audit, Entry as Note, Namespace},
    error::Error,
    gateway::{
        commands,
        reply::{Answer as _, Reply},
        session::CLOSING_PATIENCE,
    },
    protocol::{Done, Success, to_raw},
};
use entity::ids::RoomId;

/// Frames that are written in one go.
const BATCH: usize = 64;

/// How a connection ended.
enum End {
    /// It is gone, or the client has closed it.
    Gone,
    /// The server closes it.
    Close,
}

/// Where frames come in.
pub struct Inlet {
    pub namespace: Namespace,
    pub audit: Audit,
    /// What the audit says of the caller.
    pub of: Note,
    pub room: Option<RoomId>,
    pub outlet: Arc<FrameOutlet>,
    pub queue: mpsc::Sender<FrameEvent>,
    /// A connection that shows no sign of life for so long is closed.
    pub patience: Duration,
}

/// What the server sends by itself.
#[derive(Clone, Copy)]
pub struct Rhythm {
    pub ping: Duration,
    pub heartbeat: Duration,
}

/// Serves a connection until either side closes it. `first` was read while it was not known who is calling.
pub async fn run(
    socket: Socket,
    first: Option<Message>,
    inlet: Inlet,
    out: mpsc::Receiver<Out>,
    rhythm: Rhythm,
) {
    let outlet = Arc::clone(&inlet.outlet);
    let (mut sink, mut stream) = socket.split();
    let end = tokio::select! {
        biased;
        () = outlet.overflowed.cancelled() => End::Close,
        end = write(&mut sink, out, rhythm) => end,
        end = inlet.read(first, &mut stream) => end,
    };
    // The halves are those of one.
    if let (End::Close, Ok(socket)) = (end, sink.reunite(stream)) {
        let farewell = outlet.farewell();
        let frame = (!farewell.is_told).then(|| frames::failure(&farewell.error));
        part(socket, &farewell.error, frame).await;
    }
    outlet.line.closed.cancel();
}

/// Tells a client why its connection is closed and closes it, within a bounded time. What the client still sends is read:
/// with unread data the system would reset the connection, and the client might never hear the reason.
pub async fn part(mut socket: Socket, error: &Error, frame: Option<Utf8Bytes>) {
    let goodbye = async {
        if let Some(frame) = frame {
            socket.feed(Message::Text(frame)).await?;
        }
        socket.close(Some(frames::close(error))).await?;
        let mut is_answered = false;
        while let Some(Ok(message)) = socket.next().await {
            is_answered |= message.is_close();
        }
        if !is_answered {
            // Frames could not be told apart any more.
            let mut rest = [0; 1024];
            while socket.get_mut().read(&mut rest).await? > 0 {}
        }
        Ok::<_, SocketError>(())
    };
    match timeout(CLOSING_PATIENCE, goodbye).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a client was gone before it was told why"),
        Err(_) => tracing::debug!("a client did not say goodbye in time"),
    }
}

/// What is wrong with what was sent, unless the connection is just gone. Frames cannot be told apart any more.
pub fn broken(error: &SocketError) -> Option<Error> {
    match error {
        SocketError::Capacity(CapacityError::MessageTooLong { .. }) => Some(Error::TooLarge),
        SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake) | SocketError::Io(_) => {
            None
        }
        error => Some(Error::invalid(error.to_string())),
    }
}

async fn write(
    sink: &mut SplitSink<Socket, Message>,
    mut out: mpsc::Receiver<Out>,
    rhythm: Rhythm,
) -> End {
    let every = |period| {
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    };
    let (mut pings, mut heartbeats) = (every(rhythm.ping), every(rhythm.heartbeat));
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            count = out.recv_many(&mut batch, BATCH) => if count == 0 {
                return End::Gone;
            },
            _ = pings.tick() => {
                if sink.send(Message::Ping(Bytes::new())).await.is_err() {
                    return End::Gone;
                }
            }
            _ = heartbeats.tick() => batch.push(Out::Frame(frames::HEARTBEAT.into())),
        }
        for out in batch.drain(..) {
            match out {
                Out::Frame(frame) => {
                    if sink.feed(Message::Text(frame)).await.is_err() {
                        return End::Gone;
                    }
                }
                Out::Close => {
                    // The half of a socket holds back the newest frame.
                    drop(timeout(CLOSING_PATIENCE, sink.flush()).await);
                    return End::Close;
                }
            }
        }
        if sink.flush().await.is_err() {
            return End::Gone;
        }
    }
}

impl Inlet {
    async fn read(&self, first: Option<Message>, stream: &mut SplitStream<Socket>) -> End {
        if let Some(message) = first {
            self.take(&message);
        }
        loop {
            match timeout(self.patience, stream.next()).await {
                Err(_) => break self.outlet.fail(Error::TooSlow("Pings were not answered")),
                Ok(None) => return End::Gone,
                Ok(Some(Err(error))) => match broken(&error) {
                    Some(error) => break self.outlet.fail(error),
                    None => return End::Gone,
                },
                Ok(Some(Ok(message))) => self.take(&message),
            }
        }
        // The session answers what it has, and then closes.
        pending().await
    }

    /// Puts what a frame asks for into the session's queue, or answers at once what needs no session.
    fn take(&self, message: &Message) {
        let frame = match message {
            Message::Text(text) => Frame::read(text, self.room.as_ref()),
            Message::Binary(_) => Frame {
                ack: None,
                request: Err(Error::invalid("frames must be texts")),
            },
            // The library answers pings and closes.
            _ => return,
        };
        let answer = FrameAnswer::new(&self.outlet, frame.ack);
        match frame.request {
            Err(error) => self.refuse("", answer, &error),
            Ok((event, payload)) => match event.as_str() {
                "ping" => {
                    self.outlet.send(frames::PONG.into());
                    Box::new(answer).success(&to_raw(&Success::new(Done {})));
                }
                // What some clients say to a heartbeat.
                "pong" | "heartbeat" => Box::new(answer).success(&to_raw(&Success::new(Done {}))),
                "auth" => self.queue("authenticate".to_owned(), payload, answer),
                _ => self.queue(event, payload, answer),
            },
        }
    }

    pub fn queue(&self, event: String, payload: Box<RawValue>, answer: FrameAnswer) {
        let event = FrameEvent {
            event,
            payload,
            answer,
        };
        let (event, error) = match self.queue.try_send(event) {
            Ok(()) => return,
            Err(mpsc::error::TrySendError::Full(event)) => (event, Error::Overloaded),
            Err(mpsc::error::TrySendError::Closed(event)) => {
                (event, self.outlet.farewell().error.clone())
            }
        };
        self.refuse(&event.event, event.answer, &error);
    }

    fn refuse(&self, event: &str, answer: FrameAnswer, error: &Error) {
        let entry = self.of.clone().named(commands::name(self.namespace, event));
        Reply::new(&self.audit, entry, Box::new(answer)).fail(error);
    }
}
